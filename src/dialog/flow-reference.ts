/**
 * A flow id (`ports.ts` Flow.id) as the few bytes that a Record-Route token has room for, and back.
 *
 * Left out: what has no short form. A link-local IPv6 address with its zone, or a connection number beyond 32 bits,
 * becomes `none`: with the dialog record nothing is lost, without it the request goes to the remote target.
 */
import type { Flow } from '../ports.ts';

export type FlowReference =
  | { readonly kind: 'none' }
  | { readonly kind: 'udp4' | 'udp6'; readonly listener: number; readonly address: Buffer; readonly port: number }
  | { readonly kind: 'connection'; readonly boot: string; readonly number: number };

/** In the order of their two bits in the token. */
export const flowKinds = ['none', 'udp4', 'udp6', 'connection'] as const satisfies readonly FlowReference['kind'][];

/** How many bytes a flow takes in a token, behind its listener. */
export const flowBytes = { none: 0, udp4: 6, udp6: 18, connection: 7 } as const satisfies Record<
  FlowReference['kind'],
  number
>;

export const largestConnectionNumber = 0xffffffff;

const none: FlowReference = { kind: 'none' };

export function flowReference(flowId: Flow['id'] | undefined): FlowReference {
  if (flowId === undefined) return none;
  return udpReference(flowId) ?? connectionReference(flowId) ?? none;
}

export function flowIdOf(reference: FlowReference): Flow['id'] | undefined {
  switch (reference.kind) {
    case 'none':
      return undefined;
    case 'udp4':
      return `u${reference.listener}:${reference.address.join('.')}:${reference.port}`;
    case 'udp6':
      return `u${reference.listener}:${ipv6Text(reference.address)}:${reference.port}`;
    case 'connection':
      return `c${reference.boot}-${reference.number}`;
  }
}

export function encodeFlow(flow: FlowReference): Buffer {
  switch (flow.kind) {
    case 'none':
      return Buffer.alloc(0);
    case 'udp4':
    case 'udp6':
      return Buffer.concat([flow.address, uint16(flow.port)]);
    case 'connection': {
      const bytes = Buffer.alloc(flowBytes.connection);
      bytes.write(flow.boot, 0, 3, 'hex');
      bytes.writeUInt32BE(flow.number, 3);
      return bytes;
    }
  }
}

export function readFlow(kind: FlowReference['kind'], listener: number, bytes: Buffer): FlowReference {
  switch (kind) {
    case 'none':
      return { kind };
    case 'udp4':
    case 'udp6':
      return { kind, listener, address: bytes.subarray(0, -2), port: bytes.readUInt16BE(bytes.length - 2) };
    case 'connection':
      return { kind, boot: bytes.toString('hex', 0, 3), number: bytes.readUInt32BE(3) };
  }
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

function connectionReference(flowId: string): FlowReference | undefined {
  const [, boot, digits] = /^c([0-9a-f]{6})-(\d{1,10})$/.exec(flowId) ?? [];
  if (boot === undefined || digits === undefined) return undefined;
  const number = Number(digits);
  return number <= largestConnectionNumber ? { kind: 'connection', boot, number } : undefined;
}

function udpReference(flowId: string): FlowReference | undefined {
  const [, index, host, digits] = /^u(\d{1,5}):(.+):(\d{1,5})$/.exec(flowId) ?? [];
  if (index === undefined || host === undefined || digits === undefined) return undefined;
  const listener = Number(index);
  const port = Number(digits);
  const address = ipv4Bytes(host) ?? ipv6Bytes(host);
  if (address === undefined || listener > 0xffff || port > 0xffff) return undefined;
  return { kind: address.length === 4 ? 'udp4' : 'udp6', listener, address, port };
}

function ipv4Bytes(host: string): Buffer | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return undefined;
  const numbers = host.split('.').map(Number);
  return numbers.every((number) => number <= 255) ? Buffer.from(numbers) : undefined;
}

function ipv6Bytes(host: string): Buffer | undefined {
  // The URL parser knows RFC 4291 and answers in RFC 5952's form: no dotted tail, at most one `::`. It has no zones.
  if (!host.includes(':') || !URL.canParse(`http://[${host}]`)) return undefined;
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::');
  const before = words(head);
  const after = words(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Buffer.from([...before, ...zeros, ...after].flatMap((word) => [word >> 8, word & 0xff]));
}

function words(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
}

function ipv6Text(bytes: Buffer): string {
  return new URL(`http://[${bytes.toString('hex').match(/.{4}/g)?.join(':')}]`).hostname.slice(1, -1);
}
