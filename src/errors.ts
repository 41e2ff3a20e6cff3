/**
 * Every failure Viaduct reports, one row each: pure data, importable by all layers (DESIGN law 8).
 *
 * A row reaches the log, the call's explanation, `Warning: 399` of a response and `Reason` of a BYE or CANCEL.
 * `status` is the SIP status a request ends with when nothing better is known.
 */
import { accountErrors } from './errors/accounts.ts';
import { presenceErrors } from './errors/presence.ts';
import { registrarErrors } from './errors/registrar.ts';
import { routesErrors } from './errors/routes.ts';
import { routingErrors } from './errors/routing.ts';
import { startErrors } from './errors/start.ts';
import { tokenErrors } from './errors/tokens.ts';

export interface ErrorRow {
  /** The SIP status it becomes; 0 for failures that never answer a SIP request (settings, start-up). */
  readonly status: number;
  /** What it means, in words a caller may read. */
  readonly meaning: string;
  /** What the operator does next. */
  readonly nextStep: string;
}

const rows = {
  ...startErrors,

  // --- messages ---
  malformed: {
    status: 400,
    meaning: 'The message breaks the SIP grammar.',
    nextStep: 'The text names the header; capture the sender and report it to its vendor.',
  },
  'too-large': {
    status: 513,
    meaning: 'The message is larger than 64 KiB.',
    nextStep: 'Look for a client that adds headers or SDP lines without end.',
  },
  'unsupported-version': {
    status: 505,
    meaning: 'The request is not SIP/2.0.',
    nextStep: 'Check what is connected to this port.',
  },
  'uri-scheme': {
    status: 416,
    meaning: 'The Request-URI has a scheme that is not routed here.',
    nextStep: 'Dial a sip: or sips: address.',
  },

  // --- proxy ---
  'too-many-hops': {
    status: 483,
    meaning: 'Max-Forwards reached zero.',
    nextStep: 'Look for two proxies that route to each other.',
  },
  'loop-detected': {
    status: 482,
    meaning: 'The request came back here unchanged.',
    nextStep: 'A route or a registered contact points back to this proxy.',
  },
  'max-breadth': {
    status: 440,
    meaning: 'The request would be forked wider than Max-Breadth allows (RFC 5393).',
    nextStep: 'Reduce the number of contacts of the called address.',
  },
  'bad-extension': {
    status: 420,
    meaning: 'Proxy-Require names an extension that this proxy does not have.',
    nextStep: 'Switch the extension off in the client.',
  },
  ...routingErrors,
  'flow-gone': {
    status: 480,
    meaning: 'The connection to the called device is closed.',
    nextStep: 'The device must register again; look at its network.',
  },
  'call-forgotten': {
    status: 481,
    meaning: 'The device of one side came back without the call: its page was loaded anew, or it was restarted.',
    nextStep: 'Call again. Nothing else is to be done, unless the page crashes often.',
  },
  'ended-while-away': {
    status: 480,
    meaning: 'The call ended while the connection of this device was closed.',
    nextStep: 'Nothing is to be done: the device was told when it was back. If it happens often, look at its network.',
  },
  'no-relay': {
    status: 403,
    meaning: 'This proxy does not relay between two foreign domains.',
    nextStep: 'Add the domain to DOMAINS if it is ours.',
  },
  'foreign-caller': {
    status: 403,
    meaning: 'Callers of other domains are not accepted.',
    nextStep: 'Put the trunk into TRUSTED, or set ACCEPT_FOREIGN=yes.',
  },
  'foreign-rate': {
    status: 503,
    meaning: 'Too many calls from this address; callers of other domains are let in slowly.',
    nextStep: 'If it is a trunk, put its address into TRUSTED; else it is a scanner, and a firewall is its place.',
  },
  'foreign-target': {
    status: 404,
    meaning: 'The other domain could not be found.',
    nextStep: 'Check the domain name and its DNS records.',
  },
  'name-server-silent': {
    status: 503,
    meaning: 'No name server has answered for the domain of the target.',
    nextStep: 'Ask for it on this machine, `getent hosts DOMAIN`; its name servers stand in /etc/resolv.conf.',
  },
  'wrong-identity': {
    status: 403,
    meaning: 'The From address is not the account that logged in.',
    nextStep: 'Set the same user in the client as From and as authentication name.',
  },
  'login-failed': {
    status: 401,
    meaning: 'User name or password is wrong.',
    nextStep: 'Set a new one with `npx viaduct user password NAME`.',
  },
  'login-blocked': {
    status: 403,
    meaning: 'Too many failed logins for this account from this address; wait a minute.',
    nextStep: 'Correct the password in the client; it tries again by itself.',
  },
  'no-dialog': {
    status: 481,
    meaning: 'The request belongs to no call that this proxy knows.',
    nextStep: 'The call has ended, or the client changed its Route headers.',
  },
  'no-transaction': {
    status: 481,
    meaning: 'CANCEL matches no request in progress.',
    nextStep: 'Nothing: the request was already answered.',
  },
  'too-many-dialogs': {
    status: 500,
    meaning: 'The called side answered the call under too many To tags.',
    nextStep: 'Look at the server behind the target: it answers one call again and again.',
  },
  'not-secured': {
    status: 480,
    meaning: 'A sips: address is reached over TLS or WSS alone, and no device of the called is registered so.',
    nextStep: 'Call the same address as sip:, or register the device over TLS.',
  },
  'branch-timeout': {
    status: 408,
    meaning: 'The called device did not answer.',
    nextStep: 'Look at the device and its network; UDP behind NAT loses its way without keep-alives.',
  },
  'answered-too-late': {
    status: 408,
    meaning: 'The called device answered when the caller had been told that nobody does.',
    nextStep: 'The device took longer than TRYING_SECONDS for its first response: look at its network, or raise that.',
  },
  'transport-failed': {
    status: 503,
    meaning: 'The connection to the next hop failed.',
    nextStep: 'The log names address and reason.',
  },
  'next-hop-unavailable': {
    status: 500,
    meaning: 'The next hop answered 503 Service Unavailable.',
    nextStep: 'Look at the server behind the target; this proxy itself works.',
  },
  'no-listener': {
    status: 503,
    meaning: 'No LISTEN entry has the transport that the target needs.',
    nextStep: 'Add an entry with that transport and address family to LISTEN.',
  },
  internal: {
    status: 500,
    meaning: 'A fault of Viaduct ended this request.',
    nextStep: 'The log has the stack; please report it.',
  },
  overloaded: {
    status: 503,
    meaning: 'Too much is going on at once.',
    nextStep: 'See /api/v1/stats for which queue is full.',
  },
  'shutting-down': {
    status: 503,
    meaning: 'Viaduct is stopping.',
    nextStep: 'Try again in a moment.',
  },

  ...routesErrors,
  ...registrarErrors,
  ...accountErrors,
  ...tokenErrors,
  ...presenceErrors,

  // --- database ---
  'database-down': {
    status: 503,
    meaning: 'The database cannot be used.',
    nextStep: 'Calls and registrations get 503 until it can. Check PostgreSQL; Viaduct reconnects by itself.',
  },

  // --- media ---
  'media-none': {
    status: 503,
    meaning: 'No rtpengine is configured or running.',
    nextStep: 'Install rtpengine-daemon and restart, or set RTPENGINE.',
  },
  'media-down': {
    status: 503,
    meaning: 'No rtpengine answers.',
    nextStep: 'Check the rtpengine processes and the UDP path to their ng port; `npx viaduct doctor` tries each.',
  },
  'media-timeout': {
    status: 503,
    meaning: 'rtpengine did not answer in time.',
    nextStep: 'Check its load and the network between it and Viaduct.',
  },
  'media-busy': {
    status: 503,
    meaning: 'rtpengine has no free ports or has reached its session limit.',
    nextStep: 'Widen its port range, or add a node to RTPENGINE.',
  },
  'media-garbled': {
    status: 503,
    meaning: 'What answers as rtpengine does not speak its ng protocol.',
    nextStep: 'Check that RTPENGINE names the ng port (listen-ng), not the port of another protocol.',
  },
  'media-refused': {
    status: 488,
    meaning: 'rtpengine cannot use this SDP.',
    nextStep: 'The text has its reason; capture the SDP of the client.',
  },
  'offer-glare': {
    status: 491,
    meaning: 'Both sides changed the call at the same moment.',
    nextStep: 'Nothing: the client tries again by itself (RFC 3261 section 14.1).',
  },
  'offer-pending': {
    status: 500,
    meaning: 'The call is still being changed by an earlier request.',
    nextStep: 'Nothing if it happens once; a client that does it often breaks RFC 3264.',
  },
  'spiral-changed': {
    status: 482,
    meaning: 'The call came back with another SDP than it left with, and its media goes through rtpengine once.',
    nextStep: 'Let the proxy that sends it back leave the SDP alone (no media relay there), or call past that proxy.',
  },
  'unsupported-body': {
    status: 415,
    meaning: 'The body of the request is not plain SDP, so its media cannot be relayed.',
    nextStep: 'Switch off multipart bodies (ISUP, location) in the client; application/sdp is read.',
  },
  'browser-sdp': {
    status: 488,
    meaning: 'What rtpengine made of this SDP is nothing that a browser takes.',
    nextStep:
      'The detail names the line. A fax, or a medium that is no RTP, cannot go to a browser; else report it with both SDPs.',
  },
  'media-silent': {
    status: 408,
    meaning: 'No media has come from either side for a long time.',
    nextStep:
      'Both devices are gone, or neither reaches rtpengine: see its address and ports. MEDIA_IDLE_SECONDS sets how long.',
  },
  'media-unable': {
    status: 501,
    meaning: 'This rtpengine cannot do that.',
    nextStep: 'The text has its reason; a newer version may be able to.',
  },
  'recording-off': {
    status: 501,
    meaning: 'There is no folder for recordings.',
    nextStep: 'Set RECORDING_DIR; rtpengines of RTPENGINE need --recording-dir as well.',
  },
  'not-recorded': {
    status: 409,
    meaning: 'The call is not being recorded.',
    nextStep: 'Start its recording first: `recording` of the call says how it stands.',
  },
  'call-not-up': {
    status: 409,
    meaning: 'The call is not up, or its media does not pass rtpengine.',
    nextStep: 'See `npx viaduct calls answered`.',
  },
  'call-elsewhere': {
    status: 409,
    meaning: 'Another node has this call.',
    nextStep: 'Open the console of that node, ask its REST interface, or run the command there.',
  },
  'media-command': {
    status: 409,
    meaning: 'rtpengine did not do it.',
    nextStep: 'The text has its reason; a file is read on the machine of rtpengine, by the user that it runs as.',
  },
  'media-lost': {
    status: 503,
    meaning: 'The media session of this call is gone in rtpengine.',
    nextStep: 'rtpengine was restarted or timed the call out; dial again.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof rows;

export const errors: Readonly<Record<ErrorCode, ErrorRow>> = rows;

/** A failed adapter or step: a row, and what is particular to this case. */
export class Failure extends Error {
  readonly code: ErrorCode;
  /** Names, numbers or the other side's own words; empty when the row says it all. Never a secret. */
  readonly detail: string;

  constructor(code: ErrorCode, detail = '') {
    super(detail === '' ? errors[code].meaning : `${errors[code].meaning} ${detail}`);
    this.name = 'Failure';
    this.code = code;
    this.detail = detail;
  }

  get row(): ErrorRow {
    return errors[this.code];
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(rows, text);
}

/** What went wrong as a `Failure`, whatever was thrown: a bug becomes `internal`. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const failure = new Failure('internal', thrown instanceof Error ? thrown.message : String(thrown));
  // Where it was thrown, not where it was caught.
  if (thrown instanceof Error && thrown.stack !== undefined) failure.stack = thrown.stack;
  return failure;
}
