/**
 * Why something did not work, in words and with what to do next: for a call, a registration, the connection and the
 * microphone. Pure: SIP statuses, JsSIP's causes and the server's own explanation in, sentences out.
 */

export interface Words {
  readonly title: string;
  readonly next: string;
  /** For people who know SIP, and for a report: `480 Temporarily Unavailable`. */
  readonly technical?: string;
  readonly link?: { readonly href: string; readonly text: string };
}

/** What is known of a failed or ended call. */
export interface Ending {
  readonly peer: string;
  readonly cause: string;
  readonly byUs: boolean;
  readonly status?: number | undefined;
  readonly phrase?: string | undefined;
  /** The text of `Warning: 399`, where Viaduct explains a refusal. */
  readonly warning?: string | undefined;
  /** Text and status of a `Reason` header in a BYE or CANCEL (RFC 3326). */
  readonly reason?: { readonly status: number | undefined; readonly text: string | undefined } | undefined;
}

type Row = readonly [title: (peer: string) => string, next: string];

const byStatus: Readonly<Record<number, Row>> = {
  400: [() => 'The server could not read the call', 'This is a fault of the page or of the server; please report it.'],
  401: [() => 'The password was not accepted', 'Sign out and sign in again.'],
  403: [(peer) => `You may not call ${peer}`, 'Ask the operator whether calls to this address are allowed.'],
  404: [(peer) => `${peer} was not found`, 'Check the spelling of the name.'],
  407: [() => 'The password was not accepted', 'Sign out and sign in again.'],
  408: [(peer) => `${peer} did not answer`, 'Their phone may be off or out of reach. Try again later.'],
  410: [(peer) => `${peer} has moved away`, 'The address is no longer in use.'],
  416: [() => 'This kind of address cannot be called', 'Dial a name, a number or a sip: address.'],
  480: [(peer) => `${peer} is not available right now`, 'Try again later.'],
  481: [() => 'The call no longer exists', 'Dial again.'],
  482: [(peer) => `The way to ${peer} leads in a circle`, 'Tell the operator: a route points back to the server.'],
  483: [(peer) => `The way to ${peer} is too long`, 'Tell the operator: two servers send the call to each other.'],
  484: [() => 'The number is not complete', 'Check the number and dial again.'],
  486: [(peer) => `${peer} is busy`, 'Try again in a few minutes.'],
  487: [() => 'The call was cancelled', ''],
  488: [(peer) => `${peer}’s phone cannot talk with this browser`, 'The two have no audio format in common.'],
  500: [() => 'The server had a fault', 'Try again; its log says what happened.'],
  501: [() => 'The server does not know this kind of call', 'Tell the operator.'],
  502: [(peer) => `The way to ${peer} is broken`, 'Tell the operator: the next server gave a wrong answer.'],
  503: [() => 'The server cannot make calls at the moment', 'Try again in a minute.'],
  504: [(peer) => `The server of ${peer} did not answer in time`, 'Try again later.'],
  513: [() => 'The call is too large for the server', 'This is a fault of the page; please report it.'],
  600: [(peer) => `${peer} is busy everywhere`, 'Try again in a few minutes.'],
  603: [(peer) => `${peer} declined the call`, ''],
  604: [(peer) => `${peer} does not exist`, 'Check the spelling of the name.'],
  606: [(peer) => `${peer}’s phone cannot talk with this browser`, 'The two have no audio format in common.'],
};

