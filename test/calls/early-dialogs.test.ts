/** Requests of a call before it is answered: PRACK (RFC 3262), UPDATE (RFC 3311), BYE (RFC 3261 §15); what is lost or late. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { To, tagOf } from '../../src/message/headers/from-to.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const aor = 'sip:bob@example.com';
const offer = { body: phoneOffer('alice'), contentType: sdpType, headers: [['Supported', '100rel']] } as const;
const answer = { body: phoneAnswer('bob'), contentType: sdpType } as const;

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly invite: SipRequest;
  readonly atBob: SipRequest;
}

/** Bob has alice’s INVITE. */
async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const invite = alice.request('INVITE', aor, offer);
    await script({ it, alice, bob, invite, atBob: await bob.receivesRequest('INVITE') });
  });
}

const reliably = (bob: Agent, atBob: SipRequest, status: number, rseq: number, options = {}): SipResponse =>
  bob.respond(atBob, status, {
    contact: true,
    headers: [
      ['Require', '100rel'],
      ['RSeq', `${rseq}`],
    ],
    ...options,
  });

async function isAnswered({ it, alice, bob, invite, atBob }: Stage): Promise<void> {
  const dialog = bob.dialog(atBob, bob.respond(atBob, 200, answer));
  alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
  await bob.receivesRequest('ACK');
  await it.hangUp(bob, dialog, alice);
}

test('RFC 3262 §3: bob repeats a reliable 180 until its PRACK comes: each copy reaches alice, and one PRACK is lost', () =>
  stage(async (scene) => {
    const { alice, bob, invite, atBob } = scene;
    reliably(bob, atBob, 180, 10);
    const early = alice.dialog(invite, await alice.receivesResponse(180));
    alice.within(early, 'PRACK', { headers: [['RAck', '10 1 INVITE']] });
    await bob.receivesRequest('PRACK'); // and says nothing
    reliably(bob, atBob, 180, 10);
    await alice.receivesResponse(180);
    bob.respond(await bob.receivesRequest('PRACK'), 200); // repeated by our timer E
    await alice.receivesResponse(200, 'PRACK');
    await isAnswered(scene);
  }));

test('RFC 3262 §4: a 183 whose RSeq is ahead of the 180 that got lost passes as it is: its order is for alice to mind', () =>
  stage(async (scene) => {
    const { alice, bob, invite, atBob } = scene;
    reliably(bob, atBob, 183, 12);
    await alice.receivesResponse(183);
    reliably(bob, atBob, 180, 11);
    const early = alice.dialog(invite, await alice.receivesResponse(180));
    for (const rack of ['11 1 INVITE', '12 1 INVITE']) {
      alice.within(early, 'PRACK', { headers: [['RAck', rack]] });
      bob.respond(await bob.receivesRequest('PRACK'), 200);
      await alice.receivesResponse(200, 'PRACK');
    }
    await isAnswered(scene);
  }));

test('RFC 3262 §3: a PRACK that the 200 to its INVITE has crossed still reaches bob', () =>
  stage(async ({ it, alice, bob, invite, atBob }) => {
    reliably(bob, atBob, 180, 1);
    const early = alice.dialog(invite, await alice.receivesResponse(180));
    const dialog = bob.dialog(atBob, bob.respond(atBob, 200, answer));
    const ok = await alice.receivesResponse(200, 'INVITE');
    alice.within(early, 'PRACK', { headers: [['RAck', '1 1 INVITE']] });
    bob.respond(await bob.receivesRequest('PRACK'), 200);
    await alice.receivesResponse(200, 'PRACK');
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, dialog, alice);
  }));

test('RFC 3311 §5.1: either side changes its media by UPDATE before the call is answered, each within its own dialog', () =>
  stage(async (scene) => {
    const { alice, bob, invite, atBob } = scene;
    const progress = reliably(bob, atBob, 183, 1, answer);
    const early = alice.dialog(invite, await alice.receivesResponse(183));
    alice.within(early, 'PRACK', { headers: [['RAck', '1 1 INVITE']] });
    bob.respond(await bob.receivesRequest('PRACK'), 200);
    await alice.receivesResponse(200, 'PRACK');
    const ends = [
      [alice, early, bob],
      [bob, bob.dialog(atBob, progress), alice],
    ] as const;
    for (const [one, dialog, other] of ends) {
      one.within(dialog, 'UPDATE', { body: phoneOffer(one.name, { version: 2 }), contentType: sdpType });
      const received = await other.receivesRequest('UPDATE');
      other.respond(received, 200, { body: phoneAnswer(other.name, { version: 2 }), contentType: sdpType });
      await one.receivesResponse(200, 'UPDATE');
    }
    await isAnswered(scene);
  }));

test('RFC 3261 §15: alice ends a call that rings by BYE: bob answers it, and his INVITE with 487', () =>
  stage(async ({ alice, bob, invite, atBob }) => {
    bob.respond(atBob, 180, { contact: true, recordRoute: true });
    const early = alice.dialog(invite, await alice.receivesResponse(180));
    alice.within(early, 'BYE');
    bob.respond(await bob.receivesRequest('BYE'), 200);
    await alice.receivesResponse(200, 'BYE');
    bob.respond(atBob, 487);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(487));
  }));

test('RFC 3261 §15: she ends one of two early dialogs by BYE: the other one rings on and is answered', () =>
  stage(async ({ it, alice, bob, invite, atBob }) => {
    for (const toTag of ['desk', 'cell']) bob.respond(atBob, 180, { contact: true, recordRoute: true, toTag });
    const desk = alice.dialog(invite, await alice.receivesResponse(180));
    assert.equal(tagOf(get(await alice.receivesResponse(180), To)), 'cell');
    alice.within(desk, 'BYE');
    bob.respond(await bob.receivesRequest('BYE'), 200);
    await alice.receivesResponse(200, 'BYE');
    const dialog = bob.dialog(atBob, bob.respond(atBob, 200, { ...answer, toTag: 'cell' }));
    alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
    await bob.receivesRequest('ACK');
    assert.equal(it.media.calls().length, 1, 'the call has its media');
    await it.hangUp(bob, dialog, alice);
  }));
