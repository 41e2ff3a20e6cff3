/**
 * Login as the routes ask for it: credentials in, user or challenge out. By digest (RFC 3261 §22, RFC 8760), or by a
 * token (token-login.ts) where the request brings one and those are taken.
 *
 * Remembers used nonce counts and failed logins, both bounded. An unknown user is answered like a wrong password.
 */

import { bearerChallenge, bearerToken } from '../../auth/bearer.ts';
import { algorithmsFor, challengeHeaders, credentialsFor, readCredentials, verify } from '../../auth/digest.ts';
import { FailedLogins } from '../../auth/failures.ts';
import { identityRefusal } from '../../auth/identity.ts';
import { checkNonce, createNonce, type NonceOwner } from '../../auth/nonce.ts';
import { NonceWindow } from '../../auth/nonce-window.ts';
import { errors } from '../../errors.ts';
import { all, get } from '../../message/header.ts';
import { Authorization, type Credentials, ProxyAuthorization } from '../../message/headers/digest.ts';
import { From, To } from '../../message/headers/from-to.ts';
import { UserAgent } from '../../message/headers/text.ts';
import { parseUri, type SipUri } from '../../message/uri.ts';
import type { Clock, Flow, Random, Subscriber, SubscriberStore } from '../../ports.ts';
import { type Reply, type Request, refuse, reply, type User } from '../api.ts';
import type { Domains } from '../domains.ts';
import type { RefusedLogin, TokenLogins } from './token-login.ts';

export interface LoginOptions {
  readonly owner: NonceOwner;
  /** The first signs, all verify. */
  readonly secrets: readonly string[];
  readonly domains: Pick<Domains, 'domainOf' | 'aorOf'>;
  /** Absent: a token is no credentials. */
  readonly tokens?: TokenLogins | undefined;
}

/** Who counts logins beside us. */
export interface LoginWatch {
  loginFailed(flow: Flow): void;
  loginSucceeded(flow: Flow): void;
}

const nobodyWatches: LoginWatch = { loginFailed: () => undefined, loginSucceeded: () => undefined };

export class Logins {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #subscribers: Pick<SubscriberStore, 'find'>;
  readonly #options: LoginOptions;
  readonly #watch: LoginWatch;
  readonly #nonces = new NonceWindow();
  readonly #failures = new FailedLogins();

  constructor(
    clock: Clock,
    random: Random,
    subscribers: Pick<SubscriberStore, 'find'>,
    options: LoginOptions,
    watch: LoginWatch = nobodyWatches,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#subscribers = subscribers;
    this.#options = options;
    this.#watch = watch;
  }

  /** `meanwhile` is called when the database is asked, and not for a request without credentials. */
  async login(request: Request, meanwhile: () => void): Promise<User | Reply> {
    const realm = this.#realmOf(request);
    const { tokens } = this.#options;
    const token = tokens && bearerToken(request.message);
    if (tokens !== undefined && token !== undefined) return this.#checkToken(request, realm, tokens, token, meanwhile);
    const header = request.message.method === 'REGISTER' ? Authorization : ProxyAuthorization;
    const credentials = credentialsFor(all(request.message, header), realm);
    if (credentials === undefined) return this.#challenge(request, realm, false);
    return this.#check(request, realm, credentials, meanwhile);
  }

