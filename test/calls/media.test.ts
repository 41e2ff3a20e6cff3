/** What rtpengine is told on each way through a call, and that no call goes on without it (DESIGN laws 1 to 3, §4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { ContentLength } from '../../src/message/headers/numbers.ts';
import { ContentType, Reason, Warning } from '../../src/message/headers/text.ts';
import type { SipMessage } from '../../src/message/message.ts';
import type { NgCommand, NgReply, Transport } from '../../src/ports.ts';
import type { Agent, AgentDialog } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer, type SeenSdp, sdesOffer, seen } from '../support/sdp.ts';

type Kind = 'browser' | 'phone';

const transportOf = { browser: 'wss', phone: 'udp' } as const satisfies Record<Kind, Transport>;
const offerOf = { browser: browserOffer, phone: phoneOffer } as const;
const answerOf = { browser: browserAnswer, phone: phoneAnswer } as const;
const protocolOf = { browser: 'UDP/TLS/RTP/SAVPF', phone: 'RTP/AVP' } as const;

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
}

async function stage(caller: Kind, callee: Kind, script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob', 'cell'] });
  await it.play(async () => {
    const alice = await it.registered({
      name: 'alice',
      transport: transportOf[caller],
      address: '192.0.2.1',
      port: 5061,
    });
    const bob = await it.registered({ name: 'bob', transport: transportOf[callee], address: '192.0.2.2' });
    await script({ it, alice, bob });
  });
}

const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

/** The SDP of the message went through the relay, and says this. */
function carries(message: SipMessage, expected: Partial<SeenSdp>): void {
  assert.equal(get(message, ContentLength), message.body.length);
  assert.deepEqual({ ...seen(message.body), ...expected, relayed: true }, seen(message.body));
}

const toPhone = { protocol: 'RTP/AVP', ice: false, rtcpMux: false, setup: undefined } as const;

for (const caller of ['browser', 'phone'] as const) {
  for (const callee of ['browser', 'phone'] as const) {
    test(`${caller} calls ${callee}: each gets an SDP of its own kind, and the call is deleted at its end`, () =>
      stage(caller, callee, async ({ it, alice, bob }) => {
        const {
          received,
          answered,
          callee: dialog,
        } = await it.call(alice, bob, {
          offer: offerOf[caller]('alice'),
          answer: answerOf[callee]('bob'),
        });
        const offered = { protocol: protocolOf[callee], author: 'alice' } as const;
        carries(
          received,
          callee === 'phone' ? { ...toPhone, ...offered } : { ...offered, ice: true, setup: 'actpass' },
        );
        const accepted = { protocol: protocolOf[caller], author: 'bob' } as const;
        // `passive`: the calling browser opens its NAT for the DTLS handshake.
        carries(
          answered,
          caller === 'phone' ? { ...toPhone, ...accepted } : { ...accepted, ice: true, setup: 'passive' },
        );
        assert.equal(it.media.calls().length, 1);
        await it.hangUp(bob, dialog, alice);
        assert.deepEqual(it.media.calls(), []);
        assert.deepEqual(it.media.story(), [`offer ${protocolOf[callee]}`, 'answer', 'delete']);
      }));
  }
}

test('law 2: a party is what its SDP says, also when its offer came late: later offers to it are of that kind', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor);
    const received = await bob.receivesRequest('INVITE');
    const dialog = bob.dialog(received, bob.respond(received, 200, sdp(sdesOffer('bob'))));
    const ok = await alice.receivesResponse(200);
    alice.ack(invite, ok, sdp(phoneAnswer('alice')));
    await bob.receivesRequest('ACK');
    const again = alice.within(alice.dialog(invite, ok), 'INVITE', sdp(phoneOffer('alice', { version: 2 })));
    const atBob = await bob.receivesRequest('INVITE');
    carries(atBob, { protocol: 'RTP/SAVP' });
    bob.respond(atBob, 200, sdp(sdesOffer('bob', { version: 2 })));
    alice.ack(again, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, dialog, alice);
  }));

test('DESIGN §4: from a telephone to a browser no a=ssrc, to a telephone one telephone-event only', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const events = 'a=rtpmap:126 telephone-event/8000\r\n';
    const twice = browserOffer('alice').replace(' 126\r\n', ' 126 110\r\n');
    const { received, answered, callee } = await it.call(alice, bob, {
      offer: twice.replace(events, `${events}a=rtpmap:110 telephone-event/48000\r\n`),
      answer: `${phoneAnswer('bob')}a=ssrc:1 cname:x\r\n`,
    });
    assert.deepEqual(received.body.match(/telephone-event.*/g), ['telephone-event/8000']);
    assert.ok(!answered.body.includes('a=ssrc'));
    await it.hangUp(bob, callee, alice);
  }));

/** With these formats in the `m=` line of its audio. */
const speaks = (body: string, formats: string): string => body.replace(/^(m=audio \d+ \S+) .*\r$/m, `$1 ${formats}\r`);

for (const [takes, given] of [
  ['111 126', '111 126'],
  ['0 111 126', '0 126'],
] as const) {
  test(`a telephone with PCMU alone calls a browser that takes ${takes}: opus was offered to it, and rtpengine hears of ${given}`, () =>
    stage('phone', 'browser', async ({ it, alice, bob }) => {
      const answer = speaks(browserAnswer('bob'), takes);
      const { callee } = await it.call(alice, bob, { offer: speaks(phoneOffer('alice'), '0 101'), answer });
      const [offer, told] = it.media.told.map(({ command }) => command);
      assert.deepEqual(offer?.command === 'offer' && offer.codec, { transcode: ['opus'] });
      assert.match(told?.command === 'answer' ? told.sdp : '', new RegExp(`^m=audio \\d+ \\S+ ${given}\r$`, 'm'));
      await it.hangUp(bob, callee, alice);
    }));
}

