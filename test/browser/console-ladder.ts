/** An invented call from a browser to a desk phone, as `GET /api/v1/calls/:id/ladder` and `…/explain` tell it. */
import type { CallExplanation, LadderReport, LadderStep } from '../../src/engine/operations.ts';

const browserSdp = `v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 53142 UDP/TLS/RTP/SAVPF 111 0 8 126
c=IN IP4 198.51.100.23
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 198.51.100.23 53142 typ host
a=ice-ufrag:8hhY
a=ice-pwd:asd88fgpdd777uzjYhagZg
a=fingerprint:sha-256 49:66:12:17:0D:1C:91:AE:57:4C:C6:36:DD:D5:97:D2
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:126 telephone-event/8000`;

const phoneSdp = `v=0
o=- 4611731400430051336 2 IN IP4 203.0.113.7
s=-
t=0 0
m=audio 23850 RTP/AVP 111 0 8 126
c=IN IP4 203.0.113.7
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:126 telephone-event/8000
a=sendrecv
a=rtcp:23851`;

const phoneAnswer = `v=0
o=bob 8000 8000 IN IP4 192.0.2.40
s=-
c=IN IP4 192.0.2.40
t=0 0
m=audio 11780 RTP/AVP 0 126
a=rtpmap:0 PCMU/8000
a=rtpmap:126 telephone-event/8000
a=sendrecv`;

const browserAnswer = `v=0
o=bob 8000 8000 IN IP4 203.0.113.7
s=-
c=IN IP4 203.0.113.7
t=0 0
m=audio 23866 UDP/TLS/RTP/SAVPF 0 126
a=mid:0
a=rtpmap:0 PCMU/8000
a=rtpmap:126 telephone-event/8000
a=sendrecv
a=rtcp-mux
a=setup:passive
a=fingerprint:sha-256 2E:0F:7B:51:A2:96:40:19:0C:D8:3B:77:E1:4A:05:CC
a=ice-ufrag:vGgT4ikq
a=ice-pwd:1TnGmNv1QHfPu4k2YwLxCd
a=candidate:Hc0CI6AAZUUP44zr 1 UDP 2130706431 203.0.113.7 23866 typ host`;

const call: LadderReport['call'] = {
  legs: [],
  id: 'call-0',
  callId: 'c0@example.com',
  state: 'answered',
  from: 'sip:alice@example.com',
  to: 'sip:bob@example.com',
  startedAt: '',
  answeredAt: undefined,
  callerMedia: 'webrtc',
  calleeMedia: 'rtp',
  rtpengine: undefined,
  endedAt: undefined,
  endedBy: undefined,
  status: undefined,
  code: undefined,
  reason: undefined,
  mediaFault: undefined,
  recording: undefined,
};

export function inventedLadder(nowMs: number): LadderReport {
  const begunMs = nowMs - 12_000;
  let number = 0;
  const step = (sinceMs: number, more: Partial<LadderStep>): LadderStep => ({
    kind: 'message',
    number: undefined,
    at: new Date(begunMs + sinceMs).toISOString(),
    sinceMs,
    party: undefined,
    incoming: false,
    label: '',
    tone: 'plain',
    times: 1,
    lastSinceMs: sinceMs,
    text: undefined,
    ...more,
  });
  const message = (
    sinceMs: number,
    party: number,
    incoming: boolean,
    label: string,
    sdp?: string,
    more: Partial<LadderStep> = {},
  ) => {
    number++;
    return step(sinceMs, { number, party, incoming, label, text: textOf(label, sdp), ...more });
  };
  const [alice, bob] = [0, 1];
  return {
    call,
    parties: [
      { role: 'caller', name: 'alice', transport: 'wss', address: '198.51.100.23:50212' },
      { role: 'callee', name: 'bob', transport: 'udp', address: '192.0.2.40:5060' },
    ],
    steps: [
      message(0, alice, true, 'INVITE (sdp: webrtc)', browserSdp),
      message(1, alice, false, '407 Proxy Authentication Required', undefined, { tone: 'quiet' }),
      message(38, alice, true, 'ACK'),
      message(41, alice, true, 'INVITE (sdp: webrtc)', browserSdp),
      message(42, alice, false, '100 Trying'),
      step(44, { kind: 'routed', label: 'location: one contact of bob' }),
      step(47, { kind: 'ng', label: 'rtpengine offer: RTP/AVP for bob, ok in 3 ms' }),
      message(48, bob, false, 'INVITE (sdp: rtp)', phoneSdp, { times: 2, lastSinceMs: 548 }),
      message(612, bob, true, '180 Ringing'),
      message(613, alice, false, '180 Ringing'),
      message(3120, bob, true, '200 OK (sdp: rtp)', phoneAnswer, { tone: 'good' }),
      step(3124, { kind: 'ng', label: 'rtpengine answer: ok in 4 ms' }),
      message(3125, alice, false, '200 OK (sdp: webrtc)', browserAnswer, { tone: 'good' }),
      message(3160, alice, true, 'ACK'),
      message(3161, bob, false, 'ACK'),
    ],
    lines: [],
    dropped: 0,
  };
}

