/** An INVITE that takes the place of a call (RFC 3891): it finds the telephone that has that call, whoever was dialled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Agent } from '../support/agent.ts';
import { createNodesScene } from '../support/nodes-scene.ts';
import {
  type Call,
  call,
  createProxyScene,
  hangUp,
  type ProxyScene,
  passwordOf,
  sdpType,
} from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer } from '../support/sdp.ts';

const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;
const answer = { body: phoneAnswer('bob'), contentType: sdpType } as const;

const users = ['alice', 'bob', 'carol', 'dave'];

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly carol: Agent;
}

async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const columns = ['alice', 'proxy', 'bob', 'carol', 'dave'];
  const it = createProxyScene({ columns, users });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
    await script({ it, alice, bob, carol });
  });
}

interface Replacing {
  readonly it: ProxyScene;
  readonly from: Agent;
  /** Who has the old call as its callee. */
  readonly at: Agent;
  readonly dialled: string;
  readonly old: Call;
  readonly other: Agent;
}

/** `from` takes the place of `other` in the old call; then the new one is over as well. */
async function isReplaced({ it, from, at, dialled, old, other }: Replacing): Promise<void> {
  const { callId, local, remote } = old.callee;
  const headers = [['Replaces', `${callId};to-tag=${local.tag};from-tag=${remote.tag}`]] as const;
  const invite = from.request('INVITE', dialled, { ...offer, callId: 'replacing', headers });
  const received = await at.receivesRequest('INVITE');
  assert.equal(received.uri, at.contact);
  const dialog = at.dialog(received, at.respond(received, 200, answer));
  from.ack(invite, await from.receivesResponse(200, 'INVITE'));
  await at.receivesRequest('ACK');
  await it.hangUp(at, old.callee, other);
  await it.hangUp(at, dialog, from);
}

for (const [what, calls] of [
  ['does not want to be disturbed', { doNotDisturb: true }],
  ['has all her calls go elsewhere', { forwardAlways: 'sip:bob@example.com' }],
  ['may have one call, which this one takes the place of', { mostCalls: 1 }],
] as const) {
  test(`RFC 5359 §2.5: an attended transfer to carol, who ${what}, reaches her telephone`, () =>
    stage(async ({ it, alice, bob, carol }) => {
      const first = await it.call(alice, bob);
      const old = await it.call(bob, carol, { callId: 'consultation' });
      it.database.setCalls('carol', 'example.com', calls);
      await isReplaced({ it, from: alice, at: carol, dialled: carol.aor, old, other: bob });
      await it.hangUp(bob, first.callee, alice);
    }));
}

test('alice may have one call, and has it with bob: she may still be the one who is transferred', async () => {
  const it = createProxyScene({
    columns: ['alice', 'proxy', 'bob', 'carol'],
    users,
    isTrusted: (one) => one !== '192.0.2.1',
  });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
    it.database.setCalls('alice', 'example.com', { mostCalls: 1 });
    const first = await it.call(bob, alice);
    const old = await it.call(bob, carol, { callId: 'consultation' });
    const { callId, local, remote } = old.callee;
    const headers = [['Replaces', `${callId};to-tag=${local.tag};from-tag=${remote.tag}`]] as const;
    const asked = alice.request('INVITE', carol.aor, { ...offer, callId: 'replacing', headers });
    const challenge = await alice.receivesResponse(407);
    alice.ack(asked, challenge);
    const invite = alice.login(asked, challenge, 'alice', passwordOf('alice'));
    const received = await carol.receivesRequest('INVITE');
    const dialog = carol.dialog(received, carol.respond(received, 200, answer));
    alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
    await carol.receivesRequest('ACK');
    await it.hangUp(carol, old.callee, bob);
    await it.hangUp(bob, first.caller, alice);
    await it.hangUp(carol, dialog, alice);
  });
});

test('her other telephone does not hear of it', () =>
  stage(async ({ it, alice, bob, carol }) => {
    const desk = await it.registered({ name: 'desk', aor: carol.aor, address: '192.0.2.33' });
    const invite = bob.request('INVITE', carol.aor, { ...offer, callId: 'consultation' });
    const received = await carol.receivesRequest('INVITE');
    const atDesk = await desk.receivesRequest('INVITE');
    desk.respond(atDesk, 180);
    const callee = carol.dialog(received, carol.respond(received, 200, answer));
    const answered = await bob.receivesResponse(200);
    bob.ack(invite, answered);
    await carol.receivesRequest('ACK');
    desk.respond(await desk.receivesRequest('CANCEL'), 200);
    desk.respond(atDesk, 487);
    await desk.receivesRequest('ACK');
    const old = { invite, received, answered, caller: bob.dialog(invite, answered), callee };
    await isReplaced({ it, from: alice, at: carol, dialled: carol.aor, old, other: bob });
    await desk.receivesNothing(0);
  }));

test('bob’s call for carol was forwarded to alice: who is to take his place reaches alice, although he dials carol', () =>
  stage(async ({ it, alice, bob, carol }) => {
    it.database.setCalls('carol', 'example.com', { forwardAlways: alice.aor });
    const old = await it.call(bob, alice, { to: carol.aor, callId: 'consultation' });
    await isReplaced({ it, from: carol, at: alice, dialled: carol.aor, old, other: bob });
  }));

