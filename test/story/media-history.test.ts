/** Media of a call over time: the whole of it, within a bound, with less detail the longer it lasts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MediaHistory, mostSamples, noHistory, withSample } from '../../src/story/media-history.ts';

function looked(everyMs: number, forMs: number): MediaHistory {
  let history = noHistory;
  for (let atMs = 0; atMs <= forMs; atMs += everyMs) history = withSample(history, { atMs, caller: atMs / 20 });
  return history;
}

test('law 9: however long a call lasts, its first and last look are there, and at most sixty', () => {
  for (const seconds of [10, 100, 1_000, 10_000, 100_000]) {
    const { samples } = looked(2_000, seconds * 1000);
    assert.ok(samples.length <= mostSamples, `${samples.length} of ${seconds} s`);
    assert.deepEqual([samples[0]?.atMs, samples.at(-1)?.atMs], [0, seconds * 1000]);
  }
});

test('what is left lies evenly over the call', () => {
  const { samples, everyMs } = looked(2_000, 3_600_000);
  const gaps = samples.slice(1, -1).map(({ atMs }, index) => atMs - (samples[index]?.atMs ?? 0));
  assert.ok(samples.length > mostSamples / 3, String(samples.length));
  assert.ok(Math.min(...gaps) >= everyMs && Math.max(...gaps) <= 2 * everyMs, gaps.join(' '));
});

test('many who look at once add one sample', () => {
  assert.ok(looked(10, 2_000).samples.length <= 4);
});
