import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keepTelephoneEvent8000, stripBrowserLines, stripSsrc } from '../../src/sdp/strip.ts';

test('RFC 5576 §4: a=ssrc and a=ssrc-group go, every other line stays byte for byte', () => {
  const body = 'v=0\r\nm=audio 4 RTP/AVP 0\r\na=ssrc:1 cname:x\r\na=ssrc-group:FID 1 2\na=ssrcs:x\r\na=rtcp:5\na=end';
  assert.equal(stripSsrc(body), 'v=0\r\nm=audio 4 RTP/AVP 0\r\na=ssrcs:x\r\na=rtcp:5\na=end');
  assert.equal(stripSsrc('a=ssrc:1 x'), '');
});

test('RFC 3261 §18.1.1: what only browsers read is taken out for a telephone, every other line stays byte for byte', () => {
  const kept = [
    'v=0',
    'a=groups',
    'm=audio 4 RTP/AVP 0 101',
    'a=rtpmap:0 PCMU/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    'a=rtcp-fb:0 nack pli',
    'a=rtcp:5',
  ];
  const gone = [
    'a=group:BUNDLE 0',
    'a=msid-semantic: WMS x',
    'a=extmap:1 urn:x',
    'a=extmap-allow-mixed',
    'a=msid:x y',
    'a=ssrc:1 cname:x',
    'a=ssrc-group:FID 1 2',
    'a=rtcp-fb:0 transport-cc',
    'a=rtcp-fb:* goog-remb',
    'a=rtcp-rsize',
    'a=mid:0',
    'a=ice-options:trickle',
  ];
  const [first = '', ...rest] = kept;
  const text = (...lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');
  assert.equal(stripBrowserLines(text(first, ...gone, ...rest)), text(...kept));
  assert.equal(stripBrowserLines('a=rtcp-rsize'), '');
});

test('a body without what is looked for is given back as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (body) => {
      if (body.includes('a=ssrc') || body.includes('telephone-event')) return;
      assert.equal(stripSsrc(body), body);
      assert.equal(keepTelephoneEvent8000(body), body);
    }),
  );
});

const browser = [
  'v=0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 110 126',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:110 telephone-event/48000',
  'a=fmtp:110 0-15',
  'a=rtcp-fb:110 nack',
  'a=rtpmap:126 telephone-event/8000',
  'a=fmtp:126 0-15',
  'm=video 9 UDP/TLS/RTP/SAVPF 110',
  'a=rtpmap:110 VP8/90000',
  '',
].join('\r\n');

test('RFC 4733 §2.1: towards a telephone one telephone-event/8000 is left, in its own medium only', () => {
  assert.equal(
    keepTelephoneEvent8000(browser),
    [
      'v=0',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 126',
      'a=rtpmap:111 opus/48000/2',
      'a=rtpmap:126 telephone-event/8000',
      'a=fmtp:126 0-15',
      'm=video 9 UDP/TLS/RTP/SAVPF 110',
      'a=rtpmap:110 VP8/90000',
      '',
    ].join('\r\n'),
  );
});

test('RFC 4733 §2.1: a second telephone-event/8000 goes too; without one at 8000 Hz nothing is changed', () => {
  const two = 'm=audio 4 RTP/AVP 0 101 96\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:96 telephone-event/8000\r\n';
  assert.equal(keepTelephoneEvent8000(two), 'm=audio 4 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n');
  const only48 =
    'm=audio 4 RTP/AVP 110 112\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:112 telephone-event/16000\r\n';
  assert.equal(keepTelephoneEvent8000(only48), only48);
});

test('a port that looks like the payload type is not taken for it', () => {
  const body = 'm=audio 110 RTP/AVP 110 126\na=rtpmap:110 telephone-event/48000\na=rtpmap:126 telephone-event/8000';
  assert.equal(keepTelephoneEvent8000(body), 'm=audio 110 RTP/AVP 126\na=rtpmap:126 telephone-event/8000');
});
