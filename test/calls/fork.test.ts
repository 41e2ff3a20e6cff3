/** Bob has two telephones, `desk` and `cell` (RFC 3261 §16.7); the titles follow the list of reSIProcate's call flows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { To, tagOf } from '../../src/message/headers/from-to.ts';
import { Reason } from '../../src/message/headers/text.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer, seen } from '../support/sdp.ts';

const bob = 'sip:bob@example.com';
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;

interface Forked {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly desk: Agent;
  readonly cell: Agent;
  readonly invite: SipRequest;
  readonly atDesk: SipRequest;
  readonly atCell: SipRequest;
}

/** Alice has called bob, and both telephones have her INVITE; the ladder starts there. */
async function forked(script: (scene: Forked) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'desk', 'cell'] });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const desk = await it.registered({ name: 'desk', aor: bob, address: '192.0.2.2' });
    const cell = await it.registered({ name: 'cell', aor: bob, address: '192.0.2.3' });
    const invite = alice.request('INVITE', bob, offer);
    const atDesk = await desk.receivesRequest('INVITE');
    const atCell = await cell.receivesRequest('INVITE');
    it.ladder.clear();
    await script({ it, alice, desk, cell, invite, atDesk, atCell });
  });
}

/** 200 with an answer of its own. */
function answers(phone: Agent, invite: SipRequest): ReturnType<Agent['dialog']> {
  return phone.dialog(invite, phone.respond(invite, 200, { body: phoneAnswer(phone.name), contentType: sdpType }));
}

/** With an SDP of the relay for what this one said. */
function carries({ body }: SipResponse, author: string): void {
  assert.deepEqual([seen(body).relayed, seen(body).author], [true, author]);
}

/** Who is connected with alice: the last one that rtpengine was told of. */
function connected({ media }: ProxyScene): string | undefined {
  const tags = media.told.flatMap(({ command }) => (command.command === 'answer' ? [command['to-tag']] : []));
  return tags.at(-1);
}

/** Is cancelled, and says so. */
async function isCancelled(phone: Agent, invite: SipRequest): Promise<SipRequest> {
  const cancel = await phone.receivesRequest('CANCEL');
  phone.respond(cancel, 200);
  phone.respond(invite, 487);
  await phone.receivesRequest('ACK');
  return cancel;
}

test('RFC 3261 §16.7 step 10: two telephones ring, one answers, the other is cancelled with the reason', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    desk.respond(atDesk, 180);
    await alice.receivesResponse(180);
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    const dialog = answers(desk, atDesk);
    alice.ack(invite, await alice.receivesResponse(200));
    const cancel = await isCancelled(cell, atCell);
    // RFC 3326 §2: so that the telephone shows no missed call.
    assert.equal(get(cancel, Reason), 'SIP;cause=200;text="Call completed elsewhere"');
    await desk.receivesRequest('ACK');
    it.ladder.expect(`
      F1 proxy ◀180─ desk
      F2 alice ◀180─ proxy
      F3 proxy ◀180─ cell
      F4 alice ◀180─ proxy
      F5 proxy ◀200─ desk
      F6 alice ◀200─ proxy
      F7 proxy ─CANCEL▶ cell
      F8 alice ─ACK▶ proxy
      F9 proxy ◀200 CANCEL─ cell
      F10 proxy ◀487─ cell
      F11 proxy ─ACK▶ desk
      F12 proxy ─ACK▶ cell
    `);
    await it.hangUp(desk, dialog, alice);
  }));

test('RFC 3261 §16.7 step 6: all are busy: one 486 when the last has said so', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    desk.respond(atDesk, 486);
    await desk.receivesRequest('ACK');
    await alice.receivesResponse(100);
    await alice.receivesNothing(100);
    cell.respond(atCell, 486);
    await cell.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
    it.ladder.expect(`
      F1 proxy ◀486─ desk
      F2 proxy ─ACK▶ desk
      F3 proxy ◀486─ cell
      F4 proxy ─ACK▶ cell
      F5 alice ◀486─ proxy
      F6 alice ─ACK▶ proxy
    `);
  }));

