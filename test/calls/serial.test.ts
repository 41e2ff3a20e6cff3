/** One device after the other (RFC 3261 §16.6): contacts of equal q together, the groups in order of q. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Reason } from '../../src/message/headers/text.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  /** Bob's telephone on the desk rings first, */
  readonly desk: Agent;
  /** then the one in his pocket. */
  readonly cell: Agent;
}

async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'desk', 'cell'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const device = (name: string, address: string, q: string): Promise<Agent> =>
      it.registered(
        { name, aor, address },
        { contact: false, headers: [['Contact', `<sip:${name}@${address}:5060>;q=${q};expires=600`]] },
      );
    const desk = await device('desk', '192.0.2.2', '1.0');
    const cell = await device('cell', '192.0.2.3', '0.5');
    await script({ it, alice, desk, cell });
  });
}

const aor = 'sip:bob@example.com';
const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

/** Alice calls, and the desk telephone rings. */
async function deskRings({ alice, desk, cell }: Stage): Promise<readonly [SipRequest, SipRequest]> {
  const invite = alice.request('INVITE', aor, sdp(phoneOffer('alice')));
  const atDesk = await desk.receivesRequest('INVITE');
  desk.respond(atDesk, 180);
  await alice.receivesResponse(180);
  assert.deepEqual(cell.inbox, []);
  return [invite, atDesk];
}

/** The cell phone answers, and hangs up. */
async function cellAnswers({ it, alice, cell }: Stage, invite: SipRequest): Promise<void> {
  const atCell = await cell.receivesRequest('INVITE');
  const dialog = cell.dialog(atCell, cell.respond(atCell, 200, sdp(phoneAnswer('cell'))));
  alice.ack(invite, await alice.receivesResponse(200));
  await cell.receivesRequest('ACK');
  await it.hangUp(cell, dialog, alice);
}

async function isCancelled(phone: Agent, received: SipRequest, reason: RegExp): Promise<void> {
  const cancel = await phone.receivesRequest('CANCEL', 25_000);
  assert.match(get(cancel, Reason) ?? '', reason);
  phone.respond(cancel, 200);
  phone.respond(received, 487);
  await phone.receivesRequest('ACK');
}

test('RFC 3261 §16.6: the desk is busy: the cell phone rings, and alice hears of no failure', () =>
  stage(async (scene) => {
    const { alice, desk } = scene;
    const [invite, atDesk] = await deskRings(scene);
    desk.respond(atDesk, 486);
    await desk.receivesRequest('ACK');
    await cellAnswers(scene, invite);
    assert.deepEqual(
      alice.inbox.filter((one) => one.kind === 'response' && one.status > 200),
      [],
    );
  }));

test('the desk rings for 20 s and is cancelled; the cell phone rings without waiting for its 487', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    const [invite, atDesk] = await deskRings(scene);
    await it.clock.advance(19_000);
    assert.deepEqual([desk.inbox, cell.inbox], [[], []]);
    const cancel = await desk.receivesRequest('CANCEL');
    assert.match(get(cancel, Reason) ?? '', /cause=408/);
    const atCell = await cell.receivesRequest('INVITE', 100);
    desk.respond(cancel, 200);
    desk.respond(atDesk, 487);
    await desk.receivesRequest('ACK');
    const dialog = cell.dialog(atCell, cell.respond(atCell, 200, sdp(phoneAnswer('cell'))));
    alice.ack(invite, await alice.receivesResponse(200));
    await cell.receivesRequest('ACK');
    await it.hangUp(cell, dialog, alice);
  }));

test('RFC 3261 §9.1: bob lifts the desk telephone while its CANCEL is on the way: he has the call', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    const [invite, atDesk] = await deskRings(scene);
    const cancel = await desk.receivesRequest('CANCEL', 25_000);
    const atCell = await cell.receivesRequest('INVITE');
    cell.respond(atCell, 180);
    const dialog = desk.dialog(atDesk, desk.respond(atDesk, 200, sdp(phoneAnswer('desk'))));
    desk.respond(cancel, 200);
    alice.ack(invite, await alice.receivesResponse(200));
    await desk.receivesRequest('ACK');
    await isCancelled(cell, atCell, /cause=200/);
    await it.hangUp(desk, dialog, alice);
  }));

test('a desk telephone that is switched off: the cell phone rings after 5 s, and the desk is never cancelled', () =>
  stage(async (scene) => {
    const { it, alice, desk } = scene;
    const invite = alice.request('INVITE', aor, sdp(phoneOffer('alice')));
    await it.clock.advance(5_100);
    await cellAnswers(scene, invite);
    await it.clock.advance(40_000);
    assert.deepEqual([...new Set(desk.inbox.map((one) => one.kind === 'request' && one.method))], ['INVITE']);
  }));

test('RFC 3261 §16.6: two ring at once, and when both are busy the cell phone does', () =>
  stage(async (scene) => {
    const { it, alice, desk, cell } = scene;
    const home = await it.registered(
      { name: 'home', aor, address: '192.0.2.4' },
      { contact: false, headers: [['Contact', '<sip:home@192.0.2.4:5060>;q=1;expires=600']] },
    );
    const invite = alice.request('INVITE', aor, sdp(phoneOffer('alice')));
    for (const phone of [desk, home]) {
      assert.deepEqual(cell.inbox, []);
      phone.respond(await phone.receivesRequest('INVITE'), 486);
      await phone.receivesRequest('ACK');
    }
    await cellAnswers(scene, invite);
  }));

test('RFC 3261 §16.7 step 6: nobody answers: the best response of all groups', () =>
  stage(async (scene) => {
    const { alice, desk, cell } = scene;
    const [invite, atDesk] = await deskRings(scene);
    desk.respond(atDesk, 486);
    await desk.receivesRequest('ACK');
    cell.respond(await cell.receivesRequest('INVITE'), 480);
    await cell.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
  }));

test('RFC 3261 §16.7 step 5: he declines for all his devices (603): the cell phone does not ring', () =>
  stage(async (scene) => {
    const { alice, desk, cell } = scene;
    const [invite, atDesk] = await deskRings(scene);
    desk.respond(atDesk, 603);
    await desk.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(603));
    await cell.receivesNothing();
  }));

test('RFC 3261 §16.10: alice gives up while the second one rings', () =>
  stage(async (scene) => {
    const { alice, desk, cell } = scene;
    const [invite, atDesk] = await deskRings(scene);
    desk.respond(atDesk, 486);
    await desk.receivesRequest('ACK');
    const atCell = await cell.receivesRequest('INVITE');
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    await isCancelled(cell, atCell, /^$/);
    alice.ack(invite, await alice.receivesResponse(487));
  }));

test('she gives up while the first one rings: the second never does', () =>
  stage(async (scene) => {
    const { alice, desk, cell } = scene;
    const [invite, atDesk] = await deskRings(scene);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    await isCancelled(desk, atDesk, /^$/);
    alice.ack(invite, await alice.receivesResponse(487));
    await cell.receivesNothing(30_000);
  }));

test('RFC 3428: a MESSAGE goes to all devices at once: nobody waits for a telephone that is off', () =>
  stage(async ({ alice, desk, cell }) => {
    alice.request('MESSAGE', aor, { body: 'hi', contentType: 'text/plain' });
    desk.respond(await desk.receivesRequest('MESSAGE'), 200);
    await cell.receivesRequest('MESSAGE');
    await alice.receivesResponse(200);
  }));
