/** What a real rtpengine makes of our commands: the outcome for the receiver, port by port and attribute by attribute. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { codecsFor, withoutAdded } from '../../src/media/codecs.ts';
import type { NgCommand, NgReply } from '../../src/media/commands.ts';
import { answerProfile, offerProfile } from '../../src/media/profiles.ts';
import { viaBranch } from '../../src/media/via-branch.ts';
import type { MediaKind } from '../../src/ports.ts';
import { refusedByBrowser } from '../../src/sdp/browser-gate.ts';
import { asOffered, completeAnswer, completeOffer } from '../../src/sdp/complete.ts';
import { withIceOf } from '../../src/sdp/ice.ts';
import { stripBrowserLines } from '../../src/sdp/strip.ts';
import { markTrickle } from '../../src/sdp/trickle.ts';
import { openRtp, type RtpParty } from '../support/rtp.ts';
import { startTestRtpengine, type TestRtpengine } from '../support/rtpengine.ts';

let rtpengine: TestRtpengine;
before(async () => {
  rtpengine = await startTestRtpengine();
});
after(() => rtpengine.stop());

const sdes = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KsrIs9NgqtTGeZ62cr4BYC4rLzC8xuAxNBzi9OR/\r\n';
const sdesPhone = (name: string): string => golden(name).replace('RTP/AVP', 'RTP/SAVP') + sdes;
const osrtpPhone = (name: string): string => golden(name) + sdes;
const sdps = {
  webrtc: { offer: golden('002-browser-offer'), answer: golden('002-browser-answer') },
  rtp: { offer: golden('004-phone-phone-offer'), answer: golden('004-phone-phone-answer') },
  sdes: { offer: sdesPhone('004-phone-phone-offer'), answer: sdesPhone('004-phone-phone-answer') },
  osrtp: { offer: osrtpPhone('004-phone-phone-offer'), answer: osrtpPhone('004-phone-phone-answer') },
} as const;
const either = sdps.osrtp;

function golden(name: string): string {
  return readFileSync(new URL(`golden/${name}.sdp`, import.meta.url), 'latin1');
}

interface Call {
  readonly callId: string;
  offer(sdp: string, sender: MediaKind, receiver: MediaKind, keys?: Keys): Promise<string>;
  answer(sdp: string, keys?: Keys): Promise<string>;
  delete(keys?: Keys): Promise<NgReply>;
}

type Keys = { readonly 'from-tag'?: string; readonly 'to-tag'?: string; readonly 'via-branch'?: string };

const first = viaBranch('vd', 'z9hG4bK1');
const second = viaBranch('vd', 'z9hG4bK2');
let calls = 0;

/** A call from tag `a` to tag `b`; whatever the test does, it ends with everything released. */
function call(test: TestContext): Call {
  const callId = `golden-${process.pid}-${++calls}`;
  const send = (command: NgCommand): Promise<NgReply> => rtpengine.send(command);
  const remove = (keys: Keys = {}): Promise<NgReply> =>
    send({ command: 'delete', 'call-id': callId, 'delete-delay': 0, ...keys });
  test.after(async () => {
    await remove();
    await rtpengine.assertReleased(callId);
  });
  let offerer: MediaKind = 'rtp';
  const sdpOf = async (reply: Promise<NgReply>): Promise<string> => String((await reply).sdp);
  return {
    callId,
    offer: (sdp, sender, receiver, keys = { 'via-branch': first }) => {
      offerer = sender;
      const offer = { command: 'offer', 'call-id': callId, 'from-tag': 'a', sdp } as const;
      return sdpOf(send({ ...offer, ...offerProfile(sender, receiver), ...keys }));
    },
    answer: (sdp, keys = { 'via-branch': first }) => {
      const answer = { command: 'answer', 'call-id': callId, 'from-tag': 'a', 'to-tag': 'b', sdp } as const;
      return sdpOf(send({ ...answer, ...answerProfile(offerer), ...keys }));
    },
    delete: remove,
  };
}

/** What a browser needs, and what would make it refuse (DESIGN §4). */
function assertForBrowser(sdp: string, setup: 'actpass' | 'passive'): void {
  assert.match(sdp, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF /m);
  for (const line of [
    'ice-ufrag:',
    'ice-pwd:',
    'fingerprint:sha-256 ',
    `setup:${setup}`,
    'rtcp-mux',
    'mid:',
    'candidate:',
  ]) {
    assert.match(sdp, new RegExp(`^a=${line}`, 'm'));
  }
  assert.equal(refusedByBrowser(sdp), undefined);
  assert.doesNotMatch(sdp, /^a=crypto:/m, 'Chromium refuses SDES beside DTLS-SRTP');
}