test('RFC 3261 §16.7 step 6: of a 404 and a 500 the 404 is the better; a lower class wins', () =>
  forked(async ({ alice, desk, cell, invite, atDesk, atCell }) => {
    cell.respond(atCell, 500);
    await cell.receivesRequest('ACK');
    desk.respond(atDesk, 404);
    await desk.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(404));
  }));

test('RFC 3261 §16.7 step 6: two 401s are gathered: the caller gets both challenges', () =>
  forked(async ({ alice, desk, cell, invite, atDesk, atCell }) => {
    desk.respond(atDesk, 407, { headers: [['Proxy-Authenticate', 'Digest realm="desk", nonce="1"']] });
    await desk.receivesRequest('ACK');
    cell.respond(atCell, 407, { headers: [['Proxy-Authenticate', 'Digest realm="cell", nonce="2"']] });
    await cell.receivesRequest('ACK');
    const challenge = await alice.receivesResponse(407);
    const realms = challenge.headers.filter(({ name }) => name === 'proxy-authenticate').map(({ value }) => value);
    assert.deepEqual(realms.sort(), ['Digest realm="cell", nonce="2"', 'Digest realm="desk", nonce="1"']);
    alice.ack(invite, challenge);
  }));

test('RFC 3261 §16.7 step 5: a 603 ends the ringing elsewhere, and is what alice hears', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    desk.respond(atDesk, 603);
    await desk.receivesRequest('ACK');
    await isCancelled(cell, atCell);
    alice.ack(invite, await alice.receivesResponse(603));
    it.ladder.expect(`
      F1 proxy ◀180─ cell
      F2 alice ◀180─ proxy
      F3 proxy ◀603─ desk
      F4 proxy ─ACK▶ desk
      F5 proxy ─CANCEL▶ cell
      F6 proxy ◀200 CANCEL─ cell
      F7 proxy ◀487─ cell
      F8 proxy ─ACK▶ cell
      F9 alice ◀603─ proxy
      F10 alice ─ACK▶ proxy
    `);
  }));

test('Fork6xxBeats200: a 200 that crosses the CANCEL after a 603 goes to alice all the same (§16.7 step 5)', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    desk.respond(atDesk, 603);
    await desk.receivesRequest('ACK');
    const dialog = answers(cell, atCell);
    cell.respond(await cell.receivesRequest('CANCEL'), 200);
    alice.ack(invite, await alice.receivesResponse(200));
    await cell.receivesRequest('ACK');
    await it.hangUp(cell, dialog, alice);
  }));

test('Invite200BeatsCancel: bob answers while alice gives up: she gets the 200, and hangs up', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    desk.respond(atDesk, 180);
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    alice.cancel(invite);
    answers(desk, atDesk);
    await alice.receivesResponse(200, 'CANCEL');
    const ok = await alice.receivesResponse(200, 'INVITE');
    alice.ack(invite, ok);
    desk.respond(await desk.receivesRequest('CANCEL'), 200);
    await isCancelled(cell, atCell);
    await desk.receivesRequest('ACK');
    await it.hangUp(alice, alice.dialog(invite, ok), desk);
  }));

test('CancelBefore1xx: each telephone is cancelled when its first 1xx comes, not before (§9.1)', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    desk.respond(atDesk, 180);
    await alice.receivesResponse(180);
    alice.cancel(invite);
    await isCancelled(desk, atDesk);
    assert.deepEqual(cell.inbox, []);
    cell.respond(atCell, 180);
    await isCancelled(cell, atCell);
    alice.ack(invite, await alice.receivesResponse(487));
    it.ladder.expect(`
      F1 proxy ◀180─ desk
      F2 alice ◀180─ proxy
      F3 alice ─CANCEL▶ proxy
      F4 alice ◀200 CANCEL─ proxy
      F5 proxy ─CANCEL▶ desk
      F6 proxy ◀200 CANCEL─ desk
      F7 proxy ◀487─ desk
      F8 proxy ─ACK▶ desk
      F9 proxy ◀180─ cell
      F10 alice ◀180─ proxy
      F11 proxy ─CANCEL▶ cell
      F12 proxy ◀200 CANCEL─ cell
      F13 proxy ◀487─ cell
      F14 proxy ─ACK▶ cell
      F15 alice ◀487─ proxy
      F16 alice ─ACK▶ proxy
    `);
  }));

