/**
 * Reads HEP version 3, written from the tables of the document (HEP3 Network Protocol Specification, revision 36), and
 * strict: what a collector may guess at fails here. Shares nothing with src/adapters/network/hep-packet.ts.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scope } from './process.ts';

export interface HepRead {
  readonly family: 'IPv4' | 'IPv6';
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly atMs: number;
  readonly protocolType: number;
  readonly agentId: number;
  readonly payload: string;
}

export function readHep(packet: Buffer): HepRead {
  assert.equal(packet.toString('latin1', 0, 4), 'HEP3');
  assert.equal(packet.readUInt16BE(4), packet.length, 'the length is that of the whole packet');
  const chunks = new Map<number, Buffer>();
  for (let at = 6; at < packet.length; ) {
    const [vendor, type, length] = [packet.readUInt16BE(at), packet.readUInt16BE(at + 2), packet.readUInt16BE(at + 4)];
    assert.equal(vendor, 0, 'general chunks only');
    assert.ok(length >= 6 && at + length <= packet.length, `chunk ${type} of ${length} bytes`);
    assert.ok(!chunks.has(type), `chunk ${type} comes twice`);
    chunks.set(type, packet.subarray(at + 6, at + length));
    at += length;
  }
  const value = (type: number, bytes: number): Buffer => {
    const found = chunks.get(type) ?? assert.fail(`chunk ${type} is missing`);
    assert.equal(found.length, bytes, `chunk ${type}`);
    return found;
  };
  const familyNumber = value(1, 1).readUInt8();
  assert.ok(familyNumber === 2 || familyNumber === 10, `family ${familyNumber}`);
  const isIPv4 = familyNumber === 2;
  const address = (type: number): string => (isIPv4 ? dotted(value(type, 4)) : grouped(value(type + 2, 16)));
  const port = (type: number): number => value(type, 2).readUInt16BE();
  const micros = value(10, 4).readUInt32BE();
  assert.ok(micros < 1_000_000, `${micros} microseconds`);
  return {
    family: isIPv4 ? 'IPv4' : 'IPv6',
    protocol: value(2, 1).readUInt8(),
    source: `${address(3)} ${port(7)}`,
    destination: `${address(4)} ${port(8)}`,
    atMs: value(9, 4).readUInt32BE() * 1000 + micros / 1000,
    protocolType: value(11, 1).readUInt8(),
    agentId: value(12, 4).readUInt32BE(),
    payload: (chunks.get(15) ?? assert.fail('no payload')).toString('latin1'),
  };
}

function dotted(bytes: Buffer): string {
  return [...bytes].join('.');
}

function grouped(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16)).join(':');
}

export interface Collector {
  readonly port: number;
  /** Everything so far. */
  readonly packets: readonly HepRead[];
  /** Waits for the first packet whose payload matches. */
  expect(payload: RegExp, withinMs?: number): Promise<HepRead>;
}

/** A Homer on loopback that only reads. */
export async function openCollector(scope: Scope, wantedPort = 0): Promise<Collector> {
  const socket = createSocket('udp4');
  const packets: HepRead[] = [];
  const broken: unknown[] = [];
  socket.on('message', (packet) => {
    try {
      packets.push(readHep(packet));
    } catch (thrown) {
      broken.push(thrown);
    }
  });
  socket.bind(wantedPort, '127.0.0.1');
  await once(socket, 'listening');
  scope.after(() => void socket.close());
  return {
    port: socket.address().port,
    packets,
    async expect(payload, withinMs = 3_000) {
      for (const deadlineMs = Date.now() + withinMs; ; await delay(10)) {
        if (broken.length > 0) throw broken[0];
        const found = packets.find((packet) => payload.test(packet.payload));
        if (found !== undefined) return found;
        assert.ok(Date.now() < deadlineMs, `no packet like ${payload} among ${packets.length}`);
      }
    },
  };
}
