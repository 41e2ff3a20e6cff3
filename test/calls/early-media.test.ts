/** Offer and answer before the call is up (RFC 3261 §13.2.1, RFC 3262, RFC 3311), where it is not done with one of each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipMessage, SipRequest } from '../../src/message/message.ts';
import type { Agent, AgentDialog } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer, seen } from '../support/sdp.ts';

const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  /** Bob's other telephone. */
  readonly cell: Agent;
}

async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob', 'cell'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const cell = await it.registered({ name: 'cell', aor: bob.aor, address: '192.0.2.3' });
    await script({ it, alice, bob, cell });
    assert.deepEqual(it.media.calls(), []);
  });
}

const reliable = [
  ['Require', '100rel'],
  ['RSeq', '1'],
] as const;
const acknowledged = { headers: [['RAck', '1 1 INVITE']] } as const;

function carries(message: SipMessage, author: string): void {
  const { relayed, author: by } = seen(message.body);
  assert.deepEqual([relayed, by], [true, author]);
}

/** RFC 3262 §4. */
async function prack(alice: Agent, dialog: AgentDialog, phone: Agent, answer = ''): Promise<SipRequest> {
  alice.within(dialog, 'PRACK', { ...acknowledged, ...(answer === '' ? {} : sdp(answer)) });
  const received = await phone.receivesRequest('PRACK');
  phone.respond(received, 200);
  await alice.receivesResponse(200, 'PRACK');
  return received;
}

async function isCancelled(phone: Agent, invite: SipRequest): Promise<void> {
  phone.respond(await phone.receivesRequest('CANCEL'), 200);
  phone.respond(invite, 487);
  await phone.receivesRequest('ACK');
}

test('RFC 3311 §5.1: the same SDP in an unreliable 183 and then in a reliable one: it is the answer, and an UPDATE may follow', () =>
  stage(async ({ it, alice, bob, cell }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const [atBob, atCell] = [await bob.receivesRequest('INVITE'), await cell.receivesRequest('INVITE')];
    bob.respond(atBob, 183, sdp(phoneAnswer('bob')));
    carries(await alice.receivesResponse(183), 'bob');
    bob.respond(atBob, 183, { ...sdp(phoneAnswer('bob')), headers: reliable });
    const early = alice.dialog(invite, await alice.receivesResponse(183));
    await prack(alice, early, bob);
    alice.within(early, 'UPDATE', sdp(phoneOffer('alice', { version: 2 })));
    const update = await bob.receivesRequest('UPDATE');
    carries(update, 'alice');
    bob.respond(update, 200, sdp(phoneAnswer('bob', { version: 2 })));
    carries(await alice.receivesResponse(200, 'UPDATE'), 'bob');
    const dialog = bob.dialog(atBob, bob.respond(atBob, 200));
    alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
    await bob.receivesRequest('ACK');
    cell.respond(atCell, 487);
    await cell.receivesRequest('ACK');
    await it.hangUp(bob, dialog, alice);
  }));

test('RFC 3262 §5: two telephones offer in a reliable 183 each: both are answered in PRACK, and the winner is told last', () =>
  stage(async ({ it, alice, bob, cell }) => {
    const invite = alice.request('INVITE', bob.aor);
    const received = [await bob.receivesRequest('INVITE'), await cell.receivesRequest('INVITE')] as const;
    for (const [phone, atPhone] of [
      [bob, received[0]],
      [cell, received[1]],
    ] as const) {
      phone.respond(atPhone, 183, { ...sdp(phoneOffer(phone.name)), headers: reliable });
      const ringing = await alice.receivesResponse(183);
      carries(ringing, phone.name);
      carries(await prack(alice, alice.dialog(invite, ringing), phone, phoneAnswer('alice')), 'alice');
    }
    const dialog = bob.dialog(received[0], bob.respond(received[0], 200));
    alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
    await bob.receivesRequest('ACK');
    await isCancelled(cell, received[1]);
    await it.clock.advance(33_000);
    const told = it.media.told.map(({ command }) =>
      'from-tag' in command ? `${command.command} ${command['from-tag']}` : command.command,
    );
    const exchangeOf = (tag: string): readonly string[] => [`offer ${tag}`, `answer ${tag}`];
    // No branch delete for who made the offer (src/media/delete-rules.ts).
    assert.deepEqual(told, ['bob-tag', 'cell-tag', 'bob-tag'].flatMap(exchangeOf));
    await it.hangUp(bob, dialog, alice);
  }));

for (const status of [422, 407]) {
  test(`RFC 4028 §7.4, RFC 3261 §22.3: after a ${status} alice asks again with another SDP, while a silent telephone has time`, () =>
    stage(async ({ it, alice, bob, cell }) => {
      const same = { callId: 'again', fromTag: 'alice-again' };
      const invite = alice.request('INVITE', bob.aor, { ...same, ...sdp(phoneOffer('alice')) });
      bob.respond(await bob.receivesRequest('INVITE'), status);
      await bob.receivesRequest('ACK');
      alice.ack(invite, await alice.receivesResponse(status, 'INVITE', 10_000));
      const anew = { ...same, cseq: 2, ...sdp(phoneOffer('alice', { version: 2 })) };
      const second = alice.request('INVITE', bob.aor, anew);
      const received = await bob.receivesRequest('INVITE');
      carries(received, 'alice');
      const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneAnswer('bob'))));
      const ok = await alice.receivesResponse(200, 'INVITE');
      carries(ok, 'bob');
      alice.ack(second, ok);
      await bob.receivesRequest('ACK');
      await it.clock.advance(40_000);
      assert.deepEqual(it.media.mistakes, []);
      cell.inbox.splice(0);
      await it.hangUp(bob, dialog, alice);
    }));
}
