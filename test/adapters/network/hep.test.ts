/** HEP version 3 for Homer: the example of the document byte for byte, and what a collector reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { openCapture } from '../../../src/adapters/network/hep-capture.ts';
import { hepPacket } from '../../../src/adapters/network/hep-packet.ts';
import type { Flow, Transport } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { openCollector, readHep } from '../../support/hep.ts';
import { freePort } from '../../support/process.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function flow(transport: Transport, local: string, remote: string): Flow {
  const listener = {
    index: 0,
    entry: 'x',
    transport,
    local: { address: local, port: 5060 },
    advertised: { host: 'example.com', port: 5060 },
  };
  return { id: 'f', transport, listener, remote: { address: remote, port: 40_000 }, inbound: true };
}

test('HEP3: the example of the document, byte for byte', () => {
  const packet = hepPacket({
    transport: 'udp',
    source: { address: '212.202.0.1', port: 12_010 },
    destination: { address: '82.116.0.211', port: 5060 },
    atMs: 0x4e4982cb * 1000 + 0x1d4c0 / 1000,
    agentId: 228,
    text: 'INVITE sip:bob',
  });
  const expected = [
    '48455033 0071',
    '0000 0001 0007 02',
    '0000 0002 0007 11',
    '0000 0003 000a d4ca0001',
    '0000 0004 000a 527400d3',
    '0000 0007 0008 2eea',
    '0000 0008 0008 13c4',
    '0000 0009 000a 4e4982cb',
    '0000 000a 000a 0001d4c0',
    '0000 000b 0007 01',
    '0000 000c 000a 000000e4',
    '0000 000f 0014 494e56495445207369703a626f62',
  ];
  assert.equal(packet?.toString('hex'), expected.join('').replaceAll(' ', ''));
});

test('HEP3: IPv6 has its own family and chunks, and every connection is TCP', () => {
  for (const transport of ['tcp', 'tls', 'ws', 'wss'] as const) {
    const packet = hepPacket({
      transport,
      source: { address: '2001:db8::1', port: 1 },
      destination: { address: '2001:db8::2', port: 65_535 },
      atMs: 1_800_000_000_123,
      agentId: 0xffff_ffff,
      text: 'x',
    });
    assert.deepEqual(readHep(packet ?? assert.fail('it fits')), {
      family: 'IPv6',
      protocol: 6,
      source: '2001:db8:0:0:0:0:0:1 1',
      destination: '2001:db8:0:0:0:0:0:2 65535',
      atMs: 1_800_000_000_123,
      protocolType: 1,
      agentId: 0xffff_ffff,
      payload: 'x',
    });
  }
});

test('HEP3: whatever passes is read as it was sent; what fits into no datagram is not sent', () => {
  const octets = fc.integer({ min: 0, max: 255 });
  const address = fc.tuple(octets, octets, octets, octets).map((bytes) => bytes.join('.'));
  const at = fc.record({ address, port: fc.integer({ min: 0, max: 65_535 }) });
  const payload = fc.string({ unit: 'binary-ascii', maxLength: 2_000 });
  fc.assert(
    fc.property(at, at, fc.integer({ min: 0, max: 4e12 }), payload, (source, destination, atMs, text) => {
      const packet = hepPacket({ transport: 'udp', source, destination, atMs, agentId: 7, text });
      const read = readHep(packet ?? assert.fail('it fits'));
      assert.deepEqual(
        [read.source, read.destination, read.atMs, read.payload],
        [`${source.address} ${source.port}`, `${destination.address} ${destination.port}`, atMs, text],
      );
    }),
  );
  const source = { address: '127.0.0.1', port: 1 };
  const large = {
    transport: 'tcp',
    source,
    destination: source,
    atMs: 0,
    agentId: 1,
    text: 'x'.repeat(65_500),
  } as const;
  assert.equal(hepPacket(large), undefined);
});

test('what comes in has the peer as source, what leaves has us; secrets are taken out on the way', async (t) => {
  const collector = await openCollector(t);
  const clock = createClock();
  const capture = openCapture({
    collector: { host: '127.0.0.1', port: collector.port },
    agentId: 9,
    clean: (text) => text.replace('secret', '(removed)'),
    clock,
    log: silent,
  });
  t.after(() => capture.close());
  const udp = flow('udp', '192.0.2.100', '192.0.2.1');
  while (collector.packets.length === 0) {
    capture.passed('in', udp, 'REGISTER secret');
    await delay(5);
  }
  capture.passed('out', udp, 'SIP/2.0 200 OK');
  const [came, left] = [await collector.expect(/REGISTER/), await collector.expect(/200/)];
  assert.deepEqual([came.source, came.destination], ['192.0.2.1 40000', '192.0.2.100 5060']);
  assert.deepEqual([left.source, left.destination], ['192.0.2.100 5060', '192.0.2.1 40000']);
  assert.equal(came.payload, 'REGISTER (removed)');
  assert.deepEqual([came.agentId, came.protocolType, came.protocol], [9, 1, 17]);
});

test('a collector that is away costs nothing but its copies, and is found again when it is back', async (t) => {
  const port = await freePort('udp');
  const clock = createClock();
  const warnings: string[] = [];
  const log = { ...silent, warn: (_: object, text: string) => void warnings.push(text) };
  const collector = { host: '127.0.0.1', port };
  const capture = openCapture({ collector, agentId: 1, clean: (text) => text, clock, log });
  t.after(() => capture.close());
  const udp = flow('udp', '192.0.2.100', '192.0.2.1');
  // The kernel says with the second datagram that nobody took the first.
  for (let turn = 0; turn < 200 && warnings.length === 0; turn++) {
    capture.passed('in', udp, 'OPTIONS');
    await delay(5);
  }
  for (let turn = 0; turn < 100; turn++) capture.passed('in', udp, 'OPTIONS');
  assert.ok(capture.lost >= 100);
  assert.deepEqual(warnings, ['HEP: not sent'], 'people are told once');
  const back = await openCollector(t, port);
  await clock.advance(10_000);
  for (let turn = 0; turn < 200 && back.packets.length === 0; turn++) {
    capture.passed('in', udp, 'OPTIONS');
    await delay(5);
  }
  assert.ok(back.packets.length > 0, 'it gets copies again');
});

test('a name that has no address is no error of ours', async (t) => {
  const warnings: string[] = [];
  const log = { ...silent, warn: (_: object, text: string) => void warnings.push(text) };
  const collector = { host: 'homer.invalid', port: 9060 };
  const capture = openCapture({ collector, agentId: 1, clean: (text) => text, clock: createClock(), log });
  t.after(() => capture.close());
  for (let turn = 0; turn < 400 && warnings.length === 0; turn++) await delay(10);
  capture.passed('in', flow('udp', '192.0.2.100', '192.0.2.1'), 'OPTIONS');
  assert.deepEqual([warnings, capture.lost], [['HEP: not sent'], 1]);
  assert.partialDeepStrictEqual(capture.read(), [{ name: 'viaduct_hep_lost_total', samples: [{ value: 1 }] }]);
});
