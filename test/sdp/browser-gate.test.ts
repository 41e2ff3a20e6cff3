import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedByBrowser } from '../../src/sdp/browser-gate.ts';
import { browserAnswer, browserOffer, phoneOffer, sdesOffer } from '../support/sdp.ts';

const offer = browserOffer('alice');
const without = (line: string): string => offer.replace(new RegExp(`^a=${line}.*\\r\\n`, 'm'), '');

test('what browsers offer and answer passes, and a medium that is off needs nothing', () => {
  assert.equal(refusedByBrowser(offer), undefined);
  assert.equal(refusedByBrowser(browserAnswer('bob'), offer), undefined);
  assert.equal(refusedByBrowser(`${offer}m=video 0 RTP/AVP 96\r\n`), undefined);
});

for (const line of ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup', 'rtcp-mux']) {
  test(`without a=${line} an offer is refused by its name; an answer only when the offer had it`, () => {
    assert.equal(refusedByBrowser(without(line)), `m=audio: a=${line} is missing`);
    assert.equal(refusedByBrowser(without(line), offer), `m=audio: a=${line} is missing`);
    assert.equal(refusedByBrowser(without(line), without(line)), undefined);
  });
}

test('RFC 8827 §6.5: no keys in the SDP, and no other protocol', () => {
  assert.match(refusedByBrowser(`${offer}a=crypto:1 x inline:y\r\n`) ?? '', /^m=audio: a=crypto/);
  assert.equal(refusedByBrowser(phoneOffer('x')), 'm=audio: RTP/AVP is not UDP/TLS/RTP/SAVPF');
  assert.equal(refusedByBrowser(sdesOffer('x')), 'm=audio: RTP/SAVP is not UDP/TLS/RTP/SAVPF');
  assert.equal(refusedByBrowser(`${offer}m=image 9 udptl t38\r\n`), 'm=image: udptl is not UDP/TLS/RTP/SAVPF');
});

test('ICE, fingerprint and role may stand above all media; RFC 8841: a data channel needs no rtcp-mux', () => {
  const above = 'v=0\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\na=fingerprint:z\r\na=setup:active\r\n';
  assert.equal(refusedByBrowser(`${above}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\n`), undefined);
  assert.equal(refusedByBrowser(`${above}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`), undefined);
});

test('RFC 3264 §6: an answer has as many media as its offer', () => {
  assert.equal(refusedByBrowser(offer, `${offer}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n`), '1 m= lines answer 2');
});
