import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createInviteServer,
  type InviteServer,
  type ServerEvent,
  stepInviteServer,
} from '../../src/transaction/invite-server.ts';
import { timers } from '../../src/transaction/timers.ts';
import { type Driver, drive, inWords, request, response } from './driver.ts';

type Server = Driver<InviteServer, ServerEvent>;
const invite = request();
const ack = request({ method: 'ACK' });
const over = (reliable: boolean): Server => drive(createInviteServer(invite, timers(reliable)), stepInviteServer);
const respond = (server: Server, status: number, toTag = 'b1'): readonly string[] =>
  server.on({ on: 'respond', response: response(status, toTag) });
const again = (server: Server): readonly string[] => server.on({ on: 'request', request: invite });
const acknowledge = (server: Server): readonly string[] => server.on({ on: 'request', request: ack });

describe('proceeding', () => {
  test('RFC 3261 §17.2.1: the INVITE is passed up; a retransmission before any response is absorbed', () => {
    assert.deepEqual(createInviteServer(invite, timers(false))[1].map(inWords), ['pass INVITE']);
    assert.deepEqual(again(over(false)), []);
  });

  test('RFC 3261 §17.2.1: provisional responses are sent, and the last of them for each retransmission', () => {
    const server = over(false);
    assert.deepEqual(respond(server, 100), ['send 100']);
    assert.deepEqual(again(server), ['repeat 100']);
    assert.deepEqual(respond(server, 180), ['send 180']);
    assert.deepEqual(again(server), ['repeat 180']);
    assert.equal(server.tx.state, 'proceeding');
    assert.deepEqual(server.running, []);
  });

  test('RFC 3261 §17.2.1: an ACK before the final response acknowledges nothing', () => {
    const server = over(false);
    respond(server, 180);
    assert.deepEqual(acknowledge(server), []);
  });

  test('RFC 6026: a transport error is told to the TU and changes no state (§17.2.4 as amended)', () => {
    const server = over(true);
    assert.deepEqual(server.on({ on: 'transport-error' }), ['transport-error']);
    assert.equal(server.tx.state, 'proceeding');
  });
});

describe('completed', () => {
  test('RFC 3261 §17.2.1: a 300-699 starts timer G, on unreliable transports only, and timer H on all', () => {
    for (const status of [300, 302, 404, 500, 603]) {
      assert.deepEqual(respond(over(false), status), [`send ${status}`, 'start G 500', 'start H 32000']);
      assert.deepEqual(respond(over(true), status), [`send ${status}`, 'start H 32000']);
    }
  });

  test('RFC 3261 §17.2.1: G doubles up to T2; H without an ACK is told to the TU', () => {
    const server = over(false);
    respond(server, 486);
    const lines = server.pass(60_000).filter((line) => !line.includes('start'));
    const times = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert.deepEqual(lines, [...times.map((ms) => `${ms} repeat 486`), '32000 timeout', '32000 terminated']);
  });

  test('RFC 3261 §17.2.1: on a reliable transport H is awaited in silence', () => {
    const server = over(true);
    respond(server, 486);
    assert.deepEqual(server.pass(60_000), ['32000 timeout', '32000 terminated']);
  });

  test('RFC 3261 §17.2.1: a retransmitted INVITE gets the response again', () => {
    const server = over(false);
    respond(server, 180);
    respond(server, 486);
    assert.deepEqual(again(server), ['repeat 486']);
  });

  test('RFC 3261 §17.2.1: another final response of the TU is discarded', () => {
    const server = over(false);
    respond(server, 486);
    for (const status of [180, 200, 487]) assert.deepEqual(respond(server, status), []);
    assert.deepEqual(again(server), ['repeat 486']);
  });

  test('RFC 6026: a transport error changes no state: G may get through', () => {
    const server = over(false);
    respond(server, 486);
    assert.deepEqual(server.on({ on: 'transport-error' }), ['transport-error']);
    assert.deepEqual(server.pass(500), ['500 repeat 486', '500 start G 1000']);
  });
});

