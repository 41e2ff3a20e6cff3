/**
 * Each verdict, from a call that deserves it: through the whole proxy, with the relay of the tests in rtpengine's place.
 * The last test asks that no row of the table goes without.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CallExplanation } from '../../src/engine/operations.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { NgCommand, NgReply } from '../../src/ports.ts';
import { verdictRows } from '../../src/story/verdicts.ts';
import type { Agent, AgentOptions } from '../support/agent.ts';
import { type Heard, heard, nowhere } from '../support/heard-media.ts';
import { createProxyScene, type ProxyScene, type ProxySceneOptions, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
}

interface Scenery extends Partial<ProxySceneOptions> {
  readonly alice?: Partial<AgentOptions>;
  readonly bob?: Partial<AgentOptions>;
}

const browser = { transport: 'wss' } as const;
const produced = new Set<number>();

async function newest(it: ProxyScene): Promise<CallExplanation> {
  const { operations } = it.proxy();
  const [call] = (await operations.calls({ limit: 1 })).items;
  const explained = await operations.explain(call?.id ?? '');
  assert.ok(explained !== undefined, 'there is a call');
  return explained;
}

/** Plays the call; its explanation must have this verdict first, or (for a notice) at all. */
function verdict(number: number, title: string, scenery: Scenery, play: (stage: Stage) => Promise<void>): void {
  test(`${number} ${title}`, async () => {
    const { alice, bob, ...options } = scenery;
    const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], ...options });
    await it.play(async () => {
      const stage: Stage = {
        it,
        alice: await it.registered({ name: 'alice', address: '198.51.100.1', ...alice }),
        bob: await it.registered({ name: 'bob', address: '198.51.100.2', ...bob }),
      };
      await play(stage);
      const row = verdictRows.find((one) => one.number === number);
      const { verdicts } = await newest(it);
      const said = verdicts.map(({ code, says }) => `${code}: ${says}`).join('\n');
      const wanted = row?.level === 'error' ? verdicts.slice(0, 1) : verdicts;
      const hit = wanted.find((one) => one.number === number);
      assert.ok(hit !== undefined, `${row?.code} was expected, and this was said:\n${said}`);
      assert.ok(
        hit.says.length > 10 && hit.nextStep.length > 10 && !/undefined|NaN/.test(hit.says + hit.nextStep),
        said,
      );
      produced.add(number);
      await tidied(stage);
    });
  });
}

/** Whatever is still open may end by its timers. */
async function tidied({ it }: Stage): Promise<void> {
  it.media.set({ nodes: { m1: 'up' }, latencyMs: 0, refuse: () => undefined, reply: (_, reply) => reply });
  await it.clock.advance(300_000);
}

// --- plays -----------------------------------------------------------------------------------------------------------

const offer = (body = phoneOffer('alice')) => ({ body, contentType: sdpType });

function refuses(only: NgCommand['command'], code: ErrorCode, refusal: string) {
  return { refuse: ({ command }: NgCommand) => (command === only ? code : undefined), refusal };
}

/** An INVITE that is refused before it reaches bob. */
async function refused({ alice, bob }: Stage): Promise<void> {
  const invite = alice.request('INVITE', bob.aor, offer());
  alice.ack(invite, await alice.receivesFinal('INVITE', 60_000));
}

function bobSays(status: number, ringing = false) {
  return async ({ alice, bob }: Stage): Promise<void> => {
    const invite = alice.request('INVITE', bob.aor, offer());
    const received = await bob.receivesRequest('INVITE');
    if (ringing) bob.respond(received, 180);
    bob.respond(received, status);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesFinal('INVITE'));
  };
}

/** Up for these seconds, then hung up by alice. */
function talk(seconds = 5, during: (stage: Stage) => Promise<void> | void = () => undefined) {
  return async (stage: Stage): Promise<void> => {
    const { it, alice, bob } = stage;
    const [isBrowser, other] = [alice, bob].map(({ contact }) => contact.includes('.invalid'));
    const { caller } = await it.call(alice, bob, {
      offer: isBrowser ? browserOffer('alice') : phoneOffer('alice'),
      answer: other ? browserAnswer('bob') : phoneAnswer('bob'),
    });
    await it.clock.advance(seconds * 1000);
    await during(stage);
    await it.hangUp(alice, caller, bob);
  };
}

