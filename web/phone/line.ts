/**
 * The line: JsSIP's user agent as connection and registration, with each change told as a `Line`.
 * JsSIP reconnects a lost WebSocket by itself; a registration that failed for a passing reason is tried again here.
 */
import { UA, WebSocketInterface } from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { RTCSessionEvent } from 'jssip/lib/UA';
import type { Account } from './account.ts';
import { explainConnection, explainRegistration, isWorthRetrying, warningText } from './reasons.ts';
import type { Line } from './state.ts';

export interface LineOptions {
  readonly wsUrl: string;
  readonly account: Account;
  readonly instanceId: string;
  changed(line: Line): void;
  incoming(session: RTCSession): void;
}

const RETRY_MS = 10_000;
const REGISTER_EXPIRES_SECONDS = 300;
const RECOVERY_SECONDS = { min: 1, max: 4 } as const;

export interface OpenLine {
  readonly ua: UA;
  close(): void;
}

export function openLine(options: LineOptions): OpenLine {
  const ua = userAgent(options);
  let retry: ReturnType<typeof setTimeout> | undefined;
  let everOpen = false;
  const close = () => {
    clearTimeout(retry);
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
  return { ua, close };
}

function userAgent({ account, wsUrl, instanceId }: LineOptions): UA {
  return new UA({
    sockets: [new WebSocketInterface(wsUrl)],
    uri: `sip:${encodeURIComponent(account.user)}@${account.domain}`,
    authorization_user: account.user,
    password: account.password,
    ...(account.displayName === '' ? {} : { display_name: account.displayName }),
    instance_id: instanceId,
    register_expires: REGISTER_EXPIRES_SECONDS,
    // Back within the server's grace time (10 s), a call in progress goes on.
    connection_recovery_min_interval: RECOVERY_SECONDS.min,
    connection_recovery_max_interval: RECOVERY_SECONDS.max,
    user_agent: 'Viaduct phone page',
  });
}
