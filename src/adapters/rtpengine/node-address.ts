/**
 * One entry of RTPENGINE: `udp:10.0.0.5:22222=2`, `tcp:[2001:db8::5]:22222` or `ws:media.example.com:8080`, the
 * number being its weight. The id is made of the address, so it is the same on every node and after every restart.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';

/** What ng goes over: datagrams, `listen-tcp-ng` or `listen-http` of rtpengine. */
export type NgTransport = 'udp' | 'tcp' | 'ws';

export interface NodeAddress {
  /** Eight hexadecimal digits: it travels in Record-Route tokens, which have to be short. */
  readonly id: string;
  /** `udp:host:port`, without the weight. */
  readonly address: string;
  readonly transport: NgTransport;
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

export function nodeAddress(host: string, port: number, weight = 1, transport: NgTransport = 'udp'): NodeAddress {
  const address = `${transport}:${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const id = createHash('sha256').update(address, 'latin1').digest('hex').slice(0, 8);
  return { id, address, transport, host, port, weight };
}

const transports: readonly NgTransport[] = ['udp', 'tcp', 'ws'];

/** `undefined` where the text is no such entry. */
export function parseNodeAddress(text: string): NodeAddress | undefined {
  const match = /^(udp|tcp|ws):(?:\[([0-9a-fA-F:.]+)\]|([^\s:=[\]]+)):(\d{1,5})(?:=(\d{1,4}))?$/.exec(text);
  const transport = transports.find((one) => one === match?.[1]);
  const host = match?.[2] ?? match?.[3];
  const port = Number(match?.[4]);
  if (transport === undefined || host === undefined || port < 1 || port > 65_535) return undefined;
  if (match?.[2] !== undefined && !isIPv6(host)) return undefined;
  return nodeAddress(host, port, Number(match?.[5] ?? 1), transport);
}
