/**
 * One entry of RTPENGINE: `udp:10.0.0.5:22222=2`, `udp:[2001:db8::5]:22222` or `udp:media.example.com:22222`, the
 * number being its weight. The id is made of the address, so it is the same on every node and after every restart.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';

export interface NodeAddress {
  /** Eight hexadecimal digits: it travels in Record-Route tokens, which have to be short. */
  readonly id: string;
  /** `udp:host:port`, without the weight. */
  readonly address: string;
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

export function nodeAddress(host: string, port: number, weight = 1): NodeAddress {
  const address = `udp:${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return { id: createHash('sha256').update(address, 'latin1').digest('hex').slice(0, 8), address, host, port, weight };
}

/** `undefined` where the text is no such entry. */
export function parseNodeAddress(text: string): NodeAddress | undefined {
  const match = /^udp:(?:\[([0-9a-fA-F:.]+)\]|([^\s:=[\]]+)):(\d{1,5})(?:=(\d{1,4}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  if (match?.[1] !== undefined && !isIPv6(host)) return undefined;
  return nodeAddress(host, port, Number(match?.[4] ?? 1));
}