test('DESIGN §4: each receiver gets an address of the family it is reached by', async () => {
  const listen = ['udp:192.0.2.100:5060', 'udp:[2001:db8::100]:5060'];
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], listen });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '2001:db8::2', listener: 1 });
    const { caller } = await it.call(alice, bob);
    const families = it.media.told.flatMap(({ command }) =>
      command.command === 'offer' ? [command['address-family']] : [],
    );
    assert.deepEqual(families, ['IP6']);
    await it.hangUp(alice, caller, bob);
  });
});

// --- never without media ---------------------------------------------------------------------------------------------

test('law 1: rtpengine refuses the offer: bob never rings, and alice is told why (488)', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    it.media.set({ refuse: ({ command }) => (command === 'offer' ? 'media-refused' : undefined) });
    const invite = alice.request('INVITE', bob.aor, sdp(browserOffer('alice')));
    const final = await alice.receivesResponse(488);
    assert.match(get(final, Warning) ?? '', /rtpengine/);
    alice.ack(invite, final);
    await bob.receivesNothing(1000);
  }));

test('law 1: no rtpengine answers: 503 with a Warning that says so; when it is back, calls work', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    it.media.set({ nodes: { m1: 'down' } });
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const final = await alice.receivesResponse(503);
    assert.match(get(final, Warning) ?? '', /No rtpengine answers/);
    alice.ack(invite, final);
    await bob.receivesNothing(1000);
    it.media.set({ nodes: { m1: 'up' } });
    const { caller } = await it.call(alice, bob);
    await it.hangUp(alice, caller, bob);
  }));

test('DESIGN §4: a node without ports, or one that has died unseen, makes way for the next', async () => {
  for (const first of ['busy', 'silent', 'mute'] as const) {
    await stage('phone', 'phone', async ({ it, alice, bob }) => {
      const nodes = { m1: first === 'busy' ? 'up' : first, m2: 'up' } as const;
      it.media.set({
        nodes,
        refuse: ({ command }, node) =>
          first === 'busy' && node === 'm1' && command === 'offer' ? 'media-busy' : undefined,
      });
      const { caller } = await it.call(alice, bob);
      assert.deepEqual(
        it.media.told.filter(({ command }) => command.command === 'answer').map(({ nodeId }) => nodeId),
        ['m2'],
      );
      it.media.set({ nodes: { m1: 'up', m2: 'up' } });
      await it.hangUp(alice, caller, bob);
      // A delete to the node that gave no answer is repeated from the outbox until it is confirmed.
      await it.clock.advance(30_000);
      assert.deepEqual(it.database.rows.outbox(), []);
      assert.deepEqual(it.media.calls(), []);
    });
  }
});

test('law 1: the answer is refused after the 2xx: bob gets ACK and BYE with the reason, alice a 5xx', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    it.media.set({ refuse: ({ command }) => (command === 'answer' ? 'media-lost' : undefined) });
    const invite = alice.request('INVITE', bob.aor, sdp(browserOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 200, sdp(phoneAnswer('bob')));
    await bob.receivesRequest('ACK');
    const bye = await bob.receivesRequest('BYE');
    assert.match(get(bye, Reason) ?? '', /^SIP;cause=503;text="/);
    bob.respond(bye, 200);
    const final = await alice.receivesFinal('INVITE');
    assert.equal(final.status, 503);
    alice.ack(invite, final);
    // RFC 3261 §13.3.1.4: bob repeats his 200 until he has seen an ACK; there is no second BYE.
    bob.respond(received, 200, sdp(phoneAnswer('bob')));
    await bob.receivesRequest('ACK');
    await bob.receivesNothing(1000);
  }));

test('law 1: the answer in the ACK is refused: BYE to both', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    it.media.set({ refuse: ({ command }) => (command === 'answer' ? 'media-lost' : undefined) });
    const invite = alice.request('INVITE', bob.aor);
    bob.respond(await bob.receivesRequest('INVITE'), 200, sdp(phoneOffer('bob')));
    alice.ack(invite, await alice.receivesResponse(200), sdp(phoneAnswer('alice')));
    for (const party of [alice, bob]) party.respond(await party.receivesRequest('BYE'), 200);
    assert.deepEqual(
      bob.inbox.filter((message) => message.kind === 'request' && message.method === 'ACK'),
      [],
    );
  }));

test('law 1: early media that rtpengine refuses is left out, and the 183 goes on without it', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    it.media.set({ refuse: ({ command }) => (command === 'answer' ? 'media-refused' : undefined) });
    bob.respond(received, 183, sdp(phoneAnswer('bob')));
    assert.equal((await alice.receivesResponse(183)).body, '');
    it.media.set({ refuse: () => undefined });
    const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneAnswer('bob'))));
    const ok = await alice.receivesResponse(200);
    carries(ok, { ...toPhone, author: 'bob' });
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, dialog, alice);
  }));

/** rtpengine gives back something else than it should. */
const spoilt =
  (edit: (body: string) => string) =>
  (_: NgCommand, reply: NgReply): NgReply =>
    typeof reply.sdp === 'string' ? { ...reply, sdp: edit(reply.sdp) } : reply;

