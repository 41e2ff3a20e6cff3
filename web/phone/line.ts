/**
 * The line: JsSIP's user agent as connection and registration, with each change told as a `Line`.
 * JsSIP reconnects a lost WebSocket by itself; a registration that failed for a passing reason is tried again here.
 */
import { UA } from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { RTCSessionEvent } from 'jssip/lib/UA';
import type { Account } from './account.ts';
import { LiveSocket } from './live-socket.ts';
import { explainConnection, explainRegistration, isWorthRetrying, warningText } from './reasons.ts';
import type { Line } from './state.ts';

export interface LineOptions {
  readonly wsUrl: string;
  readonly account: Account;
  readonly instanceId: string;
  /** Parameters of our Contact by which the server wakes us when the page is closed (RFC 8599). */
  readonly wake?: string | undefined;
  changed(line: Line): void;
  incoming(session: RTCSession): void;
}

const RETRY_MS = 10_000;
const REGISTER_EXPIRES_SECONDS = 300;
const RECOVERY_SECONDS = { min: 1, max: 4 } as const;
/** Of a page that the server can wake: as long as it grants. While it is open it registers as often as others. */
const ASLEEP_EXPIRES_SECONDS = 7 * 24 * 3600;

export interface OpenLine {
  readonly ua: UA;
  /** Whether the server answers now; a connection where it does not is made anew. */
  isThere(): Promise<boolean>;
  close(): void;
}

export function openLine(options: LineOptions): OpenLine {
  const socket = new LiveSocket(options.wsUrl);
  const ua = userAgent(options, socket);
  let retry: ReturnType<typeof setTimeout> | undefined;
  let everOpen = false;
  const again = () => ua.isRegistered() && ua.register();
  const refresh = options.wake === undefined ? undefined : setInterval(again, REGISTER_EXPIRES_SECONDS * 1000);
  // What may have changed the network, or been slept through.
  const look = () => void socket.isThere();
  addEventListener('online', look);
  document.addEventListener('visibilitychange', look);
  const close = () => {
    removeEventListener('online', look);
    document.removeEventListener('visibilitychange', look);
    clearTimeout(retry);
    clearInterval(refresh);
    ua.removeAllListeners();
    ua.stop();
  };
  ua.on('connecting', () => {
    if (!everOpen) options.changed({ at: 'connecting' });
  });
  ua.on('connected', () => {
    everOpen = true;
    options.changed({ at: 'registering' });
  });
  ua.on('disconnected', () => {
    clearTimeout(retry);
    options.changed({ at: 'failed', why: explainConnection(options.wsUrl, location.origin, everOpen) });
  });
  ua.on('registered', () => options.changed({ at: 'registered' }));
  ua.on('registrationFailed', ({ response, cause }) => {
    // JsSIP says null where there is no response, although its types do not.
    const status: number | undefined = response?.status_code;
    const why = explainRegistration(
      status,
      response?.reason_phrase ?? cause ?? '',
      warningText(response?.getHeader('Warning')),
    );
    if (isWorthRetrying(status)) {
      retry = setTimeout(() => ua.register(), RETRY_MS);
      return options.changed({ at: 'failed', why });
    }
    close();
    options.changed({ at: 'signed-out', why });
  });
  ua.on('newRTCSession', ({ originator, session }: RTCSessionEvent) => {
    if (`${originator}` === 'remote') options.incoming(session);
  });
  ua.start();
  return { ua, isThere: () => socket.isThere(), close };
}

function userAgent({ account, instanceId, wake }: LineOptions, socket: LiveSocket): UA {
  const contact = `sip:${encodeURIComponent(account.user)}@${instanceId}.invalid;transport=ws`;
  const ua = new UA({
    sockets: [socket],
    uri: `sip:${encodeURIComponent(account.user)}@${account.domain}`,
    authorization_user: account.user,
    password: account.password,
    ...(account.displayName === '' ? {} : { display_name: account.displayName }),
    instance_id: instanceId,
    register_expires: wake === undefined ? REGISTER_EXPIRES_SECONDS : ASLEEP_EXPIRES_SECONDS,
    // Back within the server's grace time (10 s), a call in progress goes on.
    connection_recovery_min_interval: RECOVERY_SECONDS.min,
    connection_recovery_max_interval: RECOVERY_SECONDS.max,
    user_agent: 'Viaduct phone page',
    ...(wake === undefined ? {} : { contact_uri: `${contact}${wake}` }),
  });
  // REGISTER has its Contact by now; whom we call learns nothing of how we are woken (RFC 8599 §4.1.1).
  if (wake !== undefined) ua.contact.uri = contact;
  return ua;
}
