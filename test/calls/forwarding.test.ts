/** Where a call goes that its callee does not take: forwarding, voicemail, do not disturb (routes/forwarding.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, values } from '../../src/message/header.ts';
import { Reason, textHeader, Warning } from '../../src/message/headers/text.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { CallSettings } from '../../src/ports.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const Diversion = textHeader('Diversion', true);

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly carol: Agent;
  readonly wants: (name: string, calls: Partial<CallSettings>) => void;
}

async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const names = { addresses: { 'vm.example.net': ['203.0.113.9'] } };
  const users = ['alice', 'bob', 'carol', 'dave'];
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob', 'carol', 'voicemail'], users, names });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
    await script({ it, alice, bob, carol, wants: (name, calls) => it.database.setCalls(name, 'example.com', calls) });
  });
}

const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

const calls = (alice: Agent, to: string): SipRequest => alice.request('INVITE', to, sdp(phoneOffer('alice')));

async function isBusy(phone: Agent): Promise<void> {
  phone.respond(await phone.receivesRequest('INVITE'), 486);
  await phone.receivesRequest('ACK');
}

/** It gets the call with these diversions, answers and hangs up. */
async function takes(
  { it, alice }: Stage,
  invite: SipRequest,
  phone: Agent,
  diversions: readonly string[],
): Promise<void> {
  const received = await phone.receivesRequest('INVITE');
  assert.deepEqual(
    values(received, Diversion),
    diversions.map((text) => `${text};counter=1`),
  );
  const dialog = phone.dialog(received, phone.respond(received, 200, sdp(phoneAnswer(phone.name))));
  alice.ack(invite, await alice.receivesResponse(200));
  await phone.receivesRequest('ACK');
  await it.hangUp(phone, dialog, alice);
}