function heardAs(alice: Heard, bob: Heard, ssrcs: NgReply = {}) {
  return talk(20, ({ it }) => heard(it, alice, bob, ssrcs));
}

/** The SDP for a browser, spoiled. */
function spoiled(change: (sdp: string) => string) {
  return async (stage: Stage): Promise<void> => {
    stage.it.media.set({
      reply: ({ command }, reply) =>
        command === 'answer' && typeof reply.sdp === 'string' ? { ...reply, sdp: change(reply.sdp) } : reply,
    });
    // It goes no further: the callee is let go, and the caller refused.
    const { alice, bob } = stage;
    const invite = alice.request('INVITE', bob.aor, offer(browserOffer('alice')));
    bob.respond(await bob.receivesRequest('INVITE'), 200, offer(phoneAnswer('bob')));
    bob.respond(await bob.receivesRequest('BYE'), 200);
    alice.ack(invite, await alice.receivesFinal('INVITE'));
  };
}

const without = (start: string) => (sdp: string) =>
  sdp
    .split('\r\n')
    .filter((line) => !line.startsWith(start))
    .join('\r\n');

// --- the table -------------------------------------------------------------------------------------------------------

describe('rtpengine refuses', () => {
  verdict(1, 'it cannot bind its address: no ports, while many are free', {}, async (stage) => {
    stage.it.media.set({ ...refuses('offer', 'media-busy', 'Ran out of ports'), freePorts: 9_000 });
    await refused(stage);
  });
  verdict(2, 'its session limit', {}, async (stage) => {
    stage.it.media.set({ ...refuses('offer', 'media-busy', 'Parallel session limit reached'), freePorts: 9_000 });
    await refused(stage);
  });
  verdict(3, 'no ports are left', {}, async (stage) => {
    stage.it.media.set({ ...refuses('offer', 'media-busy', 'Ran out of ports'), freePorts: 2 });
    await refused(stage);
  });
  verdict(4, 'it does not answer', {}, async (stage) => {
    stage.it.media.set({ nodes: { m1: 'silent' } });
    await refused(stage);
  });
  verdict(5, 'there is none', {}, async (stage) => {
    stage.it.media.set({ nodes: {} });
    await refused(stage);
  });
  verdict(6, 'Unknown call-id on the answer', {}, async (stage) => {
    const { it, alice, bob } = stage;
    it.media.set(refuses('answer', 'media-lost', 'Unknown call-id'));
    const invite = alice.request('INVITE', bob.aor, offer());
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 200, offer(phoneAnswer('bob')));
    await bob.receivesRequest('ACK');
    bob.respond(await bob.receivesRequest('BYE'), 200);
    alice.ack(invite, await alice.receivesFinal('INVITE'));
  });
  verdict(7, 'a reply without SDP', {}, async (stage) => {
    stage.it.media.set(refuses('offer', 'media-refused', 'It returned no SDP.'));
    await refused(stage);
  });
  verdict(8, 'Incomplete SDP specification', {}, async (stage) => {
    stage.it.media.set(refuses('offer', 'media-refused', 'Incomplete SDP specification'));
    await refused(stage);
  });
  verdict(9, 'an SDP in a multipart body', {}, async ({ alice, bob }) => {
    const contentType = 'multipart/mixed;boundary=b';
    const invite = alice.request('INVITE', bob.aor, {
      body: `--b\r\n\r\n${phoneOffer('alice')}\r\n--b--`,
      contentType,
    });
    alice.ack(invite, await alice.receivesResponse(415));
  });
});

