import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeAnswer } from '../../src/sdp/complete-answer.ts';
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
