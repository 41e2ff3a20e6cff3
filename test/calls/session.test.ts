/** RFC 3665 §3: calls between alice and bob, with this one proxy between them. Media is in media.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceAll } from '../../src/message/edit.ts';
import { all, get, has, values } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { ProxyAuthorization } from '../../src/message/headers/digest.ts';
import { Reason } from '../../src/message/headers/text.ts';
import { Via } from '../../src/message/headers/via.ts';
import { param } from '../../src/message/params.ts';
import type { Agent } from '../support/agent.ts';
import {
  createProxyScene,
  type ProxyScene,
  type ProxySceneOptions,
  passwordOf,
  sdpType,
} from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;
const answer = { body: phoneAnswer('bob'), contentType: sdpType } as const;

/** Alice at her telephone, bob registered with his. */
async function stage(
  script: (it: ProxyScene, alice: Agent, bob: Agent) => Promise<void>,
  options: Partial<ProxySceneOptions> = {},
): Promise<void> {
  const it = createProxyScene({ columns, ...options });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await script(it, alice, bob);
  });
}

test('RFC 3665 §3.1: a call is set up, and the callee hangs up', () =>
  stage(async (it, alice, bob) => {
    const { callee } = await it.call(alice, bob);
    await it.hangUp(bob, callee, alice);
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 proxy ─INVITE▶ bob
      F4 proxy ◀180─ bob
      F5 alice ◀180─ proxy
      F6 proxy ◀200─ bob
      F7 alice ◀200─ proxy
      F8 alice ─ACK▶ proxy
      F9 proxy ─ACK▶ bob
      F10 proxy ◀BYE─ bob
      F11 alice ◀BYE─ proxy
      F12 alice ─200 BYE▶ proxy
      F13 proxy ─200 BYE▶ bob
    `);
  }));

test('RFC 3665 §3.1: the caller hangs up', () =>
  stage(async (it, alice, bob) => {
    const { caller } = await it.call(alice, bob);
    it.ladder.clear();
    await it.hangUp(alice, caller, bob);
    it.ladder.expect(`
      F1 alice ─BYE▶ proxy
      F2 proxy ─BYE▶ bob
      F3 proxy ◀200 BYE─ bob
      F4 alice ◀200 BYE─ proxy
    `);
  }));

test('RFC 3665 §3.2: an INVITE is challenged with 407 and goes on with credentials', () =>
  stage(
    async (it, alice, bob) => {
      const first = alice.request('INVITE', bob.aor, offer);
      const challenge = await alice.receivesResponse(407);
      alice.ack(first, challenge);
      const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
      const received = await bob.receivesRequest('INVITE');
      // RFC 3261 §22.3: credentials for our realm are used up here.
      assert.equal(has(received, ProxyAuthorization), false);
      const ok = bob.respond(received, 200, answer);
      alice.ack(invite, await alice.receivesResponse(200));
      await bob.receivesRequest('ACK');
      await it.hangUp(bob, bob.dialog(received, ok), alice);
      it.ladder.expect(`
        F1 alice ─INVITE▶ proxy
        F2 alice ◀407─ proxy
        F3 alice ─ACK▶ proxy
        F4 alice ─INVITE▶ proxy
        F5 alice ◀100─ proxy
        F6 proxy ─INVITE▶ bob
        F7 proxy ◀200─ bob
        F8 alice ◀200─ proxy
        F9 alice ─ACK▶ proxy
        F10 proxy ─ACK▶ bob
        F11 proxy ◀BYE─ bob
        F12 alice ◀BYE─ proxy
        F13 alice ─200 BYE▶ proxy
        F14 proxy ─200 BYE▶ bob
      `);
    },
    { isTrusted: () => false },
  ));

test('RFC 3665 §3.8: alice gives up while bob rings: CANCEL, 487, each hop acknowledged', () =>
  stage(async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await alice.receivesResponse(180);
    alice.cancel(invite, 'SIP;cause=600;text="Busy Everywhere"');
    const cancel = await bob.receivesRequest('CANCEL');
    // RFC 3326 §2: her reason goes with it.
    assert.equal(get(cancel, Reason), 'SIP;cause=600;text="Busy Everywhere"');
    bob.respond(cancel, 200);
    bob.respond(received, 487);
    alice.ack(invite, await alice.receivesResponse(487));
    await bob.receivesRequest('ACK');
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 proxy ─INVITE▶ bob
      F4 proxy ◀180─ bob
      F5 alice ◀180─ proxy
      F6 alice ─CANCEL▶ proxy
      F7 alice ◀200 CANCEL─ proxy
      F8 proxy ─CANCEL▶ bob
      F9 proxy ◀200 CANCEL─ bob
      F10 proxy ◀487─ bob
      F11 proxy ─ACK▶ bob
      F12 alice ◀487─ proxy
      F13 alice ─ACK▶ proxy
    `);
  }));