describe('the way to the callee', () => {
  verdict(10, 'a browser leaves during the call', { alice: browser }, async ({ it, alice, bob }) => {
    await it.call(alice, bob, { offer: browserOffer('alice') });
    alice.station.close();
    bob.respond(await bob.receivesRequest('BYE', 20_000), 200);
  });
  verdict(11, 'the browser leaves while it is called', { bob: browser }, async ({ it, alice, bob }) => {
    it.media.set({ latencyMs: 400 });
    const invite = alice.request('INVITE', bob.aor, offer());
    await it.clock.advance(100);
    bob.station.close();
    alice.ack(invite, await alice.receivesFinal('INVITE'));
  });
  verdict(12, 'nobody is registered', { users: ['alice', 'bob', 'carol'] }, async ({ alice }) => {
    const invite = alice.request('INVITE', 'sip:carol@example.com', offer());
    alice.ack(invite, await alice.receivesResponse(480));
  });
  verdict(13, 'a sleeping tab', { bob: browser }, refused);
  verdict(14, 'a large INVITE over UDP', {}, async ({ alice, bob }) => {
    const body = `${phoneOffer('alice')}${'a=x-padding:0123456789\r\n'.repeat(60)}`;
    const invite = alice.request('INVITE', bob.aor, offer(body));
    alice.ack(invite, await alice.receivesFinal('INVITE', 60_000));
  });
  verdict(15, 'a device that is off', {}, refused);
  verdict(
    11,
    'a telephone that closes its connection while it is called',
    { bob: { transport: 'tcp', dialable: false } },
    async ({ it, alice, bob }) => {
      it.media.set({ latencyMs: 400 });
      const invite = alice.request('INVITE', bob.aor, offer());
      await it.clock.advance(100);
      bob.station.close();
      alice.ack(invite, await alice.receivesFinal('INVITE', 60_000));
    },
  );
  verdict(16, 'a server that takes no connection', {}, async ({ alice }) => {
    const invite = alice.request('INVITE', 'sip:bob@192.0.2.11:5060;transport=tcp', offer());
    alice.ack(invite, await alice.receivesFinal('INVITE', 60_000));
  });
  verdict(17, 'it rings until timer C', {}, async ({ alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, offer());
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    const cancel = await bob.receivesRequest('CANCEL', 200_000);
    bob.respond(cancel, 200);
    bob.respond(received, 487);
    alice.ack(invite, await alice.receivesFinal('INVITE', 60_000));
  });
});

describe('who may call', () => {
  const strict = { isTrusted: () => false };
  verdict(18, 'a wrong password, again and again', strict, async ({ alice, bob }) => {
    let invite = alice.request('INVITE', bob.aor, offer());
    for (let attempt = 0; attempt < 3; attempt++) {
      const challenge = await alice.receivesResponse(407);
      alice.ack(invite, challenge);
      invite = alice.login(invite, challenge, 'alice', 'wrong');
    }
    alice.ack(invite, await alice.receivesFinal('INVITE'));
  });
  verdict(19, 'no password at all', strict, async ({ alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, offer());
    alice.ack(invite, await alice.receivesResponse(407));
  });
  verdict(20, 'one of two devices is gone', {}, async ({ it, alice, bob }) => {
    const other = await it.registered({ name: 'bob', address: '198.51.100.3' });
    const invite = alice.request('INVITE', bob.aor, offer());
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await it.clock.advance(40_000);
    const ok = bob.respond(received, 200, offer(phoneAnswer('bob')));
    const answered = await alice.receivesResponse(200);
    alice.ack(invite, answered);
    await bob.receivesRequest('ACK');
    other.inbox.splice(0);
    await it.hangUp(bob, bob.dialog(received, ok), alice);
  });
  verdict(21, 'an address that is not here', {}, async ({ it, alice }) => {
    const invite = alice.request('INVITE', 'sip:nobody@example.com', offer());
    alice.ack(invite, await alice.receivesFinal('INVITE'));
    // Nobody came to need her SDP: that is no reason to say that she sent none.
    const [caller] = (await newest(it)).legs;
    assert.equal(caller?.why, 'its SDP is plain RTP');
  });
});

describe('what the callee said', () => {
  verdict(22, '486', {}, bobSays(486));
  verdict(23, '603', {}, bobSays(603, true));
  verdict(24, '488, also to the other profile', {}, async ({ alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, offer());
    for (let times = 0; times < 2; times++) {
      bob.respond(await bob.receivesRequest('INVITE'), 488);
      await bob.receivesRequest('ACK');
    }
    alice.ack(invite, await alice.receivesFinal('INVITE'));
  });
  for (const [number, status] of [
    [25, 488],
    [26, 491],
  ] as const) {
    verdict(number, `${status} to a re-INVITE`, {}, async ({ it, alice, bob }) => {
      const { caller } = await it.call(alice, bob);
      const again = alice.within(caller, 'INVITE', offer(phoneOffer('alice', { version: 2, direction: 'sendonly' })));
      bob.respond(await bob.receivesRequest('INVITE'), status);
      await bob.receivesRequest('ACK');
      alice.ack(again, await alice.receivesFinal('INVITE'));
      await it.hangUp(alice, caller, bob);
    });
  }
  verdict(27, '483', {}, bobSays(483));
  verdict(28, '500', {}, bobSays(500));
  verdict(29, '404 from a device', {}, bobSays(404));
});

