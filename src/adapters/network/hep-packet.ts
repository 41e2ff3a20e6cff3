/**
 * One SIP message as a HEP packet, version 3 (HEP3 Network Protocol Specification, revision 36): "HEP3", the length of
 * all, and chunks of vendor, type, length and value. Left out: authentication, compression, vendors' own chunks.
 */
import type { SocketAddress, Transport } from '../../ports.ts';
import { addressBytes } from './addresses.ts';

export interface HepMessage {
  readonly transport: Transport;
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly atMs: number;
  /** Who captured it; 32 bits. */
  readonly agentId: number;
  /** latin1 */
  readonly text: string;
}

const magic = Buffer.from('HEP3', 'latin1');
const headBytes = 6;
/** What a datagram holds (IPv4), and what two bytes of length can say. */
const mostBytes = 65_507;

/** Numbers of the protocol, and of the kernel's address families, as the examples of the document have them. */
const families = { 4: 2, 16: 10 } as const;
const protocols = { udp: 17, tcp: 6 } as const;
const sip = 1;

/** `undefined`: it does not fit into a datagram. */
export function hepPacket({ transport, source, destination, atMs, agentId, text }: HepMessage): Buffer | undefined {
  const [from, to] = [addressBytes(source.address), addressBytes(destination.address)];
  const isIPv4 = from.length === 4;
  const chunks = [
    chunk(1, uint8(isIPv4 ? families[4] : families[16])),
    chunk(2, uint8(transport === 'udp' ? protocols.udp : protocols.tcp)),
    chunk(isIPv4 ? 3 : 5, from),
    chunk(isIPv4 ? 4 : 6, to),
    chunk(7, uint16(source.port)),
    chunk(8, uint16(destination.port)),
    chunk(9, uint32(Math.floor(atMs / 1000))),
    chunk(10, uint32(Math.round((atMs % 1000) * 1000))),
    chunk(11, uint8(sip)),
    chunk(12, uint32(agentId)),
    chunk(15, Buffer.from(text, 'latin1')),
  ];
  const length = headBytes + chunks.reduce((sum, each) => sum + each.length, 0);
  return length > mostBytes ? undefined : Buffer.concat([magic, uint16(length), ...chunks], length);
}

/** Of the general vendor, 0. */
function chunk(type: number, value: Buffer): Buffer {
  return Buffer.concat([uint16(0), uint16(type), uint16(headBytes + value.length), value]);
}

function uint8(value: number): Buffer {
  return Buffer.from([value]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value % 0x1_0000);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value % 0x1_0000_0000);
  return bytes;
}
