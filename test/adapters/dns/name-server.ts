/** A name server on loopback that knows a few names: enough of RFC 1035 for one question with A, AAAA, SRV or NAPTR. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
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
  /** RFC 1034 §3.6.2: its records are those of this name. */
  readonly cname?: string;
  /** RFC 2181 §9: too much for a datagram, whole over TCP. */
  readonly isTruncated?: boolean;
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
    const asks = query.subarray(0, end);
    const text = entry.isTruncated === true ? truncated(asks) : answer(asks, type, recordsOf(zone, name, type));
    const reply = (): void => socket.send(text, source.port, source.address);
    if (entry.delays !== undefined && entry.delays.type === types[type]) setTimeout(reply, entry.delays.ms);
    else reply();
  });
  // RFC 1035 §4.2.2: two bytes of length before each message. One question comes whole on loopback.
  const streams = createServer((stream) => {
    stream.on('error', () => undefined);
    stream.on('data', (data) => {
      const query = data.subarray(2);
      const { name, type, end } = question(query);
      asked.push(`${name} ${types[type] ?? type} TCP`);
      const text = answer(query.subarray(0, end), type, recordsOf(zone, name, type));
      stream.end(Buffer.concat([twoBytes(text.length), text]));
    });
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => streams.listen(port, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${port}`,
    asked,
    close: async () => {
      await new Promise<void>((resolve) => socket.close(resolve));
      await new Promise<void>((resolve) => streams.close(() => resolve()));
    },
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

interface ResourceRecord {
  readonly owner: string;
  readonly type: number;
  readonly data: Buffer;
}

/** As a recursive server answers: the chain of names, and the records at its end. A loop is followed once. */
function recordsOf(zone: Zone, name: string, type: number, seen: readonly string[] = []): readonly ResourceRecord[] {
  const entry = zone[name] ?? {};
  const own = dataOf(entry, type).map((data) => ({ owner: name, type, data }));
  if (entry.cname === undefined || seen.includes(name)) return own;
  const link = { owner: name, type: 5, data: domainName(entry.cname) };
  return [link, ...recordsOf(zone, entry.cname, type, [...seen, name])];
}

function answer(question: Buffer, type: number, records: readonly ResourceRecord[]): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(records.some((record) => record.type === type) ? 0x8180 : 0x8183, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  // The class IN, a minute to live.
  const texts = records.map(({ owner, type: own, data }) =>
    Buffer.concat([domainName(owner), twoBytes(own), Buffer.from([0, 1, 0, 0, 0, 60]), twoBytes(data.length), data]),
  );
  return Buffer.concat([head, ...texts]);
}

function truncated(question: Buffer): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8380, 2);
  head.writeUInt32BE(0, 8);
  return head;
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
