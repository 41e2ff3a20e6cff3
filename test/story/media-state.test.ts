/** What rtpengine (10.5 to 26) says of a browser's leg, and what that means: taken from its replies in real calls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NgReply } from '../../src/ports.ts';
import { mediaStateOf } from '../../src/story/media-state.ts';

const place = (address: string, port: number): NgReply => ({ address, port });

function iceOf(stream: NgReply): string | undefined {
  const medium = {
    type: 'audio',
    flags: ['send', 'recv', 'rtcp-mux', 'DTLS-SRTP', 'ICE', 'trickle ICE'],
    streams: [{ flags: ['RTP', 'RTCP', 'filled', 'ICE'], stats: { packets: 0, bytes: 0, errors: 187 }, ...stream }],
  };
  return mediaStateOf({ tags: { a: { medias: [medium] } } }, 0)?.legs[0]?.ice;
}

test('a pair was checked when rtpengine sends elsewhere than where the SDP said; errors are of what it could not send', () => {
  assert.equal(iceOf({ endpoint: place('::1', 58_309), 'advertised endpoint': place('127.0.0.1', 36_205) }), 'done');
});

test('whether a pair at the very address of the SDP was checked is not known: it looks the same before and after', () => {
  const offered = place('127.0.0.1', 36_209);
  assert.equal(iceOf({ endpoint: offered, 'advertised endpoint': offered }), 'unknown');
});

test('none was checked while rtpengine does not know where to send', () => {
  for (const unknown of [{}, place('0.0.0.0', 9), place('127.0.0.1', 9), place('::', 9)]) {
    assert.equal(iceOf({ endpoint: unknown, 'advertised endpoint': unknown }), 'waiting');
  }
});

test('where the SDP named no address, a pair that was checked gave the one that rtpengine has: it makes no guesses', () => {
  for (const unknown of [place('0.0.0.0', 9), place('127.0.0.1', 9), place('::', 9)]) {
    assert.equal(iceOf({ endpoint: place('198.51.100.1', 50_000), 'advertised endpoint': unknown }), 'done');
  }
  assert.equal(iceOf({ endpoint: place('198.51.100.1', 50_000) }), 'unknown', 'it does not say what the SDP named');
});

test('packets, keys, or a confirmed stream, prove it', () => {
  assert.equal(iceOf({ stats: { packets: 1, bytes: 172, errors: 0 } }), 'done');
  for (const flag of ['confirmed', 'DTLS fingerprint verified']) assert.equal(iceOf({ flags: ['RTP', flag] }), 'done');
});
