import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from '../../../src/adapters/postgres/turns.ts';
import { settle } from '../../support/clock.ts';

/** Work that ends when the test says so. */
function stage() {
  const begun: string[] = [];
  const ends = new Map<string, { well(): void; badly(): void }>();
  const turns = createTurns();
  const take = (key: string, name: string): Promise<string> =>
    turns.take(key, () => {
      begun.push(name);
      return new Promise((resolve, reject) => {
        ends.set(name, { well: () => resolve(name), badly: () => reject(new Error(name)) });
      });
    });
  return { begun, ends, turns, take };
}

test('turns: of one key the next begins when the one before has ended, also when it failed; other keys do not wait', async () => {
  const { begun, ends, turns, take } = stage();
  const [first, second, third] = [take('a', 'first'), take('a', 'second'), take('a', 'third')];
  const other = take('b', 'other');
  assert.deepEqual(begun, ['first', 'other']);
  assert.equal(turns.waiting(), 2);
  ends.get('first')?.badly();
  await assert.rejects(first, /first/);
  await settle();
  assert.deepEqual(begun, ['first', 'other', 'second']);
  ends.get('other')?.well();
  ends.get('second')?.well();
  assert.deepEqual(await Promise.all([second, other]), ['second', 'other']);
  await settle();
  ends.get('third')?.well();
  assert.equal(await third, 'third');
  assert.equal(turns.waiting(), 0);
});

test('turns: idle when nobody has one or waits for one', async () => {
  const { ends, turns, take } = stage();
  await turns.idle();
  const both = [take('a', 'first'), take('a', 'second')];
  let isIdle = false;
  const idle = turns.idle().then(() => {
    isIdle = true;
  });
  ends.get('first')?.well();
  await settle();
  assert.equal(isIdle, false);
  ends.get('second')?.well();
  await Promise.all(both);
  await idle;
});