test('bob is busy: carol’s telephone rings, alice is told that her call goes elsewhere (181), and carol whose call it was', () =>
  stage(async (scene) => {
    const { it, alice, bob, carol, wants } = scene;
    wants('bob', { forwardBusy: carol.aor });
    const invite = calls(alice, bob.aor);
    await isBusy(bob);
    await alice.receivesResponse(181);
    await takes(scene, invite, carol, ['<sip:bob@example.com>;reason=user-busy']);
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 proxy ─INVITE▶ bob
      F4 proxy ◀486─ bob
      F5 proxy ─ACK▶ bob
      F6 alice ◀181─ proxy
      F7 proxy ─INVITE▶ carol
      F8 proxy ◀200─ carol
      F9 alice ◀200─ proxy
      F10 alice ─ACK▶ proxy
      F11 proxy ─ACK▶ carol
      F12 proxy ◀BYE─ carol
      F13 alice ◀BYE─ proxy
      F14 alice ─200 BYE▶ proxy
      F15 proxy ─200 BYE▶ carol
    `);
  }));

test('nobody answers at bob’s for 5 s: his telephone is cancelled, and the voicemail server of another domain takes it', () =>
  stage(async (scene) => {
    const { it, alice, bob, wants } = scene;
    const voicemail = it.agent({ name: 'voicemail', address: '203.0.113.9' });
    wants('bob', { ringSeconds: 5, voicemail: 'sip:bob@vm.example.net' });
    const invite = calls(alice, bob.aor);
    const atBob = await bob.receivesRequest('INVITE');
    bob.respond(atBob, 180);
    await alice.receivesResponse(180);
    await it.clock.advance(4_900);
    assert.deepEqual(bob.inbox, []);
    const cancel = await bob.receivesRequest('CANCEL', 200);
    assert.match(get(cancel, Reason) ?? '', /cause=408/);
    bob.respond(cancel, 200);
    bob.respond(atBob, 487);
    await takes(scene, invite, voicemail, ['<sip:bob@example.com>;reason=no-answer']);
  }));

test('every call of bob’s goes to carol: his own telephone does not ring', () =>
  stage(async (scene) => {
    const { alice, bob, carol, wants } = scene;
    wants('bob', { forwardAlways: carol.aor, voicemail: 'sip:bob@vm.example.net' });
    await takes(scene, calls(alice, bob.aor), carol, ['<sip:bob@example.com>;reason=unconditional']);
    assert.deepEqual(bob.inbox, []);
  }));

test('RFC 3261 §21.4.18: bob does not want to be disturbed: 480 that says so, or his voicemail when he has one', () =>
  stage(async (scene) => {
    const { alice, bob, carol, wants } = scene;
    wants('bob', { doNotDisturb: true });
    const refused = calls(alice, bob.aor);
    const final = await alice.receivesResponse(480);
    assert.match(get(final, Warning) ?? '', /does not want to be disturbed/);
    alice.ack(refused, final);
    wants('bob', { doNotDisturb: true, voicemail: carol.aor });
    await takes(scene, calls(alice, bob.aor), carol, ['<sip:bob@example.com>;reason=do-not-disturb']);
    assert.deepEqual(bob.inbox, []);
  }));

test('dave has no telephone at all: his calls go where those go that nobody answers', () =>
  stage(async (scene) => {
    const { alice, carol, wants } = scene;
    wants('dave', { forwardNoAnswer: carol.aor });
    await takes(scene, calls(alice, 'sip:dave@example.com'), carol, ['<sip:dave@example.com>;reason=unavailable']);
  }));

test('RFC 5806 §5.1: bob to carol, carol is busy, too, and goes on to her voicemail: both stand there, the last on top', () =>
  stage(async (scene) => {
    const { it, alice, bob, carol, wants } = scene;
    const voicemail = it.agent({ name: 'voicemail', address: '203.0.113.9' });
    wants('bob', { forwardBusy: carol.aor });
    wants('carol', { voicemail: 'sip:carol@vm.example.net' });
    const invite = calls(alice, bob.aor);
    await isBusy(bob);
    await isBusy(carol);
    await takes(scene, invite, voicemail, [
      '<sip:carol@example.com>;reason=user-busy',
      '<sip:bob@example.com>;reason=user-busy',
    ]);
  }));

test('the story of a call tells where it was sent on, and why', () =>
  stage(async (scene) => {
    const { it, alice, bob, carol, wants } = scene;
    const voicemail = it.agent({ name: 'voicemail', address: '203.0.113.9' });
    wants('bob', { forwardAlways: carol.aor });
    wants('carol', { voicemail: 'sip:carol@vm.example.net' });
    const invite = calls(alice, bob.aor);
    await isBusy(carol);
    await takes(scene, invite, voicemail, [
      '<sip:carol@example.com>;reason=user-busy',
      '<sip:bob@example.com>;reason=unconditional',
    ]);
    const { operations } = it.proxy();
    const [call] = (await operations.calls({ limit: 1, state: 'ended' })).items;
    const ladder = await operations.ladder(call?.id ?? '');
    assert.deepEqual(
      ladder?.steps.filter(({ kind }) => kind === 'diverted').map(({ label }) => label),
      [
        'bob sends every call on: the call goes on to carol@example.com',
        'carol is busy: the call goes on to carol@vm.example.net',
      ],
    );
  }));

test('the place it is forwarded to is not there: the next wish of the callee counts', () =>
  stage(async (scene) => {
    const { alice, bob, carol, wants } = scene;
    wants('bob', { forwardBusy: 'sip:dave@example.com', voicemail: carol.aor });
    const invite = calls(alice, bob.aor);
    await isBusy(bob);
    await takes(scene, invite, carol, [
      '<sip:bob@example.com>;reason=user-busy',
      '<sip:bob@example.com>;reason=user-busy',
    ]);
  }));

test('bob forwards all to carol and carol all to bob: the circle ends at carol’s telephone', () =>
  stage(async (scene) => {
    const { alice, bob, carol, wants } = scene;
    wants('bob', { forwardAlways: carol.aor });
    wants('carol', { forwardAlways: bob.aor });
    await takes(scene, calls(alice, bob.aor), carol, ['<sip:bob@example.com>;reason=unconditional']);
  }));

for (const dialled of ['sip:bob@example.com;transport=udp', 'sip:bob@EXAMPLE.com:5060', 'sip:100@example.com']) {
  test(`${dialled}: bob is busy and goes on to carol, and she on to bob: his telephone does not ring again`, () =>
    stage(async ({ it, alice, bob, carol, wants }) => {
      await it.proxy().operations.setAlias('100', 'bob');
      wants('bob', { forwardBusy: carol.aor });
      wants('carol', { forwardBusy: bob.aor });
      const invite = calls(alice, dialled);
      await isBusy(bob);
      await isBusy(carol);
      alice.ack(invite, await alice.receivesResponse(486));
      await bob.receivesNothing(0);
    }));
}

test('carol’s calls that nobody answers would come back to bob, whose call it was: she rings as long as alice waits', () =>
  stage(async ({ it, alice, bob, carol, wants }) => {
    wants('bob', { forwardAlways: carol.aor });
    wants('carol', { forwardNoAnswer: `${bob.aor}:5060` });
    const invite = calls(alice, bob.aor);
    const atCarol = await carol.receivesRequest('INVITE');
    carol.respond(atCarol, 180);
    await it.clock.advance(60_000);
    carol.respond(atCarol, 486);
    await carol.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesNothing(0);
  }));

test('he rings for 5 s and wants nothing else: 408 to alice', () =>
  stage(async ({ it, alice, bob, wants }) => {
    wants('bob', { ringSeconds: 5 });
    const invite = calls(alice, bob.aor);
    const atBob = await bob.receivesRequest('INVITE');
    bob.respond(atBob, 180);
    await it.clock.advance(5_000);
    bob.respond(await bob.receivesRequest('CANCEL'), 200);
    bob.respond(atBob, 487);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(408));
  }));

test('RFC 3261 §16.7 step 5: bob declines for everything that is his (603): nobody else rings', () =>
  stage(async ({ alice, bob, carol, wants }) => {
    wants('bob', { forwardBusy: carol.aor, voicemail: carol.aor });
    const invite = calls(alice, bob.aor);
    bob.respond(await bob.receivesRequest('INVITE'), 603);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(603));
    await carol.receivesNothing();
  }));

test('alice gives up while it rings at carol’s: 487, and nothing is left', () =>
  stage(async ({ alice, bob, carol, wants }) => {
    wants('bob', { forwardBusy: carol.aor });
    const invite = calls(alice, bob.aor);
    await isBusy(bob);
    const atCarol = await carol.receivesRequest('INVITE');
    carol.respond(atCarol, 180);
    await alice.receivesResponse(180);
    alice.cancel(invite);
    carol.respond(await carol.receivesRequest('CANCEL'), 200);
    carol.respond(atCarol, 487);
    await carol.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(487));
  }));
