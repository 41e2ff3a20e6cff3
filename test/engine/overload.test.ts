/** Who is admitted when more comes than can be done (DESIGN law 9). Through the whole proxy: test/calls/overload.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Admission, Overload } from '../../src/engine/overload.ts';

const register = 'REGISTER sip:example.com SIP/2.0\r\nTo: <sip:alice@example.com>\r\n\r\n';
const invite = 'INVITE sip:bob@example.com SIP/2.0\r\nTo: <sip:bob@example.com>\r\n\r\n';
const within = (name: string): string =>
  `INVITE sip:bob@example.com SIP/2.0\r\n${name}: <sip:bob@example.com> ; tag=1\r\n\r\n`;

function stage() {
  let [nowMs, utilization, waiting] = [0, 0, 0];
  const words: string[] = [];
  const say = (_: unknown, text: string): void => void words.push(text);
  const silent = (): void => undefined;
  const overload = new Overload({
    clock: { nowMs: () => nowMs, after: () => silent },
    load: { utilization: () => utilization },
    database: { waiting: () => waiting },
    log: { debug: silent, info: say, warn: say, error: silent },
  });
  /** So many in so many seconds, evenly. */
  const come = (count: number, seconds: number, text = register): readonly Admission[] =>
    Array.from({ length: count }, () => {
      nowMs += (seconds * 1_000) / count;
      return overload.admission(text);
    });
  return {
    overload,
    words,
    come,
    busy: (value: number) => (utilization = value),
    waits: (count: number) => (waiting = count),
    later: (ms: number) => (nowMs += ms),
  };
}

const count = (all: readonly Admission[], one: Admission): number => all.filter((each) => each === one).length;

test('law 9: with rest in the event loop all are admitted', () => {
  const { come } = stage();
  assert.equal(count(come(10_000, 1), 'admitted'), 10_000);
});

test('RFC 3261 §21.5.4: in a flood some are told 503, and what is more is dropped unread', () => {
  const { come, busy } = stage();
  busy(1);
  come(20_000, 2);
  const all = come(10_000, 1);
  assert.ok(count(all, 'admitted') > 500, 'one in twenty at least');
  assert.equal(count(all, 'refused'), 4 * 125);
  assert.ok(count(all, 'dropped') > count(all, 'refused'));
});

test('law 9: when less is refused than can be said, each hears it', () => {
  const { come, busy } = stage();
  busy(1);
  come(200, 1);
  const all = come(400, 2);
  assert.ok(count(all, 'refused') > 100);
  assert.equal(count(all, 'dropped'), 0);
});

test('law 9: for a second without rest nobody is turned away; it may have been one pause and what came in it', () => {
  const { come, busy } = stage();
  come(1_000, 1);
  busy(1);
  come(1_000, 1);
  busy(0);
  assert.equal(count(come(1_000, 1), 'admitted'), 1_000);
  busy(1);
  assert.ok(count(come(2_000, 2), 'refused') > 0, 'two seconds without rest are no pause');
});

test('law 9: nothing begins while too many statements have waited for the database for a fifth of a second, and all does as soon as they do not', () => {
  const { come, waits } = stage();
  come(10, 1);
  waits(501);
  come(20, 0.2);
  assert.equal(count(come(100, 1), 'admitted'), 0);
  waits(500);
  assert.equal(count(come(100, 1), 'admitted'), 100);
});

test('law 9: what piles up in a pause, and is written in no time, turns nobody away; far too many do at once', () => {
  const { come, waits } = stage();
  for (let pause = 0; pause < 5; pause += 1) {
    waits(1_500);
    assert.equal(count(come(300, 0.15), 'admitted'), 300);
    waits(20);
    assert.equal(count(come(100, 0.05), 'admitted'), 100);
  }
  waits(5_001);
  assert.equal(count(come(100, 0.1), 'admitted'), 0);
});

test('law 9: what belongs to a call, or begins nothing, is admitted in any case', () => {
  const { come, busy, waits } = stage();
  busy(1);
  waits(10_000);
  come(10_000, 1);
  for (const text of [
    within('To'),
    within('t'),
    within('TO '),
    'BYE sip:bob@example.com SIP/2.0\r\n\r\n',
    'SIP/2.0 200 OK\r\n\r\n',
  ]) {
    assert.equal(count(come(100, 0.1, text), 'admitted'), 100, text);
  }
  assert.equal(count(come(100, 0.1, invite), 'admitted'), 0);
});

test('law 9: the log says once that it begins and once that it is over, with how many were turned away', () => {
  const { come, busy, words } = stage();
  busy(1);
  const turnedAway = come(3_000, 3).filter((one) => one !== 'admitted');
  assert.ok(turnedAway.length > 0);
  assert.deepEqual(words.length, 1);
  busy(0.5);
  come(1_000, 20);
  assert.deepEqual(words, [
    'More comes than can be done: a part of new calls and registrations is refused',
    'All is served again',
  ]);
});

test('law 9: time alone brings the share back', () => {
  const { come, busy, later, overload } = stage();
  busy(1);
  come(20_000, 5);
  assert.ok(overload.share < 0.1);
  busy(0);
  later(10_000);
  assert.equal(count(come(5, 1), 'admitted'), 5);
});