test('RFC 3261 §9.1: a CANCEL before any 1xx waits for it and then leaves', () =>
  stage(async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    await bob.receivesNothing(100);
    bob.respond(received, 180);
    bob.respond(await bob.receivesRequest('CANCEL'), 200);
    bob.respond(received, 487);
    alice.ack(invite, await alice.receivesResponse(487));
    await bob.receivesRequest('ACK');
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 proxy ─INVITE▶ bob
      F4 alice ─CANCEL▶ proxy
      F5 alice ◀200 CANCEL─ proxy
      F6 proxy ◀180─ bob
      F7 alice ◀180─ proxy
      F8 proxy ─CANCEL▶ bob
      F9 proxy ◀200 CANCEL─ bob
      F10 proxy ◀487─ bob
      F11 proxy ─ACK▶ bob
      F12 alice ◀487─ proxy
      F13 alice ─ACK▶ proxy
    `);
  }));

test('RFC 3261 §9.2: a CANCEL that matches no INVITE is answered 481', () =>
  stage(async (_, alice, bob) => {
    alice.request('CANCEL', bob.aor);
    await alice.receivesResponse(481, 'CANCEL');
    await bob.receivesNothing(1000);
  }));

test('RFC 3665 §3.9: bob does not answer: alice is told 408 after 5 s, and his telephone is tried for 32 s', () =>
  stage(async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    bob.station.freeze();
    alice.ack(invite, await alice.receivesResponse(408, 'INVITE', 5_100));
    // RFC 3261 §17.1.1.2: timer B, 64*T1.
    await it.clock.advance(40_000);
    const sent = it.ladder.passages.filter(({ to, text }) => to === 'bob' && text.startsWith('INVITE'));
    assert.equal(sent.length, 7, 'timer A: at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s');
  }));

test('RFC 3261 §16.8: bob rings for more than three minutes: timer C cancels, and alice is told', () =>
  stage(async (_, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    bob.respond(await bob.receivesRequest('CANCEL', 200_000), 200);
    bob.respond(received, 487);
    const final = await alice.receivesFinal('INVITE');
    assert.ok(final.status === 487 || final.status === 408);
    alice.ack(invite, final);
    await bob.receivesRequest('ACK');
  }));

test('RFC 3665 §3.10: bob is busy: 486, and an ACK on each hop', () =>
  stage(async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    bob.respond(await bob.receivesRequest('INVITE'), 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesRequest('ACK');
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 proxy ─INVITE▶ bob
      F4 proxy ◀486─ bob
      F5 proxy ─ACK▶ bob
      F6 alice ◀486─ proxy
      F7 alice ─ACK▶ proxy
    `);
  }));

test('RFC 3261 §17.2.1: a failure is repeated to alice until her ACK comes, and her ACK stays with us', () =>
  stage(async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    bob.respond(await bob.receivesRequest('INVITE'), 404);
    await bob.receivesRequest('ACK');
    await alice.receivesResponse(404);
    await alice.receivesResponse(404);
    const third = await alice.receivesResponse(404);
    it.ladder.clear();
    alice.ack(invite, third);
    await it.clock.advance(10_000);
    it.ladder.expect('F1 alice ─ACK▶ proxy');
  }));