  identity(request: Request, user: User): Reply | undefined {
    const code = identityRefusal(request.message, user, (uri) => this.#options.domains.aorOf(uri));
    return code === undefined ? undefined : refuse(code, 403);
  }

  async #check(
    request: Request,
    realm: string,
    credentials: Credentials,
    meanwhile: () => void,
  ): Promise<User | Reply> {
    const username = readCredentials(credentials)?.username;
    if (username === undefined) return refuse('malformed', 400, 'The digest credentials lack a part.');
    const source = request.flow.remote.address;
    const nowMs = this.#clock.nowMs();
    if (this.#failures.blocked(source, username, nowMs)) return refuse('login-blocked', 403);
    // A telephone that registers has some milliseconds, which a caller has not: one question serves many of them.
    const found = this.#subscribers.find(username, realm, request.message.method === 'REGISTER');
    meanwhile();
    const subscriber = goodOn(request.flow, await found);
    const { owner, secrets } = this.#options;
    const verdict = verify(credentials, {
      method: request.message.method,
      requestUri: request.message.uri,
      subscriber,
      checkNonce: (nonce) => checkNonce(nonce, secrets, nowMs, owner),
      useNonce: (nonce, count) => this.#nonces.use(nonce, count, nowMs),
    });
    switch (verdict) {
      case 'ok':
        this.#failures.clear(source, username);
        this.#watch.loginSucceeded(request.flow);
        return subscriber === undefined ? { username, domain: realm } : userOf(subscriber, realm);
      case 'malformed':
        return refuse('malformed', 400, 'The digest credentials are not for this request.');
      case 'stale':
      case 'replay':
        return this.#challenge(request, realm, true);
      case 'wrong':
        this.#failures.note(source, username, nowMs);
        this.#watch.loginFailed(request.flow);
        return { ...this.#challenge(request, realm, false), code: 'login-failed' };
    }
  }

  async #checkToken(
    request: Request,
    realm: string,
    tokens: TokenLogins,
    token: string,
    meanwhile: () => void,
  ): Promise<User | Reply> {
    const source = request.flow.remote.address;
    const nowMs = this.#clock.nowMs();
    // Nobody knows yet whose token it is: the address that it is for counts.
    const name = `token ${this.#aorOf(request)}`;
    if (this.#failures.blocked(source, name, nowMs)) return refuse('login-blocked', 403);
    const outcome = await tokens.login(token, request.flow, meanwhile);
    if (!('refused' in outcome)) {
      this.#failures.clear(source, name);
      this.#watch.loginSucceeded(request.flow);
      return outcome;
    }
    const { refused: code, detail, isForged } = outcome;
    if (isForged) {
      this.#failures.note(source, name, nowMs);
      this.#watch.loginFailed(request.flow);
    }
    const { status } = errors[code];
    return status === 401 ? this.#challengeAnew(request, realm, tokens, outcome) : refuse(code, status, detail);
  }

  /** A client that has a password as well may go on with that. */
  #challengeAnew(request: Request, realm: string, { issuer }: TokenLogins, { refused, detail }: RefusedLogin): Reply {
    const challenge = this.#challenge(request, realm, false);
    const bearer = bearerChallenge(realm, issuer, challenge.status === 407 ? 'proxy' : 'registrar');
    return { ...challenge, code: refused, detail, headers: [bearer, ...(challenge.headers ?? [])] };
  }

  #challenge(request: Request, realm: string, stale: boolean): Reply {
    const registrar = request.message.method === 'REGISTER';
    const [secret = ''] = this.#options.secrets;
    const nonce = createNonce(secret, this.#clock.nowMs(), this.#options.owner, this.#random.hex(6));
    const headers = challengeHeaders(realm, nonce, {
      challenger: registrar ? 'registrar' : 'proxy',
      stale,
      order: algorithmsFor(get(request.message, UserAgent)),
    });
    return reply(registrar ? 401 : 407, headers);
  }

  /** The realm is the subscriber's domain (DESIGN §5). */
  #realmOf(request: Request): string {
    const uri = ownUri(request);
    return uri === undefined ? '' : this.#options.domains.domainOf(uri);
  }

  #aorOf(request: Request): string {
    const uri = ownUri(request);
    return uri === undefined ? '' : this.#options.domains.aorOf(uri);
  }
}

/** The address to register, or of the caller. */
function ownUri({ message }: Request): SipUri | undefined {
  return parseUri(get(message, message.method === 'REGISTER' ? To : From)?.uri ?? '');
}

export function userOf({ username, session, calls: { mostCalls } }: Subscriber, domain: string): User {
  const by = session === undefined ? {} : { session };
  return { username, domain, ...by, ...(mostCalls === undefined ? {} : { mostCalls }) };
}

/** A short-lived login is good on a connection only: it ends with that (sessions.ts). */
function goodOn(flow: Flow, subscriber: Subscriber | undefined): Subscriber | undefined {
  return subscriber?.session !== undefined && flow.transport === 'udp' ? undefined : subscriber;
}