test('law 4: a transfer to the Contact of a browser, which nobody can dial, reaches it by its connection', () =>
  stage(async ({ it, alice, bob }) => {
    const web = await it.registered({ name: 'dave', transport: 'ws', address: '192.0.2.9', dialable: false });
    const old = await it.call(bob, web, { callId: 'consultation' });
    await isReplaced({ it, from: alice, at: web, dialled: web.contact, old, other: bob });
  }));

for (const [where, nat] of [
  ['', {}],
  [', whom a NAT hides', { inside: { address: '10.0.0.1', port: 5060 }, rport: true }],
] as const) {
  test(`RFC 5359 §2.12: a pick-up (early-only) goes to the caller${where}, who does not want to be disturbed herself`, () =>
    stage(async ({ it, bob, carol }) => {
      const alice = await it.registered({ name: 'dave', address: '192.0.2.7', ...nat });
      it.database.setCalls('dave', 'example.com', { doNotDisturb: true });
      const ringing = alice.request('INVITE', bob.aor, offer);
      const atBob = await bob.receivesRequest('INVITE');
      bob.respond(atBob, 180);
      const { callId, local, remote } = alice.dialog(ringing, await alice.receivesResponse(180));
      const headers = [['Replaces', `${callId};to-tag=${local.tag};from-tag=${remote.tag};early-only`]] as const;
      const pickup = carol.request('INVITE', alice.aor, { ...offer, callId: 'pick-up', headers });
      const atAlice = await alice.receivesRequest('INVITE');
      const dialog = alice.dialog(atAlice, alice.respond(atAlice, 200, answer));
      carol.ack(pickup, await carol.receivesResponse(200, 'INVITE'));
      await alice.receivesRequest('ACK');
      alice.cancel(ringing);
      await alice.receivesResponse(200, 'CANCEL');
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(atBob, 487);
      await bob.receivesRequest('ACK');
      alice.ack(ringing, await alice.receivesResponse(487));
      await it.hangUp(alice, dialog, carol);
    }));
}

test('a call at a trunk: the transfer goes to the number that was dialled, not to the Contact of the trunk', async () => {
  const names = { addresses: { 'trunk.example.net': ['203.0.113.9'] } };
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob', 'trunk'], users, names });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const number = 'sip:+4930123@trunk.example.net';
    const trunk = it.agent({ name: 'trunk', address: '203.0.113.9', contact: 'sip:203.0.113.9:5060' });
    const old = await it.call(bob, trunk, { to: number, callId: 'consultation' });
    const { callId, local, remote } = old.callee;
    const headers = [['Replaces', `${callId};to-tag=${local.tag};from-tag=${remote.tag}`]] as const;
    const invite = alice.request('INVITE', number, { ...offer, callId: 'replacing', headers });
    const received = await trunk.receivesRequest('INVITE');
    assert.equal(received.uri, number);
    trunk.respond(received, 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await trunk.receivesRequest('ACK');
    await it.hangUp(bob, old.caller, trunk);
  });
});

test('what is to be replaced is no call of ours: bob does not want to be disturbed, and is not', () =>
  stage(async ({ it, alice, bob }) => {
    it.database.setCalls('bob', 'example.com', { doNotDisturb: true });
    for (const replaces of ['made-up;to-tag=1;from-tag=2', 'made-up', ';;;', 'a;to-tag;from-tag=']) {
      const invite = alice.request('INVITE', bob.aor, { ...offer, headers: [['Replaces', replaces]] });
      alice.ack(invite, await alice.receivesResponse(480));
    }
    await bob.receivesNothing(0);
  }));

for (const whose of ['caller', 'callee'] as const) {
  test(`of a call that another node has, the ${whose} is found at the node where he is, and is not asked what he wishes`, async () => {
    const it = createNodesScene({ columns: ['alice', 'A', 'B', 'bob', 'carol'], users });
    await it.play(async () => {
      const alice = await it.A.registered({ name: 'alice', address: '192.0.2.1', transport: 'ws' });
      const bob = await it.B.registered({ name: 'bob', address: '192.0.2.2', transport: 'tcp', port: 40_000 });
      const carol = await it.B.registered({ name: 'carol', address: '192.0.2.3' });
      const offered = browserOffer('alice');
      const old = await call(alice, bob, { offer: offered });
      await it.clock.advance(1000);
      for (const user of ['alice', 'bob']) it.database.setCalls(user, 'example.com', { doNotDisturb: true });
      const [at, other] = whose === 'caller' ? [alice, bob] : [bob, alice];
      const { callId, local, remote } = old[whose];
      const headers = [['Replaces', `${callId};to-tag=${local.tag};from-tag=${remote.tag}`]] as const;
      const invite = carol.request('INVITE', at.aor, { ...offer, callId: 'replacing', headers });
      const received = await at.receivesRequest('INVITE');
      const body = whose === 'caller' ? browserAnswer('alice') : phoneAnswer('bob');
      const dialog = at.dialog(received, at.respond(received, 200, { body, contentType: sdpType }));
      carol.ack(invite, await carol.receivesResponse(200, 'INVITE'));
      await at.receivesRequest('ACK');
      await hangUp(at, old[whose], other);
      await hangUp(at, dialog, carol);
    });
  });
}
