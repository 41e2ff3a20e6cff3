import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addressFamily,
  answerProfile,
  type Keying,
  offerProfile,
  otherKind,
  type ReceiverPart,
  type SenderPart,
} from '../../src/media/profiles.ts';
import type { MediaKind } from '../../src/ports.ts';

const kinds: readonly MediaKind[] = ['webrtc', 'rtp', 'sdes', 'osrtp'];

describe('media profiles (DESIGN §4)', () => {
  it('to a browser: DTLS-SRTP with ICE and rtcp-mux, and no key in the SDP', () => {
    assert.deepEqual(offerProfile('rtp', 'webrtc'), {
      'transport-protocol': 'UDP/TLS/RTP/SAVPF',
      DTLS: 'passive',
      SDES: ['off'],
      ICE: 'force',
      'rtcp-mux': ['offer'],
      flags: ['generate-mid'],
    });
  });

  it('to a telephone: plain RTP without ICE, DTLS and rtcp-mux', () => {
    assert.deepEqual(offerProfile('rtp', 'rtp'), {
      'transport-protocol': 'RTP/AVP',
      DTLS: 'off',
      SDES: ['off'],
      ICE: 'remove',
      'rtcp-mux': ['demux'],
    });
  });

  it('RFC 4568 §6.1: to an SDES telephone: keys in the SDP, with their padding, in offer and answer', () => {
    assert.deepEqual(offerProfile('rtp', 'sdes'), {
      'transport-protocol': 'RTP/SAVP',
      DTLS: 'off',
      SDES: ['pad'],
      ICE: 'remove',
      'rtcp-mux': ['demux'],
    });
    assert.deepEqual(answerProfile('sdes'), { SDES: ['pad'] });
  });

  it('RFC 8643: to a telephone that takes either: plain RTP with keys beside it, and a key back to one that offered so', () => {
    assert.deepEqual(offerProfile('rtp', 'osrtp'), {
      'transport-protocol': 'RTP/AVP',
      DTLS: 'off',
      SDES: ['pad'],
      OSRTP: ['offer'],
      ICE: 'remove',
      'rtcp-mux': ['demux'],
    });
    assert.deepEqual(answerProfile('osrtp'), { SDES: ['pad'], OSRTP: ['accept'] });
    for (const receiver of ['webrtc', 'rtp'] as const) assert.deepEqual(answerProfile(receiver), {});
  });

  it('what is offered after a refusal: the other kind once, and each of both to who was offered either', () => {
    assert.deepEqual([otherKind(['rtp']), otherKind(['rtp', 'sdes'])], ['sdes', undefined]);
    assert.deepEqual(
      [otherKind(['sdes']), otherKind(['webrtc']), otherKind(['webrtc', 'rtp'])],
      ['rtp', 'rtp', undefined],
    );
    const asked = [['osrtp'], ['osrtp', 'sdes'], ['osrtp', 'sdes', 'rtp']] as const;
    assert.deepEqual(asked.map(otherKind), ['sdes', 'rtp', undefined]);
  });

  for (const receiver of kinds) {
    it(`the receiver's part (${receiver}) does not depend on the sender`, () => {
      const { 'DTLS-reverse': _, ...fromBrowser } = offerProfile('webrtc', receiver);
      assert.deepEqual(fromBrowser, offerProfile('rtp', receiver));
    });

    it(`from a browser to ${receiver}, and from nobody else: DTLS-reverse passive`, () => {
      assert.equal(offerProfile('webrtc', receiver)['DTLS-reverse'], 'passive');
      assert.equal(offerProfile('rtp', receiver)['DTLS-reverse'], undefined);
      assert.equal(offerProfile('sdes', receiver)['DTLS-reverse'], undefined);
    });
  }

  it('list-typed keys are lists: rtpengine 10.5 drops a plain string without a word', () => {
    for (const sender of kinds) {
      for (const receiver of kinds) {
        const profile = offerProfile(sender, receiver);
        for (const key of ['SDES', 'rtcp-mux', 'flags'] as const) {
          assert.ok(profile[key] === undefined || Array.isArray(profile[key]), `${sender} to ${receiver}: ${key}`);
        }
      }
    }
  });

  it('address family follows the address at which the receiver is reached', () => {
    assert.equal(addressFamily('192.0.2.1'), 'IP4');
    assert.equal(addressFamily('2001:db8::1'), 'IP6');
  });
});

/** `true` where a value of that shape could stand in a row of the table. */
type Fits<Shape, Wanted> = Shape extends Wanted ? true : false;
type Dtls = { 'transport-protocol': 'UDP/TLS/RTP/SAVPF'; DTLS: 'passive'; SDES: ['off'] };
type Plain = { 'transport-protocol': 'RTP/AVP'; DTLS: 'off'; SDES: ['off'] };
type Sdes = { 'transport-protocol': 'RTP/SAVP'; DTLS: 'off'; SDES: ['pad'] };
type Either = { 'transport-protocol': 'RTP/AVP'; DTLS: 'off'; SDES: ['pad']; OSRTP: ['offer'] };

describe('what does not type-check', () => {
  it('secure transport without keying, plain transport with keying, and two keyings at once', () => {
    // These lines are the test: `tsc` refuses the file when one of them is wrong.
    const right: readonly [Fits<Dtls, Keying>, Fits<Plain, Keying>, Fits<Sdes, Keying>, Fits<Either, Keying>] = [
      true,
      true,
      true,
      true,
    ];
    const eitherWithoutKeys: Fits<Omit<Either, 'SDES'> & { SDES: ['off'] }, Keying> = false;
    const secureWithoutKeying: Fits<Omit<Dtls, 'DTLS'> & { DTLS: 'off' }, Keying> = false;
    const sdesWithoutKeys: Fits<Omit<Sdes, 'SDES'> & { SDES: ['off'] }, Keying> = false;
    const plainWithDtls: Fits<Omit<Plain, 'DTLS'> & { DTLS: 'passive' }, Keying> = false;
    const plainWithSdes: Fits<Omit<Plain, 'SDES'>, Keying> = false;
    const dtlsWithSdes: Fits<Omit<Dtls, 'SDES'>, Keying> = false;
    const wrong = [eitherWithoutKeys, secureWithoutKeying, sdesWithoutKeys, plainWithDtls, plainWithSdes, dtlsWithSdes];
    assert.deepEqual([right.every(Boolean), wrong.some(Boolean)], [true, false]);
  });

  it('a string where rtpengine wants a list, and a receiver without ICE or rtcp-mux', () => {
    const string: Fits<Omit<Plain, 'SDES'> & { SDES: 'off' }, Keying> = false;
    const noIce: Fits<Plain & { 'rtcp-mux': ['demux'] }, ReceiverPart> = false;
    const noMux: Fits<Plain & { ICE: 'remove' }, ReceiverPart> = false;
    const sender: Fits<{ 'DTLS-reverse': 'active' }, SenderPart> = false;
    assert.deepEqual([string, noIce, noMux, sender], [false, false, false, false]);
  });
});
