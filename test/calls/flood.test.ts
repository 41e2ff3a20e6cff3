/** Floods of what costs its sender nothing: each meets a bound, and the calls in progress go on (DESIGN law 9). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { RetryAfter } from '../../src/message/headers/numbers.ts';
import type { SipMessage } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, type ProxySceneOptions, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly mallory: Agent;
}

async function stage(script: (stage: Stage) => Promise<void>, options: Partial<ProxySceneOptions> = {}): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob', 'mallory'], ...options });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await it.clock.advance(33_000);
    await script({ it, alice, bob, mallory: it.agent({ name: 'mallory', address: '203.0.113.66' }) });
  });
}

const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

const statuses = (inbox: readonly SipMessage[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const one of inbox) if (one.kind === 'response') counts[one.status] = (counts[one.status] ?? 0) + 1;
  return counts;
};

const transactionLimits = { open: 20, completed: 20 };

for (const method of ['BYE', 'OPTIONS'] as const) {
  test(`law 9: 100 ${method} of no call: 20 get their 481, the others 503; the call in progress can end`, () =>
    stage(
      async ({ it, alice, bob, mallory }) => {
        const { caller } = await it.call(alice, bob);
        await it.clock.advance(33_000);
        for (let n = 0; n < 100; n++) mallory.request(method, bob.aor, { toTag: `invented-${n}` });
        await it.clock.advance(100);
        assert.deepEqual(statuses(mallory.inbox), { 481: 20, 503: 80 });
        const refused = mallory.inbox.find((one) => one.kind === 'response' && one.status === 503);
        assert.equal(refused === undefined ? undefined : get(refused, RetryAfter), 5);
        assert.equal((await it.proxy().operations.statistics()).transactions.server, 20);
        await it.hangUp(alice, caller, bob);
      },
      { transactionLimits },
    ));
}

test('law 9: a CANCEL of nothing gets its 481 and makes no transaction', () =>
  stage(async ({ it, bob, mallory }) => {
    for (let n = 0; n < 100; n++) mallory.request('CANCEL', bob.aor);
    await it.clock.advance(100);
    assert.deepEqual(statuses(mallory.inbox), { 481: 100 });
    assert.equal((await it.proxy().operations.statistics()).transactions.server, 0);
  }));

test('law 9: the tables are full: what rings can still be cancelled', () =>
  stage(
    async ({ alice, bob, mallory }) => {
      const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
      const received = await bob.receivesRequest('INVITE');
      bob.respond(received, 180);
      await alice.receivesResponse(180);
      for (let n = 0; n < 50; n++) mallory.request('BYE', bob.aor, { toTag: `invented-${n}` });
      alice.cancel(invite);
      await alice.receivesResponse(200, 'CANCEL');
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(received, 487);
      await bob.receivesRequest('ACK');
      alice.ack(invite, await alice.receivesResponse(487));
    },
    { transactionLimits },
  ));

test('law 9: a callee in a call cannot fill the tables either: its requests have as much room again, and no more', () =>
  stage(
    async ({ it, alice, bob }) => {
      const { callee, caller } = await it.call(alice, bob);
      await it.clock.advance(33_000);
      for (let n = 0; n < 100; n++) bob.within(callee, 'INFO');
      await it.clock.advance(100);
      assert.equal((await it.proxy().operations.statistics()).transactions.server, 40);
      assert.deepEqual(statuses(bob.inbox), { 503: 60 });
      for (let n = 0; n < 40; n++) alice.respond(await alice.receivesRequest('INFO'), 200);
      await it.clock.advance(33_000);
      await it.hangUp(alice, caller, bob);
    },
    { transactionLimits },
  ));

test('law 9: a hundred 180s while rtpengine thinks: 64 of them wait, the others are dropped; the 486 is not', () =>
  stage(async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    it.media.set({ latencyMs: 500 });
    bob.respond(received, 183, { ...sdp(phoneAnswer('bob')), toTag: 'bob-0' });
    for (let n = 1; n <= 100; n++) bob.respond(received, 180, { toTag: `bob-${n}` });
    bob.respond(received, 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesRequest('ACK');
    assert.deepEqual(statuses(alice.inbox), { 100: 1, 180: 64, 183: 1 });
    assert.equal((await it.proxy().operations.statistics()).messages.dropped['responses waiting'], 36);
  }));

test('law 9: a thousand 200s while rtpengine thinks: 128 of them wait; bob repeats the one that counts', () =>
  stage(async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    it.media.set({ latencyMs: 500 });
    for (let n = 0; n < 1000; n++) bob.respond(received, 200, sdp(phoneAnswer('bob')));
    const ok = await alice.receivesResponse(200);
    await it.clock.advance(1000);
    assert.deepEqual(statuses(alice.inbox), { 100: 1, 200: 128 });
    assert.equal((await it.proxy().operations.statistics()).messages.dropped['responses waiting'], 871);
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    await it.hangUp(alice, alice.dialog(invite, ok), bob);
  }));
