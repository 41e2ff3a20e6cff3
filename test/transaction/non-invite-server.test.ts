import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serialize } from '../../src/message/edit.ts';
import type { ServerEvent } from '../../src/transaction/invite-server.ts';
import {
  createNonInviteServer,
  type NonInviteServer,
  stepNonInviteServer,
} from '../../src/transaction/non-invite-server.ts';
import { timers } from '../../src/transaction/timers.ts';
import { type Driver, drive, inWords, request, response } from './driver.ts';

type Server = Driver<NonInviteServer, ServerEvent>;
const message = request({ method: 'MESSAGE' });
const over = (reliable: boolean): Server =>
  drive(createNonInviteServer(message, timers(reliable)), stepNonInviteServer);
const respond = (server: Server, status: number): readonly string[] =>
  server.on({ on: 'respond', response: response(status, 'b1', message) });
const again = (server: Server): readonly string[] => server.on({ on: 'request', request: message });

describe('trying', () => {
  test('RFC 3261 §17.2.2: the request is passed up; retransmissions are discarded until there is a response', () => {
    assert.deepEqual(createNonInviteServer(message, timers(false))[1].map(inWords), ['pass MESSAGE']);
    assert.deepEqual(again(over(false)), []);
  });

  test('RFC 3261 §17.2.2 (erratum 1470): a final response may be the first', () => {
    assert.deepEqual(respond(over(false), 200), ['send 200', 'start J 32000']);
  });

  test('RFC 3261 §17.2.4: nothing was sent, so there is no transport error, and no timer', () => {
    const server = over(true);
    assert.deepEqual(server.on({ on: 'transport-error' }), []);
    assert.deepEqual(server.on({ on: 'timer', timer: 'J' }), []);
  });
});

describe('proceeding', () => {
  test('RFC 3261 §17.2.2: the 100 is sent and repeated for each retransmission', () => {
    const server = over(false);
    assert.deepEqual(respond(server, 100), ['send 100']);
    assert.equal(server.tx.state, 'proceeding');
    assert.deepEqual(again(server), ['repeat 100']);
    assert.deepEqual(server.on({ on: 'timer', timer: 'J' }), []);
  });

  test('RFC 4320 §4.1: of the provisional responses only 100 is sent', () => {
    const server = over(false);
    for (const status of [101, 180, 183, 199]) assert.deepEqual(respond(server, status), []);
    assert.equal(server.tx.state, 'trying');
    respond(server, 100);
    assert.deepEqual(respond(server, 180), []);
    assert.deepEqual(again(server), ['repeat 100']);
  });

  test('RFC 3261 §17.2.4: a transport error is told to the TU and ends it', () => {
    const server = over(false);
    respond(server, 100);
    assert.deepEqual(server.on({ on: 'transport-error' }), ['transport-error', 'terminated']);
  });
});

describe('completed', () => {
  test('RFC 3261 §17.2.2: a final response of any class is repeated byte for byte for 64*T1', () => {
    for (const status of [200, 302, 404, 503, 603]) {
      const server = over(false);
      respond(server, 100);
      assert.deepEqual(respond(server, status), [`send ${status}`, 'start J 32000']);
      assert.deepEqual(again(server), [`repeat ${status}`]);
      const [first, second] = server.sent.slice(-2);
      assert.ok(first !== undefined && second !== undefined);
      assert.equal(serialize(second), serialize(first));
      assert.deepEqual(server.pass(60_000), ['32000 terminated']);
      assert.deepEqual(again(server), [], 'terminated');
    }
  });

  test('RFC 3261 §17.2.2: J is zero on a reliable transport', () => {
    assert.deepEqual(respond(over(true), 200), ['send 200', 'terminated']);
  });

  test('RFC 3261 §17.2.2: another response of the TU is discarded', () => {
    const server = over(false);
    respond(server, 200);
    for (const status of [100, 200, 404]) assert.deepEqual(respond(server, status), []);
    assert.deepEqual(again(server), ['repeat 200']);
    assert.deepEqual(server.on({ on: 'timer', timer: 'G' }), []);
  });

  test('RFC 3261 §17.2.4: a transport error is told to the TU and ends it', () => {
    const server = over(false);
    respond(server, 200);
    assert.deepEqual(server.on({ on: 'transport-error' }), ['transport-error', 'terminated']);
  });
});

describe('408', () => {
  test('RFC 4320 §4.2: a 408 is never sent; the transaction completes and absorbs in silence', () => {
    const server = over(false);
    assert.deepEqual(respond(server, 408), ['start J 32000']);
    assert.deepEqual(again(server), []);
    assert.deepEqual(server.pass(60_000), ['32000 terminated']);
  });

  test('RFC 4320 §4.2: after a 100 neither the 408 nor the 100 is sent any more', () => {
    const server = over(false);
    respond(server, 100);
    respond(server, 408);
    assert.deepEqual(again(server), []);
    assert.deepEqual(server.sent.length, 1);
  });

  test('RFC 4320 §4.2: on a reliable transport it ends at once', () => {
    assert.deepEqual(respond(over(true), 408), ['terminated']);
  });
});

test('RFC 3261 §17.2.2: a terminated transaction does nothing whatever comes', () => {
  const server = over(true);
  respond(server, 200);
  assert.deepEqual(respond(server, 200), []);
  assert.deepEqual(again(server), []);
  assert.deepEqual(server.on({ on: 'timer', timer: 'J' }), []);
  assert.deepEqual(server.on({ on: 'transport-error' }), []);
});
