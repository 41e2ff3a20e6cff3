/**
 * Changes within a call that come to nothing, and not by a refusal of the other side (those are in changes.test.ts): what
 * was accepted holds again in rtpengine (RFC 6337 §3.4), and the next change of either side is no glare.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Agent, AgentDialog } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly caller: AgentDialog;
  readonly callee: AgentDialog;
}

async function inCall(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller, callee } = await it.call(alice, bob);
    await script({ it, alice, bob, caller, callee });
    await it.hangUp(alice, caller, bob);
  });
}

let version = 2;

const restored = ['offer RTP/AVP', 'answer', 'offer RTP/AVP', 'offer RTP/AVP', 'answer'];

/** Both sides change something, with success. */
async function bothChange({ alice, bob, caller, callee }: Stage): Promise<void> {
  for (const [one, dialog, other, otherDialog] of [
    [alice, caller, bob, callee],
    [bob, callee, alice, caller],
  ] as const) {
    const invite = one.within(dialog, 'INVITE', sdp(phoneOffer(one.name, { version: ++version })));
    const received = await other.receivesRequest('INVITE');
    other.respond(received, 200, { ...sdp(phoneAnswer(other.name, { version })), toTag: otherDialog.local.tag ?? '' });
    one.ack(invite, await one.receivesResponse(200, 'INVITE'));
    await other.receivesRequest('ACK');
  }
}

for (const method of ['INVITE', 'UPDATE'] as const) {
  test(`RFC 3261 §14.1: no rtpengine takes the offer of a ${method}: 503, and the next change is free`, () =>
    inCall(async (stage) => {
      const { it, alice, caller } = stage;
      it.media.set({ refuse: ({ command }) => (command === 'offer' ? 'media-timeout' : undefined) });
      const again = alice.within(caller, method, sdp(phoneOffer('alice', { version: ++version })));
      const final = await alice.receivesFinal(method);
      assert.equal(final.status, 503);
      if (method === 'INVITE') alice.ack(again, final);
      it.media.set({ refuse: () => undefined });
      await bothChange(stage);
    }));

  test(`RFC 3261 §14.1: ${method} to which nobody says anything: the call is as it was`, () =>
    inCall(async (stage) => {
      const { it, alice, bob, caller } = stage;
      const again = alice.within(caller, method, sdp(phoneOffer('alice', { version: ++version })));
      await bob.receivesRequest(method);
      await it.clock.advance(32_000);
      bob.inbox.splice(0);
      if (method === 'INVITE') alice.ack(again, await alice.receivesResponse(408, 'INVITE'));
      assert.deepEqual(it.media.story(), restored);
      alice.inbox.splice(0);
      await bothChange(stage);
    }));
}

test('RFC 3261 §9.2: CANCEL of a re-INVITE while rtpengine thinks about its offer: the call is as it was', () =>
  inCall(async (stage) => {
    const { it, alice, bob, caller } = stage;
    it.media.set({ latencyMs: 400 });
    const again = alice.within(caller, 'INVITE', sdp(phoneOffer('alice', { version: ++version })));
    await it.clock.advance(100);
    alice.cancel(again);
    await alice.receivesResponse(200, 'CANCEL');
    alice.ack(again, await alice.receivesResponse(487));
    await bob.receivesNothing(2000);
    it.media.set({ latencyMs: 0 });
    assert.deepEqual(it.media.story(), restored);
    await bothChange(stage);
  }));

test('RFC 3261 §9.2: CANCEL of a re-INVITE that rings: the call is as it was', () =>
  inCall(async (stage) => {
    const { it, alice, bob, caller, callee } = stage;
    const again = alice.within(caller, 'INVITE', sdp(phoneOffer('alice', { version: ++version })));
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180, { toTag: callee.local.tag ?? '' });
    await alice.receivesResponse(180);
    alice.cancel(again);
    await alice.receivesResponse(200, 'CANCEL');
    bob.respond(await bob.receivesRequest('CANCEL'), 200);
    bob.respond(received, 487, { toTag: callee.local.tag ?? '' });
    await bob.receivesRequest('ACK');
    alice.ack(again, await alice.receivesResponse(487));
    assert.deepEqual(it.media.story(), restored);
    await bothChange(stage);
  }));