function assertForPhone(sdp: string, protocol: 'RTP/AVP' | 'RTP/SAVP', hasKeys = protocol === 'RTP/SAVP'): void {
  assert.match(sdp, new RegExp(`^m=audio \\d+ ${protocol} `, 'm'));
  assert.doesNotMatch(sdp, /^a=(ice-|candidate|fingerprint|setup|rtcp-mux|group:BUNDLE|end-of-candidates)/m);
  const keys = [...sdp.matchAll(/^a=crypto:\d+ \S+ inline:([^|\s]*)/gm)].map(([, key = '']) => key);
  assert.equal(keys.length > 0, hasKeys);
  for (const key of keys) assert.equal(key.length % 4, 0, `RFC 4568 §6.1: ${key} is padded`);
}

function assertFor(kind: MediaKind, sdp: string, setup: 'actpass' | 'passive'): void {
  if (kind === 'webrtc') assertForBrowser(sdp, setup);
  else assertForPhone(sdp, kind === 'sdes' ? 'RTP/SAVP' : 'RTP/AVP', kind !== 'rtp');
}

/** An answer with the tag of the suite that it takes from the offer (RFC 4568 §5.1.2). */
function sameKey(answer: string, offer: string): string {
  const tag = /^a=crypto:(\d+) AES_CM_128_HMAC_SHA1_80 /m.exec(offer)?.[1];
  return answer.replace('a=crypto:1 ', `a=crypto:${tag} `);
}

function audioLine(sdp: string): string {
  return /^m=audio .*$/m.exec(sdp)?.[0].trimEnd() ?? '';
}

/** Of ICE. */
function credentials(sdp: string): readonly string[] {
  return sdp.match(/^a=ice-(?:ufrag|pwd):.*$/gm) ?? [];
}

function portOf(sdp: string): number {
  return Number(audioLine(sdp).split(' ')[1]);
}

describe('the traces of real calls, with our flags', () => {
  it('004: Zoiper calls JsSIP', async (test) => {
    const { offer, answer } = call(test);
    const toBrowser = await offer(golden('004-phone-offer'), 'rtp', 'webrtc');
    assertForBrowser(toBrowser, 'actpass');
    assert.match(toBrowser, / 97 101 8 0\r$/m);
    const toPhone = await answer(golden('004-browser-answer'));
    assertForPhone(toPhone, 'RTP/AVP');
    assert.match(toPhone, / 101 8 0\r$/m);
  });

  it('004: JsSIP calls Bria: the calling browser is told setup:passive', async (test) => {
    const { offer, answer } = call(test);
    assertForPhone(await offer(golden('004-browser-offer'), 'webrtc', 'rtp'), 'RTP/AVP');
    const toBrowser = await answer(golden('004-phone-answer'));
    assertForBrowser(toBrowser, 'passive');
    assert.match(toBrowser, / 111 9 0 8 126\r$/m);
  });

  it('004: Bria calls X-Lite', async (test) => {
    const { offer, answer } = call(test);
    assertForPhone(await offer(golden('004-phone-phone-offer'), 'rtp', 'rtp'), 'RTP/AVP');
    assertForPhone(await answer(golden('004-phone-phone-answer')), 'RTP/AVP');
  });

  it('002: JsSIP calls JsSIP through us', async (test) => {
    const { offer, answer } = call(test);
    assertForBrowser(await offer(golden('002-browser-offer'), 'webrtc', 'webrtc'), 'actpass');
    assertForBrowser(await answer(golden('002-browser-answer')), 'passive');
  });
});

describe('RFC 8840 §4.1.1: a browser that does not know its address yet, as Firefox writes it', () => {
  const trickling = (sdp: string): string =>
    sdp
      .replace(/^a=(?:candidate|ice-options):.*\r\n/gm, '')
      .replace(/^m=audio \d+/m, 'm=audio 9')
      .replace(/^c=IN IP4 .*/m, 'c=IN IP4 0.0.0.0')
      .replace('t=0 0\r\n', 't=0 0\r\na=ice-options:trickle\r\n');

  it('is not on hold for the telephone that it calls', async (test) => {
    const { offer } = call(test);
    const toPhone = await offer(markTrickle(trickling(golden('002-browser-offer'))), 'webrtc', 'rtp');
    assert.match(toPhone, /^c=IN IP4 127\.0\.0\.1\r$/m);
    assert.match(toPhone, /^a=sendrecv\r$/m);
  });

  it('nor for the telephone that calls it, and a hold of its own remains one', async (test) => {
    const { offer, answer } = call(test);
    await offer(golden('004-phone-offer'), 'rtp', 'webrtc');
    const browser = trickling(golden('002-browser-answer'));
    const toPhone = await answer(markTrickle(browser));
    assertForPhone(toPhone, 'RTP/AVP');
    assert.match(toPhone, /^c=IN IP4 127\.0\.0\.1\r$/m);
    assert.match(toPhone, /^a=sendrecv\r$/m);
    const hold = markTrickle(browser.replace('a=sendrecv', 'a=sendonly').replace('setup:active', 'setup:actpass'));
    const held = await offer(hold, 'webrtc', 'rtp', { 'from-tag': 'b', 'to-tag': 'a' });
    assert.match(held, /^a=sendonly\r$/m);
  });
});

