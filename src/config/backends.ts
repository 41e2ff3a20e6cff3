/** Settings of what Viaduct works with: its database, and the rtpengines that have the media. */
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface BackendSettings {
  readonly databaseUrl: string | undefined;
  readonly groupMs: number;
  /** `undefined`: a child of ours. */
  readonly rtpengine: readonly value.RtpengineAddress[] | undefined;
  readonly mediaAddress: value.MediaAddress | undefined;
}

type Table = { readonly [Field in keyof BackendSettings]: Setting<BackendSettings[Field]> };

export const backendTable: Table = {
  databaseUrl: {
    name: 'DATABASE_URL',
    unit: 'URL',
    help: 'The PostgreSQL database to use.',
    example: 'postgres://user:pass@host/db',
    byDefault: 'a PostgreSQL of our own, in DATA_DIR',
    otherwise: undefined,
    parse: value.databaseUrl,
    secret: true,
  },
  groupMs: {
    name: 'GROUP_MS',
    unit: 'milliseconds',
    help: 'How long a database write waits for company, to be committed as one; while it comes, four times as long.',
    example: '5',
    byDefault: '5',
    otherwise: 5,
    parse: value.wholeNumber(0, 1000),
  },
  rtpengine: {
    name: 'RTPENGINE',
    unit: 'udp:host:port=weight',
    help: 'The ng ports of the rtpengine nodes to use; tcp: and ws: reach what rtpengine calls listen-tcp-ng and listen-http.',
    example: 'udp:10.0.0.5:22222=2 udp:10.0.0.6:22222=1',
    byDefault: 'an rtpengine of our own',
    otherwise: undefined,
    parse: value.rtpengines,
  },
  mediaAddress: {
    name: 'MEDIA_ADDRESS',
    unit: 'local!advertised',
    help: 'The address where our own rtpengine takes media, and the one that others see.',
    example: '10.0.0.5!203.0.113.7',
    byDefault: 'the address of LISTEN or of the default route, with the public one of ADVERTISE',
    otherwise: undefined,
    parse: value.mediaAddress,
  },
};
