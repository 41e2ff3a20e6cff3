import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientEvent } from '../../src/transaction/invite-client.ts';
import {
  createNonInviteClient,
  type NonInviteClient,
  stepNonInviteClient,
} from '../../src/transaction/non-invite-client.ts';
import { timers } from '../../src/transaction/timers.ts';
import { type Driver, drive, inWords, request, response } from './driver.ts';

type Client = Driver<NonInviteClient, ClientEvent>;
const bye = request({ method: 'BYE' });
const over = (reliable: boolean): Client => drive(createNonInviteClient(bye, timers(reliable)), stepNonInviteClient);
const receive = (client: Client, status: number): readonly string[] =>
  client.on({ on: 'response', response: response(status, 'b1', bye) });
const sendTimes = (lines: readonly string[]): readonly string[] => lines.filter((line) => !line.includes('start'));

describe('trying', () => {
  test('RFC 3261 §17.1.2.2: the request is sent, E starts on unreliable transports only, F on all', () => {
    const start = (reliable: boolean) => createNonInviteClient(bye, timers(reliable))[1].map(inWords);
    assert.deepEqual(start(false), ['send BYE', 'start E 500', 'start F 32000']);
    assert.deepEqual(start(true), ['send BYE', 'start F 32000']);
  });

  test('RFC 3261 §17.1.2.2: E doubles up to T2, and F ends the transaction', () => {
    const times = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    const expected = [...times.map((ms) => `${ms} repeat BYE`), '32000 timeout', '32000 terminated'];
    assert.deepEqual(sendTimes(over(false).pass(60_000)), expected);
    assert.deepEqual(over(true).pass(60_000), ['32000 timeout', '32000 terminated']);
  });

  test('RFC 3261 §17.1.4: a transport error is told to the TU and ends it', () => {
    assert.deepEqual(over(false).on({ on: 'transport-error' }), ['transport-error', 'terminated']);
  });
});

describe('proceeding', () => {
  test('RFC 3261 §17.1.2.2: after a 1xx the request is still repeated, every T2, until F', () => {
    const client = over(false);
    assert.deepEqual(receive(client, 100), ['pass 100']);
    assert.equal(client.tx.state, 'proceeding');
    const times = [500, 4500, 8500, 12_500, 16_500, 20_500, 24_500, 28_500];
    const expected = [...times.map((ms) => `${ms} repeat BYE`), '32000 timeout', '32000 terminated'];
    assert.deepEqual(sendTimes(client.pass(31_999)), expected.slice(0, 8));
    assert.deepEqual(
      sendTimes(client.pass(1)),
      expected.slice(8).filter((line) => !line.includes('send')),
    );
  });

  test('RFC 3261 §17.1.2.2: further provisional responses are passed up; a transport error ends it', () => {
    const client = over(true);
    receive(client, 100);
    assert.deepEqual(receive(client, 183), ['pass 183']);
    assert.deepEqual(client.on({ on: 'transport-error' }), ['transport-error', 'terminated']);
  });
});

describe('completed', () => {
  test('RFC 3261 §17.1.2.2: a final response of any class stops E and F and is passed up once', () => {
    for (const status of [200, 302, 404, 503, 603]) {
      const client = over(false);
      assert.deepEqual(receive(client, status), ['stop E', 'stop F', `pass ${status}`, 'start K 5000']);
      assert.deepEqual(receive(client, status), [], 'a retransmission is absorbed');
      assert.deepEqual(client.pass(60_000), ['5000 terminated']);
    }
  });

  test('RFC 3261 §17.1.2.2: the same from proceeding; K is zero on a reliable transport', () => {
    const client = over(true);
    receive(client, 100);
    assert.deepEqual(receive(client, 200), ['stop F', 'pass 200', 'terminated']);
    assert.equal(client.tx.state, 'terminated');
  });

  test('RFC 3261 §17.1.2.2: late timers, responses and transport errors do nothing', () => {
    const client = over(false);
    receive(client, 200);
    const before = client.tx;
    for (const timer of ['E', 'F', 'A', 'B'] as const) assert.deepEqual(client.on({ on: 'timer', timer }), []);
    for (const status of [100, 200, 500]) assert.deepEqual(receive(client, status), []);
    assert.deepEqual(client.on({ on: 'transport-error' }), []);
    assert.equal(client.tx, before);
  });
});

test('RFC 3261 §17.1.2.2: a terminated transaction does nothing whatever comes', () => {
  const client = over(false);
  client.on({ on: 'transport-error' });
  for (const status of [100, 200, 486]) assert.deepEqual(receive(client, status), []);
  for (const timer of ['E', 'F', 'K'] as const) assert.deepEqual(client.on({ on: 'timer', timer }), []);
  assert.deepEqual(client.on({ on: 'transport-error' }), []);
});

test('RFC 3261 §17.1.2.2: timers of other kinds of transaction mean nothing', () => {
  const client = over(false);
  for (const timer of ['A', 'B', 'K', 'J'] as const) assert.deepEqual(client.on({ on: 'timer', timer }), []);
});