describe('RFC 3261 §18.1.1: an INVITE of a browser fits into one datagram for a telephone', () => {
  it('without what only browsers read, the SDP is half as long, and the telephone’s answer fits the browser’s offer', async (test) => {
    const { offer, answer } = call(test);
    const made = await offer(golden('002-browser-offer'), 'webrtc', 'rtp');
    const toPhone = stripBrowserLines(made);
    assert.ok(toPhone.length * 2 < golden('002-browser-offer').length, `${toPhone.length} bytes`);
    assertForPhone(toPhone, 'RTP/AVP');
    const toBrowser = await answer(sdps.rtp.answer);
    assert.equal(refusedByBrowser(toBrowser, golden('002-browser-offer')), undefined);
    assert.match(toBrowser, /^a=mid:0\r$/m);
  });
});

describe('every pair of kinds', () => {
  for (const sender of ['webrtc', 'rtp', 'sdes'] as const) {
    for (const receiver of ['webrtc', 'rtp', 'sdes'] as const) {
      it(`${sender} calls ${receiver}, then a re-INVITE from either side`, async (test) => {
        const { offer, answer } = call(test);
        const toCallee = await offer(sdps[sender].offer, sender, receiver);
        assertFor(receiver, toCallee, 'actpass');
        const toCaller = await answer(sdps[receiver].answer);
        assertFor(sender, toCaller, 'passive');
        const used = await rtpengine.portsUsed();

        const hold = sdps[sender].offer.replace('a=sendrecv', 'a=sendonly');
        const held = await offer(hold, sender, receiver, { 'to-tag': 'b' });
        assertFor(receiver, held, 'actpass');
        assert.match(held, /^a=sendonly/m);
        assert.equal(portOf(held), portOf(toCallee));
        assert.deepEqual(credentials(held), credentials(toCallee));
        await answer(sdps[receiver].answer.replace('a=sendrecv', 'a=recvonly'), {});

        const back = sdps[receiver].answer.replace('setup:active', 'setup:actpass');
        const toldCaller = await offer(back, receiver, sender, { 'from-tag': 'b', 'to-tag': 'a' });
        assertFor(sender, toldCaller, 'actpass');
        assert.equal(portOf(toldCaller), portOf(toCaller));
        assert.deepEqual(credentials(toldCaller), credentials(toCaller));
        const reply = sdps[sender].offer.replace('setup:actpass', 'setup:active');
        assertFor(receiver, await answer(reply, { 'from-tag': 'b', 'to-tag': 'a' }), 'passive');
        // rtcp-mux frees the ports of RTCP, 26 at once.
        assert.ok((await rtpengine.portsUsed()) <= used);
      });
    }
  }

  it('a side that was plain and offers RTP/SAVP later gets a key back, and the other side stays plain', async (test) => {
    const one = call(test);
    await one.offer(sdps.rtp.offer, 'rtp', 'rtp');
    await one.answer(sdps.rtp.answer);
    const turned = { 'from-tag': 'b', 'to-tag': 'a' };
    assertForPhone(await one.offer(sdps.sdes.answer, 'sdes', 'rtp', turned), 'RTP/AVP');
    assertForPhone(await one.answer(sdps.rtp.offer, turned), 'RTP/SAVP');
  });

  it('no codec in common: the telephone is offered G.711 beside opus, takes it, and the browser gets opus', async (test) => {
    const { callId, answer } = call(test);
    const browser = sdps.webrtc.offer
      .replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 111 126\r')
      .replace(/^a=(?:rtpmap|fmtp|rtcp-fb):(?!111 |126 ).*\r\n/gm, '');
    const codecs = codecsFor({ sender: 'webrtc', receiver: 'rtp', last: undefined }, browser);
    const keys = { 'call-id': callId, 'from-tag': 'a', 'via-branch': first } as const;
    const profile = offerProfile('webrtc', 'rtp');
    const reply = await rtpengine.send({ command: 'offer', ...keys, ...profile, ...codecs, sdp: browser });
    assert.match(audioLine(String(reply.sdp)), / RTP\/AVP 111 0 8 126$/);
    const phone = sdps.rtp.answer
      .replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 0\r')
      .replace(/^a=(?:rtpmap|fmtp):.*\r\n/gm, '');
    const toBrowser = await answer(phone);
    assert.match(audioLine(toBrowser), / UDP\/TLS\/RTP\/SAVPF 111$/);
    // It holds, and the browser is offered what it speaks.
    const session = { sender: 'rtp', receiver: 'webrtc', last: browser } as const;
    const turned = { 'call-id': callId, 'from-tag': 'b', 'to-tag': 'a' } as const;
    const back = { ...offerProfile('rtp', 'webrtc'), ...codecsFor(session, phone), sdp: phone };
    const again = await rtpengine.send({ command: 'offer', ...turned, ...back });
    assert.match(String(again.sdp), /^a=rtpmap:\d+ opus\/48000\/2/m);
  });

  for (const [takes, transcodes] of [
    ['111 126', true],
    ['0 111 126', false],
  ] as const) {
    it(`a telephone with PCMU alone calls a browser that takes ${takes}: the telephone gets PCMU, ${transcodes ? 'transcoded' : 'untouched'}`, async (test) => {
      const { callId, answer } = call(test);
      const phone = sdps.rtp.offer
        .replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 0 101\r')
        .replace(/^a=(?:rtpmap|fmtp):(?!101 ).*\r\n/gm, '');
      const codecs = codecsFor({ sender: 'rtp', receiver: 'webrtc', last: undefined }, phone);
      const keys = { 'call-id': callId, 'from-tag': 'a', 'via-branch': first } as const;
      const profile = offerProfile('rtp', 'webrtc');
      const reply = await rtpengine.send({ command: 'offer', ...keys, ...profile, ...codecs, sdp: phone });
      const [, opus = ''] = /^a=rtpmap:(\d+) opus\/48000\/2/m.exec(String(reply.sdp)) ?? [];
      assert.match(
        audioLine(String(reply.sdp)),
        new RegExp(`SAVPF 0 .*\\b${opus}\\b`),
        'the telephone’s own is the first',
      );
      const answered = sdps.webrtc.answer
        .replace(/^(m=audio \d+ \S+) .*\r$/m, `$1 ${takes.replace('111', opus).replace('126', '101')}\r`)
        .replace(/^a=(?:rtpmap|fmtp|rtcp-fb):.*\r\n/gm, '')
        .concat(`a=rtpmap:${opus} opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n`);
      const toPhone = await answer(withoutAdded(answered, phone));
      assert.match(audioLine(toPhone), / RTP\/AVP 0( 101)?$/);
      const state = await rtpengine.send({ command: 'query', 'call-id': callId });
      assert.equal(JSON.stringify(state).includes('"transcoding"'), transcodes);
    });
  }

  it('RFC 8840: candidates that come before the answer leave the callee where it is', async (test) => {
    const { callId, offer, answer } = call(test);
    const named = /^m=audio (\d+)/m.exec(await offer(sdps.webrtc.offer, 'webrtc', 'rtp'))?.[1];
    const ice = sdps.webrtc.offer.match(/^a=ice-(?:ufrag|pwd):.*\r\n/gm)?.join('') ?? '';
    const candidate = 'a=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host\r\n';
    const fragment = `v=0\r\n${ice}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n${candidate}`;
    const keys = { 'call-id': callId, 'from-tag': 'a', 'via-branch': first } as const;
    await rtpengine.send({ command: 'trickle', ...keys, sdp: fragment });
    await answer(sdps.rtp.answer);
    const again = await offer(sdps.webrtc.offer, 'webrtc', 'rtp', { 'to-tag': 'b' });
    assert.match(again, new RegExp(`^m=audio ${named} RTP/AVP`, 'm'));
  });

  it('a telephone that refuses plain RTP is offered SDES on another via-branch, and the first one is deleted', async (test) => {
    const { offer, answer, delete: remove } = call(test);
    await offer(sdps.webrtc.offer, 'webrtc', 'rtp', { 'via-branch': first });
    const used = await rtpengine.portsUsed();
    const again = await offer(sdps.webrtc.offer, 'webrtc', 'sdes', { 'via-branch': second });
    assertFor('sdes', again, 'actpass');
    await remove({ 'from-tag': 'a', 'via-branch': first });
    assertFor('webrtc', await answer(sdps.sdes.answer, { 'via-branch': second }), 'passive');
    // It closes the sockets of the first a moment later.
    for (let tries = 40; (await rtpengine.portsUsed()) > used && tries > 0; tries -= 1) await delay(50);
    assert.equal(await rtpengine.portsUsed(), used);
  });

  it('RFC 3264 §6, §8: a telephone that leaves the video out of its answer, and then of its hold: the browser gets it refused, and named', async (test) => {
    const { offer, answer } = call(test);
    const audio = golden('002-browser-offer').replace(/^a=group:BUNDLE (.*?)\r$/m, 'a=group:BUNDLE $1 v\r');
    const dtls = audio.match(/^a=(?:ice-ufrag|ice-pwd|fingerprint|setup):.*\r\n/gm)?.join('') ?? '';
    const video = `m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n${dtls}a=mid:v\r\na=rtcp-mux\r\n`;
    const offered = `${audio}${video}a=rtpmap:96 VP8/90000\r\n`;
    await offer(markTrickle(offered), 'webrtc', 'rtp');
    const toBrowser = await answer(completeAnswer(sdps.rtp.answer, offered));
    assert.equal(refusedByBrowser(toBrowser, offered), undefined);
    assert.match(toBrowser, /^m=video 0 .*^a=mid:v\r$/ms);
    // §8: it holds, and still knows of no video.
    const hold = sdps.rtp.answer.replace('a=sendrecv', 'a=sendonly');
    const session = { offer: offered, answer: sdps.rtp.answer };
    const turned = { 'from-tag': 'b', 'to-tag': 'a' };
    const again = await offer(completeOffer(hold, session), 'rtp', 'webrtc', turned);
    assert.equal(refusedByBrowser(again), undefined);
    assert.match(again, /^m=audio [1-9].*^m=video 0 /ms);
    const answered = offered.replaceAll('setup:actpass', 'setup:active').replace('m=video 9', 'm=video 0');
    assert.deepEqual(asOffered(await answer(answered, turned), hold).match(/^m=\S+/gm), ['m=audio']);
  });

  for (const bundled of [true, false]) {
    it(`video ${bundled ? 'with' : 'without'} BUNDLE between a browser and a telephone, both ways`, async (test) => {
      const { offer, answer } = call(test);
      const dtls =
        golden('002-browser-offer')
          .match(/^a=(?:ice-ufrag|ice-pwd|fingerprint|setup):.*\r\n/gm)
          ?.join('') ?? '';
      const group = bundled ? 'a=group:BUNDLE $1 v\r' : '\r';
      const audio = golden('002-browser-offer')
        .replace(/^a=group:BUNDLE (.*?)\r$/m, group)
        .replace(/^\r\n/m, '');
      const video = `m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n${dtls}a=mid:v\r\na=rtcp-mux\r\n`;
      const offered = `${audio}${video}a=rtpmap:96 VP8/90000\r\na=sendrecv\r\n`;
      const toPhone = await offer(markTrickle(offered), 'webrtc', 'rtp');
      assertForPhone(toPhone, 'RTP/AVP');
      assert.match(toPhone, /^m=video [1-9]\d* RTP\/AVP 96\r$/m);
      const phoneVideo = 'm=video 46000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n';
      const toBrowser = await answer(completeAnswer(`${sdps.rtp.answer}${phoneVideo}`, offered));
      assert.equal(refusedByBrowser(toBrowser, offered), undefined);
      assert.match(toBrowser, /^m=video [1-9]\d* UDP\/TLS\/RTP\/SAVPF 96\r$/m);
      const again = await offer(`${sdps.rtp.answer}${phoneVideo}`, 'rtp', 'webrtc', { 'from-tag': 'b', 'to-tag': 'a' });
      assert.equal(refusedByBrowser(again), undefined);
      assert.match(again, /^m=video [1-9]\d* UDP\/TLS\/RTP\/SAVPF 96\r$/m);
    });
  }

  for (const other of ['webrtc', 'rtp', 'sdes', 'osrtp'] as const) {
    it(`RFC 8643: a telephone with OSRTP calls ${other}: its answer has a key, and so has the offer of a re-INVITE to it`, async (test) => {
      const { offer, answer } = call(test);
      assertFor(other, await offer(either.offer, 'osrtp', other), 'actpass');
      assertFor('osrtp', await answer(sdps[other].answer), 'passive');
      const back = sdps[other].answer.replace('setup:active', 'setup:actpass');
      assertFor('osrtp', await offer(back, other, 'osrtp', { 'from-tag': 'b', 'to-tag': 'a' }), 'actpass');
    });

    for (const taken of ['osrtp', 'rtp'] as const) {
      it(`RFC 8643: ${other} calls a telephone with OSRTP, which answers as ${taken}; the caller gets what is its own`, async (test) => {
        const { offer, answer } = call(test);
        const toCallee = await offer(sdps[other].offer, other, 'osrtp');
        assertFor('osrtp', toCallee, 'actpass');
        const answered = sameKey(sdps[taken].answer, toCallee);
        assertFor(other, await answer(answered), 'passive');
        const held = answered.replace('a=sendrecv', 'a=sendonly');
        assertFor(other, await offer(held, taken, other, { 'from-tag': 'b', 'to-tag': 'a' }), 'actpass');
      });
    }
  }

  it('the receiver gets an address of its own family', async (test) => {
    const { callId, answer } = call(test);
    const command = { command: 'offer', 'call-id': callId, 'from-tag': 'a', 'via-branch': first } as const;
    const six = await rtpengine.send({
      ...command,
      sdp: sdps.rtp.offer,
      ...offerProfile('rtp', 'rtp'),
      'address-family': 'IP6',
    });
    assert.match(String(six.sdp), /^c=IN IP6 ::1/m);
    assert.match(await answer(sdps.rtp.answer), /^c=IN IP4 127\.0\.0\.1/m);
  });

  it('an SDP in any character set comes through byte for byte', async (test) => {
    const { offer } = call(test);
    const named = sdps.rtp.offer.replace(/^s=.*$/m, 's=Caf\u00e9 \u00ff');
    assert.match(await offer(named, 'rtp', 'rtp'), /^s=Caf\u00e9 \u00ff/m);
  });
});

