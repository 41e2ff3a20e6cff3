import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asOffered, completeAnswer, completeOffer } from '../../src/sdp/complete.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const video = 'm=video 46000 RTP/AVP 96 97\r\n';

test('RFC 3264 §6: media that the answer leaves out are refused in it, in their order', () => {
  const offer = `${phoneOffer('alice')}${video}a=rtpmap:96 VP8/90000\r\nm=text 5 RTP/AVP 98\r\n`;
  const refused = 'm=video 0 RTP/AVP 96 97\r\nm=text 0 RTP/AVP 98\r\n';
  assert.equal(completeAnswer(phoneAnswer('bob'), offer), phoneAnswer('bob') + refused);
  assert.equal(completeAnswer(phoneAnswer('bob').trimEnd(), offer), phoneAnswer('bob') + refused);
});

test('a complete answer stays byte for byte, and what is no SDP too', () => {
  const offer = phoneOffer('alice') + video;
  for (const answer of [`${phoneAnswer('bob')}m=video 0 RTP/AVP 96`, '', 'hello', phoneAnswer('bob').trimEnd()]) {
    assert.equal(completeAnswer(answer, answer.includes('video') ? offer : phoneOffer('alice')), answer);
  }
});

test('RFC 3264 §8: a later offer has the media of the session, whichever side named them, and its answer what it named itself', () => {
  const [plain, both] = [phoneOffer('bob'), phoneOffer('alice') + video];
  const off = 'm=video 0 RTP/AVP 96 97\r\n';
  assert.equal(completeOffer(plain, { offer: both, answer: plain }), plain + off);
  assert.equal(completeOffer(plain, { offer: plain, answer: both }), plain + off);
  assert.equal(completeOffer(both, { offer: both, answer: plain }), both);
  assert.equal(asOffered(phoneAnswer('alice') + off, plain), phoneAnswer('alice'));
  for (const offer of [both, 'hello', ''])
    assert.equal(asOffered(phoneAnswer('alice') + off, offer), phoneAnswer('alice') + off);
});
