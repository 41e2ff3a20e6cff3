/**
 * Flows of the field that a proxy lets pass: transfer and pick-up (RFC 5359), session timers (RFC 4028), reliable
 * provisional responses (RFC 3262), 199 (RFC 6228), INFO (RFC 6086), redirection. What is not ours is proven untouched:
 * every header line arrives byte for byte, except those that a hop must change (law 7).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import type { SipMessage } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob', 'carol'];
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;
const answer = { body: phoneAnswer('bob'), contentType: sdpType } as const;

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly carol: Agent;
}

async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns, users: ['alice', 'bob', 'carol'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
    await script({ it, alice, bob, carol });
  });
}

/** What each hop writes anew (RFC 3261 §16.6, DESIGN §4). */
const ofTheHop = new Set(['via', 'max-forwards', 'max-breadth', 'route', 'record-route', 'content-length']);

function assertUntouched(sent: SipMessage, received: SipMessage): void {
  const lines = (message: SipMessage): readonly string[] =>
    message.headers.filter(({ name }) => !ofTheHop.has(name)).map(({ raw }) => raw);
  assert.deepEqual(lines(received), lines(sent));
}

const sipfrag = (status: string): { readonly body: string; readonly contentType: string } => ({
  body: `SIP/2.0 ${status}\r\n`,
  contentType: 'message/sipfrag;version=2.0',
});

/** A request of one side of a call, and its 200 or 202 back; both arrive as they were sent. */
async function passes(
  from: Agent,
  dialog: Parameters<Agent['within']>[0],
  to: Agent,
  method: string,
  options: Parameters<Agent['within']>[2] = {},
  status = 200,
): Promise<void> {
  const sent = from.within(dialog, method, options);
  const received = await to.receivesRequest(method);
  assertUntouched(sent, received);
  assert.equal(received.body, sent.body);
  const response = to.respond(received, status);
  assertUntouched(response, await from.receivesResponse(status, method));
}

test('RFC 5359 §2.4: unattended transfer: REFER, NOTIFY and the new call pass; each side keeps its own dialogs', () =>
  stage(async ({ it, alice, bob, carol }) => {
    const { caller, callee } = await it.call(alice, bob);
    const headers = [
      ['Refer-To', '<sip:carol@example.com>'],
      ['Referred-By', '<sip:bob@example.com>'],
      ['Contact', `<${bob.contact}>`],
    ] as const;
    await passes(bob, callee, alice, 'REFER', { headers }, 202);
    const subscribed = [
      ['Event', 'refer'],
      ['Subscription-State', 'active;expires=60'],
    ] as const;
    await passes(alice, caller, bob, 'NOTIFY', { headers: subscribed, ...sipfrag('100 Trying') });

    const transferred = await it.call(alice, carol);
    const ended = [
      ['Event', 'refer'],
      ['Subscription-State', 'terminated;reason=noresource'],
    ] as const;
    await passes(alice, caller, bob, 'NOTIFY', { headers: ended, ...sipfrag('200 OK') });
    await it.hangUp(bob, callee, alice);
    await it.hangUp(carol, transferred.callee, alice);
  }));

for (const [by, ...which] of [
  ['the callee', 'callee', 'caller'],
  ['the caller', 'caller', 'callee'],
] as const) {
  test(`RFC 3515 §2.4.6, RFC 5057 §4.1: ${by} transfers and hangs up at once: the NOTIFYs still reach him, whoever he is`, () =>
    stage(async ({ it, alice, bob }) => {
      const web = await it.registered({ name: 'dave', transport: 'ws', address: '192.0.2.9', dialable: false });
      for (const other of [bob, web]) {
        const call = await it.call(alice, other);
        const agents = { caller: alice, callee: other };
        const [from, to] = which;
        const [one, two] = [agents[from], agents[to]];
        const headers = [['Refer-To', '<sip:carol@example.com>']] as const;
        await passes(one, call[from], two, 'REFER', { headers }, 202);
        await it.hangUp(one, call[from], two);
        for (const status of ['100 Trying', '200 OK']) {
          await passes(two, call[to], one, 'NOTIFY', { headers: [['Event', 'refer']], ...sipfrag(status) });
        }
      }
    }));
}

