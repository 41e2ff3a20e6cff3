/**
 * Verdicts on sound: what each side was told, and what rtpengine saw of it.
 *
 * Data and predicates. Numbers are for talking about them and never change; a new row gets the next one (verdicts.ts).
 */
import {
  events,
  failedAs,
  hasNoKeys,
  isBrowser,
  legs,
  nameOf,
  relayOf,
  silent,
  silentLeg,
  speaks,
  talked,
  toBrowser,
  unconnected,
  unreachableRelay,
  type VerdictRow,
  when,
} from './verdict-row.ts';

const privateRelay =
  'rtpengine offers a private address to a client outside: set MEDIA_ADDRESS=LOCAL!PUBLIC (or --interface=LOCAL!PUBLIC).';

export const mediaVerdicts: readonly VerdictRow[] = [
  // what a browser was told
  {
    number: 30,
    code: 'browser-without-fingerprint',
    level: 'error',
    says: (f) => {
      const leg = toBrowser(f, ({ to }) => to?.fingerprint === false);
      return when(leg !== undefined, `The SDP for ${leg} has no DTLS fingerprint: a browser refuses it.`);
    },
    nextStep: 'A profile on the wrong half, or an rtpengine without DTLS. Report it with the SDPs below.',
  },
  {
    number: 31,
    code: 'browser-without-ice',
    level: 'error',
    says: (f) => {
      const leg = toBrowser(f, ({ to }) => to?.ice === false);
      return when(leg !== undefined, `The SDP for ${leg} has no ice-ufrag and ice-pwd: a browser refuses it.`);
    },
    nextStep: 'rtpengine took ICE out of an answer, or never had it. Report it with the SDPs below.',
  },
  {
    number: 32,
    code: 'browser-with-crypto',
    level: 'error',
    says: (f) => {
      const leg = toBrowser(f, ({ to }) => to?.crypto === true);
      return when(
        leg !== undefined,
        `The SDP for ${leg} offers SDES keys beside DTLS: a browser refuses both at once.`,
      );
    },
    nextStep: 'SDES must be off from the first offer on; is a routing change adding flags?',
  },
  {
    number: 33,
    code: 'browser-without-mux',
    level: 'error',
    says: (f) => {
      const leg = toBrowser(f, ({ to }) => to?.mux === false);
      return when(leg !== undefined, `The SDP for ${leg} has no rtcp-mux, which browsers require.`);
    },
    nextStep: 'The phone refused rtcp-mux and rtpengine passed that on: its version is shown by `npx viaduct doctor`.',
  },
  {
    number: 55,
    code: 'browser-refuses',
    level: 'error',
    says: (f) => {
      const said = toBrowser(f, ({ to }) => to?.fingerprint === false || !to?.ice || to.crypto || !to.mux);
      const { detail } = f.story;
      return when(
        failedAs(f, 'browser-sdp') && said === undefined,
        `A browser would refuse what rtpengine made of the SDP: ${detail}.`,
      );
    },
    nextStep:
      'The line is named. A fax, or a medium that is no RTP, cannot go to a browser; else report it with both SDPs.',
  },
  {
    number: 34,
    code: 'srtp-without-keys',
    level: 'error',
    says: (f) => {
      const leg = [f.caller, ...f.callees].find(
        (one) => one?.to !== undefined && /SAVP/.test(one.to.protocol) && !one.to.crypto && !one.to.fingerprint,
      );
      return when(
        leg !== undefined && !isBrowser(leg),
        `The SDP for ${leg === undefined ? '' : nameOf(leg)} wants SRTP and has no keys for it.`,
      );
    },
    nextStep: 'A secure transport needs DTLS or SDES; plain RTP/AVP needs neither.',
  },
  // sound
  {
    number: 35,
    code: 'media-session-lost',
    level: 'error',
    says: (f) =>
      when(
        f.mediaGone && !failedAs(f, 'media-lost'),
        'rtpengine had ended the media of this call before the call ended: silence from then on.',
      ),
    nextStep:
      'It was restarted, or saw no packet for its timeout (60 s): raise `timeout`, or let held phones send keep-alives.',
  },
  {
    number: 36,
    code: 'no-media-at-all',
    level: 'error',
    says: (f) =>
      when(
        f.talkedSeconds >= 2 && silent(f.caller) && silent(f.answerer),
        `No packet came from either side in ${f.talkedSeconds} s: nobody heard anything.`,
      ),
    nextStep: (f) =>
      legs(f).some(unreachableRelay)
        ? privateRelay
        : 'Is UDP to the ports of rtpengine open? Is the address in the SDPs below the one that clients can reach?',
  },
  {
    number: 37,
    code: 'browser-never-reached-relay',
    level: 'error',
    says: (f) => {
      const leg = silentLeg(f);
      return when(
        unconnected(leg) && leg?.media?.ice !== 'unknown' && legs(f).some(speaks),
        `${leg === undefined ? '' : nameOf(leg)} never reached rtpengine at ${relayOf(leg)}: ICE is ${leg?.media?.ice}, so the other side heard nothing.`,
      );
    },
    nextStep: (f) =>
      legs(f).some(unreachableRelay)
        ? privateRelay
        : 'Open UDP to the port range of rtpengine for browsers; a network that forbids UDP needs a TURN server.',
  },
  {
    number: 57,
    code: 'ice-or-dtls-unfinished',
    level: 'error',
    says: (f) => {
      const leg = silentLeg(f);
      return when(
        unconnected(leg) && leg?.media?.ice === 'unknown' && legs(f).some(speaks),
        `No sound from ${leg === undefined ? '' : nameOf(leg)}: it never reached rtpengine at ${relayOf(leg)}, or did and the DTLS handshake failed; rtpengine does not tell which.`,
      );
    },
    nextStep: (f) =>
      legs(f).some(unreachableRelay)
        ? privateRelay
        : 'Most often UDP to the port range of rtpengine is closed: open it, or use a TURN server. If the browser says that ICE is connected (chrome://webrtc-internals, about:webrtc), compare a=fingerprint and a=setup in both SDPs.',
  },
  {
    number: 38,
    code: 'one-way',
    level: 'error',
    says: (f) => {
      const leg = silentLeg(f);
      return when(
        leg !== undefined && !unconnected(leg) && !hasNoKeys(leg) && legs(f).some(speaks),
        `One-way audio: nothing came from ${leg === undefined ? '' : nameOf(leg)}, so the other side heard nothing.`,
      );
    },
    nextStep:
      'Its SDP says where it sends from: a private address there means NAT on its side. Muted or on hold looks the same.',
  },
  {
    number: 39,
    code: 'dtls-unfinished',
    level: 'error',
    says: (f) => {
      const leg = legs(f).find(hasNoKeys);
      return when(
        talked(f) && leg !== undefined,
        `The DTLS handshake with ${leg === undefined ? '' : nameOf(leg)} never finished: there are no keys, so its packets are thrown away.`,
      );
    },
    nextStep:
      'The fingerprint in the SDP is not that of the client, or both sides wait for the other (setup:passive). See a=setup in both SDPs.',
  },
  {
    number: 40,
    code: 'relay-address-private',
    level: 'warning',
    says: (f) => {
      const leg = [f.caller, ...f.callees].find(unreachableRelay);
      return when(
        leg !== undefined,
        `${leg?.party.name} at ${leg?.party.address} was told to send its media to ${leg?.to?.candidates[0] ?? leg?.to?.address}, a private address.`,
      );
    },
    nextStep: 'Set MEDIA_ADDRESS=LOCAL!PUBLIC (or --interface=LOCAL!PUBLIC of your own rtpengine).',
  },
  {
    number: 41,
    code: 'only-mdns-candidates',
    level: 'warning',
    says: (f) => {
      const leg = [f.caller, ...f.callees].find(
        (one) =>
          one?.from !== undefined &&
          one.from.candidates.length > 0 &&
          one.from.candidates.every((address) => address.endsWith('.local')),
      );
      return when(
        leg !== undefined && silent(leg),
        `${leg?.party.name} offers only .local names (mDNS), which rtpengine cannot look up.`,
      );
    },
    nextStep: 'The browser must reach rtpengine itself then; a page that may use the microphone gets real addresses.',
  },
  {
    number: 42,
    code: 'media-stopped',
    level: 'warning',
    says: (f) => {
      const [leg, other] = legs(f).filter(({ media }) => media?.sends === true && (media.silentSeconds ?? 0) > 15);
      const whom = leg === undefined ? '' : nameOf(leg);
      const seconds = Math.min(leg?.media?.silentSeconds ?? 0, other?.media?.silentSeconds ?? Infinity);
      return when(
        talked(f) && leg !== undefined,
        `Nothing came from ${other === undefined ? whom : 'either side'} for the last ${seconds} s.`,
      );
    },
    nextStep: 'On hold or muted that is as it should be; else its network went away while the signalling stayed.',
  },
  {
    number: 58,
    code: 'blocked',
    level: 'warning',
    says: (f) => {
      const what = [...f.story.blocked].join(' and ');
      return when(
        what !== '',
        `Over REST somebody has silenced this call: ${what} ${f.story.isLive ? 'is' : 'was'} blocked.`,
      );
    },
    nextStep:
      'Let it pass again: POST /api/v1/calls/ID/blocking with "blocked": false; the ladder has when it was blocked.',
  },
  {
    number: 43,
    code: 'poor-quality',
    level: 'warning',
    says: (f) => {
      const leg = legs(f).find(
        ({ media }) => media?.quality !== undefined && (media.quality.mos < 3.6 || media.quality.lossPercent > 3),
      );
      const quality = leg?.media?.quality;
      return when(
        quality !== undefined,
        `What ${leg?.party.name} sent arrived badly: MOS ${quality?.mos}, ${quality?.lossPercent} % lost, jitter ${quality?.jitterMs} ms.`,
      );
    },
    nextStep: 'Look at the network of that side (wireless, uplink); the load of rtpengine if all calls are so.',
  },
  {
    number: 44,
    code: 'no-keypad-tones',
    level: 'warning',
    says: (f) =>
      when(
        talked(f) &&
          f.caller?.from !== undefined &&
          f.answerer?.from !== undefined &&
          events(f.caller) !== events(f.answerer),
        `Only the ${events(f.caller) ? 'caller' : 'callee'} does telephone-event: keypad tones (DTMF) do not get through as events.`,
      ),
    nextStep: 'Switch RFC 4733 (telephone-event) on in the other device.',
  },
  {
    number: 45,
    code: 'never-acknowledged',
    level: 'error',
    says: (f) =>
      when(
        talked(f) && !f.acknowledged && (f.okTimes > 3 || (!f.story.isLive && f.okTimes > 0)),
        `The caller never acknowledged the answer (200 sent ${f.okTimes} times, no ACK): he does not get our responses, or loses our Record-Route.`,
      ),
    nextStep: 'Is the address in our Record-Route reachable for him (ADVERTISE)? See the 200 in the ladder.',
  },
  {
    number: 56,
    code: 'deaf-to-bye',
    level: 'warning',
    says: (f) =>
      when(
        talked(f) && f.deafToBye !== undefined,
        `The call was hung up, and ${f.deafToBye?.name} (${f.deafToBye?.transport} ${f.deafToBye?.address}) did not take the BYE: that side may think it goes on.`,
      ),
    nextStep:
      'Its network went away, or it lost our Record-Route: see its Contact and Route in the ladder. UDP behind NAT needs keep-alives.',
  },
  {
    number: 46,
    code: 'early-media-ignored',
    level: 'notice',
    says: (f) => {
      const early = f.passages.passages.some(
        ({ message, party }) =>
          party.role === 'caller' && message.kind === 'response' && message.status === 183 && message.body !== '',
      );
      return when(
        early && /SIP\.js/i.test(f.caller?.userAgent ?? ''),
        'The callee sent early media (183 with SDP), which SIP.js ignores unless it is told to: the caller hears no announcements.',
      );
    },
    nextStep: 'Set earlyMedia or 100rel in the page.',
  },
  {
    number: 47,
    code: 'late-offer',
    level: 'notice',
    says: (f) =>
      when(
        f.exchanges[0]?.by === 'callee' && f.exchanges[0].kind === 'offer',
        'The INVITE had no SDP (late offer): the callee offers in its 200, the caller answers in his ACK.',
      ),
    nextStep: 'Nothing, as long as the caller does it right; browsers never do it.',
  },
  {
    number: 48,
    code: 'statistics-lost',
    level: 'notice',
    says: (f) =>
      when(
        f.statisticsLost,
        'rtpengine was asked for statistics and no reply came: replies larger than the MTU may be dropped on the way.',
      ),
    nextStep: 'The call is not hurt. Check the MTU between Viaduct and rtpengine: `npx viaduct doctor` tries it.',
  },
  {
    number: 49,
    code: 'slow-set-up',
    level: 'notice',
    says: (f) => {
      const slow = f.exchanges.find(({ event }) => event.tookMs > 500);
      return when(
        slow !== undefined,
        `rtpengine took ${slow?.event.tookMs} ms for an ${slow?.kind}: a lost datagram, or a loaded machine.`,
      );
    },
    nextStep: 'Look at the load of that node and at the network to it.',
  },
];
