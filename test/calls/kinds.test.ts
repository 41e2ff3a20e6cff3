/** One address at devices of all three kinds; and what happens when one refuses the SDP it is offered (DESIGN §4, law 2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, eitherOffer, phoneAnswer, phoneOffer, sdesOffer, seen } from '../support/sdp.ts';

const bob = 'sip:bob@example.com';
const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });
const protocols = { webrtc: 'UDP/TLS/RTP/SAVPF', rtp: 'RTP/AVP', sdes: 'RTP/SAVP' } as const;
const offers = { webrtc: browserOffer, rtp: phoneOffer, sdes: sdesOffer } as const;
const answers = { webrtc: browserAnswer, rtp: phoneAnswer, sdes: sdesOffer } as const;
type Kind = keyof typeof protocols;
const kinds = ['webrtc', 'rtp', 'sdes'] as const;

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  /** Bob's devices. */
  readonly devices: Readonly<Record<Kind, Agent>>;
}

async function stage(caller: Kind, script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'webrtc', 'rtp', 'sdes'] });
  await it.play(async () => {
    const transport = caller === 'webrtc' ? 'wss' : 'udp';
    const alice = await it.registered({ name: 'alice', transport, address: '192.0.2.1', port: 5061 });
    const device = (name: Kind, address: string): Promise<Agent> =>
      it.registered({ name, aor: bob, transport: name === 'webrtc' ? 'wss' : 'udp', address });
    const devices = {
      webrtc: await device('webrtc', '192.0.2.2'),
      rtp: await device('rtp', '192.0.2.3'),
      sdes: await device('sdes', '192.0.2.4'),
    };
    await script({ it, alice, devices });
  });
}

const protocolOf = ({ body }: SipRequest | SipResponse): string => seen(body).protocol;

async function refuses(device: Agent, invite: SipRequest, status: number): Promise<void> {
  device.respond(invite, status);
  await device.receivesRequest('ACK');
}

async function isCancelled(device: Agent, invite: SipRequest): Promise<void> {
  device.respond(await device.receivesRequest('CANCEL'), 200);
  await refuses(device, invite, 487);
}

async function rings(device: Agent): Promise<SipRequest> {
  const invite = await device.receivesRequest('INVITE');
  device.respond(invite, 180);
  return invite;
}

/** All three ring, the SDES telephone after it has refused plain RTP. */
async function ring({ alice, devices }: Stage, offer: string): Promise<[SipRequest, Record<Kind, SipRequest>]> {
  const invite = alice.request('INVITE', bob, sdp(offer));
  const webrtc = await rings(devices.webrtc);
  const rtp = await rings(devices.rtp);
  await refuses(devices.sdes, await devices.sdes.receivesRequest('INVITE'), 488);
  return [invite, { webrtc, rtp, sdes: await rings(devices.sdes) }];
}

for (const caller of kinds) {
  for (const answerer of kinds) {
    test(`${caller} calls an address at all three kinds: all ring, ${answerer} answers, the others are cancelled`, () =>
      stage(caller, async (scene) => {
        const { it, alice, devices } = scene;
        const [invite, received] = await ring(scene, offers[caller]('alice'));
        for (const kind of kinds) assert.equal(protocolOf(received[kind]), protocols[kind]);
        const device = devices[answerer];
        const answered = device.respond(received[answerer], 200, sdp(answers[answerer]('bob')));
        const ok = await alice.receivesResponse(200);
        assert.equal(protocolOf(ok), protocols[caller]);
        assert.equal(seen(ok.body).author, 'bob');
        alice.ack(invite, ok);
        await device.receivesRequest('ACK');
        for (const kind of kinds) if (kind !== answerer) await isCancelled(devices[kind], received[kind]);
        await it.hangUp(device, device.dialog(received[answerer], answered), alice);
      }));
  }
}

test('DESIGN §4: the new branch is offered before the refused one is deleted, and the old one’s refusal is not heard', () =>
  stage('rtp', async (scene) => {
    const { it, alice, devices } = scene;
    const [invite, received] = await ring(scene, phoneOffer('alice'));
    await it.clock.advance(40_000);
    assert.deepEqual(it.media.story().at(-1), 'delete branch');
    assert.equal(it.media.branches(it.media.calls()[0] ?? ''), 3);
    for (const kind of kinds) await refuses(devices[kind], received[kind], 486);
    alice.ack(invite, await alice.receivesFinal('INVITE'));
    assert.ok(alice.inbox.every((message) => message.kind === 'request' || message.status !== 488));
  }));