test('RFC 3261 §16.7 step 3: a device that keeps the first Via only, or garbles the others, is heard all the same', () =>
  stage(async (_, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    const [top, hers] = all(received, Via);
    assert.ok(top !== undefined && hers !== undefined);
    bob.respond(replaceAll(received, Via, [top]), 180);
    const ringing = await alice.receivesResponse(180);
    assert.deepEqual(all(ringing, Via), [hers]);
    bob.respond(replaceAll(received, Via, [top, { ...hers, host: '203.0.113.9', params: [] }]), 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesRequest('ACK');
  }));

test('RFC 3261 §17.1.1.3: our ACK for a failure has the branch of the INVITE, and repeats with the response', () =>
  stage(async (_, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    const branch = param(get(received, Via)?.params ?? [], 'branch');
    for (let time = 0; time < 2; time++) {
      bob.respond(received, 486);
      const ack = await bob.receivesRequest('ACK');
      assert.equal(param(get(ack, Via)?.params ?? [], 'branch'), branch);
      assert.equal(values(ack, Via).length, 1);
    }
    alice.ack(invite, await alice.receivesResponse(486));
  }));

test('RFC 3261 §14: re-INVITE from the caller, then from the callee, each with its own CSeq', () =>
  stage(async (it, alice, bob) => {
    const { caller, callee } = await it.call(alice, bob);
    for (const [one, dialog, other] of [
      [alice, caller, bob],
      [bob, callee, alice],
    ] as const) {
      it.ladder.clear();
      const again = one.within(dialog, 'INVITE', {
        body: phoneOffer(one.name, { version: 2 }),
        contentType: sdpType,
      });
      const received = await other.receivesRequest('INVITE');
      assert.equal(get(received, CSeq)?.number, dialog.cseq);
      other.respond(received, 200, { body: phoneAnswer(other.name, { version: 2 }), contentType: sdpType });
      one.ack(again, await one.receivesResponse(200, 'INVITE'));
      await other.receivesRequest('ACK');
      assert.equal(it.ladder.passages.length, 7);
    }
    await it.hangUp(alice, caller, bob);
  }));

test('RFC 3261 §14.1: a refused re-INVITE leaves the call as it was', () =>
  stage(async (it, alice, bob) => {
    const { caller } = await it.call(alice, bob);
    const again = alice.within(caller, 'INVITE', { body: phoneOffer('alice', { version: 2 }), contentType: sdpType });
    bob.respond(await bob.receivesRequest('INVITE'), 488);
    await bob.receivesRequest('ACK');
    alice.ack(again, await alice.receivesResponse(488));
    await it.hangUp(alice, caller, bob);
  }));

test('RFC 3261 §13.3.1.4: a 2xx that bob repeats reaches alice each time, and each ACK reaches bob', () =>
  stage(async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    let dialog = bob.dialog(received, bob.respond(received, 200, answer));
    for (let time = 0; time < 3; time++) {
      const ok = await alice.receivesResponse(200);
      await it.clock.advance(500);
      dialog = bob.dialog(received, bob.respond(received, 200, answer));
      alice.ack(invite, ok);
      await bob.receivesRequest('ACK');
    }
    await alice.receivesResponse(200);
    await it.hangUp(bob, dialog, alice);
  }));

test('RFC 6026 §7.1: an ACK for a 2xx that carries the branch of its INVITE, as some write it, reaches bob all the same', () =>
  stage(async (it, alice, bob) => {
    const branch = 'z9hG4bK-one-for-both';
    const invite = alice.request('INVITE', bob.aor, { ...offer, branch });
    const received = await bob.receivesRequest('INVITE');
    const dialog = bob.dialog(received, bob.respond(received, 200, answer));
    const ok = await alice.receivesResponse(200);
    for (let time = 0; time < 2; time++) {
      alice.ack(invite, ok, { branch });
      await bob.receivesRequest('ACK');
    }
    alice.send(invite); // late, and absorbed
    await it.hangUp(bob, dialog, alice);
    await bob.receivesNothing(0);
  }));

