/**
 * What nodes tell each other (DESIGN §5, many nodes): watchers, lamps, limits, kept messages and sleeping devices see what
 * happens at another node, within a second.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callIdHash } from '../../src/dialog/call-id-hash.ts';
import { get } from '../../src/message/header.ts';
import { To, tagOf } from '../../src/message/headers/from-to.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createNodesScene, type NodesScene } from '../support/nodes-scene.ts';
import { call, hangUp, passwordOf, sdpType } from '../support/proxy-scene.ts';
import { createPushFake } from '../support/push-fake.ts';
import { browserAnswer, browserOffer, phoneOffer } from '../support/sdp.ts';
import { basics, notified, pidf, publish, published, stateOf, watch } from '../support/watcher.ts';

const columns = ['alice', 'A', 'B', 'bob', 'carol'];
const users = ['alice', 'bob', 'carol'];
const alices = { name: 'alice', address: '192.0.2.1', transport: 'ws' } as const;
const bobs = { name: 'bob', address: '192.0.2.2', transport: 'tcp', port: 40_000 } as const;
const carols = { name: 'carol', address: '192.0.2.3', transport: 'tcp', port: 40_000 } as const;

/** `r early` for each call of the document. */
function lamps({ body }: SipRequest): readonly string[] {
  const calls = body.matchAll(/direction="(\w)\w+"><state>(\w+)<\/state>/g);
  return [...calls].map(([, direction, state]) => `${direction} ${state}`);
}

/** It may be told of what comes in between. */
async function lampShows(watcher: Agent, lamp: string, limitMs?: number): Promise<void> {
  for (let told = 0; told < 4; told++) if (lamps(await notified(watcher, limitMs))[0] === lamp) return;
  assert.fail(`the lamp does not show ${lamp}`);
}

test('RFC 3856: bob publishes at A, carol watches from B', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const bob = it.A.agent(bobs);
    const carol = it.B.agent(carols);
    const { first } = await watch(carol, bob.aor);
    assert.deepEqual(basics(first), ['closed']);
    await it.clock.advance(5_000);
    publish(bob, { body: pidf(bob.aor, 'open') });
    await published(bob);
    await it.clock.advance(1_000);
    assert.deepEqual(basics(await notified(carol)), ['open']);
  });
});

test('RFC 3680: a device registers at A, and leaves again; his other one watches from B', () => {
  const it = createNodesScene({ columns, users, graceMs: 1_000 });
  return it.play(async () => {
    const carol = it.B.agent({ ...carols, aor: 'sip:bob@example.com' });
    await watch(carol, 'sip:bob@example.com', 'reg');
    await it.clock.advance(5_000);
    const bob = await it.A.registered(bobs);
    assert.match((await notified(carol)).body, /state="active"/);
    await it.clock.advance(5_000);
    bob.station.close();
    assert.doesNotMatch((await notified(carol)).body, /<contact[^>]*state="active"/);
  });
});

test('RFC 3842: a mailbox is set over REST of A; the lamp is at B', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const bob = it.B.agent(bobs);
    await watch(bob, bob.aor, 'message-summary');
    await it.clock.advance(5_000);
    const counts = { newMessages: 2, oldMessages: 0, newUrgent: 0, oldUrgent: 0 };
    await it.A.proxy().operations.setMailbox({ aor: bob.aor, ...counts });
    assert.match((await notified(bob)).body, /Voice-Message: 2\/0/);
  });
});

test('RFC 4235: a call at A lights the lamp at B, and puts it out', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    const bob = await it.A.registered(bobs);
    const carol = it.B.agent(carols);
    await watch(carol, bob.aor, 'dialog');
    await it.clock.advance(2_000);
    const talk = await call(alice, bob, { offer: browserOffer('alice') });
    await lampShows(carol, 'r confirmed');
    await it.clock.advance(2_000);
    await hangUp(alice, talk.caller, bob);
    await lampShows(carol, 'r terminated', 1_500);
  });
});