test('an SDP that the browser would refuse never reaches it: 488 with a Warning that names the line', () =>
  stage('phone', 'browser', async ({ it, alice, bob }) => {
    it.media.set({ reply: spoilt((body) => body.replace(/^a=fingerprint.*\r\n/gm, '')) });
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const final = await alice.receivesResponse(488);
    assert.match(get(final, Warning) ?? '', /browser takes.*m=audio: a=fingerprint is missing/);
    alice.ack(invite, final);
    await bob.receivesNothing(1000);
    assert.deepEqual(it.media.story(), ['offer UDP/TLS/RTP/SAVPF', 'offer UDP/TLS/RTP/SAVPF', 'delete']);
  }));

test('an SDP that is spoilt once is made anew, and the call goes on: an offer, and an answer with its offer', async () => {
  for (const [caller, callee] of [
    ['phone', 'browser'],
    ['browser', 'phone'],
  ] as const) {
    await stage(caller, callee, async ({ it, alice, bob }) => {
      let times = 0;
      const once = (body: string): string =>
        body.includes('a=rtcp-mux') && times++ === 0 ? body.replace('a=rtcp-mux\r\n', '') : body;
      it.media.set({ reply: spoilt(once) });
      const answer = answerOf[callee]('bob');
      const {
        received,
        answered,
        callee: dialog,
      } = await it.call(alice, bob, { offer: offerOf[caller]('alice'), answer });
      assert.equal(seen((callee === 'browser' ? received : answered).body).rtcpMux, true);
      assert.ok(times > 0);
      await it.hangUp(bob, dialog, alice);
    });
  }
});

test('RFC 3264 §6: a telephone that leaves the video out of its answer: the browser gets it refused', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const video = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtcp-mux\r\n';
    const { answered, callee } = await it.call(alice, bob, { offer: `${browserOffer('alice')}${video}` });
    assert.match(answered.body, /^m=video 0 /m);
    await it.hangUp(bob, callee, alice);
  }));

test('RFC 3264 §8: that telephone holds: the browser is offered as many media as before, the telephone answered one', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const video = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtcp-mux\r\n';
    const { caller, callee } = await it.call(alice, bob, { offer: `${browserOffer('alice')}${video}` });
    // The second time the session is as the telephone's own offer, and the browser's answer, left it.
    for (const version of [2, 3]) {
      const hold = bob.within(callee, 'INVITE', sdp(phoneOffer('bob', { direction: 'sendonly', version })));
      const atAlice = await alice.receivesRequest('INVITE');
      assert.deepEqual(atAlice.body.match(/^m=\S+ (?=0 )?/gm), ['m=audio ', 'm=video ']);
      assert.match(atAlice.body, /^m=video 0 /m);
      const answer = `${browserAnswer('alice', { direction: 'recvonly', version })}m=video 0 UDP/TLS/RTP/SAVPF 96\r\n`;
      alice.respond(atAlice, 200, { ...sdp(answer), toTag: caller.local.tag ?? '' });
      const ok = await bob.receivesResponse(200, 'INVITE');
      assert.deepEqual(ok.body.match(/^m=\S+/gm), ['m=audio']);
      bob.ack(hold, ok);
      await alice.receivesRequest('ACK');
    }
    await it.hangUp(bob, callee, alice);
  }));

test('RFC 3264 §6: a fax machine offers T.38 to a browser: 488 with a Warning, and the audio goes on', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const { caller, callee } = await it.call(alice, bob, { offer: browserOffer('alice') });
    const before = it.media.story().length;
    const offer = phoneOffer('bob', { version: 2 });
    const fax = `${offer.slice(0, offer.indexOf('m='))}m=image 48000 udptl t38\r\na=T38FaxVersion:0\r\n`;
    const again = bob.within(callee, 'INVITE', sdp(fax));
    const refused = await bob.receivesResponse(488);
    assert.match(get(refused, Warning) ?? '', /m=image: udptl is not UDP\/TLS\/RTP\/SAVPF/);
    bob.ack(again, refused);
    await it.clock.advance(10);
    // In vain twice, and then what was.
    const [toBrowser, toPhone] = ['offer UDP/TLS/RTP/SAVPF', 'offer RTP/AVP'];
    assert.deepEqual(it.media.story().slice(before), [toBrowser, toBrowser, toPhone, 'answer']);
    await it.hangUp(alice, caller, bob);
  }));

// --- endings ---------------------------------------------------------------------------------------------------------

test('law 3: busy, declined and not there: the media of a call that never was is deleted', async () => {
  for (const status of [486, 603, 404, 480]) {
    await stage('phone', 'phone', async ({ it, alice, bob }) => {
      const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
      bob.respond(await bob.receivesRequest('INVITE'), status);
      await bob.receivesRequest('ACK');
      alice.ack(invite, await alice.receivesResponse(status));
      assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'delete']);
    });
  }
});

test('law 6: CANCEL while rtpengine thinks about the offer: bob never rings, and what it made is deleted', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    it.media.set({ latencyMs: 400 });
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    await it.clock.advance(100);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    alice.ack(invite, await alice.receivesResponse(487));
    await bob.receivesNothing(2000);
    assert.equal(it.media.story()[0], 'offer RTP/AVP');
    assert.deepEqual(it.media.calls(), []);
  }));

