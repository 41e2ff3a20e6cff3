import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock } from './clock.ts';
import { createRandom } from './random.ts';

test('virtual clock: timers run in the order in which they fall due, those of one moment in the order they were set', async () => {
  const clock = createClock(0);
  const ran: string[] = [];
  for (const [delayMs, name] of [
    [30, 'c'],
    [10, 'a'],
    [10, 'b'],
    [-5, 'now'],
    [31, 'late'],
  ] as const) {
    clock.after(delayMs, () => ran.push(`${name}@${clock.nowMs()}`));
  }
  await clock.advance(30);
  assert.deepEqual(ran, ['now@0', 'a@10', 'b@10', 'c@30']);
  assert.deepEqual([clock.nowMs(), clock.pending()], [30, 1]);
});

test('virtual clock: what awaits between two timers settles before the second', async () => {
  const clock = createClock(0);
  const ran: string[] = [];
  clock.after(1, async () => {
    await Promise.resolve();
    await Promise.resolve();
    clock.after(0, () => ran.push(`from an await@${clock.nowMs()}`));
  });
  clock.after(2, () => ran.push('second'));
  await clock.advance(5);
  assert.deepEqual(ran, ['from an await@1', 'second']);
});

test('virtual clock: a cancelled timer does not run; three minutes take no time', async () => {
  const clock = createClock(0);
  const ran: string[] = [];
  const cancel = clock.after(10, () => ran.push('cancelled'));
  clock.after(180_000, () => ran.push('timer C'));
  clock.after(5, cancel);
  await clock.advance(180_000);
  assert.deepEqual(ran, ['timer C']);
});

test('virtual clock: time goes on until the condition holds, and no further', async () => {
  const clock = createClock(0);
  let done = false;
  clock.after(100, () => {
    done = true;
  });
  assert.equal(await clock.advanceUntil(() => done, 1000), true);
  assert.equal(clock.nowMs(), 100);
  assert.equal(await clock.advanceUntil(() => false, 1000), false);
  assert.equal(clock.nowMs(), 1100);
});

test('seeded random: a seed gives one run, another seed another', () => {
  const draw = (seed: number): readonly string[] => {
    const random = createRandom(seed);
    return [random.hex(4), String(random.fraction()), random.hex(2)];
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('seeded random: bytes and fractions are in their ranges, and even', () => {
  const random = createRandom(1);
  assert.match(random.hex(16), /^[0-9a-f]{32}$/);
  const fractions = Array.from({ length: 10_000 }, () => random.fraction());
  assert.ok(fractions.every((one) => one >= 0 && one < 1));
  const mean = fractions.reduce((sum, one) => sum + one, 0) / fractions.length;
  assert.ok(Math.abs(mean - 0.5) < 0.02, String(mean));
  const integers = new Set(Array.from({ length: 200 }, () => random.integer(3, 5)));
  assert.deepEqual([...integers].sort(), [3, 4, 5]);
});
