/** What protection knows about sources: rates, bans, scanners, and who counts as one source. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Bans } from '../../src/auth/bans.ts';
import { Rate } from '../../src/auth/rate.ts';
import { isScanner } from '../../src/auth/scanners.ts';
import { isLoopback, sourceOf } from '../../src/auth/source.ts';

const here = '192.0.2.1';

test('a source is an IPv4 address, or the /64 of an IPv6 address', () => {
  for (const [address, source] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::', '2001:db8:1:2::/64'],
    ['fe80::1', 'fe80::/64'],
    ['::5', '::/64'],
  ] as const) {
    assert.equal(sourceOf(address), source);
  }
  assert.ok(isLoopback('127.1.2.3') && isLoopback('::1') && !isLoopback('128.0.0.1'));
});

test('a rate lets a burst pass, then what it refills, and each source has its own', () => {
  const rate = new Rate({ perSecond: 2, burst: 4 });
  const passed = (count: number, atMs: number, source = here) =>
    Array.from({ length: count }, () => rate.allows(source, atMs)).filter((allowed) => allowed).length;
  assert.equal(passed(10, 0), 4);
  assert.equal(passed(10, 999), 1);
  assert.equal(passed(10, 1_500), 2);
  assert.equal(passed(10, 1_500, '192.0.2.2'), 4);
  assert.equal(passed(10, 60_000), 4, 'no more than the burst is saved up');
  assert.equal(passed(10, 0), 0, 'a clock that is set back gives nothing and takes nothing');
});

test('property: in any time no source passes more than the burst and what was refilled', () => {
  const steps = fc.array(fc.nat({ max: 500 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), (gapsMs, perSecond) => {
      const rate = new Rate({ perSecond, burst: 5 });
      let nowMs = 0;
      let passed = 0;
      for (const gapMs of gapsMs) {
        nowMs += gapMs;
        if (rate.allows(here, nowMs)) passed += 1;
      }
      assert.ok(passed <= 5 + (nowMs * perSecond) / 1000 + 1e-6);
    }),
  );
});

test('law 9: forged addresses cost memory for so many sources and no more', () => {
  const rate = new Rate({ perSecond: 1, burst: 1, entries: 10 });
  for (let n = 0; n < 1_000; n += 1) rate.allows(`10.0.0.${n}`, 0);
  assert.equal(rate.size, 10);
  const bans = new Bans(10);
  for (let n = 0; n < 1_000; n += 1) {
    bans.note({ source: `10.0.0.${n}`, reason: 'scanner', over: 'udp', untilMs: 60_000 }, 0);
  }
  assert.equal(bans.size, 10);
  assert.ok(bans.isBanned('10.0.0.999', true, 0));
  assert.ok(!bans.isBanned('10.0.0.1', true, 0));
});

test('what was done over UDP bans over UDP only: anybody can forge an address there', () => {
  const bans = new Bans();
  bans.note({ source: here, reason: 'scanner', over: 'udp', untilMs: 1_000 }, 0);
  assert.deepEqual([bans.isBanned(here, true, 0), bans.isBanned(here, false, 0)], [true, false]);
  bans.note({ source: here, reason: 'failed-logins', over: 'everything', untilMs: 2_000 }, 0);
  assert.deepEqual([bans.isBanned(here, true, 1_500), bans.isBanned(here, false, 1_500)], [true, true]);
  assert.deepEqual([bans.isBanned(here, true, 2_000), bans.isBanned(here, false, 2_000)], [false, false]);
});

test('the list counts, has the latest first, and knows when a ban is over; lifting forgets all of a source', () => {
  const bans = new Bans();
  bans.note({ source: here, reason: 'scanner', over: 'everything', untilMs: 1_000 }, 0);
  bans.note({ source: '192.0.2.2', reason: 'too-many-messages', over: 'udp', untilMs: undefined }, 1);
  bans.note({ source: here, reason: 'scanner', over: 'everything', untilMs: 1_500 }, 2);
  const scanner = { source: here, reason: 'scanner', over: 'everything', count: 2, lastMs: 2 };
  const flood = {
    source: '192.0.2.2',
    reason: 'too-many-messages',
    over: 'udp',
    count: 1,
    lastMs: 1,
    untilMs: undefined,
  };
  assert.deepEqual(bans.list(1_499), [{ ...scanner, untilMs: 1_500 }, flood]);
  assert.deepEqual(bans.list(1_500), [{ ...scanner, untilMs: undefined }, flood]);
  assert.equal(bans.lift(here), true);
  assert.equal(bans.isBanned(here, false, 3), false);
  assert.deepEqual(bans.list(3), [flood]);
  assert.equal(bans.lift(here), false);
});

test('scanners are known by their User-Agent, telephones that sound alike are not', () => {
  for (const agent of ['friendly-scanner', 'Friendly-Request', 'sipvicious', 'sipcli/v1.8', 'VaxSIPUserAgent/3.1']) {
    assert.ok(isScanner(agent), agent);
  }
  for (const agent of [
    'Linphone/3.12',
    'baresip v1.0',
    'JsSIP 3.13.8',
    'Websmap 1',
    'Yealink SIP-T46S',
    '',
    undefined,
  ]) {
    assert.ok(!isScanner(agent), agent);
  }
});
