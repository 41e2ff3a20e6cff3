/** RFC 8445 §9: an offer with the ICE of before restarts nothing; all else of it stays byte for byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withIceOf } from '../../src/sdp/ice.ts';
import { browserOffer, phoneOffer } from '../support/sdp.ts';

const restarted = (sdp: string): string =>
  sdp.replaceAll('a=ice-ufrag:Wxyz', 'a=ice-ufrag:anew').replaceAll('a=ice-pwd:aBcDeF', 'a=ice-pwd:anewAN');
const video = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:Wxyz\r\na=ice-pwd:aBcDeFgHiJkLmNoPqRsTuVwX\r\na=mid:1\r\n';

test('credentials are those of the same medium before, whichever others its author has now', () => {
  for (const before of [browserOffer('alice'), `${browserOffer('alice')}${video}`]) {
    const held = before.replace('a=sendrecv', 'a=sendonly');
    assert.equal(withIceOf(restarted(held), before), held);
    assert.equal(withIceOf(held, before), held);
  }
});

test('RFC 8839 §5.4: they may stand above all media, then or now', () => {
  const inMedium = browserOffer('alice');
  const credentials = /a=ice-ufrag:.*\r\na=ice-pwd:.*\r\n/.exec(inMedium)?.[0] ?? '';
  const above = inMedium.replace(credentials, '').replace('t=0 0\r\n', `t=0 0\r\n${credentials}`);
  assert.equal(withIceOf(restarted(above), inMedium), above);
  assert.equal(withIceOf(restarted(inMedium), above), inMedium);
});

test('a medium that is new keeps its own, as does an offer of who had no ICE', () => {
  const added = restarted(`${browserOffer('alice')}${video}`);
  assert.equal(withIceOf(added, browserOffer('alice')), `${browserOffer('alice')}${restarted(video)}`);
  assert.equal(withIceOf(added, phoneOffer('alice')), added);
  assert.equal(withIceOf(phoneOffer('alice'), added), phoneOffer('alice'));
});

test('the last line may lack its end', () => {
  const before = 'm=audio 9 x 0\r\na=ice-ufrag:old';
  assert.equal(withIceOf('m=audio 9 x 0\r\na=ice-ufrag:new', before), before);
});