describe('late offer: the callee offers in its 200', () => {
  for (const [callee, caller] of [
    ['rtp', 'webrtc'],
    ['webrtc', 'rtp'],
  ] as const) {
    it(`${callee} offers, ${caller} answers in the ACK, then the caller re-INVITEs`, async (test) => {
      const { offer, answer } = call(test);
      const turned = { 'from-tag': 'b', 'to-tag': 'a', 'via-branch': first };
      assertFor(caller, await offer(sdps[callee].offer, callee, caller, turned), 'actpass');
      assertFor(callee, await answer(sdps[caller].answer, turned), 'passive');
      assertFor(callee, await offer(sdps[caller].offer, caller, callee, { 'to-tag': 'b' }), 'actpass');
      assertFor(caller, await answer(sdps[callee].answer, {}), 'passive');
    });
  }
});

const pcmu = golden('004-phone-answer')
  .replace('111 9 0 8 126', '0')
  .replace(/a=(rtpmap|fmtp).*\r\n/g, '');
const opus = golden('004-phone-answer')
  .replace('111 9 0 8 126', '111')
  .replace(/a=(rtpmap|fmtp):126.*\r\n/g, '');
const otherPhone = (sdp: string): string => sdp.replace('60146', '60200');

describe('several answers to one offer (up to 12.5 the codecs are narrowed to those of the answer before)', () => {
  const browser = golden('004-browser-offer');

  it('without the offer again, the second answer comes back with codecs that its author never named', async (test) => {
    const { offer, answer } = call(test);
    await offer(browser, 'webrtc', 'rtp');
    await answer(pcmu);
    assert.match(audioLine(await answer(opus)), rtpengine.major < 13 ? / 0$/ : / 111$/);
  });

  it('early media and another answer in the 200: the offer again first, and the ports stay', async (test) => {
    const { offer, answer } = call(test);
    const toCallee = await offer(browser, 'webrtc', 'rtp');
    const early = await answer(pcmu);
    assert.equal(portOf(await offer(browser, 'webrtc', 'rtp')), portOf(toCallee));
    const final = await answer(opus);
    assert.match(audioLine(final), / 111$/);
    assert.equal(portOf(final), portOf(early));
  });

  it('two To tags behind one branch: the offer again without to-tag, or the callee would not know its port', async (test) => {
    const { offer, answer } = call(test);
    const toCallee = await offer(browser, 'webrtc', 'rtp');
    await answer(pcmu, { 'to-tag': 'b1', 'via-branch': first });
    const used = await rtpengine.portsUsed();
    assert.equal(portOf(await offer(browser, 'webrtc', 'rtp')), portOf(toCallee));
    assert.match(audioLine(await answer(otherPhone(opus), { 'to-tag': 'b2', 'via-branch': first })), / 111$/);
    // 12.5 opens a pair for the second one, that is not used and goes with the call.
    assert.ok((await rtpengine.portsUsed()) <= used + (rtpengine.major === 12 ? 2 : 0));
    const withTag = await offer(browser, 'webrtc', 'rtp', { 'to-tag': 'b1', 'via-branch': first });
    if (rtpengine.major < 11) assert.notEqual(portOf(withTag), portOf(toCallee));
  });

  it('two To tags behind one branch are heard in turn, and hear, at the port that their INVITE named', async (test) => {
    const { offer, answer } = call(test);
    const [a, b1, b2] = [await openRtp(test, 1), await openRtp(test, 2), await openRtp(test, 3)];
    const at = ({ port }: RtpParty): string =>
      sdps.rtp.offer.replace(/^m=audio .*/m, `m=audio ${port} RTP/AVP 0`).replace(/^c=.*/m, 'c=IN IP4 127.0.0.1');
    const named = portOf(await offer(at(a), 'rtp', 'rtp'));
    for (const [tag, one, voice] of [
      ['b1', b1, 2],
      ['b2', b2, 3],
      ['b1', b1, 2],
    ] as const) {
      assert.equal(portOf(await offer(at(a), 'rtp', 'rtp')), named);
      a.talkTo('127.0.0.1', portOf(await answer(at(one), { 'to-tag': tag, 'via-branch': first })));
      one.talkTo('127.0.0.1', named);
      await Promise.all([a.hear(voice, 5), one.hear(1, 5)]);
      one.silence();
    }
  });

  it("a fork: both branches answer, then the winner's answer again, to the same port of the caller", async (test) => {
    const { offer, answer } = call(test);
    await offer(browser, 'webrtc', 'rtp');
    await offer(browser, 'webrtc', 'webrtc', { 'via-branch': second });
    const won = await answer(pcmu, { 'to-tag': 'b1', 'via-branch': first });
    await answer(golden('002-browser-answer'), { 'to-tag': 'b2', 'via-branch': second });
    await offer(browser, 'webrtc', 'rtp');
    const again = await answer(pcmu, { 'to-tag': 'b1', 'via-branch': first });
    assertForBrowser(again, 'passive');
    assert.deepEqual([portOf(again), audioLine(again)], [portOf(won), audioLine(won)]);
  });

  it('a telephone that calls a fork: each answer names a port, and the winner again names its own', async (test) => {
    const { offer, answer } = call(test);
    await offer(sdps.rtp.offer, 'rtp', 'rtp');
    await offer(sdps.rtp.offer, 'rtp', 'rtp', { 'via-branch': second });
    const one = await answer(sdps.rtp.answer, { 'to-tag': 'b1', 'via-branch': first });
    await answer(otherPhone(pcmu), { 'to-tag': 'b2', 'via-branch': second });
    await offer(sdps.rtp.offer, 'rtp', 'rtp');
    assert.equal(await answer(sdps.rtp.answer, { 'to-tag': 'b1', 'via-branch': first }), one);
  });
});