test('law 6: CANCEL while an offer is on its second node: bob never rings, and both let go', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    it.media.set({ nodes: { m1: 'mute', m2: 'up' }, latencyMs: 200 });
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    await it.clock.advance(2_150);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    alice.ack(invite, await alice.receivesResponse(487));
    await bob.receivesNothing(4_000);
    it.media.set({ nodes: { m1: 'up', m2: 'up' }, latencyMs: 0 });
    await it.clock.advance(30_000);
    assert.deepEqual(it.media.told.map(({ nodeId }) => nodeId).slice(0, 2), ['m1', 'm2']);
    assert.deepEqual(it.media.calls(), []);
  }));

test('law 6: a 200 that waits for its answer is not overtaken by the 180 after it, nor by a CANCEL', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await alice.receivesResponse(180);
    it.media.set({ latencyMs: 100 });
    const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneAnswer('bob'))));
    bob.respond(received, 180);
    await it.clock.advance(20);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    const ok = await alice.receivesResponse(200, 'INVITE');
    carries(ok, { author: 'bob' });
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, dialog, alice);
    assert.deepEqual(
      alice.inbox.filter((message) => message.kind === 'response' && message.status === 180),
      [],
    );
  }));

test('law 3: bob never answers the BYE: the media goes all the same', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob);
    bob.station.freeze();
    alice.within(caller, 'BYE');
    await it.clock.advance(40_000);
    assert.deepEqual(it.media.calls(), []);
  }));

test('law 3: rtpengine is silent at the end of the call: the delete waits in the outbox, and is done later', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob);
    it.media.set({ nodes: { m1: 'silent' } });
    await it.hangUp(alice, caller, bob);
    await it.clock.advance(3000);
    assert.equal(it.database.rows.outbox().length, 1);
    it.media.set({ nodes: { m1: 'up' } });
    await it.clock.advance(15_000);
    assert.deepEqual(it.database.rows.outbox(), []);
    assert.deepEqual(it.media.calls(), []);
  }));

test('law 3: a BYE overtakes the offer of a re-INVITE: the session that the offer made anew is deleted', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob);
    it.media.set({ latencyMs: 500 });
    const again = alice.within(caller, 'INVITE', sdp(phoneOffer('alice', { version: 2 })));
    await it.clock.advance(10);
    it.media.set({ latencyMs: 0 });
    await it.hangUp(alice, caller, bob);
    assert.deepEqual(it.media.calls(), []);
    alice.ack(again, await alice.receivesResponse(503, 'INVITE'));
    assert.deepEqual(it.media.calls(), []);
    assert.deepEqual(bob.inbox, []);
  }));

// --- forks -----------------------------------------------------------------------------------------------------------

test('DESIGN §4: browser and telephone ring together, each with an offer of its kind; the loser’s branch is deleted', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const cell = await it.registered({ name: 'cell', aor: bob.aor, transport: 'wss', address: '192.0.2.3' });
    const invite = alice.request('INVITE', bob.aor, sdp(browserOffer('alice')));
    const atBob = await bob.receivesRequest('INVITE');
    const atCell = await cell.receivesRequest('INVITE');
    carries(atBob, toPhone);
    carries(atCell, { protocol: 'UDP/TLS/RTP/SAVPF', ice: true, setup: 'actpass', rtcpMux: true });
    const offers = it.media.told.map(({ command }) => 'via-branch' in command && command['via-branch']);
    assert.equal(new Set(offers).size, 2, 'a via-branch for each');
    cell.respond(atCell, 180);
    await alice.receivesResponse(180);
    bob.respond(atBob, 200, sdp(phoneAnswer('bob')));
    const ok = await alice.receivesResponse(200);
    carries(ok, { protocol: 'UDP/TLS/RTP/SAVPF', setup: 'passive', author: 'bob' });
    alice.ack(invite, ok);
    cell.respond(await cell.receivesRequest('CANCEL'), 200);
    assert.equal(
      it.media.branches(it.media.calls()[0] ?? ''),
      2,
      'a CANCEL alone deletes nothing: a 2xx may still come',
    );
    cell.respond(atCell, 487);
    await cell.receivesRequest('ACK');
    await bob.receivesRequest('ACK');
    await it.clock.advance(33_000);
    assert.equal(it.media.branches(it.media.calls()[0] ?? ''), 1);
    await it.hangUp(alice, alice.dialog(invite, ok), bob);
    assert.deepEqual(it.media.story().slice(-2), ['delete branch', 'delete']);
  }));

test('DESIGN §4: all branches of a call are on one node, also when the first choice had no ports for the first of them', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const cell = await it.registered({ name: 'cell', aor: bob.aor, address: '192.0.2.3' });
    let refusals = 0;
    it.media.set({
      nodes: { m1: 'up', m2: 'up' },
      latencyMs: 20,
      refuse: ({ command }, node) =>
        node === 'm1' && command === 'offer' && refusals++ === 0 ? 'media-busy' : undefined,
    });
    const invite = alice.request('INVITE', bob.aor, sdp(browserOffer('alice')));
    for (const phone of [bob, cell]) {
      phone.respond(await phone.receivesRequest('INVITE'), 486);
      await phone.receivesRequest('ACK');
    }
    alice.ack(invite, await alice.receivesResponse(486));
    const offers = it.media.told.filter(({ command }) => command.command === 'offer').map(({ nodeId }) => nodeId);
    assert.deepEqual(offers, ['m1', 'm2', 'm2']);
  }));

