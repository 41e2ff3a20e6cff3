/** When rtpengine is asked to transcode: only where two sides have no codec in common. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecsFor, withoutAdded } from '../../src/media/codecs.ts';
import type { MediaKind } from '../../src/ports.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer } from '../support/sdp.ts';

const asked = (offer: string, sender: MediaKind, receiver: MediaKind, last?: string): readonly string[] | undefined =>
  codecsFor({ sender, receiver, last }, offer).codec?.transcode;

const opusOnly = (sdp: string): string => sdp.replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 111 126\r');
const only = (sdp: string, format: string): string => sdp.replace(/^(m=audio \d+ \S+) .*\r$/m, `$1 ${format} 101\r`);

test('the first offer of a browser without G.711 has it for a telephone of any kind, and no other offer', () => {
  for (const kind of ['rtp', 'sdes', 'osrtp'] as const) {
    assert.deepEqual(asked(opusOnly(browserOffer('alice')), 'webrtc', kind), ['PCMU', 'PCMA']);
    assert.equal(asked(browserOffer('alice'), 'webrtc', kind), undefined);
  }
  assert.equal(asked(opusOnly(browserOffer('alice')), 'webrtc', 'webrtc'), undefined);
});

test('the first offer of a telephone has opus for a browser, of which nobody knows yet whether it wants anything else', () => {
  assert.deepEqual(asked(only(phoneOffer('bob'), '18'), 'rtp', 'webrtc'), ['opus', 'PCMU']);
  for (const format of ['0', '8', '9'])
    assert.deepEqual(asked(only(phoneOffer('bob'), format), 'rtp', 'webrtc'), ['opus']);
  assert.equal(asked(`${only(phoneOffer('bob'), '0 96')}a=rtpmap:96 opus/48000/2\r\n`, 'rtp', 'webrtc'), undefined);
  assert.equal(asked(only(phoneOffer('bob'), '18'), 'rtp', 'rtp'), undefined);
});

test('RFC 3264 §6.1: a browser that takes what the telephone offered takes nothing else, and one that does not takes opus', () => {
  const lines = (sdp: string): readonly string[] => sdp.match(/^(?:m=|a=rtpmap:).*/gm) ?? [];
  const offer = only(phoneOffer('bob'), '0');
  const both = browserAnswer('alice').replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 0 111 126\r');
  assert.deepEqual(lines(withoutAdded(both, offer)), [
    'm=audio 9 UDP/TLS/RTP/SAVPF 0 126',
    'a=rtpmap:126 telephone-event/8000',
  ]);
  for (const answer of [opusOnly(both), both.replace('0 111', '111 0'), both.replace('0 111', '0'), ''])
    assert.equal(withoutAdded(answer, offer), answer);
});

test('in a call the last SDP of the receiver says what it speaks', () => {
  const last = opusOnly(browserAnswer('alice'));
  assert.deepEqual(asked(phoneOffer('bob'), 'rtp', 'webrtc', last), ['opus']);
  assert.equal(asked(phoneOffer('bob'), 'rtp', 'webrtc', browserAnswer('alice')), undefined);
  assert.deepEqual(asked(last, 'webrtc', 'rtp', only(phoneAnswer('bob'), '0')), ['PCMU']);
  // Telephones among themselves: they have agreed on one, and one of them changes its mind.
  assert.deepEqual(asked(only(phoneOffer('bob'), '18'), 'rtp', 'rtp', phoneAnswer('alice')), ['PCMA']);
});

test('nothing is asked for what is no speech: fax, audio that is off, no SDP', () => {
  const off = browserOffer('alice').replace(/^m=audio \d+/m, 'm=audio 0');
  for (const sdp of [
    '',
    'hello',
    off,
    only(phoneOffer('bob'), '13'),
    phoneOffer('bob').replace('m=audio', 'm=image'),
  ]) {
    assert.equal(asked(sdp, 'webrtc', 'rtp'), undefined);
    assert.equal(asked(phoneOffer('bob'), 'rtp', 'webrtc', sdp), undefined);
  }
});