describe('what a browser was told', () => {
  verdict(30, 'no fingerprint', { alice: browser }, spoiled(without('a=fingerprint')));
  verdict(31, 'no ICE', { alice: browser }, spoiled(without('a=ice-')));
  verdict(
    32,
    'SDES beside DTLS',
    { alice: browser },
    spoiled((sdp) => `${sdp}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${'x'.repeat(40)}\r\n`),
  );
  verdict(33, 'no rtcp-mux', { alice: browser }, spoiled(without('a=rtcp-mux')));
  verdict(55, 'anything else that browsers refuse', { alice: browser }, spoiled(without('a=setup')));
  verdict(34, 'SRTP without keys, to a telephone', {}, async (stage) => {
    stage.it.media.set({
      reply: ({ command }, reply) =>
        command === 'offer' ? { ...reply, sdp: String(reply.sdp).replace('RTP/AVP', 'RTP/SAVP') } : reply,
    });
    await talk()(stage);
  });
});

describe('sound', () => {
  const some = { packets: 900 };
  const none = { packets: 0 };
  verdict(
    35,
    'rtpengine was restarted during the call',
    {},
    talk(5, ({ it }) => it.media.restart()),
  );
  verdict(36, 'none at all', {}, heardAs(none, none));
  verdict(
    37,
    'a browser that never reached rtpengine',
    { alice: browser },
    heardAs({ ...none, flags: ['ICE', 'DTLS-SRTP'], endpoint: nowhere }, some),
  );
  verdict(
    57,
    'a browser that may have reached rtpengine: it would be where its SDP said',
    { alice: browser },
    heardAs({ ...none, flags: ['ICE', 'DTLS-SRTP'] }, some),
  );
  verdict(38, 'one way', {}, heardAs(some, none));
  verdict(
    38,
    'a browser whose ICE and DTLS are done, and whose microphone gives nothing',
    { alice: browser },
    heardAs({ ...none, flags: ['ICE', 'DTLS-SRTP'], streamFlags: ['DTLS fingerprint verified'] }, some),
  );
  verdict(39, 'DTLS that never finished', { alice: browser }, heardAs({ ...some, flags: ['ICE', 'DTLS-SRTP'] }, some));
  verdict(40, 'a private address for a client outside', {}, async (stage) => {
    stage.it.media.set({
      reply: (_, reply) =>
        typeof reply.sdp === 'string' ? { ...reply, sdp: reply.sdp.replaceAll('203.0.113.50', '172.31.5.6') } : reply,
    });
    await talk()(stage);
  });
  verdict(41, 'only mDNS candidates', { alice: browser }, async (stage) => {
    const { it, alice, bob } = stage;
    const body = browserOffer('alice').replace('198.51.100.1 50000', 'b1946ac9-2492.local 50000');
    const { caller } = await it.call(alice, bob, { offer: body });
    await it.clock.advance(5_000);
    heard(it, { ...none, flags: ['ICE', 'DTLS-SRTP'] }, some);
    await it.hangUp(alice, caller, bob);
  });
  verdict(42, 'it stopped', {}, heardAs({ ...some, silentMs: 17_000 }, some));
  verdict(42, 'it stopped from both sides', {}, async (stage) => {
    await heardAs({ ...some, silentMs: 19_000 }, { ...some, silentMs: 17_000 })(stage);
    const said = (await newest(stage.it)).verdicts.map(({ says }) => says);
    assert.ok(said.includes('Nothing came from either side for the last 17 s.'), said.join('\n'));
  });
  verdict(
    43,
    'bad quality',
    {},
    heardAs(some, some, {
      '1': {
        'cumulative loss': 40,
        'average MOS': { MOS: 25, jitter: 60, 'packet loss': 12, 'round-trip time': 300_000 },
      },
    }),
  );
  verdict(58, 'silenced over REST, and left so', {}, async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob);
    const { id } = (await newest(it)).call;
    await it.proxy().operations.block(id, { what: 'media', of: 'both' }, true);
    await it.proxy().operations.block(id, { what: 'DTMF', of: 'caller' }, true);
    await it.proxy().operations.block(id, { what: 'media', of: 'callee' }, false);
    await it.proxy().operations.block(id, { what: 'DTMF', of: 'caller' }, false);
    const said = (await newest(it)).verdicts.map(({ says }) => says);
    assert.ok(
      said.some((words) => words.endsWith('media of the caller is blocked.')),
      said.join('\n'),
    );
    await it.hangUp(alice, caller, bob);
  });
  verdict(44, 'no keypad tones', {}, async ({ it, alice, bob }) => {
    const answer = without('a=rtpmap:101')(phoneAnswer('bob')).replace(' 101\r\n', '\r\n');
    const { caller } = await it.call(alice, bob, { answer });
    await it.hangUp(alice, caller, bob);
  });
  verdict(45, 'no ACK from the caller', {}, async ({ it, alice, bob }) => {
    alice.request('INVITE', bob.aor, offer());
    const received = await bob.receivesRequest('INVITE');
    const ok = bob.respond(received, 200, offer(phoneAnswer('bob')));
    await it.clock.advance(500);
    for (let times = 0; times < 4; times++) bob.send(ok);
    await it.clock.advance(10_000);
    await it.hangUp(bob, bob.dialog(received, ok), alice);
  });
  verdict(56, 'no answer to the BYE', {}, async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob);
    alice.within(caller, 'BYE');
    await bob.receivesRequest('BYE');
    await it.clock.advance(40_000);
  });
  verdict(56, 'the other side does not know the call any more: 481 to BYE', {}, async ({ it, alice, bob }) => {
    const { caller } = await it.call(alice, bob);
    alice.within(caller, 'BYE');
    bob.respond(await bob.receivesRequest('BYE'), 481);
    await alice.receivesResponse(481);
  });
  verdict(46, 'early media to SIP.js', { alice: browser }, async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, {
      ...offer(browserOffer('alice')),
      headers: [['User-Agent', 'SIP.js/0.21.2']],
    });
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 183, offer(phoneAnswer('bob')));
    await alice.receivesResponse(183);
    const ok = bob.respond(received, 200, offer(phoneAnswer('bob')));
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, bob.dialog(received, ok), alice);
  });
  verdict(47, 'a late offer', {}, async ({ it, alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor);
    const received = await bob.receivesRequest('INVITE');
    const ok = bob.respond(received, 200, offer(phoneOffer('bob')));
    alice.ack(invite, await alice.receivesResponse(200), offer(phoneAnswer('alice')));
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, bob.dialog(received, ok), alice);
  });
  verdict(
    48,
    'statistics that got lost',
    {},
    talk(5, async ({ it }) => {
      it.media.set({ nodes: { m1: 'mute' } });
      const [call] = (await it.proxy().operations.calls({ limit: 1 })).items;
      const explained = it.proxy().operations.explain(call?.id ?? '');
      await it.clock.advance(3_000);
      await explained;
      it.media.set({ nodes: { m1: 'up' } });
    }),
  );
  verdict(49, 'a slow offer', {}, async (stage) => {
    stage.it.media.set({ latencyMs: 800 });
    await talk()(stage);
  });
});

describe('nothing is wrong', () => {
  verdict(50, 'it rings', {}, async ({ alice, bob }) => {
    alice.request('INVITE', bob.aor, offer());
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await alice.receivesResponse(180);
  });
  verdict(51, 'the caller changes his mind', {}, async ({ alice, bob }) => {
    const invite = alice.request('INVITE', bob.aor, offer());
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await alice.receivesResponse(180);
    alice.cancel(invite);
    bob.respond(await bob.receivesRequest('CANCEL'), 200);
    bob.respond(received, 487);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(487));
  });
  verdict(52, 'both sides are heard', {}, heardAs({ packets: 900 }, { packets: 901 }));
  verdict(53, 'a call of whose media nothing is known', {}, talk());
  verdict(54, '302', {}, bobSays(302));
});

test('no row of the table goes without its call, and no number is used twice', () => {
  const numbers = verdictRows.map(({ number }) => number);
  assert.deepEqual(
    numbers.filter((number) => !produced.has(number)),
    [],
  );
  assert.equal(new Set(numbers).size, numbers.length);
});
