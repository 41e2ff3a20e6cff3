import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Protection, type ProtectionOptions } from '../../../src/engine/auth/protection.ts';
import type { Flow } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { flowOf, requestOf } from '../../support/fake-proxy.ts';

const on: ProtectionOptions = {
  banMs: 600_000,
  messagesPerSecond: 2,
  connectionsPerSecond: 1,
  requestsPerSecond: 1,
  dropScanners: true,
};

function guard(options: ProtectionOptions | undefined = on) {
  const clock = createClock();
  const closed: Flow[] = [];
  const lines: string[] = [];
  const protection = new Protection(
    {
      clock,
      network: { close: (flow) => closed.push(flow) },
      log: {
        debug: () => undefined,
        info: (_about, words) => lines.push(words),
        warn: (_about, words) => lines.push(words),
        error: () => undefined,
      },
      isTrusted: (address) => address === '198.51.100.1',
    },
    options,
  );
  const fail = (flow: Flow, times: number): void => {
    for (let n = 0; n < times; n += 1) protection.loginFailed(flow);
  };
  return { clock, closed, lines, protection, fail };
}

const udp = flowOf('udp');
const tcp = flowOf('tcp');
const scan = requestOf({ headers: [['User-Agent', 'friendly-scanner']] }).message;

test('thirty failed logins in ten minutes ban a source, for ten minutes, and close its connection', async () => {
  const { clock, closed, lines, protection, fail } = guard();
  fail(tcp, 29);
  assert.ok(protection.admits(tcp.remote.address, 'connection'));
  fail(tcp, 1);
  assert.deepEqual(closed, [tcp]);
  assert.deepEqual(lines, ['A source is refused from now on']);
  for (const flow of [udp, tcp]) assert.equal(protection.hears(flow), false);
  assert.equal(protection.admits(tcp.remote.address, 'connection'), false);
  assert.ok(protection.hears(flowOf('tcp', '192.0.2.2')));
  await clock.advance(600_000);
  assert.ok(protection.hears(tcp) && protection.admits(tcp.remote.address, 'connection'));
});

test('over UDP the same bans over UDP only, so that a forged address keeps no connection away', () => {
  const { protection, fail } = guard();
  fail(udp, 30);
  assert.deepEqual([protection.hears(udp), protection.hears(tcp)], [false, true]);
  assert.ok(protection.admits(udp.remote.address, 'connection'));
});

test('a login that succeeds forgives those that failed: behind one address there may be an office', () => {
  const { protection, fail } = guard();
  fail(tcp, 29);
  protection.loginSucceeded(tcp);
  fail(tcp, 29);
  assert.ok(protection.hears(tcp));
});

test('failures that are older than ten minutes count no more', async () => {
  const { clock, protection, fail } = guard();
  fail(tcp, 29);
  await clock.advance(600_000);
  fail(tcp, 1);
  assert.ok(protection.hears(tcp));
});

test('a scanner is banned by its first request, whatever it asks; others are not scanners', () => {
  const { protection } = guard();
  assert.equal(protection.isScan(requestOf().message, tcp), false);
  assert.equal(protection.isScan(scan, tcp), true);
  assert.equal(protection.hears(tcp), false);
});

test('a source that sends too much is refused what is too much, listed once, and heard when it slows down', async () => {
  const { clock, lines, protection } = guard();
  const heard = () => Array.from({ length: 50 }, () => protection.hears(udp)).filter((yes) => yes).length;
  assert.equal(heard(), 20);
  await clock.advance(5_000);
  assert.equal(heard(), 10);
  assert.equal(lines.length, 1, 'told once, for it may be a trunk');
  const [entry, ...others] = protection.list();
  assert.equal(others.length, 0);
  assert.partialDeepStrictEqual(entry, { source: '192.0.2.1', reason: 'too-many-messages', count: 70 });
  assert.equal(entry?.untilMs, undefined);
});

test('requests of HTTP have a rate of their own; a ban does not count there: who lifts it may stand behind the address', () => {
  const { protection, fail } = guard();
  fail(tcp, 30);
  const admitted = Array.from({ length: 30 }, () => protection.admits('192.0.2.1', 'request')).filter((yes) => yes);
  assert.equal(admitted.length, 10);
  assert.equal(protection.list()[0]?.reason, 'too-many-requests');
});

test('connections have a rate as well', () => {
  const { protection } = guard();
  const admitted = Array.from({ length: 30 }, () => protection.admits('192.0.2.1', 'connection')).filter(
    (yes) => yes,
  ).length;
  assert.equal(admitted, 10);
  assert.equal(protection.list()[0]?.reason, 'too-many-connections');
});

test('a ban can be lifted by the address or by the source as it is listed, and begins from zero', () => {
  for (const [address, named] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::5', '2001:db8::77'],
    ['2001:db8::5', '2001:db8::/64'],
  ] as const) {
    const { protection, fail } = guard();
    const flow = flowOf('tcp', address);
    fail(flow, 30);
    assert.equal(protection.hears(flow), false);
    assert.equal(protection.lift(named), true);
    assert.ok(protection.hears(flow));
    fail(flow, 29);
    assert.ok(protection.hears(flow));
    assert.equal(protection.lift('203.0.113.9'), false);
  }
});

test('this host and trusted networks are never refused; without options nobody is', () => {
  const cases = [
    [guard(), flowOf('tcp', '127.0.0.1')],
    [guard(), flowOf('tcp', '::1')],
    [guard(), flowOf('tcp', '198.51.100.1')],
    [
      guard({ banMs: 0, messagesPerSecond: 0, connectionsPerSecond: 0, requestsPerSecond: 0, dropScanners: false }),
      tcp,
    ],
  ] as const;
  for (const [{ protection, fail }, flow] of cases) {
    fail(flow, 100);
    assert.equal(protection.isScan(scan, flow), false);
    for (let n = 0; n < 100; n += 1)
      assert.ok(protection.hears(flow) && protection.admits(flow.remote.address, 'connection'));
    assert.deepEqual(protection.list(), []);
  }
});