test('DESIGN §4: a node that is drained while it rings keeps the call: the answer and a hold go there', () =>
  stage('phone', 'phone', async (scene) => {
    const { it, alice, bob } = scene;
    it.media.set({ nodes: { m1: 'up', m2: 'up' } });
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    it.media.set({ nodes: { m1: 'draining', m2: 'up' } });
    const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneAnswer('bob'))));
    const ok = await alice.receivesResponse(200);
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    await changes(scene, [alice, alice.dialog(invite, ok), 'phone'], [bob, 'phone'], 'sendonly');
    await it.hangUp(bob, dialog, alice);
    assert.deepEqual([...new Set(it.media.told.map(({ nodeId }) => nodeId))], ['m1']);
    assert.deepEqual(it.media.calls(), []);
  }));

test('law 3: a node that one branch tried in vain takes the other: what the first left there goes with the call', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const cell = await it.registered({ name: 'cell', aor: bob.aor, address: '192.0.2.3' });
    const failures = ['media-timeout', 'media-busy'] as const;
    let offers = 0;
    it.media.set({
      nodes: { m1: 'up', m2: 'up' },
      refuse: ({ command }) => (command === 'offer' ? failures[offers++] : undefined),
    });
    const invite = alice.request('INVITE', bob.aor, sdp(browserOffer('alice')));
    // The first branch was that of the cell.
    const received = await bob.receivesRequest('INVITE');
    const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneAnswer('bob'))));
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    assert.deepEqual(cell.inbox, []);
    const told = (): readonly string[] => it.media.told.map(({ nodeId, command }) => `${command.command} ${nodeId}`);
    const before = ['offer m1', 'offer m2', 'offer m1', 'delete m2', 'answer m1'];
    assert.deepEqual(told(), before);
    await it.hangUp(bob, dialog, alice);
    assert.deepEqual(told(), [...before, 'delete m1']);
  }));

test('law 3: no node takes the offer in time: each that was tried is told to let go', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    it.media.set({ nodes: { m1: 'mute', m2: 'mute' } });
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    alice.ack(invite, await alice.receivesFinal('INVITE'));
    it.media.set({ nodes: { m1: 'up', m2: 'up' } });
    await it.clock.advance(30_000);
    assert.deepEqual(it.media.calls(), []);
  }));

test('law 3: a call whose first SDP came in an UPDATE is deleted at its end', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor);
    const received = await bob.receivesRequest('INVITE');
    const dialog = bob.dialog(received, bob.respond(received, 200));
    const ok = await alice.receivesResponse(200);
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    alice.within(alice.dialog(invite, ok), 'UPDATE', sdp(phoneOffer('alice')));
    bob.respond(await bob.receivesRequest('UPDATE'), 200, sdp(phoneAnswer('bob')));
    await alice.receivesResponse(200, 'UPDATE');
    await it.hangUp(bob, dialog, alice);
    assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'answer', 'delete']);
  }));

test('RFC 3261 §16.6: a proxy before us forks one INVITE to two of our users: both ring, and both may answer', async () => {
  const names = ['bob', 'carol'] as const;
  const it = createProxyScene({ columns: ['trunk', 'proxy', ...names], users: names });
  await it.play(async () => {
    const trunk = it.agent({ name: 'trunk', address: '192.0.2.1' });
    const phones = await Promise.all([
      it.registered({ name: 'bob', address: '192.0.2.2' }),
      it.registered({ name: 'carol', address: '192.0.2.3' }),
    ]);
    const same = { callId: 'forked', fromTag: 'caller', ...sdp(phoneOffer('trunk')) };
    const invites = phones.map((phone) => trunk.request('INVITE', phone.aor, same));
    const received = await Promise.all(phones.map((phone) => phone.receivesRequest('INVITE')));
    const dialogs = [];
    for (const [index, phone] of phones.entries()) {
      const [invite, atPhone] = [invites[index], received[index]];
      assert.ok(invite !== undefined && atPhone !== undefined);
      dialogs.push(phone.dialog(atPhone, phone.respond(atPhone, 200, sdp(phoneAnswer(phone.name)))));
      const ok = await trunk.receivesResponse(200);
      carries(ok, { author: phone.name });
      trunk.ack(invite, ok);
      await phone.receivesRequest('ACK');
    }
    assert.equal(it.media.branches('forked'), 2);
    for (const [index, phone] of phones.entries()) {
      const dialog = dialogs[index];
      assert.ok(dialog !== undefined);
      await it.hangUp(phone, dialog, trunk);
    }
    const offers = ['offer RTP/AVP', 'offer RTP/AVP'];
    const second = ['offer RTP/AVP', 'answer'];
    const reconnected = ['offer RTP/AVP', 'answer'];
    const ended = ['delete branch', ...reconnected, 'delete'];
    assert.deepEqual(it.media.story(), [...offers, 'answer', ...second, ...reconnected, ...ended]);
  });
});