test('RFC 5359 §2.5, RFC 3891, RFC 3892: attended transfer: Replaces and Referred-By reach carol as they are', () =>
  stage(async ({ it, alice, bob, carol }) => {
    const first = await it.call(alice, bob);
    const consultation = await it.call(bob, carol, { callId: 'consultation' });
    const { callId, local, remote } = consultation.caller;
    const replaces = `${callId};to-tag=${remote.tag};from-tag=${local.tag}`;
    const refer = [
      ['Refer-To', `<sip:carol@example.com?Replaces=${encodeURIComponent(replaces)}>`],
      ['Referred-By', '<sip:bob@example.com>;cid="20398823.2UWQFN309shb3@bob.example"'],
    ] as const;
    await passes(bob, first.callee, alice, 'REFER', { headers: refer }, 202);

    const headers = [['Replaces', replaces], ['Require', 'replaces'], refer[1]] as const;
    const invite = alice.request('INVITE', carol.aor, { ...offer, callId: 'replacing', headers });
    const received = await carol.receivesRequest('INVITE');
    assertUntouched(invite, received);
    const ok = carol.respond(received, 200, answer);
    const answered = await alice.receivesResponse(200, 'INVITE');
    alice.ack(invite, answered);
    await carol.receivesRequest('ACK');

    // RFC 3891 §3: whoever is replaced is hung up by carol, and bob ends what he began.
    await it.hangUp(carol, consultation.callee, bob);
    await it.hangUp(bob, first.callee, alice);
    await it.hangUp(alice, alice.dialog(invite, answered), carol);
    assert.equal(get(ok, Contact)?.uri, carol.contact);
  }));

test('RFC 5359 §2.12: call pick-up: an INVITE with Replaces;early-only takes the ringing call, which is then cancelled', () =>
  stage(async ({ it, alice, bob, carol }) => {
    const ringing = alice.request('INVITE', bob.aor, offer);
    const atBob = await bob.receivesRequest('INVITE');
    bob.respond(atBob, 180);
    const early = alice.dialog(ringing, await alice.receivesResponse(180));
    const replaces = `${early.callId};to-tag=${early.local.tag};from-tag=${early.remote.tag};early-only`;
    const pickup = carol.request('INVITE', alice.aor, {
      body: phoneOffer('carol'),
      contentType: sdpType,
      callId: 'pick-up',
      headers: [['Replaces', replaces]],
    });
    const atAlice = await alice.receivesRequest('INVITE');
    assertUntouched(pickup, atAlice);
    alice.respond(atAlice, 200, { body: phoneAnswer('alice'), contentType: sdpType });
    const answered = await carol.receivesResponse(200, 'INVITE');
    carol.ack(pickup, answered);
    await alice.receivesRequest('ACK');

    alice.cancel(ringing);
    await alice.receivesResponse(200, 'CANCEL');
    bob.respond(await bob.receivesRequest('CANCEL'), 200);
    bob.respond(atBob, 487);
    await bob.receivesRequest('ACK');
    alice.ack(ringing, await alice.receivesResponse(487));
    await it.hangUp(carol, carol.dialog(pickup, answered), alice);
  }));

