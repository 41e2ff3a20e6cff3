/**
 * Login by a token of the operator's identity server (RFC 8898): whose account it names, and until when.
 *
 * Every request that begins something brings its token, as JsSIP does by itself and SIP.js by extra headers: a connection
 * is not trusted for what it showed in its REGISTER, since several accounts may come over one (a reverse proxy, a
 * gateway). What was begun ends with the token (sessions.ts), so it is good on connections only, not over UDP.
 */
import type { ErrorCode } from '../../errors.ts';
import type { Flow, SubscriberStore, TokenFault, TokenVerifier } from '../../ports.ts';
import type { User } from '../api.ts';
import type { Domains } from '../domains.ts';
import { splitAddress } from '../operations/subscribers.ts';
import { userOf } from './login.ts';
import { isSessionName } from './sessions.ts';

export interface RefusedLogin {
  readonly refused: Extract<ErrorCode, `token-${string}`>;
  readonly detail: string;
  /** Somebody may be trying: counts like a wrong password. */
  readonly isForged: boolean;
}

export interface TokenLogins {
  readonly issuer: string;
  /** `meanwhile` is called when the database is asked. */
  login(token: string, flow: Flow, meanwhile: () => void): Promise<User | RefusedLogin>;
}

export function createTokenLogins(
  tokens: TokenVerifier,
  subscribers: Pick<SubscriberStore, 'find'>,
  domains: Pick<Domains, 'first' | 'isDomain'>,
): TokenLogins {
  const login = async (token: string, flow: Flow, meanwhile: () => void): Promise<User | RefusedLogin> => {
    if (flow.transport === 'udp') return refused('token-over-udp');
    const verified = await tokens.verify(token);
    if ('fault' in verified) return refused(verified.fault, verified.detail, forgeries.includes(verified.fault));
    const name = nameOf(verified.account, domains);
    if (name === undefined) return refused('token-account', 'What it names is no address of our domains.');
    const found = subscribers.find(name.username, name.domain);
    meanwhile();
    const subscriber = await found;
    if (subscriber === undefined) return refused('token-account', `${name.username}@${name.domain}`);
    return { ...userOf(subscriber, name.domain), untilMs: verified.untilMs };
  };
  return { issuer: tokens.issuer, login };
}

/**
 * Any other was signed by the identity server, or by a key of it that we do not know or cannot use: whoever has it guesses
 * nothing, and an office whose pages all wake up with old ones, or whose application asks for another audience, must not
 * be banned.
 */
const forgeries: readonly TokenFault[] = ['token-malformed', 'token-algorithm', 'token-signature'];

function nameOf(account: string, domains: Pick<Domains, 'first' | 'isDomain'>) {
  try {
    const name = splitAddress(account, domains.first);
    // A short-lived login of another account has a name, too, and this token proves nothing of that.
    return domains.isDomain(name.domain) && !isSessionName(name.username) ? name : undefined;
  } catch {
    return undefined;
  }
}

function refused(code: RefusedLogin['refused'], detail = '', forged = false): RefusedLogin {
  return { refused: code, detail, isForged: forged };
}
