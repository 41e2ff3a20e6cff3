import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseUri } from '../../src/message/uri.ts';
import type { Transport } from '../../src/ports.ts';
import { inOrder, offeredServices, settledTransport } from '../../src/proxy/locate.ts';
import { naptrRecord, srvRecord } from '../support/names.ts';

const able: ReadonlySet<Transport> = new Set(['udp', 'tcp', 'tls']);

function settled(text: string, isNumeric = false): Transport | undefined {
  const uri = parseUri(text);
  assert.ok(uri !== undefined);
  return settledTransport(uri, isNumeric);
}

test('RFC 3263 §4.1: what the URI settles by itself', () => {
  assert.equal(settled('sip:example.com'), undefined, 'the DNS of the domain chooses');
  assert.equal(settled('sip:192.0.2.1', true), 'udp', 'a numeric address');
  assert.equal(settled('sip:example.com:5070'), 'udp', 'a port');
  assert.equal(settled('sip:example.com;transport=TCP'), 'tcp');
  assert.equal(settled('sip:example.com;transport=sctp'), 'udp', 'one that we do not speak');
  assert.equal(settled('sips:example.com'), 'tls');
  assert.equal(settled('sips:example.com;transport=ws'), 'wss');
});

describe('RFC 3403, RFC 3263 §4.1: NAPTR', () => {
  const names = (records: readonly string[], transports = able) =>
    offeredServices(records.map(naptrRecord), transports).map(({ name }) => name);

  test('order goes before preference', () =>
    assert.deepEqual(names(['20 1 SIP+D2U c', '10 2 SIP+D2T b', '10 1 SIPS+D2T a']), ['a', 'b', 'c']));

  test('a service that no listener of ours speaks, or that is not SIP, is passed over', () => {
    assert.deepEqual(names(['1 1 SIP+D2S a', '1 1 E2U+email b', '2 1 sip+d2u c']), ['c']);
    assert.deepEqual(names(['1 1 SIPS+D2T a', '2 1 SIP+D2U c'], new Set(['udp'])), ['c']);
  });

  test('only the flag s leads to SRV records', () =>
    assert.deepEqual(offeredServices([{ ...naptrRecord('1 1 SIP+D2U a'), flags: 'u' }], able), []));
});

describe('RFC 2782: SRV', () => {
  const names = (records: readonly string[], fraction: () => number) =>
    inOrder(records.map(srvRecord), fraction).map(({ name }) => name);

  test('lower priorities come first, whatever the weights', () =>
    assert.deepEqual(
      names(['20 100 5060 b', '10 0 5060 a', '30 5 5060 c'], () => 0.99),
      ['a', 'b', 'c'],
    ));

  test('within a priority chance goes by the weights, and 0 is chosen rarely', () => {
    const points = Array.from({ length: 1_000 }, (_, at) => at / 1_000);
    const first = points.map((point) => names(['1 75 5060 a', '1 25 5060 b', '1 0 5060 c'], () => point)[0]);
    const share = (name: string) => first.filter((one) => one === name).length;
    assert.ok(share('a') > 720 && share('a') < 760, `${share('a')} of 1000 for weight 75`);
    assert.ok(share('b') > 230 && share('b') < 270, `${share('b')} of 1000 for weight 25`);
    assert.ok(share('c') > 0 && share('c') < 20, `${share('c')} of 1000 for weight 0`);
  });

  test('a target of "." says that there is no such service', () =>
    assert.deepEqual(
      names(['0 0 0 .'], () => 0),
      [],
    ));

  test('every record comes exactly once', () => {
    const record = fc.record({
      priority: fc.nat(3),
      weight: fc.nat(100),
      port: fc.integer({ min: 1, max: 65_535 }),
      name: fc.constantFrom('a', 'b', 'c'),
    });
    const point = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), point, (records, fraction) => {
        const ordered = inOrder(records, () => fraction);
        assert.equal(ordered.length, records.length);
        assert.deepEqual(new Set(ordered), new Set(records));
        const priorities = ordered.map(({ priority }) => priority);
        assert.deepEqual(
          priorities,
          [...priorities].sort((one, other) => one - other),
        );
      }),
    );
  });
});