test('RFC 3261 §16.6: a proxy before us that has a media relay forks with an offer for each: both ring and talk, in sessions of their own', async () => {
  const names = ['bob', 'carol'] as const;
  const it = createProxyScene({ columns: ['trunk', 'proxy', ...names], users: names });
  await it.play(async () => {
    const trunk = it.agent({ name: 'trunk', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', transport: 'wss', address: '192.0.2.2' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
    const up = [];
    const ringing = [];
    for (const [index, phone] of [bob, carol].entries()) {
      const offer = phoneOffer('trunk').replace('40000', `4000${index}`);
      const invite = trunk.request('INVITE', phone.aor, { callId: 'forked', fromTag: 'caller', ...sdp(offer) });
      ringing.push([phone, invite, phone === bob ? browserAnswer('bob') : phoneAnswer('carol')] as const);
    }
    for (const [phone, invite, answer] of ringing) {
      const received = await phone.receivesRequest('INVITE');
      const callee = phone.dialog(received, phone.respond(received, 200, sdp(answer)));
      const ok = await trunk.receivesResponse(200);
      carries(ok, { author: phone.name });
      trunk.ack(invite, ok);
      await phone.receivesRequest('ACK');
      up.push([phone, callee, trunk.dialog(invite, ok)] as const);
    }
    assert.deepEqual(it.media.calls(), ['forked', 'forked~caller']);
    assert.deepEqual(it.media.story().length, 4, 'one offer and one answer each: none displaces the other');
    for (const [phone, callee, caller] of up) {
      const hold = trunk.within(caller, 'INVITE', sdp(phoneOffer('trunk', { direction: 'sendonly', version: 2 })));
      const received = await phone.receivesRequest('INVITE');
      carries(received, { protocol: protocolOf[phone === bob ? 'browser' : 'phone'], direction: 'sendonly' });
      const answer = phone === bob ? browserAnswer : phoneAnswer;
      phone.respond(received, 200, sdp(answer(phone.name, { direction: 'recvonly', version: 2 })));
      trunk.ack(hold, await trunk.receivesResponse(200));
      await phone.receivesRequest('ACK');
      await it.hangUp(phone, callee, trunk);
    }
    assert.deepEqual(it.media.calls(), []);
  });
});

test('law 1: the offer to one of two telephones is refused: the other one rings', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const cell = await it.registered({ name: 'cell', aor: bob.aor, transport: 'wss', address: '192.0.2.3' });
    it.media.set({
      refuse: (command) =>
        command.command === 'offer' && command['transport-protocol'] === 'UDP/TLS/RTP/SAVPF'
          ? 'media-refused'
          : undefined,
    });
    const invite = alice.request('INVITE', bob.aor, sdp(browserOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneAnswer('bob'))));
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    assert.deepEqual(cell.inbox, []);
    await it.hangUp(bob, dialog, alice);
  }));

// --- repetitions -----------------------------------------------------------------------------------------------------

test('law 1: a 2xx and an ACK that are repeated leave with the rewritten body, and rtpengine is not asked again', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(browserOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    const bodies = new Set<string>();
    let ok = await sends200();
    for (let time = 0; time < 3; time++) {
      await it.clock.advance(500);
      ok = await sends200();
    }
    async function sends200(): ReturnType<Agent['receivesResponse']> {
      bob.respond(received, 200, sdp(phoneAnswer('bob')));
      const response = await alice.receivesResponse(200);
      bodies.add(response.body);
      return response;
    }
    assert.equal(bodies.size, 1);
    carries(ok, { author: 'bob', setup: 'passive' });
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'answer']);
    await it.hangUp(alice, alice.dialog(invite, ok), bob);
  }));

test('RFC 3261 §13.2.1: early media in a 183, and the same answer in the 200 or none: both have it, rtpengine is told once', async () => {
  for (const body of [phoneAnswer('bob'), '']) {
    await stage('phone', 'phone', async ({ it, alice, bob }) => {
      const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
      const received = await bob.receivesRequest('INVITE');
      bob.respond(received, 183, sdp(phoneAnswer('bob')));
      const early = await alice.receivesResponse(183);
      const dialog = bob.dialog(received, bob.respond(received, 200, body === '' ? {} : sdp(body)));
      const ok = await alice.receivesResponse(200);
      assert.equal(ok.body, early.body);
      assert.equal(get(ok, ContentType), sdpType);
      alice.ack(invite, ok);
      await bob.receivesRequest('ACK');
      await it.hangUp(bob, dialog, alice);
      assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'answer', 'delete']);
    });
  }
});

test('DESIGN §4: where two To tags have answered, the winner’s answer is sent again: the other one displaced it', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    for (const toTag of ['one', 'two']) {
      bob.respond(received, 183, { ...sdp(phoneAnswer(toTag)), toTag });
      carries(await alice.receivesResponse(183), { author: toTag });
    }
    const dialog = bob.dialog(received, bob.respond(received, 200, { toTag: 'one' }));
    const ok = await alice.receivesResponse(200);
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    const answered = it.media.told.flatMap(({ command }) => (command.command === 'answer' ? [command['to-tag']] : []));
    assert.deepEqual(answered, ['one', 'two', 'one']);
    await it.hangUp(bob, dialog, alice);
  }));

test('RFC 3960: early media in a 183 and the same answer in the 200 reach a browser', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(browserOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 183, sdp(phoneAnswer('bob')));
    carries(await alice.receivesResponse(183), { author: 'bob', ice: true });
    const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneAnswer('bob'))));
    const ok = await alice.receivesResponse(200);
    carries(ok, { author: 'bob', ice: true });
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, dialog, alice);
  }));

test('RFC 3264 §5: an INVITE without offer: the offer comes in the 200, the answer in the ACK', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor);
    const received = await bob.receivesRequest('INVITE');
    assert.equal(received.body, '');
    const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneOffer('bob'))));
    const ok = await alice.receivesResponse(200);
    carries(ok, { ...toPhone, author: 'bob' });
    // She repeats it when bob's 200 comes again.
    for (let time = 0; time < 2; time++) {
      alice.ack(invite, ok, sdp(phoneAnswer('alice')));
      carries(await bob.receivesRequest('ACK'), { ...toPhone, author: 'alice' });
    }
    await it.hangUp(bob, dialog, alice);
    assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'answer', 'delete']);
  }));

// --- within the call -------------------------------------------------------------------------------------------------