for (const dies of [true, false]) {
  const what = dies
    ? 'the node that has the call dies, and its clients do not come back'
    : 'a node that has just started';
  test(`RFC 4235: the lamp of a call at another node: ${what}`, () => {
    const it = createNodesScene({ columns, users });
    return it.play(async () => {
      const alice = await it.A.registered(alices);
      const bob = await it.A.registered(bobs);
      const talk = await call(alice, bob, { offer: browserOffer('alice') });
      await it.clock.advance(20_000);
      if (!dies) {
        it.B.kill();
        await it.B.start();
      }
      const carol = it.B.agent(carols);
      const { first } = await watch(carol, bob.aor, 'dialog');
      assert.deepEqual(lamps(first), ['r confirmed']);
      if (dies) it.A.kill();
      else await hangUp(alice, talk.caller, bob);
      await lampShows(carol, 'r terminated', 120_000);
    });
  });
}

test('a lamp does not stay on for a call that was ringing at a node that died', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    const bob = await it.A.registered(bobs);
    const carol = it.B.agent(carols);
    await watch(carol, bob.aor, 'dialog');
    await it.clock.advance(2_000);
    alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
    bob.respond(await bob.receivesRequest('INVITE'), 180);
    assert.deepEqual(lamps(await notified(carol)), ['r early']);
    it.A.kill();
    await lampShows(carol, 'r terminated', 60_000);
  });
});

test('RFC 6665 §4.1.2.2: a watcher that comes back to another node refreshes its subscription there, and is told there', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const carol = it.A.agent(carols);
    const { dialog, accepted } = await watch(carol, 'sip:bob@example.com');
    carol.station.close();
    const again = it.B.agent({ ...carols, port: 40_001 });
    again.within(dialog, 'SUBSCRIBE', {
      headers: [
        ['Event', 'presence'],
        ['Expires', '600'],
      ],
      branch: 'z9hG4bK-again',
    });
    const refreshed = await again.receivesResponse(200, 'SUBSCRIBE');
    assert.equal(tagOf(get(refreshed, To)), tagOf(get(accepted, To)));
    again.respond(await again.receivesRequest('NOTIFY'), 200);
    await it.clock.advance(15_000);
    const bob = it.A.agent(bobs);
    publish(bob, { body: pidf(bob.aor, 'open') });
    await published(bob);
    const told = await again.receivesRequest('NOTIFY');
    again.respond(told, 200);
    assert.deepEqual([stateOf(told), ...basics(told)], ['active', 'open']);
  });
});

test('the node of a watcher on UDP dies: another one tells him from then on', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const place = { name: 'carol', address: '192.0.2.3' };
    await watch(it.B.agent(place), 'sip:bob@example.com');
    it.B.kill();
    const carol = it.A.agent(place);
    await it.clock.advance(28_000);
    carol.respond(await carol.receivesRequest('NOTIFY', 10_000), 200);
    await it.clock.advance(5_000);
    const bob = it.A.agent(bobs);
    publish(bob, { body: pidf(bob.aor, 'open') });
    await published(bob);
    assert.deepEqual(basics(await notified(carol)), ['open']);
  });
});

test('calls of an account count over nodes', () => {
  const it = createNodesScene({ columns, users, maxCalls: 1, isTrusted: () => false });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    const contact = 'sip:alice@desk.invalid;transport=ws';
    const desk = await it.B.registered({ ...alices, port: 5_061, contact }, { callId: 'desk' });
    const bob = await it.B.registered(bobs);
    const carol = await it.B.registered({ ...carols, port: 40_001 });
    let asked = 0;
    const invites = async (by: typeof alice, to: string) => {
      const first = by.request('INVITE', to, {
        body: browserOffer('alice'),
        contentType: sdpType,
        callId: `${by.name}-${to.slice(4, 7)}-${++asked}`,
      });
      const challenge = await by.receivesFinal('INVITE');
      by.ack(first, challenge);
      return by.login(first, challenge, 'alice', passwordOf('alice'));
    };
    const invite = await invites(alice, bob.aor);
    const received = await bob.receivesRequest('INVITE');
    const ok = bob.respond(received, 200, { body: phoneOffer('bob'), contentType: sdpType });
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await it.clock.advance(1_000);
    const second = await invites(desk, carol.aor);
    desk.ack(second, await desk.receivesResponse(503));
    await hangUp(bob, bob.dialog(received, ok), alice);
    await it.clock.advance(1_000);
    const third = await invites(desk, carol.aor);
    carol.respond(await carol.receivesRequest('INVITE'), 486);
    desk.ack(third, await desk.receivesResponse(486));
    await carol.receivesRequest('ACK');
  });
});