describe('a refused re-INVITE', () => {
  it('is undone by the last accepted offer and answer: ports, codecs and direction as before', async (test) => {
    const { offer, answer } = call(test);
    const toCallee = await offer(sdps.rtp.offer, 'rtp', 'rtp');
    const toCaller = await answer(sdps.rtp.answer);
    const moved = sdps.rtp.offer.replace('50512', '50600').replace('a=sendrecv', 'a=inactive');
    // 10.5 opens other ports for who has moved.
    assert.match(await offer(moved, 'rtp', 'rtp', { 'to-tag': 'b' }), /^a=inactive/m);
    assert.equal(portOf(await offer(sdps.rtp.offer, 'rtp', 'rtp', { 'to-tag': 'b' })), portOf(toCallee));
    assert.equal(await answer(sdps.rtp.answer, {}), toCaller);
  });
});

describe('RFC 8445 §9: a browser restarts ICE in a re-INVITE', () => {
  const { offer: before } = sdps.webrtc;
  const restart = before
    .replace(/^a=ice-ufrag:.*\r$/m, 'a=ice-ufrag:anew\r')
    .replace(/^a=ice-pwd:.*\r$/m, `a=ice-pwd:${'n'.repeat(24)}\r`);
  const inDialog = { 'to-tag': 'b' };

  it('rtpengine has other credentials from its offer on, and has them still when that was refused', async (test) => {
    const { offer, answer } = call(test);
    await offer(before, 'webrtc', 'rtp');
    const known = credentials(await answer(sdps.rtp.answer));
    await offer(restart, 'webrtc', 'rtp', inDialog);
    await offer(before, 'webrtc', 'rtp', inDialog);
    assert.notDeepEqual(credentials(await answer(sdps.rtp.answer, {})), known);
  });

  it('told of it with the answer, it has those of before when it was refused, and others when it was taken', async (test) => {
    const { offer, answer } = call(test);
    await offer(before, 'webrtc', 'rtp');
    const known = credentials(await answer(sdps.rtp.answer));
    assert.equal(known.length, 2);
    await offer(withIceOf(restart, before), 'webrtc', 'rtp', inDialog);
    await offer(before, 'webrtc', 'rtp', inDialog);
    assert.deepEqual(credentials(await answer(sdps.rtp.answer, {})), known);
    const toPhone = await offer(withIceOf(restart, before), 'webrtc', 'rtp', inDialog);
    assert.equal(portOf(await offer(restart, 'webrtc', 'rtp', inDialog)), portOf(toPhone));
    assert.notDeepEqual(credentials(await answer(sdps.rtp.answer, {})), known);
  });
});

