/**
 * Changes within a call that come to nothing, and not by a refusal of the other side (those are in changes.test.ts): what
 * was accepted holds again in rtpengine (RFC 6337 §3.4), and the next change of either side is no glare.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Agent, AgentDialog } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserOffer, phoneAnswer, phoneOffer, seen } from '../support/sdp.ts';

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

for (const status of [200, 488, 491]) {
  test(`RFC 8445 §9: a browser restarts ICE, and hears ${status}: rtpengine is told of it with an answer, and else of nothing new`, async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
    await it.play(async () => {
      const alice = await it.registered({ name: 'alice', transport: 'wss', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const { caller, callee } = await it.call(alice, bob, { offer: browserOffer('alice') });
      const before = it.media.told.length;
      const restart = browserOffer('alice', { version: 2 }).replace('a=ice-ufrag:Wxyz', 'a=ice-ufrag:anew');
      const again = alice.within(caller, 'INVITE', sdp(restart));
      const received = await bob.receivesRequest('INVITE');
      assert.equal(seen(received.body).author, 'alice');
      const answer = status === 200 ? sdp(phoneAnswer('bob', { version: 2 })) : {};
      bob.respond(received, status, { ...answer, toTag: callee.local.tag ?? '' });
      const final = await alice.receivesResponse(status, 'INVITE');
      alice.ack(again, final);
      await bob.receivesRequest('ACK');
      await it.clock.advance(100);
      const ice = it.media.told
        .slice(before)
        .flatMap(({ command }) =>
          command.command === 'offer' ? [/^a=ice-ufrag:(.*)\r$/m.exec(command.sdp)?.[1]] : [],
        );
      assert.deepEqual(ice, ['Wxyz', status === 200 ? 'anew' : 'Wxyz']);
      await it.hangUp(alice, caller, bob);
    });
  });
}

// --- before the call is up, and offers that come late ---------------------------------------------------------------------

const reliable = {
  headers: [
    ['Require', '100rel'],
    ['RSeq', '1'],
  ],
} as const;

/** Alice's INVITE has been answered in a reliable 183. */
async function early(
  script: (stage: Omit<Stage, 'callee'> & { readonly answered: () => Promise<AgentDialog> }) => Promise<void>,
): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 183, { ...sdp(phoneAnswer('bob')), ...reliable });
    const caller = alice.dialog(invite, await alice.receivesResponse(183));
    const answered = async (): Promise<AgentDialog> => {
      const callee = bob.dialog(received, bob.respond(received, 200));
      alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
      await bob.receivesRequest('ACK');
      return callee;
    };
    await script({ it, alice, bob, caller, answered });
  });
}

for (const method of ['PRACK', 'UPDATE'] as const) {
  for (const status of [488, 504, 'silence'] as const) {
    test(`RFC 3311 §5.3, RFC 3262 §5: the offer of a ${method} before the call is up meets ${status}: what was answered holds, and the next offer is free`, () =>
      early(async ({ it, alice, bob, caller, answered }) => {
        const rack = method === 'PRACK' ? { headers: [['RAck', '1 1 INVITE']] as const } : {};
        alice.within(caller, method, { ...sdp(phoneOffer('alice', { version: 2 })), ...rack });
        const received = await bob.receivesRequest(method);
        if (status === 'silence') {
          await it.clock.advance(33_000);
          bob.inbox.splice(0);
        } else {
          bob.respond(received, status);
          await alice.receivesResponse(status, method);
        }
        assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'answer', 'offer RTP/AVP', 'offer RTP/AVP', 'answer']);
        alice.within(caller, 'UPDATE', sdp(phoneOffer('alice', { version: 3 })));
        bob.respond(await bob.receivesRequest('UPDATE'), 200, sdp(phoneAnswer('bob', { version: 3 })));
        assert.equal(seen((await alice.receivesResponse(200, 'UPDATE')).body).author, 'bob');
        const callee = await answered();
        await bothChange({ it, alice, bob, caller, callee });
        await it.hangUp(bob, callee, alice);
      }));
  }
}

test('RFC 3261 §13.2.1: nobody answers the offer of the 200 in the ACK: the call is up, either side may offer, and its end frees it', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const invite = alice.request('INVITE', bob.aor);
    const received = await bob.receivesRequest('INVITE');
    const callee = bob.dialog(received, bob.respond(received, 200, sdp(phoneOffer('bob'))));
    const ok = await alice.receivesResponse(200);
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    const caller = alice.dialog(invite, ok);
    await bothChange({ it, alice, bob, caller, callee });
    assert.equal(it.media.calls().length, 1);
    await it.hangUp(bob, callee, alice);
  });
});

test('law 1: rtpengine refuses the answer in the ACK of a re-INVITE: BYE to both, with the reason', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller } = await it.call(alice, bob);
    const again = alice.within(caller, 'INVITE');
    bob.respond(await bob.receivesRequest('INVITE'), 200, sdp(phoneOffer('bob', { version: 2 })));
    const offered = await alice.receivesResponse(200, 'INVITE');
    it.media.set({ refuse: ({ command }) => (command === 'answer' ? 'media-refused' : undefined) });
    alice.ack(again, offered, sdp(phoneAnswer('alice', { version: 2 })));
    for (const party of [alice, bob]) party.respond(await party.receivesRequest('BYE'), 200);
  });
});

test('RFC 3725 flow I: a controller sends the offer of one telephone to the other, and the answer back: both calls have media, and end', async () => {
  const names = ['carol', 'alice', 'bob'] as const;
  const it = createProxyScene({ columns: ['carol', 'proxy', 'alice', 'bob'], users: names });
  await it.play(async () => {
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const toAlice = carol.request('INVITE', alice.aor);
    const atAlice = await alice.receivesRequest('INVITE');
    const ofAlice = alice.dialog(atAlice, alice.respond(atAlice, 200, sdp(phoneOffer('alice'))));
    const offered = await carol.receivesResponse(200);
    const toBob = carol.request('INVITE', bob.aor, sdp(offered.body));
    const atBob = await bob.receivesRequest('INVITE');
    assert.equal(seen(atBob.body).author, 'alice');
    const ofBob = bob.dialog(atBob, bob.respond(atBob, 200, sdp(phoneAnswer('bob'))));
    const answered = await carol.receivesResponse(200);
    carol.ack(toBob, answered);
    carol.ack(toAlice, offered, sdp(answered.body));
    await bob.receivesRequest('ACK');
    assert.equal(seen((await alice.receivesRequest('ACK')).body).author, 'bob');
    assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'offer RTP/AVP', 'answer', 'answer']);
    await it.hangUp(alice, ofAlice, carol);
    await it.hangUp(bob, ofBob, carol);
  });
});
