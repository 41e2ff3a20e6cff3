import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EarlyEvents } from '../../src/engine/early-events.ts';
import { flowOf } from '../support/fake-proxy.ts';

test('law 3: what comes before the records are loaded waits, and is taken up in its order', () => {
  const seen: string[] = [];
  const early = new EarlyEvents({ message: (text) => seen.push(text), closed: (_, reason) => seen.push(reason) });
  early.message('BYE', flowOf());
  early.closed(flowOf(), 'gone');
  assert.deepEqual(seen, []);
  early.open();
  early.message('INVITE', flowOf());
  assert.deepEqual(seen, ['BYE', 'gone', 'INVITE']);
});

test('law 9: no more than 10,000 events wait', () => {
  let taken = 0;
  const early = new EarlyEvents({ message: () => taken++, closed: () => undefined });
  for (let index = 0; index < 10_050; index++) early.message('x', flowOf());
  early.open();
  assert.equal(taken, 10_000);
});