test('law 2: what a device took is kept with its binding, over its next REGISTER too, until it takes something else', () =>
  stage('rtp', async (scene) => {
    const { it, alice, devices } = scene;
    const call = async (refused: readonly string[], taken: Kind): Promise<void> => {
      const invite = alice.request('INVITE', bob, sdp(phoneOffer('alice')));
      const others = [await rings(devices.webrtc), await rings(devices.rtp)];
      for (const protocol of refused) {
        const asked = await devices.sdes.receivesRequest('INVITE');
        assert.equal(protocolOf(asked), protocol);
        await refuses(devices.sdes, asked, 488);
      }
      const asked = await devices.sdes.receivesRequest('INVITE');
      assert.equal(protocolOf(asked), protocols[taken]);
      const dialog = devices.sdes.dialog(asked, devices.sdes.respond(asked, 200, sdp(answers[taken]('bob'))));
      alice.ack(invite, await alice.receivesResponse(200));
      await devices.sdes.receivesRequest('ACK');
      for (const [index, other] of [devices.webrtc, devices.rtp].entries()) {
        const ringing = others[index];
        if (ringing !== undefined) await isCancelled(other, ringing);
      }
      await it.hangUp(devices.sdes, dialog, alice);
    };
    await call(['RTP/AVP'], 'sdes');
    await call([], 'sdes');
    await it.register(devices.sdes);
    await call([], 'sdes');
    await call(['RTP/SAVP'], 'rtp');
    await call([], 'rtp');
  }));

test('law 2: a caller is called as what its own SDP said', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1', rport: true });
    const phone = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const first = await it.call(alice, phone, { offer: sdesOffer('alice') });
    await it.hangUp(alice, first.caller, phone);
    const second = await it.call(phone, alice, { answer: sdesOffer('alice') });
    assert.equal(protocolOf(second.received), 'RTP/SAVP');
    await it.hangUp(phone, second.caller, alice);
  });
});

/** Bob's telephone is reached over TLS, and nothing is known of it. */
async function overTls(
  script: (stage: { it: ProxyScene; alice: Agent; phone: Agent }) => Promise<void>,
): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const phone = await it.registered({ name: 'bob', transport: 'tls', address: '192.0.2.2' });
    await script({ it, alice, phone });
  });
}

/** What this INVITE offers. */
function offered({ body }: SipRequest): string {
  return `${seen(body).protocol}${/^a=crypto:/m.test(body) ? ' with a key' : ''}`;
}

for (const [answer, next] of [
  [phoneAnswer, 'RTP/AVP'],
  [eitherOffer, 'RTP/AVP with a key'],
] as const) {
  test(`RFC 8643: a telephone over TLS is offered either; it takes ${next}, and is offered that when it is called again`, () =>
    overTls(async ({ it, alice, phone }) => {
      const first = await it.call(alice, phone, { answer: answer('bob') });
      assert.equal(offered(first.received), 'RTP/AVP with a key');
      assert.doesNotMatch(first.answered.body, /^a=crypto:/m, 'the caller has a plain call either way');
      await it.hangUp(alice, first.caller, phone);
      const second = await it.call(alice, phone, { answer: answer('bob') });
      assert.equal(offered(second.received), next);
      await it.hangUp(alice, second.caller, phone);
    }));
}

test('one over TLS that refuses either is offered SRTP, then plain RTP, and nothing more', () =>
  overTls(async ({ alice, phone }) => {
    const invite = alice.request('INVITE', bob, sdp(phoneOffer('alice')));
    for (const kind of ['RTP/AVP with a key', 'RTP/SAVP with a key', 'RTP/AVP']) {
      const asked = await phone.receivesRequest('INVITE');
      assert.equal(offered(asked), kind);
      await refuses(phone, asked, 488);
    }
    alice.ack(invite, await alice.receivesResponse(488));
    await phone.receivesNothing(2000);
  }));

test('one over TLS that takes SRTP only is offered that at once when it is called again', () =>
  overTls(async ({ it, alice, phone }) => {
    const invite = alice.request('INVITE', bob, sdp(phoneOffer('alice')));
    await refuses(phone, await phone.receivesRequest('INVITE'), 488);
    const asked = await phone.receivesRequest('INVITE');
    const dialog = phone.dialog(asked, phone.respond(asked, 200, sdp(sdesOffer('bob'))));
    alice.ack(invite, await alice.receivesResponse(200));
    await phone.receivesRequest('ACK');
    await it.hangUp(phone, dialog, alice);
    const again = await it.call(alice, phone, { answer: sdesOffer('bob') });
    assert.equal(offered(again.received), 'RTP/SAVP with a key');
    await it.hangUp(alice, again.caller, phone);
  }));

test('RFC 8643: a telephone that offered either gets a key back, and is offered either itself, over UDP too', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1', rport: true });
    const phone = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const first = await it.call(alice, phone, { offer: eitherOffer('alice') });
    assert.equal(offered(first.received), 'RTP/AVP');
    assert.match(first.answered.body, /^a=crypto:/m);
    await it.hangUp(alice, first.caller, phone);
    const second = await it.call(phone, alice, { answer: eitherOffer('alice') });
    assert.equal(offered(second.received), 'RTP/AVP with a key');
    await it.hangUp(phone, second.caller, alice);
  });
});