describe('delete, as rtpengine does it (DESIGN §4 "Delete rules")', () => {
  /** A browser calls two telephones; both offers are `ok`. */
  async function fork(test: TestContext): Promise<Call> {
    const made = call(test);
    await made.offer(golden('004-browser-offer'), 'webrtc', 'rtp');
    await made.offer(golden('004-browser-offer'), 'webrtc', 'rtp', { 'via-branch': second });
    return made;
  }

  const branchOf = (branch: string): Keys => ({ 'from-tag': 'a', 'via-branch': branch });
  const isThere = async ({ callId }: Call): Promise<boolean> => (await rtpengine.list()).includes(callId);

  it('of one branch of two frees that branch, and the other can still answer', async (test) => {
    const forked = await fork(test);
    const used = await rtpengine.portsUsed();
    await forked.delete(branchOf(first));
    // It closes the sockets a moment later.
    for (let tries = 0; tries < 40 && (await rtpengine.portsUsed()) !== used - 2; tries += 1) await delay(50);
    assert.equal(await rtpengine.portsUsed(), used - 2);
    assertForBrowser(await forked.answer(golden('004-phone-answer'), { 'via-branch': second }), 'passive');
  });

  it('of a branch that is deleted already destroys the call', async (test) => {
    const forked = await fork(test);
    await forked.delete(branchOf(first));
    await forked.delete(branchOf(first));
    assert.equal(await isThere(forked), false);
  });

  it('of a branch that it does not know destroys the call', async (test) => {
    const forked = await fork(test);
    await forked.delete(branchOf(viaBranch('vd', 'unknown')));
    assert.equal(await isThere(forked), false);
  });

  it('of the last branch destroys the call', async (test) => {
    const forked = await fork(test);
    await forked.delete(branchOf(first));
    await forked.delete(branchOf(second));
    assert.equal(await isThere(forked), false);
  });

  it('of a branch whose callee made the offer destroys the call for the other branch too, on 10.5', async (test) => {
    const late = call(test);
    await late.offer(sdps.rtp.offer, 'rtp', 'rtp', { 'from-tag': 'b1', 'to-tag': 'a', 'via-branch': first });
    await late.offer(sdps.rtp.offer, 'rtp', 'rtp', { 'from-tag': 'b2', 'to-tag': 'a', 'via-branch': second });
    await late.delete({ 'from-tag': 'b1', 'via-branch': first });
    assert.equal(await isThere(late), rtpengine.major > 10);
  });

  it('without from-tag is the whole call, at once', async (test) => {
    const forked = await fork(test);
    await forked.delete();
    assert.equal(await isThere(forked), false);
    await rtpengine.assertReleased(forked.callId);
  });

  it('of an unknown call is `ok` with a warning', async (test) => {
    assert.match(String((await call(test).delete()).warning), /not found/);
  });
});

describe('refusals, in its own words', () => {
  it('no c= line, no SDP, an unknown call', async (test) => {
    const { offer, answer } = call(test);
    await assert.rejects(answer(sdps.rtp.answer), { code: 'media-lost' });
    await assert.rejects(
      offer('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n', 'rtp', 'rtp'),
      {
        code: 'media-refused',
        detail: 'Incomplete SDP specification',
      },
    );
    await assert.rejects(offer('what', 'rtp', 'rtp'), { code: 'media-refused', detail: 'Failed to parse SDP' });
    const detail = rtpengine.major < 13 ? 'It returned no SDP.' : 'Error rewriting SDP';
    await assert.rejects(offer('', 'rtp', 'rtp'), { code: 'media-refused', detail });
  });
});