test('RFC 3261 §8.1.3.4: a 302 goes to the caller with its Contacts: whether to follow is his decision', () =>
  stage(async ({ alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const moved = bob.respond(await bob.receivesRequest('INVITE'), 302, {
      headers: [['Contact', '<sip:carol@example.net>;q=0.7, <sip:bob@mobile.example.net>;q=0.1']],
    });
    const heard = await alice.receivesResponse(302);
    assertUntouched(moved, heard);
    alice.ack(invite, heard);
    await bob.receivesRequest('ACK');
  }));

test('RFC 4028 §8: session timers pass: 422, Session-Expires in both directions, and a refresh by UPDATE', () =>
  stage(async ({ it, alice, bob }) => {
    const short = [
      ['Supported', 'timer'],
      ['Session-Expires', '60;refresher=uac'],
      ['Min-SE', '60'],
    ] as const;
    const first = alice.request('INVITE', bob.aor, { ...offer, headers: short });
    const tooShort = await bob.receivesRequest('INVITE');
    assertUntouched(first, tooShort);
    const refused = bob.respond(tooShort, 422, { headers: [['Min-SE', '120']] });
    const heard = await alice.receivesResponse(422);
    assertUntouched(refused, heard);
    alice.ack(first, heard);
    await bob.receivesRequest('ACK');

    const long = [
      ['Supported', 'timer'],
      ['Session-Expires', '120;refresher=uac'],
      ['Min-SE', '120'],
    ] as const;
    const invite = alice.request('INVITE', bob.aor, {
      ...offer,
      headers: long,
    });
    const received = await bob.receivesRequest('INVITE');
    const agreed = [
      ['Require', 'timer'],
      ['Session-Expires', '120;refresher=uac'],
    ] as const;
    const ok = bob.respond(received, 200, { ...answer, headers: agreed });
    const answered = await alice.receivesResponse(200, 'INVITE');
    assertUntouched(ok, answered);
    alice.ack(invite, answered);
    await bob.receivesRequest('ACK');

    const dialog = alice.dialog(invite, answered);
    await it.clock.advance(60_000);
    // RFC 4028 §7.4: an UPDATE without an offer refreshes; rtpengine hears nothing of it.
    const commands = it.media.told.length;
    await passes(alice, dialog, bob, 'UPDATE', { headers: long });
    assert.equal(it.media.told.length, commands);
    await it.hangUp(alice, dialog, bob);
  }));

test('RFC 3262: a reliable 183 and its PRACK pass, each with its RSeq, RAck and option tags', () =>
  stage(async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, { ...offer, headers: [['Supported', '100rel']] });
    const received = await bob.receivesRequest('INVITE');
    const progress = bob.respond(received, 183, {
      headers: [
        ['Require', '100rel'],
        ['RSeq', '7001'],
      ],
    });
    const early = await alice.receivesResponse(183);
    assertUntouched(progress, early);
    await passes(alice, alice.dialog(invite, early), bob, 'PRACK', { headers: [['RAck', '7001 1 INVITE']] });
    bob.respond(received, 200, answer);
    const answered = await alice.receivesResponse(200, 'INVITE');
    alice.ack(invite, answered);
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, bob.dialog(received, answered), alice);
  }));

test('RFC 6228 §5: a 199 from further on reaches a caller who understands it', () =>
  stage(async ({ alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, { ...offer, headers: [['Supported', '199']] });
    const received = await bob.receivesRequest('INVITE');
    const gone = bob.respond(received, 199, { headers: [['Reason', 'SIP;cause=486;text="Busy Here"']], toTag: 'desk' });
    assertUntouched(gone, await alice.receivesResponse(199));
    bob.respond(received, 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesRequest('ACK');
  }));

test('RFC 6086: INFO with a package and a body of its own passes in both directions, and rtpengine is not asked', () =>
  stage(async ({ it, alice, bob }) => {
    const { caller, callee } = await it.call(alice, bob);
    const commands = it.media.told.length;
    const dtmf = { body: 'Signal=5\r\nDuration=160\r\n', contentType: 'application/dtmf-relay' };
    await passes(alice, caller, bob, 'INFO', dtmf);
    await passes(bob, callee, alice, 'INFO', { ...dtmf, headers: [['Info-Package', 'foo']] });
    assert.equal(it.media.told.length, commands);
    await it.hangUp(alice, caller, bob);
  }));

test('RFC 3842, RFC 6665: an unsolicited NOTIFY in a call passes', () =>
  stage(async ({ it, alice, bob }) => {
    const { caller, callee } = await it.call(alice, bob);
    const headers = [
      ['Event', 'talk'],
      ['Subscription-State', 'terminated'],
    ] as const;
    await passes(bob, callee, alice, 'NOTIFY', { headers });
    await it.hangUp(alice, caller, bob);
  }));

test('RFC 3261 §7.3.1: headers that nobody here knows arrive as they are, in their order, blanks and all', () =>
  stage(async ({ it, alice, bob }) => {
    const headers = [
      ['X-First', 'a  b\tc'],
      ['P-Early-Media', 'supported'],
      ['Request-Disposition', 'no-fork, queue'],
      ['a', '*;audio;require'],
      ['j', '*;actor="msg-taker"'],
      ['Alert-Info', '<http://www.example.com/sounds/moo.wav>;appearance=2'],
      ['Session-ID', 'ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000'],
      ['X-First', '\xfc\xdf'],
      ['Privacy', 'none'],
    ] as const;
    const invite = alice.request('INVITE', bob.aor, { ...offer, headers });
    const received = await bob.receivesRequest('INVITE');
    assertUntouched(invite, received);
    bob.respond(received, 603);
    alice.ack(invite, await alice.receivesResponse(603));
    await bob.receivesRequest('ACK');
    assert.ok(it.log.every(({ level }) => level !== 'error'));
  }));