test('RFC 3428 §7: a message that A has kept is delivered to who registers at B', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    alice.request('MESSAGE', 'sip:bob@example.com', { body: 'hello', contentType: 'text/plain' });
    await alice.receivesResponse(202, 'MESSAGE');
    await it.clock.advance(1_000);
    const bob = await it.B.registered(bobs);
    bob.respond(await bob.receivesRequest('MESSAGE'), 200);
  });
});

/** B hears nothing while `happens` does. */
async function unheard({ B, clock }: NodesScene, happens: () => Promise<void>): Promise<void> {
  B.cutOff(true);
  await happens();
  await clock.advance(15_000);
  B.cutOff(false);
}

test('RFC 4235: what a node has not heard, since it had lost the database for a while, its lamps show all the same', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    const bob = await it.A.registered(bobs);
    const carol = it.B.agent(carols);
    await watch(carol, bob.aor, 'dialog');
    await it.clock.advance(2_000);
    const talk = await call(alice, bob, { offer: browserOffer('alice') });
    await lampShows(carol, 'r confirmed');
    await unheard(it, () => hangUp(alice, talk.caller, bob));
    await lampShows(carol, 'r terminated', 15_000);
  });
});

test('RFC 3428 §7: a message that was kept while a node had lost the database is delivered to who registers there', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    await unheard(it, async () => {
      alice.request('MESSAGE', 'sip:bob@example.com', { body: 'hello', contentType: 'text/plain' });
      await alice.receivesResponse(202, 'MESSAGE');
    });
    await it.clock.advance(1_000);
    const bob = await it.B.registered(bobs);
    bob.respond(await bob.receivesRequest('MESSAGE'), 200);
  });
});

for (const act of ['disabled', 'removed'] as const) {
  test(`an account that is ${act} over REST of A: its call at B is ended, and its connection there closed`, () => {
    const it = createNodesScene({ columns, users });
    return it.play(async () => {
      const alice = await it.B.registered(alices);
      const bob = await it.B.registered(bobs);
      await call(alice, bob, { offer: browserOffer('alice') });
      const connected = (await it.B.proxy().operations.statistics()).connections.tcp;
      const { operations } = it.A.proxy();
      if (act === 'disabled') await operations.setSubscriberDisabled('bob@example.com', true);
      else await operations.removeSubscriber('bob@example.com');
      alice.respond(await alice.receivesRequest('BYE', 1_500), 200);
      await it.clock.advance(1_000);
      assert.equal((await it.B.proxy().operations.statistics()).connections.tcp, connected - 1);
    });
  });
}

test('a call of another node: REST says which node has it, rather than that there is none', () => {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    const bob = await it.B.registered(bobs);
    const talk = await call(alice, bob, { offer: browserOffer('alice') });
    await it.clock.advance(1_000);
    const id = callIdHash(talk.caller.callId);
    const { operations } = it.B.proxy();
    const elsewhere = { code: 'call-elsewhere', detail: 'It is n-A at tcp:192.0.2.101:5060.' };
    assert.equal(await operations.call(callIdHash('another')), undefined);
    await assert.rejects(operations.stopPlaying(id, 'both'), elsewhere);
    await assert.rejects(operations.record(id, 'start'), elsewhere);
    await hangUp(alice, talk.caller, bob);
  });
});

