import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCount } from '../../../src/adapters/postgres/count.ts';
import { createClock } from '../../support/clock.ts';

/** A table of so many rows; to count a thousand of them takes `perThousandMs`. */
function setUp(rows: number, perThousandMs: number) {
  const clock = createClock();
  const asked: number[] = [];
  const count = createCount(async (most) => {
    asked.push(most);
    await clock.advance((Math.min(most, rows) / 1_000) * perThousandMs);
    return Math.min(most, rows);
  }, clock);
  return { clock, asked, count };
}

test('few rows are counted whenever somebody asks', async () => {
  const { asked, count } = setUp(10_000, 1);
  assert.deepEqual([await count(), await count()], [10_000, 10_000]);
  assert.equal(asked.length, 2);
});

test('many rows are counted once in half a minute', async () => {
  const { clock, asked, count } = setUp(20_000, 0);
  assert.deepEqual([await count(), await count()], [20_000, 20_000]);
  await clock.advance(29_000);
  await count();
  assert.equal(asked.length, 2, 'whether they are few, and how many');
  await clock.advance(1_000);
  await count();
  assert.equal(asked.length, 4);
});

test('of so many rows that counting takes long they are counted more seldom: a thousandth of the time goes into it', async () => {
  const { clock, asked, count } = setUp(1_000_000, 0.5);
  assert.equal(await count(), 1_000_000);
  await clock.advance(499_000);
  assert.equal(await count(), 1_000_000);
  assert.equal(asked.length, 2);
  await clock.advance(1_000);
  await count();
  assert.equal(asked.length, 4);
});
