/** A device that refused one kind of SDP is offered another: a branch that takes the place of a branch (DESIGN §4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branchState, mayReplace } from '../../src/proxy/response-context.ts';
import { after, effects, invite, seen } from './story.ts';

const two = after(invite, 'branches a b', 'routed', 'sent a', 'sent b', 'a 100');

test('the old branch ends, the new one is prepared, and nothing goes upstream', () => {
  assert.deepEqual(effects(two, 'a replaced c'), ['stop-c a', 'ended a']);
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => branchState(after(two, 'a replaced c'), id)),
    ['ended', 'calling', 'preparing'],
  );
});

test('the new branch speaks for both: its answer, or its refusal, is that of the device', () => {
  const again = after(two, 'a replaced c', 'sent c');
  assert.deepEqual(seen(again, 'b 404', 'c 486'), ['forward b 404']);
  assert.deepEqual(seen(again, 'c 486', 'b 408'), ['forward c 486']);
  assert.deepEqual(seen(again, 'c 200'), ['forward c 200']);
});

test('RFC 5626 §5.3: a flow that is gone before anything was sent over it makes way for another one', () => {
  const prepared = after(invite, 'branches a');
  assert.equal(mayReplace(prepared, 'a'), true);
  assert.equal(branchState(after(prepared, 'a replaced c'), 'c'), 'preparing');
});

test('RFC 3261 §16.10: a CANCEL before the new branch is sent ends it', () => {
  assert.deepEqual(seen(after(two, 'a replaced c'), 'cancel', 'b 487'), ['abandon c', 'forward b 487']);
});

test('not when the call was answered, cancelled, declined, or the branch itself is over or being cancelled', () => {
  for (const events of [
    ['b 200'],
    ['cancel'],
    ['b 603'],
    ['a 486'],
    ['a 200'],
    ['timer-c a'],
    ['a 180', 'timer-c a'],
  ]) {
    assert.equal(mayReplace(after(two, ...events), 'a'), false, events.join());
    assert.deepEqual(effects(after(two, ...events), 'a replaced c'), [], events.join());
  }
  assert.deepEqual(effects(two, 'a replaced b', 'x replaced c'), []);
});
