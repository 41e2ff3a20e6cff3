/**
 * Verdicts on how a call was set up: rtpengine that refuses, the way to the callee, who may call, what the callee said.
 *
 * Data and predicates. Numbers are for talking about them and never change; a new row gets the next one (verdicts.ts).
 */
import { errors } from '../errors.ts';
import {
  failedAs,
  lastBranch,
  ngFailed,
  ngWords,
  node,
  overWebSocket,
  talked,
  type VerdictRow,
  wasRefusedBy,
  when,
} from './verdict-row.ts';

/** Codes of our own that have a row with better words. */
const explained: readonly string[] = [
  'flow-gone',
  'not-registered',
  'branch-timeout',
  'transport-failed',
  'media-none',
  'media-down',
  'media-timeout',
  'media-busy',
  'media-lost',
  'media-refused',
  'unsupported-body',
  'browser-sdp',
];

export const setUpVerdicts: readonly VerdictRow[] = [
  // rtpengine refuses
  {
    number: 1,
    code: 'relay-cannot-bind',
    level: 'error',
    says: (f) =>
      when(
        ngFailed(f, 'media-busy') && (f.ngFailure?.freePorts ?? 0) > 100 && !/limit/i.test(ngWords(f)),
        `${node(f)} says it ran out of ports while ${f.ngFailure?.freePorts} of them are free: it cannot bind the address of its interface.`,
      ),
    nextStep:
      'Give it an address that this host has, and the public one behind an exclamation mark: --interface=LOCAL!PUBLIC (MEDIA_ADDRESS=LOCAL!PUBLIC here).',
  },
  {
    number: 2,
    code: 'relay-limit',
    level: 'error',
    says: (f) =>
      when(ngFailed(f, 'media-busy') && /limit/i.test(ngWords(f)), `${node(f)} has reached its limit: ${ngWords(f)}`),
    nextStep: 'Raise max-sessions (or the load limit) of rtpengine, or add a node to RTPENGINE.',
  },
  {
    number: 3,
    code: 'relay-out-of-ports',
    level: 'error',
    says: (f) =>
      when(
        ngFailed(f, 'media-busy') && (f.ngFailure?.freePorts ?? 0) <= 100 && !/limit/i.test(ngWords(f)),
        `${node(f)} has no ports left for this call.`,
      ),
    nextStep:
      'Widen port-min to port-max (four ports a call and interface), or add a node; /api/v1/stats shows what is used. Ports that stay used without calls are a leak: look at rtpengine list.',
  },
  {
    number: 4,
    code: 'relay-silent',
    level: 'error',
    says: (f) =>
      when(
        ngFailed(f, 'media-timeout', 'media-down') || failedAs(f, 'media-down', 'media-timeout'),
        'No rtpengine answered, so the call was refused rather than connected without sound.',
      ),
    nextStep: 'Check that rtpengine runs, and UDP between it and Viaduct on its ng port: `npx viaduct doctor`.',
  },
  {
    number: 5,
    code: 'relay-none',
    level: 'error',
    says: (f) => when(failedAs(f, 'media-none'), 'No rtpengine is configured, so the call was refused.'),
    nextStep: 'apt-get install rtpengine-daemon and start again, or set RTPENGINE.',
  },
  {
    number: 6,
    code: 'relay-forgot-call',
    level: 'error',
    says: (f) =>
      when(
        ngFailed(f, 'media-lost') || failedAs(f, 'media-lost'),
        `${node(f)} does not know the call any more (${ngWords(f) || 'unknown call-id'}): it was restarted, or ended the call by its own timer.`,
      ),
    nextStep:
      'Look for a restart in the log of rtpengine; raise its timeout and silent-timeout if calls are held for long.',
  },
  {
    number: 7,
    code: 'sdp-missing',
    level: 'error',
    says: (f) =>
      when(ngFailed(f, 'media-refused') && /no SDP/i.test(ngWords(f)), `${node(f)} answered without an SDP.`),
    nextStep:
      'Is RTPENGINE really an rtpengine, and does nobody else use its reply cache? Its version is shown by `npx viaduct doctor`.',
  },
  {
    number: 8,
    code: 'sdp-unusable',
    level: 'error',
    says: (f) =>
      when(
        ngFailed(f, 'media-refused') && !/no SDP/i.test(ngWords(f)),
        `${node(f)} cannot use the SDP of the ${f.exchanges.findLast(({ event }) => event === f.ngFailure)?.by ?? 'client'}: ${ngWords(f)}`,
      ),
    nextStep: 'The SDP is shown below; an m= line without codecs or a missing c= line is a fault of that client.',
  },
  {
    number: 9,
    code: 'sdp-hidden',
    level: 'error',
    says: (f) =>
      when(
        failedAs(f, 'unsupported-body'),
        'The INVITE hides its SDP in a multipart body, where no media relay can reach it.',
      ),
    nextStep: 'Switch off multipart bodies (ISUP, location) in the client or trunk.',
  },
  // the way to the callee
  {
    number: 10,
    code: 'connection-lost',
    level: 'error',
    says: (f) =>
      when(
        talked(f) && failedAs(f, 'flow-gone'),
        `The connection of a side closed during the call and did not come back in time, so the call was ended after ${f.talkedSeconds} s.`,
      ),
    nextStep:
      'Network switch or closed tab. A client that reconnects and registers again within GRACE_SECONDS keeps its call; look for a load balancer that cuts idle WebSockets.',
  },
  {
    number: 11,
    code: 'callee-connection-gone',
    level: 'error',
    says: (f) =>
      when(
        !talked(f) && failedAs(f, 'flow-gone'),
        'The connection of the called device is closed: its page or program was closed, or its network is gone.',
      ),
    nextStep:
      'The device must register again. A browser cannot be called at an address, only over the connection it made.',
  },
  {
    number: 12,
    code: 'nobody-registered',
    level: 'error',
    says: (f) => when(failedAs(f, 'not-registered'), 'The called account exists, but no device of it is registered.'),
    nextStep: 'See /api/v1/registrations. A browser in the background or a phone asleep loses its registration.',
  },
  {
    number: 13,
    code: 'tab-asleep',
    level: 'error',
    says: (f) => {
      const end = lastBranch(f, 'branch-timeout');
      return when(
        end !== undefined && !end.heard && overWebSocket(end.party?.transport),
        `The browser at ${end?.party?.address} took the INVITE and never answered it: its tab sleeps, or the connection is dead and nobody noticed.`,
      );
    },
    nextStep: 'Reload the tab. Let the client send keep-alives, below the idle time of any load balancer in between.',
  },
  {
    number: 14,
    code: 'invite-too-big',
    level: 'error',
    says: (f) => {
      const end = lastBranch(f, 'branch-timeout');
      return when(
        end !== undefined && !end.heard && end.party?.transport === 'udp' && end.bytes > 1300,
        `The INVITE of ${end?.bytes} bytes got no response over UDP: datagrams above 1300 bytes are fragmented, and many networks drop fragments.`,
      );
    },
    nextStep: 'Let the phone register over TCP or TLS, or offer fewer codecs.',
  },
  {
    number: 15,
    code: 'device-silent',
    level: 'error',
    says: (f) => {
      const end = lastBranch(f, 'branch-timeout');
      const other =
        end !== undefined &&
        !end.heard &&
        !overWebSocket(end.party?.transport) &&
        !(end.party?.transport === 'udp' && end.bytes > 1300);
      return when(
        other,
        `Nothing came back from ${end?.party?.transport} ${end?.party?.address}: the device is off, or the way to it is closed.`,
      );
    },
    nextStep: 'Look at the device; UDP behind NAT needs keep-alives (register every minute, or CRLF).',
  },
  {
    number: 16,
    code: 'connect-failed',
    level: 'error',
    says: (f) => {
      const end = lastBranch(f, 'transport-failed');
      return when(
        end !== undefined && !overWebSocket(end.party?.transport),
        `The connection to ${end?.party?.transport ?? ''} ${end?.party?.address ?? 'the next hop'} could not be made, or broke.`,
      );
    },
    nextStep: 'The log names the reason: refused, no route, or a certificate that was not accepted.',
  },
  {
    number: 17,
    code: 'nobody-picked-up',
    level: 'error',
    says: (f) =>
      when(!talked(f) && f.rang && (f.timerC || wasRefusedBy(f, 408) !== undefined), 'It rang, and nobody picked up.'),
    nextStep: 'Nothing is broken. TIMER_C_SECONDS is how long it may ring.',
  },
  // who may call
  {
    number: 18,
    code: 'login-loop',
    level: 'error',
    says: (f) =>
      when(
        !talked(f) && f.challenges >= 3,
        `The caller was asked ${f.challenges} times for a password and never had the right one.`,
      ),
    nextStep:
      'Set a new one: npx viaduct user password NAME. A client that knows SHA-256 only, or reads the last challenge, loops as well.',
  },
  {
    number: 19,
    code: 'login-missing',
    level: 'error',
    says: (f) =>
      when(
        !talked(f) &&
          !f.story.isLive &&
          f.challenges > 0 &&
          f.challenges < 3 &&
          (f.story.status === 401 || f.story.status === 407),
        'The caller was asked for a password and did not come back with one.',
      ),
    nextStep: 'Enter user and password in the client; a trunk without a login goes into TRUSTED.',
  },
  {
    number: 20,
    code: 'dead-devices',
    level: 'warning',
    says: (f) => {
      const dead = f.branchEnds.filter(({ code }) => code === 'branch-timeout' || code === 'flow-gone');
      return when(
        f.callees.length > 1 && dead.length > 0 && dead.length < f.callees.length,
        `${dead.length} of ${f.callees.length} registered devices did not answer at all: registrations of devices that are gone.`,
      );
    },
    nextStep:
      'They expire by themselves. A page that makes a new instance id at each load leaves one behind each time: keep its id.',
  },
  {
    number: 21,
    code: 'refused-here',
    level: 'error',
    says: (f) => {
      const { code, detail } = f.story;
      const known = failedAs(f, ...explained);
      return when(
        f.story.hasFailed && code !== undefined && !known && f.ngFailure === undefined,
        `${code === undefined ? '' : errors[code].meaning}${detail === '' ? '' : ` ${detail}`}`,
      );
    },
    nextStep: ({ story: { code } }) => (code === undefined ? '' : errors[code].nextStep),
  },
  // what the callee said
  {
    number: 22,
    code: 'busy',
    level: 'error',
    says: (f) => when(wasRefusedBy(f, 486, 600) !== undefined, 'The called party is busy.'),
    nextStep: 'Nothing is broken. Another device of the same account can be registered to ring then.',
  },
  {
    number: 23,
    code: 'declined',
    level: 'error',
    says: (f) => when(wasRefusedBy(f, 603, 607) !== undefined, 'The called party declined the call.'),
    nextStep: 'Nothing is broken; "do not disturb" answers so, too.',
  },
  {
    number: 24,
    code: 'sdp-not-acceptable',
    level: 'error',
    says: (f) => {
      const final = wasRefusedBy(f, 488, 606, 415);
      return when(
        final !== undefined,
        `${final?.party.name} cannot use the SDP it was offered: ${final?.status} ${final?.reason} ${final?.warning}`,
      );
    },
    nextStep:
      'Compare the SDP it was sent below: no common codec, or rtcp-mux, DTLS or ICE that it does not do. If its profile is wrong, let it register again so that Viaduct learns what it speaks.',
  },
  {
    number: 25,
    code: 'change-refused',
    level: 'warning',
    says: (f) => {
      const [final] = f.refusedChanges.filter(({ status }) => status !== 491);
      return when(
        talked(f) && final !== undefined,
        `A change of the call (hold, resume, transfer) was refused by ${final?.party.name}: ${final?.status} ${final?.reason}`,
      );
    },
    nextStep: 'The media of before it holds again. Compare both SDPs of the change in the ladder.',
  },
  {
    number: 26,
    code: 'glare',
    level: 'notice',
    says: (f) =>
      when(
        f.refusedChanges.some(({ status }) => status === 491) || (talked(f) && f.story.code === 'offer-glare'),
        'Both sides changed the call at the same moment; one was told to wait (491).',
      ),
    nextStep: 'Nothing: the client tries again by itself.',
  },
  {
    number: 27,
    code: 'loop',
    level: 'error',
    says: (f) => when(wasRefusedBy(f, 482, 483) !== undefined, 'The call went in a circle.'),
    nextStep: 'Two servers forward to each other, or a registered contact points back here.',
  },
  {
    number: 28,
    code: 'callee-server-failed',
    level: 'error',
    says: (f) => {
      const final = f.finals.find(({ status }) => status >= 500 && status < 600);
      return when(
        f.story.hasFailed && !talked(f) && final !== undefined,
        `${final?.party.name} (${final?.party.address}) answered ${final?.status} ${final?.reason}.`,
      );
    },
    nextStep: 'The fault is there: look into that server or device; Warning and Reason headers are in the ladder.',
  },
  {
    number: 29,
    code: 'refused-there',
    level: 'error',
    says: (f) => {
      const final = f.finals.find(
        ({ status }) => status >= 300 && status < 500 && ![482, 483, 486, 488, 415, 487, 408].includes(status),
      );
      return when(
        f.story.hasFailed && !talked(f) && final !== undefined,
        `${final?.party.name} (${final?.party.address}) answered ${final?.status} ${final?.reason}. ${final?.warning}`,
      );
    },
    nextStep: 'The called device or server decided so; its own log says why.',
  },
];
