/**
 * A registered device that says nothing to a call, not even 100: it is switched off, asleep or out of reach. Nobody waits
 * for it longer than TRYING_SECONDS, and what it says later is taken as RFC 3261 has it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Reason, Warning } from '../../src/message/headers/text.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, type ProxySceneOptions, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  /** Bob's two telephones, which ring together. */
  readonly desk: Agent;
  readonly cell: Agent;
}

const columns = ['alice', 'proxy', 'desk', 'cell', 'other'];
const aor = 'sip:bob@example.com';
const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

async function stage(script: (stage: Stage) => Promise<void>, options: Partial<ProxySceneOptions> = {}): Promise<void> {
  const names = { addresses: { 'vm.example.net': ['203.0.113.9'] } };
  const users = ['alice', 'bob'];
  const it = createProxyScene({ columns, names, users, ...options });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const desk = await it.registered({ name: 'desk', aor, address: '192.0.2.2' });
    const cell = await it.registered({ name: 'cell', aor, address: '192.0.2.3' });
    await script({ it, alice, desk, cell });
  });
}

async function calls({ alice }: Stage): Promise<SipRequest> {
  const invite = alice.request('INVITE', aor, sdp(phoneOffer('alice')));
  await alice.receivesResponse(100);
  return invite;
}

async function answersAndHangsUp({ it, alice }: Stage, invite: SipRequest, phone: Agent, received: SipRequest) {
  const dialog = phone.dialog(received, phone.respond(received, 200, sdp(phoneAnswer(phone.name))));
  alice.ack(invite, await alice.receivesResponse(200));
  await phone.receivesRequest('ACK');
  await it.hangUp(phone, dialog, alice);
}

/** Switched on again, it hears the copy that is sent 7.5 s after the first. */
async function wakesUp(phone: Agent): Promise<SipRequest> {
  phone.station.thaw();
  return phone.receivesRequest('INVITE', 10_000);
}

async function isCancelled(phone: Agent, received: SipRequest): Promise<void> {
  const cancel = await phone.receivesRequest('CANCEL');
  assert.match(get(cancel, Reason) ?? '', /cause=408/);
  phone.respond(cancel, 200);
  phone.respond(received, 487);
  await phone.receivesRequest('ACK');
}

test('the cell phone says nothing: the desk rings on, and after 5 s its refusal ends the call at once', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    cell.station.freeze();
    const invite = await calls(scene);
    const atDesk = await desk.receivesRequest('INVITE');
    desk.respond(atDesk, 180);
    await alice.receivesResponse(180);
    await it.clock.advance(6_000);
    assert.deepEqual(alice.inbox, []);
    desk.respond(atDesk, 486);
    await desk.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486, 'INVITE', 100));
  }));

test('both say nothing: 408 after 5 s, not after timer B, and the log says why', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    for (const phone of [desk, cell]) phone.station.freeze();
    const startMs = it.clock.nowMs();
    const invite = await calls(scene);
    const final = await alice.receivesResponse(408, 'INVITE', 5_100);
    assert.ok(it.clock.nowMs() - startMs >= 5_000);
    assert.match(get(final, Warning) ?? '', /The called device did not answer/);
    alice.ack(invite, final);
    const told = it.log.find(({ text }) => text === 'Call failed');
    assert.partialDeepStrictEqual(told?.fields, {
      code: 'branch-timeout',
      status: 408,
    });
  }));

test('a 100 is enough: the telephone may search its owner as long as timer C lets it', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    cell.station.freeze();
    const invite = await calls(scene);
    const atDesk = await desk.receivesRequest('INVITE');
    desk.respond(atDesk, 100);
    await it.clock.advance(60_000);
    await answersAndHangsUp(scene, invite, desk, atDesk);
    assert.deepEqual(alice.inbox, []);
  }));

test('RFC 3261 §16.7 step 5: it wakes up after 7 s, and rings and answers beside the desk', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    cell.station.freeze();
    const invite = await calls(scene);
    const atDesk = await desk.receivesRequest('INVITE');
    desk.respond(atDesk, 180);
    await alice.receivesResponse(180);
    await it.clock.advance(6_000);
    const atCell = await wakesUp(cell);
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    const dialog = cell.dialog(atCell, cell.respond(atCell, 200, sdp(phoneAnswer('cell'))));
    alice.ack(invite, await alice.receivesResponse(200));
    await cell.receivesRequest('ACK');
    desk.respond(await desk.receivesRequest('CANCEL'), 200);
    desk.respond(atDesk, 487);
    await desk.receivesRequest('ACK');
    await it.hangUp(cell, dialog, alice);
  }));

test('RFC 3261 §9.1: it wakes up when alice has had her 408: its ringing is cancelled', () =>
  stage(async (scene) => {
    const { alice, desk, cell } = scene;
    for (const phone of [desk, cell]) phone.station.freeze();
    const invite = await calls(scene);
    alice.ack(invite, await alice.receivesResponse(408, 'INVITE', 5_100));
    const atCell = await wakesUp(cell);
    cell.respond(atCell, 180);
    await isCancelled(cell, atCell);
    assert.deepEqual(alice.inbox, []);
  }));