test('RFC 4568 §5.1.2: the key of an answer to a plain offer is not for rtpengine, which would encrypt for nobody', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const phone = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const call = await it.call(alice, phone, { answer: eitherOffer('bob') });
    assert.equal(offered(call.received), 'RTP/AVP');
    const told = it.media.told.flatMap(({ command }) => (command.command === 'answer' ? [command.sdp] : []));
    assert.ok(told.length > 0 && told.every((body) => !body.includes('a=crypto')), told.join('\n'));
    const invite = phone.within(call.callee, 'INVITE', sdp(eitherOffer('bob', { direction: 'sendonly', version: 2 })));
    const received = await alice.receivesRequest('INVITE');
    alice.respond(received, 200, sdp(phoneAnswer('alice', { direction: 'recvonly', version: 2 })));
    const ok = await phone.receivesResponse(200);
    assert.doesNotMatch(ok.body, /^a=crypto:/m, 'it goes on as it began');
    phone.ack(invite, ok);
    await alice.receivesRequest('ACK');
    await it.hangUp(alice, call.caller, phone);
  });
});

test('RFC 4568: a side that was plain may offer SRTP later in the call, as behind a PBX: its keys are those of RTP/SAVP', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const phone = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const call = await it.call(alice, phone);
    const invite = phone.within(call.callee, 'INVITE', sdp(sdesOffer('bob', { version: 2 })));
    const received = await alice.receivesRequest('INVITE');
    assert.equal(offered(received), 'RTP/AVP');
    alice.respond(received, 200, sdp(phoneAnswer('alice', { version: 2 })));
    const ok = await phone.receivesResponse(200);
    assert.match(ok.body, /^a=crypto:/m);
    phone.ack(invite, ok);
    await alice.receivesRequest('ACK');
    await it.hangUp(alice, call.caller, phone);
  });
});

test('606 of one device asks it again and stops no other (Deviates: RFC 3261 §16.7 step 5)', () =>
  stage('rtp', async ({ it, alice, devices }) => {
    const invite = alice.request('INVITE', bob, sdp(phoneOffer('alice')));
    const atBrowser = await rings(devices.webrtc);
    await refuses(devices.rtp, await devices.rtp.receivesRequest('INVITE'), 486);
    await refuses(devices.sdes, await devices.sdes.receivesRequest('INVITE'), 606);
    await refuses(devices.sdes, await devices.sdes.receivesRequest('INVITE'), 486);
    const dialog = devices.webrtc.dialog(atBrowser, devices.webrtc.respond(atBrowser, 200, sdp(browserAnswer('bob'))));
    alice.ack(invite, await alice.receivesResponse(200));
    await devices.webrtc.receivesRequest('ACK');
    await it.hangUp(devices.webrtc, dialog, alice);
  }));

test('a second refusal is the answer: nobody is asked three times, and a browser not twice', () =>
  stage('rtp', async ({ it, alice, devices }) => {
    const invite = alice.request('INVITE', bob, sdp(phoneOffer('alice')));
    await refuses(devices.webrtc, await devices.webrtc.receivesRequest('INVITE'), 488);
    for (const kind of ['rtp', 'sdes'] as const) {
      const asked = await devices[kind].receivesRequest('INVITE');
      assert.equal(protocolOf(asked), 'RTP/AVP');
      await refuses(devices[kind], asked, 488);
      const again = await devices[kind].receivesRequest('INVITE');
      assert.equal(protocolOf(again), 'RTP/SAVP');
      await refuses(devices[kind], again, 488);
    }
    alice.ack(invite, await alice.receivesResponse(488));
    await it.clock.advance(1000);
    for (const kind of kinds) assert.deepEqual(devices[kind].inbox, []);
  }));

test('RFC 3261 §16.10: a CANCEL while the device is asked again ends that too', () =>
  stage('rtp', async ({ it, alice, devices }) => {
    const invite = alice.request('INVITE', bob, sdp(phoneOffer('alice')));
    await refuses(devices.webrtc, await devices.webrtc.receivesRequest('INVITE'), 486);
    await refuses(devices.rtp, await devices.rtp.receivesRequest('INVITE'), 486);
    const asked = await devices.sdes.receivesRequest('INVITE');
    it.media.set({ latencyMs: 400 });
    await refuses(devices.sdes, asked, 488);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    alice.ack(invite, await alice.receivesFinal('INVITE'));
    await devices.sdes.receivesNothing(2000);
  }));

test('an INVITE without SDP that is refused is not asked again: nothing was offered', () =>
  stage('rtp', async ({ alice, devices }) => {
    const invite = alice.request('INVITE', bob);
    for (const kind of kinds) await refuses(devices[kind], await devices[kind].receivesRequest('INVITE'), 488);
    alice.ack(invite, await alice.receivesResponse(488));
  }));