test('RFC 6026 §7.3: a 2xx that arrives once more after the BYE makes no new call', () =>
  stage(async (it, alice, bob) => {
    const { received, caller } = await it.call(alice, bob);
    await it.hangUp(alice, caller, bob);
    bob.respond(received, 200, answer);
    await alice.receivesResponse(200, 'INVITE');
    assert.equal((await it.proxy().operations.statistics()).calls.inProgress, 0);
    assert.deepEqual(it.database.rows.dialogs(), []);
  }));

test('RFC 3261 §16.7: a retransmitted INVITE is absorbed and answered with the last response', () =>
  stage(async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await alice.receivesResponse(180);
    it.ladder.clear();
    alice.send(invite);
    await alice.receivesResponse(180);
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀180─ proxy
    `);
    bob.respond(received, 603);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(603));
  }));

test('RFC 4320 §4.2: a MESSAGE that nobody answers gets no 408 from us', () =>
  stage(async (_, alice, bob) => {
    bob.station.freeze();
    alice.request('MESSAGE', bob.aor, { body: 'Hello', contentType: 'text/plain' });
    await alice.receivesNothing(40_000);
  }));

test('RFC 3428 §4: a MESSAGE and its 200 pass, without Record-Route and without media', () =>
  stage(async (it, alice, bob) => {
    alice.request('MESSAGE', bob.aor, { body: 'Hello', contentType: 'text/plain' });
    const received = await bob.receivesRequest('MESSAGE');
    assert.equal(received.body, 'Hello');
    bob.respond(received, 200);
    await alice.receivesResponse(200, 'MESSAGE');
    assert.deepEqual(it.media.told, []);
    it.ladder.expect(`
      F1 alice ─MESSAGE▶ proxy
      F2 proxy ─MESSAGE▶ bob
      F3 proxy ◀200 MESSAGE─ bob
      F4 alice ◀200 MESSAGE─ proxy
    `);
  }));

test('DESIGN §5: the account of the caller and the contacts of the callee are looked up side by side', () =>
  stage(
    async (it, alice, bob) => {
      const first = alice.request('OPTIONS', bob.aor);
      const challenge = await alice.receivesResponse(407);
      it.database.set({ latencyMs: 100 });
      alice.login(first, challenge, 'alice', passwordOf('alice'));
      const sentMs = it.clock.nowMs();
      bob.respond(await bob.receivesRequest('OPTIONS'), 200);
      assert.ok(it.clock.nowMs() - sentMs < 150, 'one round trip');
      await alice.receivesResponse(200);
    },
    { isTrusted: () => false },
  ));

test('DESIGN §5: a database that goes down between the two lookups harms nothing but this request', () =>
  stage(
    async (it, alice, bob) => {
      const first = alice.request('OPTIONS', bob.aor);
      const challenge = await alice.receivesResponse(407);
      it.database.set({ latencyMs: 100, down: true });
      alice.login(first, challenge, 'alice', passwordOf('alice'));
      await alice.receivesResponse(503);
    },
    { isTrusted: () => false },
  ));

test('RFC 3261 §17.2.1: a slow database: alice hears 100 within 200 ms and does not repeat her INVITE', () =>
  stage(async (it, alice, bob) => {
    it.database.set({ latencyMs: 700 });
    const invite = alice.request('INVITE', bob.aor, offer);
    await alice.receivesResponse(100);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesRequest('ACK');
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 proxy ─INVITE▶ bob
      F4 proxy ◀486─ bob
      F5 proxy ─ACK▶ bob
      F6 alice ◀486─ proxy
      F7 alice ─ACK▶ proxy
    `);
  }));