test('ServerSends180After200: a 180 that its 200 overtook is not forwarded', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    it.ladder.clear();
    const dialog = answers(desk, atDesk);
    desk.respond(atDesk, 180);
    alice.ack(invite, await alice.receivesResponse(200));
    await isCancelled(cell, atCell);
    await desk.receivesRequest('ACK');
    it.ladder.expect(`
      F1 proxy ◀200─ desk
      F2 proxy ◀180─ desk
      F3 alice ◀200─ proxy
      F4 proxy ─CANCEL▶ cell
      F5 alice ─ACK▶ proxy
      F6 proxy ◀200 CANCEL─ cell
      F7 proxy ◀487─ cell
      F8 proxy ─ACK▶ desk
      F9 proxy ─ACK▶ cell
    `);
    await it.hangUp(desk, dialog, alice);
  }));

test('ForkAllAnswerNo1xx: both answer at once: alice gets both, keeps one and hangs up the other', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    const deskDialog = answers(desk, atDesk);
    answers(cell, atCell);
    const [first, second] = [await alice.receivesResponse(200), await alice.receivesResponse(200)];
    assert.notEqual(tagOf(get(first, To)), tagOf(get(second, To)));
    carries(first, 'desk');
    carries(second, 'cell');
    for (const ok of [first, second]) alice.ack(invite, ok);
    await desk.receivesRequest('ACK');
    await cell.receivesRequest('ACK');
    const callId = deskDialog.callId;
    // Longer than the INVITE client transactions: their end is not the end of the media.
    await it.clock.advance(33_000);
    assert.equal(it.media.branches(callId), 2);
    assert.equal(
      connected(it),
      'desk-tag',
      'RFC 3261 §13.2.2.4: most callers keep the first, and some overlook the other',
    );
    await it.hangUp(alice, alice.dialog(invite, second), cell);
    assert.equal(it.media.branches(callId), 1, 'the other call keeps its media');
    assert.ok(!it.ladder.text().includes('CANCEL'), 'nobody is cancelled who has answered');
    await it.hangUp(desk, deskDialog, alice);
  }));

test('RFC 3261 §16.7 step 5: a 2xx of a loser, late, crosses its CANCEL and reaches alice', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    const deskDialog = answers(desk, atDesk);
    alice.ack(invite, await alice.receivesResponse(200));
    const cancel = await cell.receivesRequest('CANCEL');
    answers(cell, atCell);
    cell.respond(cancel, 200);
    const late = await alice.receivesResponse(200, 'INVITE');
    carries(late, 'cell');
    alice.ack(invite, late);
    await cell.receivesRequest('ACK');
    await it.hangUp(alice, alice.dialog(invite, late), cell);
    assert.equal(connected(it), 'desk-tag');
    await desk.receivesRequest('ACK');
    await it.hangUp(desk, deskDialog, alice);
  }));

test('RFC 3261 §16.7 step 5: alice keeps the later of two that have answered: it has the media when she hangs up the first', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    answers(desk, atDesk);
    const cellDialog = answers(cell, atCell);
    const [first, second] = [await alice.receivesResponse(200), await alice.receivesResponse(200)];
    for (const ok of [first, second]) alice.ack(invite, ok);
    await desk.receivesRequest('ACK');
    await cell.receivesRequest('ACK');
    await it.hangUp(alice, alice.dialog(invite, first), desk);
    assert.equal(connected(it), 'cell-tag');
    await it.hangUp(cell, cellDialog, alice);
  }));

test('RFC 6026 §7.3: a PBX behind us forks, and both of its telephones answer: the second 2xx has its SDP, too, as often as it comes', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    cell.respond(atCell, 486);
    await cell.receivesRequest('ACK');
    const both = ['one', 'two'].map((toTag) => {
      const answer = { toTag, body: phoneAnswer(toTag), contentType: sdpType };
      return { toTag, answer, dialog: desk.dialog(atDesk, desk.respond(atDesk, 200, answer)) };
    });
    for (const { toTag } of both) {
      const ok = await alice.receivesResponse(200);
      carries(ok, toTag);
      alice.ack(invite, ok);
      await desk.receivesRequest('ACK');
    }
    assert.equal(connected(it), 'one');
    await it.clock.advance(4_000);
    const [one, two] = both;
    assert.ok(one !== undefined && two !== undefined);
    desk.respond(atDesk, 200, two.answer);
    carries(await alice.receivesResponse(200), 'two');
    await it.hangUp(desk, two.dialog, alice);
    assert.equal(it.media.calls().length, 1, 'the branch is that of the first as well');
    await it.hangUp(desk, one.dialog, alice);
  }));