/** `one` offers again with this direction, `other` answers. */
async function changes(
  { it }: Stage,
  [one, dialog, kind]: readonly [Agent, AgentDialog, Kind],
  [other, otherKind]: readonly [Agent, Kind],
  direction: 'sendonly' | 'sendrecv',
): Promise<void> {
  const version = 2 + it.media.told.length;
  const invite = one.within(dialog, 'INVITE', sdp(offerOf[kind](one.name, { direction, version })));
  const received = await other.receivesRequest('INVITE');
  carries(received, { author: one.name, direction, protocol: protocolOf[otherKind] });
  const back = direction === 'sendonly' ? 'recvonly' : 'sendrecv';
  other.respond(received, 200, sdp(answerOf[otherKind](other.name, { direction: back, version })));
  const ok = await one.receivesResponse(200, 'INVITE');
  carries(ok, { author: other.name, direction: back, protocol: protocolOf[kind] });
  one.ack(invite, ok);
  await other.receivesRequest('ACK');
}

test('RFC 3264 §8.4: hold and resume from both sides; each side is still written to as what it is', () =>
  stage('browser', 'phone', async (scene) => {
    const { it, alice, bob } = scene;
    const { caller, callee } = await it.call(alice, bob, { offer: browserOffer('alice') });
    for (const direction of ['sendonly', 'sendrecv'] as const) {
      await changes(scene, [alice, caller, 'browser'], [bob, 'phone'], direction);
    }
    for (const direction of ['sendonly', 'sendrecv'] as const) {
      await changes(scene, [bob, callee, 'phone'], [alice, 'browser'], direction);
    }
    await it.hangUp(alice, caller, bob);
    const again = ['offer RTP/AVP', 'answer', 'offer RTP/AVP', 'answer'];
    const back = ['offer UDP/TLS/RTP/SAVPF', 'answer', 'offer UDP/TLS/RTP/SAVPF', 'answer'];
    assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'answer', ...again, ...back, 'delete']);
  }));

test('DESIGN §4: a refused re-INVITE: the last accepted offer and answer are given again', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob, { offer: browserOffer('alice') });
    const offer = browserOffer('alice', { direction: 'sendonly', version: 2 });
    const again = alice.within(caller, 'INVITE', sdp(offer));
    bob.respond(await bob.receivesRequest('INVITE'), 488);
    await bob.receivesRequest('ACK');
    alice.ack(again, await alice.receivesResponse(488));
    const offers = it.media.told.flatMap(({ command }) => (command.command === 'offer' ? [command.sdp] : []));
    assert.deepEqual(offers, [browserOffer('alice'), offer, browserOffer('alice')]);
    await it.hangUp(alice, caller, bob);
  }));

test('RFC 3261 §14.2: both sides offer at once: 491 to the one who was later', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const { caller, callee } = await it.call(alice, bob);
    const first = alice.within(caller, 'INVITE', sdp(phoneOffer('alice', { version: 2 })));
    const atBob = await bob.receivesRequest('INVITE');
    const second = bob.within(callee, 'INVITE', sdp(phoneOffer('bob', { version: 2 })));
    bob.ack(second, await bob.receivesResponse(491));
    bob.respond(atBob, 200, sdp(phoneAnswer('bob', { version: 2 })));
    alice.ack(first, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await it.hangUp(alice, caller, bob);
  }));

test('RFC 3311: an UPDATE carries an offer as a re-INVITE does', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob, { offer: browserOffer('alice') });
    alice.within(caller, 'UPDATE', sdp(browserOffer('alice', { direction: 'sendonly', version: 2 })));
    const received = await bob.receivesRequest('UPDATE');
    carries(received, { ...toPhone, direction: 'sendonly' });
    bob.respond(received, 200, sdp(phoneAnswer('bob', { direction: 'recvonly', version: 2 })));
    carries(await alice.receivesResponse(200, 'UPDATE'), { direction: 'recvonly', ice: true });
    await it.hangUp(alice, caller, bob);
  }));

test('law 1: rtpengine has lost the call when alice re-INVITEs: she is refused, and the raw SDP goes nowhere', () =>
  stage('browser', 'phone', async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob, { offer: browserOffer('alice') });
    it.media.set({ refuse: ({ command }) => (command === 'offer' ? 'media-refused' : undefined) });
    const again = alice.within(caller, 'INVITE', sdp(browserOffer('alice', { version: 2 })));
    const final = await alice.receivesFinal('INVITE');
    assert.equal(final.status, 488);
    alice.ack(again, final);
    assert.deepEqual(bob.inbox, []);
    await it.hangUp(alice, caller, bob);
  }));

test('law 3: two callers with one Call-ID keep apart: the end of one call leaves the media of the other', async () => {
  const names = ['alice', 'bob', 'carol', 'dave'] as const;
  const it = createProxyScene({ columns: ['proxy', ...names], users: names });
  await it.play(async () => {
    const [alice, bob, carol, dave] = await Promise.all([
      it.registered({ name: 'alice', address: '192.0.2.1' }),
      it.registered({ name: 'bob', address: '192.0.2.2' }),
      it.registered({ name: 'carol', address: '192.0.2.3' }),
      it.registered({ name: 'dave', address: '192.0.2.4' }),
    ]);
    const first = await it.call(alice, bob, { callId: 'shared@b2bua' });
    const second = await it.call(carol, dave, { callId: 'shared@b2bua' });
    assert.equal(it.media.calls().length, 2);
    await it.hangUp(carol, second.caller, dave);
    assert.deepEqual(it.media.calls(), ['shared@b2bua']);
    await it.hangUp(bob, first.callee, alice);
    assert.deepEqual(it.media.calls(), []);
  });
});

