/** The wish to stop: no new calls, and those in progress until they end or time is up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { RetryAfter } from '../../src/message/headers/numbers.ts';
import { Reason } from '../../src/message/headers/text.ts';
import { startDrain } from '../../src/start/drain.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;

function drain(it: ProxyScene, deadlineMs: number) {
  const started = startDrain({ engine: it.proxy(), deadlineMs, clock: it.clock, log: silent });
  const state = { over: false };
  void started.over.then(() => {
    state.over = true;
  });
  return { ...started, isOver: () => state.over };
}

test('RFC 3261 §21.5.4: a proxy that drains refuses INVITE and REGISTER with 503 and Retry-After', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    drain(it, 30_000);
    const invite = alice.request('INVITE', bob.aor, offer);
    const refused = await alice.receivesResponse(503, 'INVITE');
    alice.ack(invite, refused);
    assert.equal(get(refused, RetryAfter), 10);
    assert.equal(get(await it.register(bob), RetryAfter), 10);
    assert.equal(it.proxy().operations.health().status, 'draining');
  });
});

test('a call in progress goes on while the proxy drains, and with its end the wait is over', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller } = await it.call(alice, bob);
    const draining = drain(it, 30_000);
    await it.clock.advance(10_000);
    assert.equal(draining.isOver(), false);
    it.ladder.clear();
    await it.hangUp(alice, caller, bob);
    it.ladder.expect(`
      F1 alice ─BYE▶ proxy
      F2 proxy ─BYE▶ bob
      F3 proxy ◀200 BYE─ bob
      F4 alice ◀200 BYE─ proxy
    `);
    await it.clock.advance(500);
    assert.equal(draining.isOver(), true);
  });
});

test('a call that rings may still be answered while the proxy drains', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await alice.receivesResponse(180);
    const draining = drain(it, 30_000);
    await it.clock.advance(5_000);
    assert.equal(draining.isOver(), false);
    const ok = bob.respond(received, 200, { body: phoneAnswer('bob'), contentType: sdpType });
    const answered = await alice.receivesResponse(200);
    alice.ack(invite, answered);
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, bob.dialog(received, ok), alice);
    await it.clock.advance(500);
    assert.equal(draining.isOver(), true);
  });
});

test('the wait is over at the deadline, or at once when somebody hurries, and only the first to end it has ended it', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller } = await it.call(alice, bob);
    const patient = drain(it, 30_000);
    const hurried = drain(it, 30_000);
    assert.deepEqual([hurried.hurry(), hurried.hurry()], [true, false]);
    await it.clock.advance(29_000);
    assert.deepEqual([hurried.isOver(), patient.isOver()], [true, false]);
    await it.clock.advance(1_000);
    assert.equal(patient.isOver(), true);
    assert.equal(patient.hurry(), false);
    await it.hangUp(alice, caller, bob);
  });
});

test('where no call is in progress there is nothing to wait for', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const draining = drain(it, 30_000);
    await draining.over;
    assert.equal(draining.hurry(), false);
  });
});

async function ended(it: ProxyScene, answered: boolean): Promise<void> {
  const state = { done: false };
  void it
    .proxy()
    .endCalls(answered)
    .then(() => {
      state.done = true;
    });
  await it.clock.advanceUntil(() => state.done, 1_000);
  assert.ok(state.done);
}

test('RFC 3261 §9.1: at the end of a stop, what rings is cancelled: nobody else could tell the callee', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await alice.receivesResponse(180);
    const end = ended(it, false);
    const cancel = await bob.receivesRequest('CANCEL');
    assert.equal(get(cancel, Reason), 'SIP;cause=503;text="Viaduct is stopping"');
    bob.respond(cancel, 200);
    bob.respond(received, 487);
    alice.ack(invite, await alice.receivesResponse(487));
    await end;
  });
});

test('an answered call is hung up when its rtpengine stops, too, and left alone when it does not', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await it.call(alice, bob);
    it.ladder.clear();
    await ended(it, false);
    it.ladder.expect('');
    const end = ended(it, true);
    for (const agent of [alice, bob]) {
      const bye = await agent.receivesRequest('BYE');
      assert.match(get(bye, Reason) ?? '', /^SIP;cause=503;text="Viaduct is stopping/);
      agent.respond(bye, 200);
    }
    await end;
  });
});
