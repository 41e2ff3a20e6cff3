/** The setting of many nodes over one database: where the others reach this one. */
import { isIP } from 'node:net';
import type { NodeAddress } from '../ports.ts';
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface NodeSettings {
  /** `undefined`: this is the only node. */
  readonly nodeAddress: NodeAddress | undefined;
}

type Table = { readonly [Field in keyof NodeSettings]: Setting<NodeSettings[Field]> };

export const nodeTable: Table = {
  nodeAddress: {
    name: 'NODE_ADDRESS',
    unit: 'transport:address:port',
    help: 'Where other Viaducts over the same database reach this one: one of LISTEN, on a network between them. Then DATABASE_URL, TOKEN_SECRET, DOMAINS and RTPENGINE must be set, and be the same on all of them.',
    example: 'tcp:10.0.0.5:5060',
    byDefault: 'none; this is the only one',
    otherwise: undefined,
    parse: nodeAddress,
  },
};

function nodeAddress(text: string): NodeAddress {
  const [, transport = '', place = ''] = /^(\w+):(.*)$/.exec(text) ?? [];
  const name = value.oneOf('udp', 'tcp', 'tls')(transport);
  const { host, port } = value.bindAddress(place);
  if (value.isWildcardHost(host)) throw new value.BadValue('others cannot reach a host at that address');
  if (port === 0) throw new value.BadValue('it has port 0');
  return { transport: name, host, port };
}

/** What is wrong with it beside the other settings; `undefined`: nothing. */
export function nodeAddressFault(
  { transport, host, port }: NodeAddress,
  listen: readonly value.ListenEntry[],
  missing: readonly string[],
): string | undefined {
  const isIt = (entry: value.ListenEntry): boolean =>
    entry.transport === transport && entry.port === port && (entry.host === host || isAllOf(entry.host, host));
  if (!listen.some(isIt)) return 'LISTEN has no entry with this transport, address and port';
  return missing.length === 0 ? undefined : `then ${missing.join(', ')} must be set, the same on all nodes`;
}

function isAllOf(wildcard: string, host: string): boolean {
  return value.isWildcardHost(wildcard) && isIP(wildcard) === isIP(host);
}