test('RFC 6026 §7.3: the second of a PBX behind us answers when the first has been hung up: it is hung up, too, and nothing stays', () =>
  forked(async ({ it, alice, desk, cell, invite, atDesk, atCell }) => {
    cell.respond(atCell, 486);
    await cell.receivesRequest('ACK');
    const answer = (toTag: string) => ({ toTag, body: phoneAnswer(toTag), contentType: sdpType });
    const dialog = desk.dialog(atDesk, desk.respond(atDesk, 200, answer('one')));
    alice.ack(invite, await alice.receivesResponse(200));
    await desk.receivesRequest('ACK');
    await it.hangUp(desk, dialog, alice);
    desk.respond(atDesk, 200, answer('two'));
    await desk.receivesRequest('ACK');
    desk.respond(await desk.receivesRequest('BYE'), 200);
    await alice.receivesResponse(100);
    await alice.receivesNothing(1_000);
    assert.deepEqual(it.media.calls(), []);
  }));

test('RFC 3261 §16.7: one telephone is silent, the other refuses: alice hears the refusal after 5 s, not after timer B', () =>
  forked(async ({ alice, desk, cell, invite, atDesk }) => {
    cell.station.freeze();
    desk.respond(atDesk, 486);
    await desk.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486, 'INVITE', 5_100));
  }));

test('RFC 3261 §9.2: alice cancels while the database is asked: no telephone rings', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const phone = await it.registered({ name: 'bob', address: '192.0.2.2' });
    it.database.set({ latencyMs: 300 });
    const invite = alice.request('INVITE', bob, offer);
    await it.clock.advance(100);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    alice.ack(invite, await alice.receivesResponse(487));
    await phone.receivesNothing(1000);
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ─CANCEL▶ proxy
      F3 alice ◀200 CANCEL─ proxy
      F4 alice ◀487─ proxy
      F5 alice ─ACK▶ proxy
    `);
  });
});

// RFC 3261 §8.2.2.2 has one who gets the same INVITE twice refuse the second: here two get it, under one Call-ID and From tag.
for (const [what, second] of [
  ['refuses, which ends nothing for the other', 486],
  ['answers as well: each has a call of his own', 200],
] as const) {
  test(`a server before us forks one call to two accounts of ours; the second ${what}`, async () => {
    const it = createProxyScene({ columns: ['trunk', 'proxy', 'bob', 'carol'], users: ['bob', 'carol'] });
    await it.play(async () => {
      const trunk = it.agent({ name: 'trunk', address: '192.0.2.66' });
      const first = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const other = await it.registered({ name: 'carol', address: '192.0.2.3' });
      const same = { ...offer, callId: 'forked-before-us', fromTag: 'one', to: 'sip:100@example.com' };
      const [invite, late] = [trunk.request('INVITE', first.aor, same), trunk.request('INVITE', other.aor, same)];
      const [atFirst, atOther] = [await first.receivesRequest('INVITE'), await other.receivesRequest('INVITE')];
      const otherDialog = second === 200 ? answers(other, atOther) : undefined;
      if (otherDialog === undefined) other.respond(atOther, second);
      trunk.ack(late, await trunk.receivesResponse(second));
      await other.receivesRequest('ACK');
      // Longer than any transaction of the second one.
      first.respond(atFirst, 180);
      await it.clock.advance(40_000);
      const dialog = answers(first, atFirst);
      trunk.ack(invite, await trunk.receivesResponse(200));
      await first.receivesRequest('ACK');
      if (otherDialog !== undefined) await it.hangUp(other, otherDialog, trunk);
      await it.clock.advance(40_000);
      assert.equal(it.media.calls().length, 1, 'the call that goes on has its media');
      await it.hangUp(first, dialog, trunk);
    });
  });
}
