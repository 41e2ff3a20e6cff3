import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, systemClock } from '../../src/adapters/system.ts';

test('the clock shows whole milliseconds since 1970', () => {
  const nowMs = systemClock.nowMs();
  assert.ok(Number.isInteger(nowMs));
  assert.ok(Math.abs(nowMs - Date.now()) < 60_000);
});

test('the clock never goes backwards, also when the time of the system is set back', (t) => {
  const before = systemClock.nowMs();
  t.mock.method(Date, 'now', () => before - 3_600_000);
  let last = before;
  for (let count = 0; count < 10_000; count++) {
    const nowMs = systemClock.nowMs();
    assert.ok(nowMs >= last);
    last = nowMs;
  }
});

test('a timer runs once after its time; a cancelled one does not', async () => {
  const story: string[] = [];
  const cancel = systemClock.after(5, () => story.push('cancelled'));
  systemClock.after(5, () => story.push('first'));
  cancel();
  cancel();
  // The timer of the clock keeps no process alive, so the test has one of its own.
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.deepEqual(story, ['first']);
});

test('random text is as long as it was asked for, in lower-case hex', () => {
  const random = createRandom();
  for (const bytes of [0, 1, 3, 8, 16, 64, 4095, 4096, 4097, 20_000]) {
    assert.match(random.hex(bytes), /^[0-9a-f]*$/);
    assert.equal(random.hex(bytes).length, 2 * bytes);
  }
});

test('no two random texts are alike, over several fillings of the pool', () => {
  const random = createRandom();
  const texts = Array.from({ length: 5000 }, () => random.hex(8));
  assert.equal(new Set(texts).size, texts.length);
  assert.notEqual(createRandom().hex(16), createRandom().hex(16));
});

test('a fraction is at least 0 and below 1, and they are spread evenly', () => {
  const random = createRandom();
  const fractions = Array.from({ length: 20_000 }, () => random.fraction());
  assert.ok(fractions.every((fraction) => fraction >= 0 && fraction < 1));
  const mean = fractions.reduce((sum, fraction) => sum + fraction, 0) / fractions.length;
  assert.ok(Math.abs(mean - 0.5) < 0.02, `${mean}`);
});
