import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters } from '../../../src/engine/statistics/counters.ts';

test('requests are counted by method', () => {
  const counters = new Counters();
  for (const method of ['INVITE', 'BYE', 'INVITE']) counters.request(method);
  assert.deepEqual(counters.requests, { INVITE: 2, BYE: 1 });
});

test('law 9: methods that nobody knows share one bucket, however many there are', () => {
  const counters = new Counters();
  for (let index = 0; index < 1000; index++) counters.request(`FLOOD${index}`);
  for (const method of ['invite', 'constructor', '__proto__', 'other']) counters.request(method);
  assert.deepEqual(counters.requests, { other: 1004 });
});

test('responses are counted by status, refusals by their row, drops by their reason', () => {
  const counters = new Counters();
  for (const status of [100, 180, 200, 200]) counters.response(status, status === 100 ? 'INVITE' : 'FLOOD');
  counters.refusal('no-relay');
  counters.drop('malformed');
  counters.drop('malformed');
  assert.deepEqual(counters.responses, { 100: 1, 180: 1, 200: 2 });
  assert.deepEqual(counters.classes, { 'INVITE 1xx': 1, 'other 1xx': 1, 'other 2xx': 2 });
  assert.deepEqual(counters.refusals, { 'no-relay': 1 });
  assert.deepEqual(counters.dropped, { malformed: 2 });
});
