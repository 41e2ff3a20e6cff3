/** Calls that the proxy ends itself: what was answered and cannot be given its media (DESIGN law 1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { Reason } from '../../src/message/headers/text.ts';
import type { SipMessage } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
}

async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', transport: 'wss', address: '192.0.2.1', port: 5061 });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await script({ it, alice, bob });
  });
}

const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

const refusing = (command: 'offer' | 'answer') => ({
  refuse: (told: { readonly command: string }) => (told.command === command ? ('media-lost' as const) : undefined),
});

/** The party is told that the call is over, and why. */
async function isHungUp(party: Agent): Promise<void> {
  const bye = await party.receivesRequest('BYE');
  assert.match(get(bye, Reason) ?? '', /^SIP;cause=503;text="/);
  party.respond(bye, 200);
}

const requests = (inbox: readonly SipMessage[], method: string): number =>
  inbox.filter((message) => message.kind === 'request' && message.method === method).length;

for (const [who, offer, answer, refused] of [
  ['alice’s offer', sdp(phoneOffer('alice', { version: 2 })), phoneAnswer('bob', { version: 2 }), 'answer'],
  ['bob’s late offer', {}, phoneOffer('bob', { version: 2 }), 'offer'],
] as const) {
  test(`law 1: re-INVITE with ${who}: rtpengine fails after the 200: ACK to bob, BYE to both, 503 to alice`, () =>
    stage(async ({ it, alice, bob }) => {
      const { caller } = await it.call(alice, bob);
      it.media.set(refusing(refused));
      const again = alice.within(caller, 'INVITE', offer);
      const received = await bob.receivesRequest('INVITE');
      bob.respond(received, 200, sdp(answer));
      const ack = await bob.receivesRequest('ACK');
      assert.equal(ack.uri, bob.contact);
      assert.equal(get(ack, CSeq)?.number, get(received, CSeq)?.number);
      await isHungUp(bob);
      await isHungUp(alice);
      alice.ack(again, await alice.receivesResponse(503, 'INVITE'));
      // RFC 3261 §13.3.1.4: he repeats his 200 until he has seen an ACK; there is no second BYE.
      bob.respond(received, 200, sdp(answer));
      await bob.receivesRequest('ACK');
      await bob.receivesNothing(1000);
      assert.deepEqual(it.media.calls(), []);
    }));
}

test('law 1: re-INVITE by the callee: the caller gets the ACK, and both are hung up', () =>
  stage(async ({ it, alice, bob }) => {
    const { callee } = await it.call(alice, bob);
    it.media.set(refusing('answer'));
    const again = bob.within(callee, 'INVITE', sdp(phoneOffer('bob', { version: 2 })));
    alice.respond(await alice.receivesRequest('INVITE'), 200, sdp(phoneAnswer('alice', { version: 2 })));
    const ack = await alice.receivesRequest('ACK');
    assert.equal(ack.uri, alice.contact);
    await isHungUp(alice);
    await isHungUp(bob);
    bob.ack(again, await bob.receivesResponse(503, 'INVITE'));
  }));

test('law 1: re-INVITE whose answer in the ACK is refused: BYE to both', () =>
  stage(async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob);
    const again = alice.within(caller, 'INVITE');
    bob.respond(await bob.receivesRequest('INVITE'), 200, sdp(phoneOffer('bob', { version: 2 })));
    const ok = await alice.receivesResponse(200, 'INVITE');
    it.media.set(refusing('answer'));
    alice.ack(again, ok, sdp(phoneAnswer('alice', { version: 2 })));
    await isHungUp(alice);
    await isHungUp(bob);
    assert.equal(requests(bob.inbox, 'ACK'), 0);
  }));

test('law 1: UPDATE whose answer is refused: 503, and BYE to both: one of them has changed its media already', () =>
  stage(async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob);
    it.media.set(refusing('answer'));
    alice.within(caller, 'UPDATE', sdp(phoneOffer('alice', { version: 2 })));
    bob.respond(await bob.receivesRequest('UPDATE'), 200, sdp(phoneAnswer('bob', { version: 2 })));
    await isHungUp(bob);
    await isHungUp(alice);
    await alice.receivesResponse(503, 'UPDATE');
    assert.equal(requests(bob.inbox, 'ACK'), 0);
  }));

test('law 9: bob answers under a hundred To tags: 32 dialogs, ACK and BYE for the next 32, and the rest is dropped', () =>
  stage(async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    const tags = Array.from({ length: 100 }, (_, index) => `bob-${index}`);
    for (const toTag of tags) bob.respond(received, 200, { ...sdp(phoneAnswer('bob')), toTag });
    await it.clock.advance(100);
    assert.deepEqual(
      [alice.inbox, bob.inbox].map((inbox) => inbox.length),
      [1 + 32, 32 + 32],
    );
    assert.deepEqual([requests(bob.inbox, 'ACK'), requests(bob.inbox, 'BYE')], [32, 32]);
    for (let n = 0; n < 32; n++) await bob.receivesRequest('ACK');
    for (let n = 0; n < 32; n++) bob.respond(await bob.receivesRequest('BYE'), 200);
    // RFC 3261 §13.3.1.4: he repeats one of them: it is acknowledged again, without another BYE.
    bob.respond(received, 200, { toTag: 'bob-40' });
    await bob.receivesRequest('ACK');
    await bob.receivesNothing(1000);
    const { messages, refusals } = await it.proxy().operations.statistics();
    assert.equal(refusals['too-many-dialogs'], 68 + 1);
    assert.equal(messages.dropped['2xx with yet another To tag'], 36);
    for (let n = 0; n < 32; n++) {
      const ok = await alice.receivesResponse(200);
      alice.ack(invite, ok);
      await bob.receivesRequest('ACK');
      await it.hangUp(alice, alice.dialog(invite, ok), bob);
    }
  }));

test('law 1: rtpengine fails for a call that two devices behind bob’s proxy answered: each gets ACK and BYE', () =>
  stage(async ({ it, alice, bob }) => {
    it.media.set(refusing('answer'));
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    for (const toTag of ['desk', 'cell']) {
      bob.respond(received, 200, { ...sdp(phoneAnswer('bob')), toTag });
      await bob.receivesRequest('ACK');
      await isHungUp(bob);
    }
    alice.ack(invite, await alice.receivesResponse(503));
  }));
