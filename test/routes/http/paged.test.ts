import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paged } from '../../../routes/http/paged.ts';

const self = (letter: string): string => letter;

test('a list in memory comes in pages; the last one has no next', () => {
  const letters = ['a', 'b', 'c'];
  assert.deepEqual(paged(letters, self, { limit: 2 }), { items: ['a', 'b'], next: 'b' });
  assert.deepEqual(paged(letters, self, { limit: 2, after: 'b' }), { items: ['c'], next: null });
  assert.deepEqual(paged(letters, self, { limit: 3 }), { items: letters, next: null });
  assert.deepEqual(paged([], self, { limit: 3 }), { items: [], next: null });
});

test('behind an entry that has gone it begins anew, and loses none', () => {
  assert.deepEqual(paged(['a', 'c'], self, { limit: 1, after: 'b' }), { items: ['a'], next: 'a' });
});
