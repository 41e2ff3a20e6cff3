/** A name server on loopback that knows a few names: enough of RFC 1035 for one question with A, AAAA, SRV or NAPTR. */
import { createSocket } from 'node:dgram';
import { naptrRecord, srvRecord } from '../../support/names.ts';

export interface NameServer {
  readonly address: string;
  /** Names asked for, in order, as `example.com AAAA`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** SRV and NAPTR as in `createNames`. */
export interface ZoneEntry {
  readonly a?: readonly string[];
  /** Each with all its eight groups. */
  readonly aaaa?: readonly string[];
  readonly srv?: readonly string[];
  readonly naptr?: readonly string[];
  readonly silent?: boolean;
  /** Questions of this type are never answered. */
  readonly drops?: 'A' | 'AAAA';
  /** Those of this type are answered late. */
  readonly delays?: { readonly type: 'A' | 'AAAA'; readonly ms: number };
}

export type Zone = Readonly<Record<string, ZoneEntry>>;

const types: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV', 35: 'NAPTR' };

export async function startNameServer(zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, source) => {
    const { name, type, end } = question(query);
    asked.push(`${name} ${types[type] ?? type}`);
    const entry = zone[name] ?? {};
    if (entry.silent === true || (entry.drops !== undefined && entry.drops === types[type])) return;
    const reply = (): void =>
      socket.send(answer(query.subarray(0, end), type, dataOf(entry, type)), source.port, source.address);
    if (entry.delays !== undefined && entry.delays.type === types[type]) setTimeout(reply, entry.delays.ms);
    else reply();
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
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function dataOf({ a = [], aaaa = [], srv = [], naptr = [] }: ZoneEntry, type: number): readonly Buffer[] {
  switch (types[type]) {
    case 'A':
      return a.map((address) => Buffer.from(address.split('.').map(Number)));
    case 'AAAA':
      return aaaa.map((address) =>
        Buffer.concat(address.split(':').map((group) => twoBytes(Number.parseInt(group, 16)))),
      );
    case 'SRV': // RFC 2782
      return srv.map(srvRecord).map(({ priority, weight, port, name }) => {
        return Buffer.concat([...[priority, weight, port].map(twoBytes), domainName(name)]);
      });
    case 'NAPTR': // RFC 3403 §4.1
      return naptr.map(naptrRecord).map(({ order, preference, flags, service, replacement }) => {
        const texts = [flags, service, ''].map(characters);
        return Buffer.concat([twoBytes(order), twoBytes(preference), ...texts, domainName(replacement)]);
      });
    default:
      return [];
  }
}

function answer(question: Buffer, type: number, data: readonly Buffer[]): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(data.length === 0 ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(data.length, 6);
  head.writeUInt32BE(0, 8);
  // The name of the question, the class IN, a minute to live.
  const records = data.map((each) =>
    Buffer.concat([
      Buffer.from([0xc0, 12]),
      twoBytes(type),
      Buffer.from([0, 1, 0, 0, 0, 60]),
      twoBytes(each.length),
      each,
    ]),
  );
  return Buffer.concat([head, ...records]);
}

function twoBytes(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function characters(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
}

function domainName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.map(characters), Buffer.from([0])]);
}
