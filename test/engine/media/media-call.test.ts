import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMediaCall, rememberRewritten } from '../../../src/engine/media/media-call.ts';

const caller = { kind: 'rtp', address: '192.0.2.1' } as const;

test('a call begins with nothing in rtpengine', () => {
  const call = createMediaCall({ callId: 'call-1', callerTag: 'alice-tag', name: 'call-1', caller });
  assert.deepEqual([call.node, call.contexts, call.dialogs.size, call.rewritten.size], [undefined, 0, 0, 0]);
});

test('law 9: of the rewritten bodies that a call keeps, the oldest makes room', () => {
  const call = createMediaCall({ callId: 'call-1', callerTag: 'alice-tag', name: 'call-1', caller });
  for (let index = 0; index < 100; index++) rememberRewritten(call, `key ${index}`, `body ${index}`);
  assert.equal(call.rewritten.size, 32);
  assert.equal(call.rewritten.get('key 99'), 'body 99');
  assert.equal(call.rewritten.get('key 68'), 'body 68');
  assert.equal(call.rewritten.get('key 67'), undefined);
});

test('law 1: a body that is written anew takes its own place, not that of another one', () => {
  const call = createMediaCall({ callId: 'call-1', callerTag: 'alice-tag', name: 'call-1', caller });
  for (let index = 0; index < 32; index++) rememberRewritten(call, `key ${index}`, `body ${index}`);
  rememberRewritten(call, 'key 31', 'body again');
  assert.equal(call.rewritten.get('key 0'), 'body 0');
  assert.equal(call.rewritten.get('key 31'), 'body again');
});
