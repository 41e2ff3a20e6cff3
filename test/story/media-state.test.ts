/** What rtpengine 10.5 says of a browser's leg, and what that means: taken from its replies in real calls. */
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
  const offered = place('127.0.0.1', 36_205);
  assert.equal(iceOf({ endpoint: place('::1', 58_309), 'advertised endpoint': offered }), 'done');
  assert.equal(iceOf({ endpoint: offered, 'advertised endpoint': offered }), 'waiting');
});

test('where the SDP named no address yet, the first candidate is a guess', () => {
  for (const unknown of [{}, place('0.0.0.0', 9), place('127.0.0.1', 9), place('::', 9)]) {
    assert.equal(iceOf({ endpoint: place('198.51.100.1', 50_000), 'advertised endpoint': unknown }), 'waiting');
  }
});

test('packets, or a confirmed stream, prove it', () => {
  assert.equal(iceOf({ stats: { packets: 1, bytes: 172, errors: 0 } }), 'done');
  assert.equal(iceOf({ flags: ['RTP', 'confirmed'] }), 'done');
});