describe('confirmed', () => {
  test('RFC 3261 §17.2.1: the ACK stops G and H and is not passed up; I absorbs further ones', () => {
    const server = over(false);
    respond(server, 486);
    assert.deepEqual(acknowledge(server), ['stop G', 'stop H', 'start I 5000']);
    assert.deepEqual(acknowledge(server), []);
    assert.deepEqual(server.pass(60_000), ['5000 terminated']);
  });

  test('RFC 3261 §17.2.1: timer I is zero on a reliable transport', () => {
    const server = over(true);
    respond(server, 486);
    assert.deepEqual(acknowledge(server), ['stop H', 'terminated']);
  });

  test('RFC 3261 §17.2.1: an INVITE that the ACK overtook, late responses, timers and errors do nothing', () => {
    const server = over(false);
    respond(server, 486);
    acknowledge(server);
    const before = server.tx;
    assert.deepEqual(again(server), []);
    for (const status of [180, 200, 486]) assert.deepEqual(respond(server, status), []);
    for (const timer of ['G', 'H', 'L'] as const) assert.deepEqual(server.on({ on: 'timer', timer }), []);
    assert.deepEqual(server.on({ on: 'transport-error' }), []);
    assert.equal(server.tx, before);
  });
});

describe('accepted', () => {
  test('RFC 6026 §7.1: a 2xx is sent once per respond and kept for 64*T1, on any transport', () => {
    for (const reliable of [false, true]) {
      const server = over(reliable);
      assert.deepEqual(respond(server, 200), ['send 200', 'start L 32000']);
      assert.equal(server.tx.state, 'accepted');
      assert.deepEqual(server.pass(31_999), [], 'the transaction repeats no 2xx');
      assert.deepEqual(server.pass(1), ['32000 terminated']);
    }
  });

  test('RFC 6026 §7.1: each further 2xx is sent: a retransmission, or the answer of another branch', () => {
    const server = over(false);
    respond(server, 200);
    assert.deepEqual(respond(server, 200), ['send 200']);
    assert.deepEqual(respond(server, 200, 'other'), ['send 200']);
  });

  test('RFC 6026 §7.1: a retransmitted INVITE is absorbed in silence', () => {
    const server = over(false);
    respond(server, 180);
    respond(server, 200);
    assert.deepEqual(again(server), []);
  });

  test('RFC 6026 §7.1: an ACK with the branch of the INVITE is passed up', () => {
    const server = over(false);
    respond(server, 200);
    assert.deepEqual(acknowledge(server), ['pass ACK']);
  });

  test('RFC 6026 §7.1: 1xx and 300-699 after a 2xx are not sent, late timers do nothing', () => {
    const server = over(false);
    respond(server, 200);
    for (const status of [180, 300, 302, 486, 603]) assert.deepEqual(respond(server, status), []);
    for (const timer of ['G', 'H', 'I'] as const) assert.deepEqual(server.on({ on: 'timer', timer }), []);
  });

  test('RFC 6026 §7.1: a transport error is told to the TU and changes no state', () => {
    const server = over(false);
    respond(server, 200);
    assert.deepEqual(server.on({ on: 'transport-error' }), ['transport-error']);
    assert.deepEqual(respond(server, 200), ['send 200']);
  });
});

test('RFC 3261 §17.2.1: a terminated transaction does nothing whatever comes', () => {
  const server = over(false);
  respond(server, 200);
  server.pass(32_000);
  assert.deepEqual(again(server), []);
  assert.deepEqual(acknowledge(server), []);
  assert.deepEqual(respond(server, 200), []);
  for (const timer of ['G', 'H', 'I', 'L'] as const) assert.deepEqual(server.on({ on: 'timer', timer }), []);
  assert.deepEqual(server.on({ on: 'transport-error' }), []);
});

test('RFC 3261 §17.2.1: timers that do not run mean nothing in proceeding', () => {
  const server = over(false);
  for (const timer of ['G', 'H', 'I', 'L'] as const) assert.deepEqual(server.on({ on: 'timer', timer }), []);
});