/** Viaduct's own words say more than a status: `[what its warning says, title, next step]`. */
const byWarning: readonly (readonly [RegExp, ...Row])[] = [
  [/no such address here/i, (peer) => `${peer} was not found`, 'Nobody here has this name: check its spelling.'],
  [
    /no device of it is registered/i,
    (peer) => `${peer} is not registered right now`,
    `Nobody is signed in with that account. Start a phone with it, or try later.`,
  ],
  [
    /connection to the called device is closed/i,
    (peer) => `${peer} has just lost the connection`,
    'Their phone should be back in a moment; try again.',
  ],
  [
    /ended while the connection of this device/i,
    (peer) => `The call with ${peer} has ended`,
    'They hung up while your connection was lost.',
  ],
  [
    /came back without the call/i,
    (peer) => `The call with ${peer} has ended`,
    'The page or the phone of one of you was loaded anew, and knows nothing of it. Call again.',
  ],
  [
    /no rtpengine is configured/i,
    () => 'The server has no media relay',
    'The operator must install rtpengine or set RTPENGINE; then calls work.',
  ],
  [
    /rtpengine/i,
    () => 'The media relay does not answer',
    'Calls work again as soon as rtpengine is back; the operator sees it in the console.',
  ],
  [/database/i, () => 'The server’s database does not answer', 'Try again in a minute; it reconnects by itself.'],
];

const byCause: Readonly<Record<string, Row>> = {
  'Connection Error': [
    () => 'The connection to the server is gone',
    'The call is dialled again by itself when it is back.',
  ],
  'Request Timeout': [() => 'The server did not answer', 'Check the network and dial again.'],
  'No Answer': [(peer) => `The call from ${peer} was not answered`, ''],
  Expires: [(peer) => `The call from ${peer} was not answered`, ''],
  'No ACK': [(peer) => `${peer}’s phone did not confirm the call`, 'Part of the way back is broken; dial again.'],
  'RTP Timeout': [
    () => 'No sound gets through',
    'A firewall may keep UDP from the media relay (ports 20000 to 29999), or MEDIA_ADDRESS is not reachable from here.',
  ],
  'Bad Media Description': [
    (peer) => `The browser cannot use the media of ${peer}`,
    'Tell the operator: the SDP that arrived is not for a browser.',
  ],
  'Incompatible SDP': [
    (peer) => `The browser cannot use the media of ${peer}`,
    'Tell the operator: the SDP that arrived is not for a browser.',
  ],
  'WebRTC Error': [() => 'The browser could not set up the sound', 'Reload the page and dial again.'],
  'Dialog Error': [() => 'The call fell out of step', 'Dial again.'],
};

/** Why a call failed or ended; `undefined` where nothing needs a word: one of the two simply hung up. */
export function explainEnding(ending: Ending): Words | undefined {
  if (ending.reason !== undefined) return explainReason(ending, ending.reason);
  if (ending.cause === 'Terminated') return undefined;
  if (ending.cause === 'Canceled' && ending.byUs) return undefined;
  if (ending.cause === 'Canceled') return { title: `Missed call from ${ending.peer}`, next: '' };
  if (ending.byUs && ending.cause === 'Rejected') return undefined;
  return ending.status === undefined ? explainCause(ending) : explainStatus(ending, ending.status);
}

function explainReason(ending: Ending, reason: NonNullable<Ending['reason']>): Words | undefined {
  if (reason.status === 200) return { title: 'Answered on another phone', next: '' };
  if (reason.status === undefined || reason.status < 400) return undefined;
  return explainStatus({ ...ending, warning: reason.text, phrase: reason.text }, reason.status);
}

function explainStatus(ending: Ending, status: number): Words {
  const technical = [String(status), ending.phrase ?? ''].join(' ').trim();
  const found = byWarning.find(([pattern]) => pattern.test(ending.warning ?? ''));
  if (found !== undefined) return { title: found[1](ending.peer), next: found[2], technical };
  const [title, next] = byStatus[status] ?? byStatus[Math.floor(status / 100) * 100] ?? OTHER;
  return { title: title(ending.peer), next: ending.warning ?? next, technical };
}

const OTHER: Row = [(peer) => `${peer} could not be reached`, 'Try again later.'];

function explainCause(ending: Ending): Words {
  const [title, next] = byCause[ending.cause] ?? OTHER;
  return { title: title(ending.peer), next, technical: ending.cause };
}

/** It rang here when the connection was lost. */
export function explainLostRinging(peer: string): Words {
  const next = 'The connection to the server was lost while it rang. Call back when it is restored.';
  return { title: `${peer} was calling`, next };
}