test('law 10: a caller who takes a callee’s tag and Call-ID for a call of his own does not get into the other’s media', async () => {
  const names = ['alice', 'bob', 'carol', 'dave'] as const;
  const it = createProxyScene({ columns: ['proxy', ...names], users: names });
  await it.play(async () => {
    const [alice, bob, carol, dave] = await Promise.all([
      it.registered({ name: 'alice', address: '192.0.2.1' }),
      it.registered({ name: 'bob', address: '192.0.2.2' }),
      it.registered({ name: 'carol', address: '192.0.2.3' }),
      it.registered({ name: 'dave', address: '192.0.2.4' }),
    ]);
    const first = await it.call(alice, bob, { callId: 'shared' });
    const like = { callId: 'shared', fromTag: 'bob-tag' };
    const foreign = carol.request('INVITE', dave.aor, { ...like, ...sdp(phoneOffer('carol')) });
    const atDave = await dave.receivesRequest('INVITE');
    bob.within(first.callee, 'UPDATE', sdp(phoneOffer('bob', { version: 2 })));
    const update = await alice.receivesRequest('UPDATE');
    alice.respond(update, 200, { ...sdp(phoneAnswer('alice', { version: 2 })), toTag: first.caller.local.tag ?? '' });
    carries(await bob.receivesResponse(200, 'UPDATE'), { author: 'alice' });
    const named = it.media.told.map(({ command }) => 'call-id' in command && command['call-id']);
    assert.deepEqual(named, ['shared', 'shared', 'shared~bob-tag', 'shared', 'shared']);
    dave.respond(atDave, 486);
    await dave.receivesRequest('ACK');
    carol.ack(foreign, await carol.receivesResponse(486));
    await it.hangUp(bob, first.callee, alice);
  });
});

test('law 3: the delete of an old session waits in the outbox, and does not hit a new call with its Call-ID', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const old = await it.call(alice, bob, { callId: 'used-again' });
    it.media.set({ nodes: { m1: 'silent' } });
    await it.hangUp(alice, old.caller, bob);
    await it.clock.advance(3000);
    it.media.set({ nodes: { m1: 'up' } });
    const again = await it.call(alice, bob, { callId: 'used-again' });
    await it.clock.advance(15_000);
    assert.deepEqual(it.media.calls(), ['used-again']);
    await it.hangUp(alice, again.caller, bob);
    assert.deepEqual(it.media.calls(), []);
  }));

test('law 1: a simple callee answers with the very SDP it was offered: it is an answer, and rtpengine hears it', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    const answered = bob.respond(received, 200, sdp(received.body));
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    assert.deepEqual(
      it.media.told.map(({ command }) => command.command),
      ['offer', 'answer'],
    );
    await it.hangUp(bob, bob.dialog(received, answered), alice);
  }));

test('law 1: a simple client offers the very SDP it was told in a re-INVITE, or in the 200 to one without: rtpengine hears it', () =>
  stage('phone', 'browser', async ({ it, alice, bob }) => {
    const { received, answered, caller, callee } = await it.call(alice, bob, { answer: browserAnswer('bob') });
    for (const [one, dialog, told, other, otherDialog, answer] of [
      [bob, callee, received.body, alice, caller, phoneAnswer('alice', { version: 2 })],
      [alice, caller, answered.body, bob, callee, browserAnswer('bob', { version: 2 })],
    ] as const) {
      const again = one.within(dialog, 'INVITE', sdp(told));
      const atOther = await other.receivesRequest('INVITE');
      assert.notEqual(atOther.body, told);
      carries(atOther, { protocol: protocolOf[other === alice ? 'phone' : 'browser'] });
      other.respond(atOther, 200, { ...sdp(answer), toTag: otherDialog.local.tag ?? '' });
      one.ack(again, await one.receivesResponse(200, 'INVITE'));
      await other.receivesRequest('ACK');
    }
    const before = it.media.story().length;
    const bare = bob.within(callee, 'INVITE');
    const asked = await alice.receivesRequest('INVITE');
    alice.respond(asked, 200, { ...sdp(answered.body), toTag: caller.local.tag ?? '' });
    const offered = await bob.receivesResponse(200, 'INVITE');
    carries(offered, { protocol: protocolOf.browser });
    bob.ack(bare, offered, sdp(browserAnswer('bob', { version: 3 })));
    await alice.receivesRequest('ACK');
    assert.deepEqual(it.media.story().slice(before), ['offer UDP/TLS/RTP/SAVPF', 'answer']);
    await it.hangUp(alice, caller, bob);
  }));

test('law 1: an SDP in a multipart body is refused (415), and in a 200 it is left out: none passes rtpengine by', () =>
  stage('phone', 'phone', async ({ it, alice, bob }) => {
    const contentType = 'multipart/mixed;boundary=b';
    const body = `--b\r\nContent-Type: application/sdp\r\n\r\n${phoneOffer('alice')}\r\n--b--\r\n`;
    const hidden = alice.request('INVITE', bob.aor, { body, contentType });
    alice.ack(hidden, await alice.receivesResponse(415));
    await bob.receivesNothing(0);
    const invite = alice.request('INVITE', bob.aor, sdp(phoneOffer('alice')));
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 183, { body, contentType });
    assert.equal((await alice.receivesResponse(183)).body, '');
    bob.respond(received, 486);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
    assert.deepEqual(it.media.calls(), []);
  }));
