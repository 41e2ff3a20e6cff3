import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessage } from '../../src/message/scan.ts';
import { describeSdp, isSdp } from '../../src/sdp/describe.ts';

const sdp = (...lines: readonly string[]): string =>
  ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 't=0 0', ...lines, ''].join('\r\n');

test('RFC 8827 §6.5: a browser is known by its DTLS-SRTP profile or by fingerprint and ICE', () => {
  const chrome = sdp(
    'a=fingerprint:sha-256 AA',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:x',
    'a=sendrecv',
  );
  assert.deepEqual(describeSdp(chrome), { webrtc: true, kind: 'webrtc', direction: 'sendrecv', addressFamily: 'IP4' });
  assert.equal(describeSdp(sdp('m=audio 9 RTP/SAVPF 0', 'a=fingerprint:sha-256 AA', 'a=ice-ufrag:x'))?.kind, 'webrtc');
});

test('RFC 3551, 4568, 8643: a telephone is plain RTP, SDES by its profile, or either by keys beside plain RTP', () => {
  assert.equal(describeSdp(sdp('c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/AVP 0 8'))?.kind, 'rtp');
  assert.equal(
    describeSdp(sdp('m=audio 4000 RTP/SAVP 0', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x'))?.kind,
    'sdes',
  );
  assert.equal(describeSdp(sdp('m=audio 4000 RTP/AVP 0', 'a=crypto:1 x inline:y'))?.kind, 'osrtp');
  assert.equal(describeSdp(sdp('m=audio 4000 RTP/AVP 0', 'a=ice-ufrag:x'))?.kind, 'rtp');
});

test('RFC 3362: a fax says nothing of how a party speaks RTP, and stands in nobody’s way', () => {
  const fax = ['m=image 4000 udptl t38', 'c=IN IP4 192.0.2.1'];
  assert.deepEqual(describeSdp(sdp(...fax)), {
    webrtc: false,
    kind: undefined,
    direction: 'sendrecv',
    addressFamily: 'IP4',
  });
  assert.equal(describeSdp(sdp(...fax, 'm=audio 4 RTP/SAVP 0', 'a=recvonly'))?.kind, 'sdes');
  assert.equal(describeSdp(sdp(...fax, 'm=audio 4 RTP/AVP 0', 'a=recvonly'))?.direction, 'recvonly');
  const data = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=fingerprint:sha-256 AA', 'a=ice-ufrag:x'];
  assert.equal(describeSdp(sdp(...data))?.kind, 'webrtc');
});

test('RFC 8866 §6.7: the direction of the first medium, before that of the session, and sendrecv without one', () => {
  assert.equal(describeSdp(sdp('m=audio 4 RTP/AVP 0'))?.direction, 'sendrecv');
  assert.equal(describeSdp(sdp('a=inactive', 'm=audio 4 RTP/AVP 0'))?.direction, 'inactive');
  assert.equal(describeSdp(sdp('a=inactive', 'm=audio 4 RTP/AVP 0', 'a=sendonly'))?.direction, 'sendonly');
  assert.equal(describeSdp(sdp('m=audio 4 RTP/AVP 0', 'm=video 6 RTP/AVP 96', 'a=recvonly'))?.direction, 'sendrecv');
});

test('RFC 8866 §5.7: the address family is that of the connection, not of the origin', () => {
  assert.equal(describeSdp(sdp('c=IN IP6 ::1', 'm=audio 4 RTP/AVP 0'))?.addressFamily, 'IP6');
  assert.equal(describeSdp(sdp('c=IN IP6 ::1', 'm=audio 4 RTP/AVP 0', 'c=IN IP4 192.0.2.1'))?.addressFamily, 'IP4');
  assert.equal(describeSdp(sdp('m=audio 4 RTP/AVP 0'))?.addressFamily, undefined);
});

test('lines may end with LF alone; what is no SDP, or has no medium, is undefined', () => {
  assert.equal(
    describeSdp(sdp('m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=recvonly').replaceAll('\r\n', '\n'))?.direction,
    'recvonly',
  );
  for (const text of ['', 'hello', sdp(), '\0\xff']) assert.equal(describeSdp(text), undefined);
});

test('RFC 3261 §20.15: a body is an SDP by its Content-Type', () => {
  const typed = (type: string, body = 'v=0\r\n') => {
    const message = parseMessage(
      [
        'SIP/2.0 200 OK',
        'Via: SIP/2.0/UDP a',
        'From: <sip:a@b>',
        'To: <sip:a@b>',
        'Call-ID: 1',
        'CSeq: 1 INVITE',
        type,
        '',
        body,
      ].join('\r\n'),
    );
    return message.kind !== 'unparsable' && isSdp(message);
  };
  assert.ok(typed('Content-Type: application/sdp'));
  assert.ok(typed('c: Application/SDP ; charset=utf-8'));
  assert.ok(!typed('Content-Type: application/sdp', ''));
  assert.ok(!typed('Content-Type: text/plain'));
  assert.ok(!typed('Content-Type: multipart/mixed;boundary=x'));
  assert.ok(!typed('Subject: application/sdp'));
});
