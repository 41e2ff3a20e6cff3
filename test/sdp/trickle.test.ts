import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markTrickle } from '../../src/sdp/trickle.ts';

const mark = 'a=ice-options:trickle';
const session = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0'];
const audio = ['m=audio 9 UDP/TLS/RTP/SAVPF 0', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:Wxyz', 'a=mid:0'];
const video = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:Wxyz', 'a=mid:1'];
const text = (...lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');
const unchanged = (...lines: readonly string[]): void => assert.equal(markTrickle(text(...lines)), text(...lines));

test('RFC 8840 §4.1.1: a medium with ICE and without an address gets the mark, also where the session has it', () => {
  assert.equal(markTrickle(text(...session, mark, ...audio)), text(...session, mark, ...audio, mark));
  assert.equal(markTrickle(text(...session, ...audio)), text(...session, ...audio, mark));
});

test('each medium for itself', () => {
  const both = text(...session, ...audio, ...video, mark);
  assert.equal(markTrickle(both), text(...session, ...audio, mark, ...video, mark));
});

test('ICE and the address may stand at the session level, for all media', () => {
  const above = [...session, 'c=IN IP6 ::', 'a=ice-ufrag:Wxyz'];
  assert.equal(markTrickle(text(...above, 'm=audio 9 X 0')), text(...above, 'm=audio 9 X 0', mark));
  unchanged(...above, 'm=audio 9 X 0', 'c=IN IP4 192.0.2.1');
});

test('a body that ends without a line end gets one', () => {
  assert.equal(markTrickle(text(...session, ...audio).slice(0, -2)), text(...session, ...audio, mark));
});

test('the rest stays byte for byte: telephones on hold, media with an address, media that have the mark', () => {
  unchanged(...session, 'm=audio 9 RTP/AVP 0', 'c=IN IP4 0.0.0.0');
  unchanged(...session, 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'c=IN IP4 192.0.2.1', 'a=ice-ufrag:Wxyz');
  unchanged(...session, ...audio, 'a=ice-options:ice2 trickle');
  assert.equal(markTrickle(''), '');
});
