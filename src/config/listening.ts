/** Settings of what Viaduct is to the world: its domains, where it speaks SIP, and by which certificates. */
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface ListeningSettings {
  /** Ours, lower case, IPv6 in brackets; empty: the listening addresses (`servedDomains`). */
  readonly domains: readonly string[];
  readonly listen: readonly value.ListenEntry[];
  /** For entries without their own `advertise`; IPv6 with brackets. */
  readonly advertise: string | undefined;
  /** Absolute. */
  readonly tlsCfg: string | undefined;
}

type Table = { readonly [Field in keyof ListeningSettings]: Setting<ListeningSettings[Field]> };

const loopbackListen = 'udp:127.0.0.1:5060 tcp:127.0.0.1:5060 tls:127.0.0.1:5061 ws:127.0.0.1:8080 wss:127.0.0.1:8443';

/** `folder`: where relative paths begin. */
export function listeningTable(folder: string): Table {
  return {
    domains: {
      name: 'DOMAINS',
      unit: 'names',
      help: 'The SIP domains that are served here.',
      example: 'example.com sip.example.com',
      byDefault: 'the listening addresses',
      otherwise: [],
      parse: value.domains,
    },
    listen: {
      name: 'LISTEN',
      unit: 'transport:host:port',
      help: 'Where SIP is spoken; port 0 picks a free one. "advertise host:port" behind an entry is its public address.',
      example: 'udp:0.0.0.0:5060 tcp:0.0.0.0:5060 tls:0.0.0.0:5061 ws:0.0.0.0:8080 wss:0.0.0.0:8443',
      byDefault: loopbackListen,
      otherwise: value.listenEntries(loopbackListen),
      parse: value.listenEntries,
    },
    advertise: {
      name: 'ADVERTISE',
      unit: 'host',
      help: 'The public address of this host, for all LISTEN entries without their own.',
      example: '203.0.113.7',
      byDefault: 'none',
      otherwise: undefined,
      parse: value.publicHost,
    },
    tlsCfg: {
      name: 'TLS_CFG',
      unit: 'file',
      help: "The file that names certificates and keys, in the form of Kamailio's tls.cfg.",
      example: 'tls.cfg',
      byDefault: 'a certificate made at the first start',
      otherwise: undefined,
      parse: value.pathIn(folder),
    },
  };
}
