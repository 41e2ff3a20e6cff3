import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timers } from '../../src/transaction/timers.ts';

test('RFC 3261 Table 4: the default timers of an unreliable transport', () => {
  assert.deepEqual(timers(false), {
    reliable: false,
    t2Ms: 4000,
    retransmitMs: 500,
    timeoutMs: 32_000,
    dMs: 32_000,
    iMs: 5000,
    jMs: 32_000,
    kMs: 5000,
    acceptedMs: 32_000,
    tryingMs: 3500,
  });
});

test('RFC 3261 Table 4: a reliable transport repeats nothing and waits for no retransmission', () => {
  const { retransmitMs, timeoutMs, dMs, iMs, jMs, kMs } = timers(true);
  assert.deepEqual(
    { retransmitMs, timeoutMs, dMs, iMs, jMs, kMs },
    {
      retransmitMs: undefined,
      timeoutMs: 32_000,
      dMs: 0,
      iMs: 0,
      jMs: 0,
      kMs: 0,
    },
  );
});

test('RFC 6026 §7: timers L and M run on reliable transports, too', () => {
  assert.equal(timers(true).acceptedMs, 32_000);
});

test('RFC 3261 §17.1.1.2: timer D is at least 32 s, however small our own T1 is', () => {
  assert.equal(timers(false, { t1Ms: 100, t2Ms: 4000, t4Ms: 5000 }).dMs, 32_000);
  assert.equal(timers(false, { t1Ms: 1000, t2Ms: 4000, t4Ms: 5000 }).dMs, 64_000);
});

test('RFC 4320 §4.1: a 100 to a non-INVITE request is due when timer E has grown to T2', () => {
  assert.equal(timers(false, { t1Ms: 1000, t2Ms: 4000, t4Ms: 5000 }).tryingMs, 3000);
});