/** What the other words of a call in progress wait for: the connection, then the loudspeaker. */
export function explainTalking(lineUp: boolean, loudspeakerBlocked: boolean): Words | undefined {
  if (!lineUp) {
    return { title: 'The connection to the server is lost', next: 'The call goes on; reconnecting by itself.' };
  }
  if (!loudspeakerBlocked) return undefined;
  return {
    title: 'The browser plays no sound yet',
    next: 'It waits for a touch: press any key, or click on the page.',
  };
}

/** Why the account is not registered. */
export function explainRegistration(status: number | undefined, cause: string, warning: string | undefined): Words {
  const technical = status === undefined ? cause : `${status} ${cause}`;
  switch (status) {
    case 401:
    case 407:
      return { title: 'Wrong name or password', next: 'Check both and sign in again.', technical };
    case 403:
      return {
        title: 'The server refused the sign-in',
        next: warning ?? 'Too many wrong passwords: wait a minute, then try again.',
        technical,
      };
    case 404:
      return { title: 'There is no such account', next: 'Check the name and sign in again.', technical };
    case undefined:
      return { title: 'The server did not answer the sign-in', next: 'Trying again by itself.', technical };
    default:
      return { title: 'The server cannot register you now', next: warning ?? 'Trying again by itself.', technical };
  }
}

/** Whether signing in again by itself is of use. */
export function isWorthRetrying(status: number | undefined): boolean {
  return status === undefined || status >= 500 || status === 408;
}

/** The WebSocket did not open, or closed. `everOpen`: it was open before, so address and certificate are right. */
export function explainConnection(wsUrl: string, pageOrigin: string, everOpen: boolean): Words {
  const url = new URL(wsUrl);
  if (everOpen) {
    return { title: 'The connection to the server is lost', next: 'Reconnecting by itself.', technical: wsUrl };
  }
  const origin = url.origin.replace(/^ws/, 'http');
  if (url.protocol === 'wss:' && origin !== pageOrigin) {
    return {
      title: 'The browser does not trust the server’s certificate',
      next: 'Open the address below once, accept the certificate, and call from there.',
      technical: wsUrl,
      link: { href: `${origin}/phone`, text: `Open ${origin}/phone` },
    };
  }
  return {
    title: 'The server cannot be reached',
    next: 'Is Viaduct running? Trying again by itself.',
    technical: wsUrl,
  };
}

/** The microphone cannot be used; `name` is that of the error which getUserMedia threw. */
export function explainMicrophone(name: string, secureUrl: string | undefined): Words {
  switch (name) {
    case 'InsecureContext':
      return {
        title: 'The browser gives no microphone to this address',
        next: 'Pages may listen only over https or on this very machine.',
        technical: 'insecure origin',
        ...(secureUrl === undefined ? {} : { link: { href: secureUrl, text: `Open ${secureUrl}` } }),
      };
    case 'NotAllowedError':
      return {
        title: 'The microphone was refused',
        next: 'Allow it in the site settings beside the address bar, then dial again.',
        technical: name,
      };
    case 'NotFoundError':
      return { title: 'No microphone was found', next: 'Plug one in, then dial again.', technical: name };
    case 'NotReadableError':
      return {
        title: 'The microphone is in use by another program',
        next: 'Close that program, then dial again.',
        technical: name,
      };
    default:
      return { title: 'The microphone cannot be used', next: 'Check it in the system settings.', technical: name };
  }
}

/** The quoted text of a Warning header: `399 viaduct "No rtpengine answers."` gives `No rtpengine answers.` */
export function warningText(header: string | undefined): string | undefined {
  const quoted = /"((?:[^"\\]|\\.)*)"/.exec(header ?? '')?.[1];
  return quoted?.replace(/\\(.)/g, '$1');
}

/** `SIP;cause=503;text="…"` of a Reason header (RFC 3326). */
export function reasonOf(header: string | undefined): Ending['reason'] {
  if (header === undefined || !/^SIP\b/i.test(header)) return undefined;
  const status = /;\s*cause\s*=\s*(\d{3})/i.exec(header)?.[1];
  return { status: status === undefined ? undefined : Number(status), text: warningText(header) };
}
