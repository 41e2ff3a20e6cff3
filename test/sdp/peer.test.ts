/**
 * What routing reads of an SDP, against an independent reader (sdp-transform): the SDPs of real browsers, telephones and
 * rtpengine, and those of the scripts. It reads only; to write with it would put lines into another order.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, type SessionDescription } from 'sdp-transform';
import { refusedByBrowser } from '../../src/sdp/browser-gate.ts';
import { describeSdp } from '../../src/sdp/describe.ts';
import { keepTelephoneEvent8000, stripSsrc } from '../../src/sdp/strip.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer, sdesOffer } from '../support/sdp.ts';

const golden = join(import.meta.dirname, '..', 'media', 'golden');
const recorded = readdirSync(golden)
  .filter((name) => name.endsWith('.sdp'))
  .map((name) => [name, readFileSync(join(golden, name), 'latin1')] as const);
const scripted = Object.entries({
  browserOffer: browserOffer('alice'),
  browserAnswer: browserAnswer('alice', { direction: 'recvonly' }),
  phoneOffer: phoneOffer('bob', { direction: 'sendonly' }),
  phoneAnswer: phoneAnswer('bob'),
  sdesOffer: sdesOffer('carol'),
});

for (const [name, sdp] of [...recorded, ...scripted]) {
  describe(name, () => {
    const theirs = parse(sdp);
    const [medium] = theirs.media;
    assert.ok(medium !== undefined);

    test('RFC 8866 §5: the same kind, direction and address family', () => {
      const ours = describeSdp(sdp);
      assert.equal(ours?.kind, kindOf(theirs));
      assert.equal(ours?.direction, medium.direction ?? theirs.direction ?? 'sendrecv');
      assert.equal(ours?.addressFamily, `IP${(medium.connection ?? theirs.connection)?.version ?? 4}`);
    });

    test('DESIGN §4: what is taken out for a telephone is gone, and the rest is read as before', () => {
      const [stripped] = parse(stripSsrc(sdp)).media;
      assert.equal(stripped?.ssrcs, undefined);
      const [kept] = parse(keepTelephoneEvent8000(sdp)).media;
      const events = kept?.rtp.filter(({ codec }) => codec === 'telephone-event') ?? [];
      assert.ok(events.every(({ rate }) => rate === 8000) || events.length <= 1);
      assert.deepEqual(
        kept?.rtp.filter(({ codec }) => codec !== 'telephone-event'),
        medium.rtp.filter(({ codec }) => codec !== 'telephone-event'),
      );
    });

    test('RFC 8827 §6.5: refused by the gate is what has no DTLS-SRTP with ICE for each medium', () => {
      const isFit = theirs.media.every((one) => {
        const [ufrag, fingerprint] = [one.iceUfrag ?? theirs.iceUfrag, one.fingerprint ?? theirs.fingerprint];
        return (
          one.protocol.startsWith('UDP/TLS') &&
          ufrag !== undefined &&
          fingerprint !== undefined &&
          one.crypto === undefined
        );
      });
      assert.equal(refusedByBrowser(sdp) === undefined, isFit, refusedByBrowser(sdp));
    });
  });
}

function kindOf({ media: [medium] }: SessionDescription): string {
  if (medium?.protocol.startsWith('UDP/TLS')) return 'webrtc';
  return medium?.protocol.startsWith('RTP/SAVP') ? 'sdes' : 'rtp';
}
