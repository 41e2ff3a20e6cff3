import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serialize } from '../../src/message/edit.ts';
import { get, values } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { To } from '../../src/message/headers/from-to.ts';
import { Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import {
  type ClientEvent,
  createInviteClient,
  type InviteClient,
  type InviteClientState,
  stepInviteClient,
} from '../../src/transaction/invite-client.ts';
import { timers } from '../../src/transaction/timers.ts';
import { type Driver, drive, inWords, request, response } from './driver.ts';

type Client = Driver<InviteClient, ClientEvent>;
const udp = (): Client => drive(createInviteClient(request(), timers(false)), stepInviteClient);
const tcp = (): Client => drive(createInviteClient(request(), timers(true)), stepInviteClient);
const receive = (client: Client, status: number, toTag = 'b1'): readonly string[] =>
  client.on({ on: 'response', response: response(status, toTag) });

describe('calling', () => {
  test('RFC 3261 §17.1.1.2: the INVITE is sent, A starts on unreliable transports only, B on all', () => {
    const start = (reliable: boolean) => createInviteClient(request(), timers(reliable))[1].map(inWords);
    assert.deepEqual(start(false), ['send INVITE', 'start A 500', 'start B 32000']);
    assert.deepEqual(start(true), ['send INVITE', 'start B 32000']);
  });

  test('RFC 3261 §17.1.1.2: A doubles each time until B ends the transaction', () => {
    const sends = udp()
      .pass(60_000)
      .filter((line) => !line.includes('start'));
    const times = [500, 1500, 3500, 7500, 15_500, 31_500];
    assert.deepEqual(sends, [...times.map((ms) => `${ms} repeat INVITE`), '32000 timeout', '32000 terminated']);
  });

  test('RFC 3261 §17.1.1.2: on a reliable transport B ends it without a retransmission', () => {
    assert.deepEqual(tcp().pass(60_000), ['32000 timeout', '32000 terminated']);
  });

  test('RFC 3261 §17.1.1.2: 100 and 180 are passed up and end retransmission and timer B', () => {
    for (const status of [100, 180]) {
      const client = udp();
      assert.deepEqual(receive(client, status), ['stop A', 'stop B', `pass ${status}`]);
      assert.equal(client.tx.state, 'proceeding');
      assert.deepEqual(client.pass(600_000), [], 'it waits as long as the TU lets it');
    }
  });

  test('RFC 3261 §17.1.4: a transport error is told to the TU and ends it', () => {
    assert.deepEqual(udp().on({ on: 'transport-error' }), ['transport-error', 'terminated']);
  });
});

describe('a final response', () => {
  test('RFC 3261 §17.1.1.2: a 300-699 gets an ACK from the transaction, in calling and in proceeding', () => {
    for (const status of [300, 404, 503, 603]) {
      const client = udp();
      assert.deepEqual(receive(client, status), ['stop A', 'stop B', 'send ACK', `pass ${status}`, 'start D 32000']);
      const ringing = udp();
      receive(ringing, 180);
      assert.deepEqual(receive(ringing, status), ['send ACK', `pass ${status}`, 'start D 32000']);
    }
  });

  test('RFC 3261 §17.1.1.3: the ACK has the Via, Route and CSeq number of the INVITE and To of the response', () => {
    const client = udp();
    receive(client, 486, 'bob');
    const [invite] = client.sent;
    const ack = client.sent.at(-1);
    assert.ok(invite?.kind === 'request' && ack?.kind === 'request');
    assert.equal(ack.uri, 'sip:bob@biloxi.example.com');
    assert.deepEqual(get(ack, CSeq), { number: 7, method: 'ACK' });
    assert.deepEqual(values(ack, Via), values(invite, Via));
    assert.deepEqual(values(ack, Route), values(invite, Route));
    assert.deepEqual(get(ack, To)?.params, [['tag', 'bob']]);
  });

  test('RFC 3261 §17.1.1.2: a 300-699 that comes again gets the same ACK again and is not passed up', () => {
    const redirected = udp();
    receive(redirected, 300);
    assert.deepEqual(receive(redirected, 300), ['repeat ACK']);
    const client = udp();
    receive(client, 486);
    assert.deepEqual(receive(client, 486), ['repeat ACK']);
    const [first, again] = client.sent.slice(-2);
    assert.ok(first !== undefined && again !== undefined);
    assert.equal(serialize(first), serialize(again));
  });

  test('RFC 3261 §17.1.1.2: D ends completed after 32 s; on a reliable transport it ends at once', () => {
    const client = udp();
    receive(client, 486);
    assert.deepEqual(client.pass(60_000), ['32000 terminated']);
    const reliable = tcp();
    assert.deepEqual(receive(reliable, 486), ['stop B', 'send ACK', 'pass 486', 'terminated']);
    assert.equal(reliable.tx.state, 'terminated');
  });

  test('RFC 3261 §17.1.4: when the ACK cannot be sent the TU is told', () => {
    const client = udp();
    receive(client, 486);
    assert.deepEqual(client.on({ on: 'transport-error' }), ['transport-error', 'terminated']);
  });
});

describe('2xx', () => {
  test('RFC 6026 §7.2: every 2xx is passed up without an ACK for 64*T1, on any transport', () => {
    for (const client of [udp(), tcp()]) {
      receive(client, 180);
      assert.deepEqual(receive(client, 200), ['pass 200', 'start M 32000']);
      assert.deepEqual(receive(client, 200), ['pass 200'], 'a retransmission');
      assert.deepEqual(receive(client, 202, 'other'), ['pass 202'], 'of another branch downstream');
      assert.deepEqual(client.pass(60_000), ['32000 terminated']);
      assert.deepEqual(receive(client, 200), [], 'terminated');
    }
  });

  test('RFC 6026 §7.2: a 2xx may be the first response', () => {
    assert.deepEqual(receive(udp(), 200), ['stop A', 'stop B', 'pass 200', 'start M 32000']);
  });
});

describe('what is ignored', () => {
  const reach: Readonly<Record<InviteClientState, readonly number[]>> = {
    calling: [],
    proceeding: [180],
    completed: [486],
    accepted: [200],
    terminated: [],
  };
  const cases: readonly (readonly [InviteClientState, readonly string[], readonly number[]])[] = [
    ['calling', ['D', 'M', 'E', 'F', 'K'], []],
    ['proceeding', ['A', 'B', 'D', 'M'], []],
    ['completed', ['A', 'B', 'M'], [180, 200]],
    ['accepted', ['A', 'B', 'D'], [100, 180, 300, 302, 486, 603]],
  ];
  for (const [state, late, statuses] of cases) {
    test(`RFC 3261 §17.1.1: ${state} ignores timers ${late.join(' ')} and responses ${statuses.join(' ') || '-'}`, () => {
      const client = udp();
      for (const status of reach[state]) receive(client, status);
      assert.equal(client.tx.state, state);
      const before = client.tx;
      for (const timer of late) assert.deepEqual(stepInviteClient(before, timerEvent(timer)), [before, []], timer);
      for (const status of statuses) assert.deepEqual(receive(client, status), [], String(status));
      assert.equal(client.tx, before);
    });
  }

  test('RFC 6026 §7.2: accepted sends nothing, so a transport error is none of its business', () => {
    const client = udp();
    receive(client, 200);
    assert.deepEqual(client.on({ on: 'transport-error' }), []);
  });

  test('RFC 3261 §17.1.1.2: a terminated transaction does nothing whatever comes', () => {
    const client = udp();
    client.on({ on: 'transport-error' });
    for (const status of [100, 180, 200, 486]) assert.deepEqual(receive(client, status), []);
    for (const timer of ['A', 'B', 'D', 'M']) assert.deepEqual(client.on(timerEvent(timer)), []);
    assert.deepEqual(client.on({ on: 'transport-error' }), []);
    assert.deepEqual(client.running, []);
  });
});

test('RFC 3261 §17.1.4: a connection that closes while the other side rings ends the transaction', () => {
  const client = tcp();
  receive(client, 180);
  assert.deepEqual(client.on({ on: 'transport-error' }), ['transport-error', 'terminated']);
});

function timerEvent(name: string): ClientEvent {
  const timer = (['A', 'B', 'D', 'E', 'F', 'K', 'M'] as const).find((known) => known === name);
  assert.ok(timer !== undefined);
  return { on: 'timer', timer };
}