test('a session that is revoked over REST of A: its connection at B closes within seconds', () => {
  const it = createNodesScene({ columns, users, isTrusted: () => false });
  return it.play(async () => {
    const session = await it.A.proxy().operations.addSession('alice@example.com', 600);
    const alice = it.B.agent(alices);
    const first = alice.request('REGISTER', 'sip:example.com');
    alice.login(first, await alice.receivesResponse(401), session?.username ?? '', session?.password ?? '');
    await alice.receivesResponse(200, 'REGISTER');
    const connected = async () => (await it.B.proxy().operations.statistics()).connections.ws;
    assert.equal(await connected(), 1);
    await it.A.proxy().operations.endSession(session?.id ?? '');
    await it.clock.advance(6_000);
    assert.equal(await connected(), 0);
  });
});

const wakeable = `pn-provider=webpush;pn-prid=https%3A%2F%2Fpush.example.net/send/bob;pn-param=${'B'.repeat(87)}.${'a'.repeat(22)}`;
const page = (callId: string) =>
  ({
    contact: false,
    callId,
    headers: [['Contact', `<sip:bob@x.invalid;transport=ws;${wakeable}>;+sip.instance="<urn:uuid:b>";reg-id=1`]],
  }) as const;

test('RFC 8599: a device that is woken registers at another node, and gets the call that waits at the first', () => {
  const push = createPushFake();
  const it = createNodesScene({ columns, users, push });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    const browser = { name: 'bob', transport: 'ws', address: '192.0.2.2' } as const;
    const before = await it.A.registered({ ...browser, port: 50_001 }, page('one'));
    before.station.close();
    await it.clock.advance(15_000);
    const invite = alice.request('INVITE', 'sip:bob@example.com', {
      body: browserOffer('alice'),
      contentType: sdpType,
    });
    await alice.receivesResponse(182);
    const bob = await it.B.registered({ ...browser, port: 50_002 }, page('two'));
    const received = await bob.receivesRequest('INVITE', 1_500);
    const ok = bob.respond(received, 200, { body: browserAnswer('bob'), contentType: sdpType });
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await hangUp(bob, bob.dialog(received, ok), alice);
    assert.equal(push.sent.length, 1);
  });
});

test('RFC 8599: one that sleeps behind its open connection at another node is woken when it says nothing', () => {
  const push = createPushFake();
  const it = createNodesScene({ columns, users, push });
  return it.play(async () => {
    const alice = await it.A.registered(alices);
    const browser = { name: 'bob', transport: 'ws', address: '192.0.2.2' } as const;
    const asleep = await it.B.registered({ ...browser, port: 50_001 }, page('one'));
    const invite = alice.request('INVITE', 'sip:bob@example.com', {
      body: browserOffer('alice'),
      contentType: sdpType,
    });
    await asleep.receivesRequest('INVITE');
    asleep.station.freeze();
    await it.clock.advance(8_000);
    assert.equal(push.sent.length, 1);
    const bob = await it.A.registered({ ...browser, port: 50_002 }, page('two'));
    const received = await bob.receivesRequest('INVITE');
    const ok = bob.respond(received, 200, { body: browserAnswer('bob'), contentType: sdpType });
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await hangUp(bob, bob.dialog(received, ok), alice);
  });
});

test('an rtpengine is added over REST of A: B and C read the table again, and once more after a time without the database', () => {
  const read: string[] = [];
  const it = createNodesScene({
    columns,
    nodes: ['A', 'B', 'C'],
    addedNodes: (node) => ({ readAgain: () => read.push(node) }),
  });
  return it.play(async () => {
    const readSince = (): readonly string[] => read.splice(0).sort();
    assert.deepEqual(readSince(), ['A', 'B', 'C'], 'each at its start');
    it.A.proxy().mediaNodesChanged();
    await it.clock.advance(1_000);
    assert.deepEqual(readSince(), ['B', 'C']);
    it.B.cutOff(true);
    it.A.proxy().mediaNodesChanged();
    await it.clock.advance(20_000);
    assert.deepEqual(readSince(), ['C'], 'what was told is too old by now for B');
    it.B.cutOff(false);
    await it.clock.advance(1_000);
    assert.deepEqual(readSince(), ['B']);
  });
});
