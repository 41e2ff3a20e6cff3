/** The settings of registrations: how many, for how long, and how the way to their devices is kept open. */
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface RegistrarSettings {
  readonly maxContacts: number;
  readonly whenContactsFull: 'refuse' | 'replace-oldest';
  readonly maxExpires: value.Expiry;
  /** 0: never. */
  readonly udpPingSeconds: number;
  readonly wsPingSeconds: number;
}

type Table = { readonly [Field in keyof RegistrarSettings]: Setting<RegistrarSettings[Field]> };

export const registrarTable: Table = {
  maxContacts: {
    name: 'MAX_CONTACTS',
    unit: 'devices',
    help: 'How many devices may be registered under one address.',
    example: '10',
    byDefault: '10',
    otherwise: 10,
    parse: value.wholeNumber(1, 1000),
  },
  whenContactsFull: {
    name: 'WHEN_CONTACTS_FULL',
    unit: 'refuse or replace-oldest',
    help: 'What happens to one device more: it is refused, or the one that registered longest ago makes room.',
    example: 'replace-oldest',
    byDefault: 'refuse',
    otherwise: 'refuse',
    parse: value.oneOf('refuse', 'replace-oldest'),
  },
  maxExpires: {
    name: 'MAX_EXPIRES_SECONDS',
    unit: 'seconds, transport:seconds',
    help: 'The longest registration that is granted; transports may have their own.',
    example: '7200 ws:600 wss:600',
    byDefault: '7200',
    otherwise: { seconds: 7200, byTransport: {} },
    parse: value.expiry,
  },
  udpPingSeconds: {
    name: 'UDP_PING_SECONDS',
    unit: 'seconds',
    help: 'How often a telephone behind NAT is sent an OPTIONS over UDP; two without an answer end its registration; 0 for never.',
    example: '30',
    byDefault: '30',
    otherwise: 30,
    parse: value.wholeNumber(0, 3600),
  },
  wsPingSeconds: {
    name: 'WS_PING_SECONDS',
    unit: 'seconds',
    help: 'How often a WebSocket is sent a ping; one that is not answered by the next closes it.',
    example: '25',
    byDefault: '25',
    otherwise: 25,
    parse: value.wholeNumber(5, 3600),
  },
};