/** `seconds`: how long somebody has looked. */
export function inventedExplanation(nowMs: number, seconds: number): CallExplanation {
  const begunMs = nowMs - 12_000;
  const { parties } = inventedLadder(nowMs);
  const [alice, bob] = parties;
  if (alice === undefined || bob === undefined) throw new Error('the invented ladder has two parties');
  const wave = Math.sin(seconds / 5);
  const packets = Math.round(450 + 50 * seconds);
  const counted = { packets, bytes: packets * 172, rtcpPackets: 3, silentSeconds: 0 };
  const overTime = inventedOverTime(begunMs, seconds);
  const exchange = { node: '10.0.0.5', failure: undefined, changes: [] };
  return {
    call,
    verdicts: [
      {
        number: 1,
        code: 'heard',
        level: 'ok',
        says: 'Both sides hear each other.',
        nextStep: 'Nothing is to be done: packets arrive from both, and both are sent on.',
      },
      {
        number: 23,
        code: 'no-rtcp',
        level: 'notice',
        says: 'The quality that bob hears is not known.',
        nextStep: 'His telephone sends no RTCP; switch it on there if you want to see it.',
      },
    ],
    legs: [
      {
        party: alice,
        userAgent: 'JsSIP 3.13.8',
        profile: 'webrtc',
        why: 'its own SDP offers DTLS-SRTP with ICE',
        inCall: true,
        sdpFrom: browserSdp,
        sdpTo: browserAnswer,
        media: {
          ...counted,
          sends: true,
          tag: 'a',
          viaBranch: undefined,
          protocol: 'UDP/TLS/RTP/SAVPF',
          local: '203.0.113.7:23866',
          remote: '198.51.100.23:53142',
          ice: 'done',
          dtls: 'done',
          srtp: 'DTLS-SRTP',
          quality: {
            mos: 4.2 + 0.1 * wave,
            jitterMs: 6 - 3 * wave,
            lossPercent: Math.max(0, 0.3 - 0.4 * wave),
            roundTripMs: 34 + 6 * wave,
            lost: 2,
          },
        },
        noQuality: undefined,
        overTime,
      },
      {
        party: bob,
        userAgent: 'Yealink SIP-T46U 108.86.0.45',
        profile: 'rtp',
        why: 'its registration came over UDP',
        inCall: true,
        sdpFrom: phoneAnswer,
        sdpTo: phoneSdp,
        media: {
          ...counted,
          sends: true,
          tag: 'b',
          viaBranch: undefined,
          protocol: 'RTP/AVP',
          local: '203.0.113.7:23850',
          remote: '192.0.2.40:11780',
          ice: 'off',
          dtls: 'off',
          srtp: 'off',
          quality: undefined,
        },
        noQuality: 'no-rtcp',
        overTime: { ...overTime, quality: [] },
      },
    ],
    exchanges: [
      {
        ...exchange,
        kind: 'offer',
        by: 'caller',
        callee: 'bob',
        atMs: begunMs + 44,
        tookMs: 3,
        cookie: '5f0c2a91',
        flags: { 'transport-protocol': 'RTP/AVP', ICE: 'remove', DTLS: 'off', SDES: 'off' },
        before: browserSdp,
        after: phoneSdp,
        words: ['ICE and DTLS were taken out: a telephone knows neither.', 'Media goes to 203.0.113.7:23850.'],
      },
      {
        ...exchange,
        kind: 'answer',
        by: 'callee',
        callee: 'bob',
        atMs: begunMs + 3120,
        tookMs: 4,
        cookie: '91be77d0',
        flags: {},
        before: phoneAnswer,
        after: browserAnswer,
        words: ['ICE and a DTLS fingerprint were put in for the browser.'],
      },
    ],
  };
}

/** Fifty packets a second, and a report in five. */
function inventedOverTime(begunMs: number, seconds: number): CallExplanation['legs'][number]['overTime'] {
  const each = <T>(every: number, of: (second: number, atMs: number) => T): readonly T[] =>
    Array.from({ length: Math.floor(seconds / every) }, (_, index) =>
      of(index * every, begunMs + index * every * 1000),
    );
  return {
    packets: each(2, (second, atMs) => ({ atMs, packets: 50 * second })),
    quality: each(5, (second, atMs) => {
      const wave = Math.sin(second / 5);
      const lossPercent = Math.max(0, -4 * wave);
      return { atMs, mos: 4.2 + 0.1 * wave, jitterMs: 6 - 3 * wave, lossPercent, roundTripMs: 34 + 6 * wave };
    }),
  };
}

function textOf(label: string, sdp: string | undefined): string {
  const word = label.replace(/ \(.*/, '');
  const request = /^[A-Z]+$/.test(word);
  const lines = [
    request ? `${word} sip:bob@example.com SIP/2.0` : `SIP/2.0 ${word}`,
    'Via: SIP/2.0/WSS k3v8s2.invalid;branch=z9hG4bK7391204;rport',
    'From: "Alice" <sip:alice@example.com>;tag=9fxced76sl',
    `To: <sip:bob@example.com>${request && word === 'INVITE' ? '' : ';tag=8321234356'}`,
    'Call-ID: c0@example.com',
    `CSeq: 2 ${request && word === 'ACK' ? 'ACK' : 'INVITE'}`,
    'User-Agent: JsSIP 3.13.8',
    ...(sdp === undefined ? ['Content-Length: 0'] : ['Content-Type: application/sdp', `Content-Length: ${sdp.length}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${sdp === undefined ? '' : `${sdp.replaceAll('\n', '\r\n')}\r\n`}`;
}