test('it answers when alice has had her 408: ACK, BYE with the reason, and the ACK again for each copy of its 200', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    for (const phone of [desk, cell]) phone.station.freeze();
    const invite = await calls(scene);
    alice.ack(invite, await alice.receivesResponse(408, 'INVITE', 5_100));
    const atCell = await wakesUp(cell);
    it.ladder.clear();
    const ok = cell.respond(atCell, 200, sdp(phoneAnswer('cell')));
    await cell.receivesRequest('ACK');
    const bye = await cell.receivesRequest('BYE');
    assert.match(get(bye, Reason) ?? '', /cause=408.*had been told that nobody does/);
    cell.respond(bye, 200);
    cell.send(ok);
    await cell.receivesRequest('ACK');
    assert.deepEqual(alice.inbox, []);
  }));

test('nobody says anything at bob’s: voicemail has the call after 5 s, and a telephone that wakes up is cancelled', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    const other = it.agent({ name: 'other', address: '203.0.113.9' });
    it.database.setCalls('bob', 'example.com', { voicemail: 'sip:bob@vm.example.net' });
    for (const phone of [desk, cell]) phone.station.freeze();
    const invite = await calls(scene);
    const atVoicemail = await other.receivesRequest('INVITE', 5_200);
    other.respond(atVoicemail, 180);
    const atCell = await wakesUp(cell);
    cell.respond(atCell, 180);
    await isCancelled(cell, atCell);
    await alice.receivesResponse(180);
    await answersAndHangsUp(scene, invite, other, atVoicemail);
  }));

test('RFC 3261 §16.7 step 5: its 200 comes while voicemail rings, and wins: nothing final had gone to alice', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    const other = it.agent({ name: 'other', address: '203.0.113.9' });
    it.database.setCalls('bob', 'example.com', { voicemail: 'sip:bob@vm.example.net' });
    for (const phone of [desk, cell]) phone.station.freeze();
    const invite = await calls(scene);
    const atVoicemail = await other.receivesRequest('INVITE', 5_200);
    other.respond(atVoicemail, 180);
    await alice.receivesResponse(180);
    const atCell = await wakesUp(cell);
    const dialog = cell.dialog(atCell, cell.respond(atCell, 200, sdp(phoneAnswer('cell'))));
    alice.ack(invite, await alice.receivesResponse(200));
    await cell.receivesRequest('ACK');
    other.respond(await other.receivesRequest('CANCEL'), 200);
    other.respond(atVoicemail, 487);
    await other.receivesRequest('ACK');
    await it.hangUp(cell, dialog, alice);
  }));

test('RFC 3261 §16.10: alice gives up on devices that say nothing: her 487 comes after 5 s at the latest', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    for (const phone of [desk, cell]) phone.station.freeze();
    const invite = await calls(scene);
    await it.clock.advance(1_000);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    alice.ack(invite, await alice.receivesResponse(487, 'INVITE', 4_100));
    const atCell = await wakesUp(cell);
    cell.respond(atCell, 180);
    cell.respond(await cell.receivesRequest('CANCEL'), 200);
    cell.respond(atCell, 487);
    await cell.receivesRequest('ACK');
  }));

test('a browser whose tab sleeps: its connection is open, and nothing comes over it', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'browser'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const browser = await it.registered({ name: 'browser', aor, transport: 'wss', address: '192.0.2.4', port: 50_004 });
    const invite = alice.request('INVITE', aor, sdp(phoneOffer('alice')));
    await browser.receivesRequest('INVITE');
    alice.ack(invite, await alice.receivesResponse(408, 'INVITE', 5_100));
    await browser.receivesNothing(30_000);
  });
});

test('a trunk is no registered device: timer B is its limit', async () => {
  const names = { addresses: { 'trunk.example.net': ['203.0.113.9'] } };
  const it = createProxyScene({ columns: ['alice', 'proxy', 'other'], names });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const other = it.agent({ name: 'other', address: '203.0.113.9' });
    other.station.freeze();
    const invite = alice.request('INVITE', 'sip:5551000@trunk.example.net', sdp(phoneOffer('alice')));
    await alice.receivesResponse(100);
    await alice.receivesNothing(31_000);
    alice.ack(invite, await alice.receivesResponse(408, 'INVITE', 1_500));
  });
});

test('RFC 3261 §17.1.1.2: TRYING_SECONDS=0: timer B, 64*T1, for everybody', () =>
  stage(
    async (scene) => {
      const { alice, desk, cell } = scene;
      for (const phone of [desk, cell]) phone.station.freeze();
      const invite = await calls(scene);
      await alice.receivesNothing(31_000);
      alice.ack(invite, await alice.receivesResponse(408, 'INVITE', 1_500));
    },
    { tryingMs: 0 },
  ));
