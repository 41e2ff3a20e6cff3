/** The settings that keep one source from taking what belongs to all, each with its switch. */
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface ProtectionSettings {
  readonly banSeconds: number;
  readonly dropScanners: boolean;
  readonly messagesPerSecond: number;
  readonly connectionsPerSecond: number;
  readonly httpPerSecond: number;
  /** As browsers write them; `undefined`: all. */
  readonly origins: readonly string[] | undefined;
}

type Table = { readonly [Field in keyof ProtectionSettings]: Setting<ProtectionSettings[Field]> };

export const protectionTable: Table = {
  banSeconds: {
    name: 'BAN_SECONDS',
    unit: 'seconds',
    help: 'How long a source is refused after 30 failed logins in ten minutes, or as a scanner; 0 for never.',
    example: '600',
    byDefault: '600',
    otherwise: 600,
    parse: value.wholeNumber(0, 604_800),
  },
  dropScanners: {
    name: 'DROP_SCANNERS',
    unit: 'yes or no',
    help: 'Whether requests of well-known scanners (friendly-scanner, sipvicious ...) get no answer.',
    example: 'yes',
    byDefault: 'yes',
    otherwise: true,
    parse: value.yesNo,
  },
  messagesPerSecond: {
    name: 'MESSAGES_PER_SECOND',
    unit: 'messages per second',
    help: 'What one address may send, ten seconds of it at once; TRUSTED ones and this host are free; 0 for no limit.',
    example: '200',
    byDefault: '200',
    otherwise: 200,
    parse: value.wholeNumber(0, 1_000_000),
  },
  connectionsPerSecond: {
    name: 'CONNECTIONS_PER_SECOND',
    unit: 'connections per second',
    help: 'How many one address may open, ten seconds of them at once; TRUSTED ones and this host are free; 0 for no limit.',
    example: '50',
    byDefault: '50',
    otherwise: 50,
    parse: value.wholeNumber(0, 1_000_000),
  },
  httpPerSecond: {
    name: 'HTTP_PER_SECOND',
    unit: 'requests per second',
    help: 'How many requests for pages and REST one address may send, ten seconds of them at once; 0 for no limit.',
    example: '50',
    byDefault: '50',
    otherwise: 50,
    parse: value.wholeNumber(0, 1_000_000),
  },
  origins: {
    name: 'ORIGINS',
    unit: 'origins',
    help: 'Pages of other hosts that may open a WebSocket here; those of the host itself always may.',
    example: 'https://phone.example.com',
    byDefault: 'all',
    otherwise: undefined,
    parse: value.origins,
  },
};
