/** A name server on loopback that knows a few names: enough of RFC 1035 for one question with A or AAAA. */
import { createSocket } from 'node:dgram';

export interface NameServer {
  readonly address: string;
  /** Names asked for, in order, `A` and `AAAA` both. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export type Zone = Readonly<Record<string, { readonly a?: readonly string[]; readonly silent?: boolean }>>;

export async function startNameServer(zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, source) => {
    const { name, type, end } = question(query);
    asked.push(`${name} ${type === 1 ? 'A' : 'AAAA'}`);
    if (zone[name]?.silent === true) return;
    socket.send(answer(query.subarray(0, end), type === 1 ? (zone[name]?.a ?? []) : []), source.port, source.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function question(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(question: Buffer, addresses: readonly string[]): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(addresses.length === 0 ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([head, ...records]);
}
