/**
 * Digest authentication as server (RFC 3261 §22, RFC 7616, RFC 8760; RFC 2617 for MD5): challenges, and the check of
 * credentials against the HA1s of a subscriber. The password itself is never here.
 *
 * Left out: which requests are challenged (routes/auth.ts), the nonce itself (nonce.ts), -sess algorithms and auth-int,
 * which we never offer, and RFC 2069's form without qop, which cannot tell a replay.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { lower } from '../message/ascii.ts';
import type { Credentials } from '../message/headers/digest.ts';
import { param, quote, unquote } from '../message/params.ts';
import { parseUri } from '../message/uri.ts';
import type { Subscriber } from '../ports.ts';

export type Algorithm = 'MD5' | 'SHA-256';

/** 401 of a registrar or 407 of a proxy (RFC 3261 §22.2, §22.3): they differ in the header's name. */
export type Challenger = 'registrar' | 'proxy';

export interface ChallengeOptions {
  readonly challenger: Challenger;
  /** The credentials were right but their nonce is not in use any more: the client may repeat without its user. */
  readonly stale?: boolean;
  /** In this order; default MD5 alone. */
  readonly order?: readonly Algorithm[];
}

/**
 * Deviates: RFC 8760 §2.4 has the server offer all it can, for the client to choose. JsSIP 3.13 and SIP.js 0.21 keep the
 * last challenge of a response and know MD5 only; baresip 1.0 gives up at one that it does not know. So everybody gets
 * MD5 alone, and SHA-256 before it only an agent that reads every challenge.
 */
const md5Only: readonly Algorithm[] = ['MD5'];
const sha256First: readonly Algorithm[] = ['SHA-256', 'MD5'];
const readsEveryChallenge = /^(Linphone|LinphoneAndroid|LinphoneiOS|Linphone-Desktop|Flexisip)\b/i;

/** Which challenges a client gets, by its User-Agent. */
export function algorithmsFor(userAgent: string | undefined): readonly Algorithm[] {
  return readsEveryChallenge.test(userAgent ?? '') ? sha256First : md5Only;
}

/** One header line per algorithm, as name and text (RFC 8760 §2.2). */
export function challengeHeaders(
  realm: string,
  nonce: string,
  options: ChallengeOptions,
): readonly (readonly [name: string, value: string])[] {
  const name = options.challenger === 'proxy' ? 'Proxy-Authenticate' : 'WWW-Authenticate';
  const stale = options.stale === true ? ', stale=true' : '';
  const common = `Digest realm=${quote(realm)}, nonce="${nonce}"`;
  return (options.order ?? md5Only).map((algorithm) => [name, `${common}, algorithm=${algorithm}, qop="auth"${stale}`]);
}

/** Digest credentials with everything we need, quotes and escapes undone. */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: Algorithm;
  /** As sent, hex; the RFC's eight digits, or fewer from a client that leaves out zeros. */
  readonly nc: string;
  readonly cnonce: string;
}

/** `undefined`: another scheme, a part is missing, or an algorithm or qop that we did not offer. */
export function readCredentials(credentials: Credentials): DigestCredentials | undefined {
  const text = (name: string): string => unquote(param(credentials.params, name) ?? '');
  const algorithm = algorithmOf(param(credentials.params, 'algorithm'));
  const read = {
    username: text('username'),
    realm: text('realm'),
    nonce: text('nonce'),
    uri: text('uri'),
    response: lower(text('response')),
    nc: text('nc'),
    cnonce: text('cnonce'),
  };
  if (lower(credentials.scheme) !== 'digest' || algorithm === undefined || lower(text('qop')) !== 'auth')
    return undefined;
  const complete = Object.values(read).every((value) => value !== '') && /^[0-9A-Fa-f]{1,8}$/.test(read.nc);
  return complete ? { ...read, algorithm } : undefined;
}

/** Of several Authorization or Proxy-Authorization lines the one for our realm (RFC 3261 §22.3). */
export function credentialsFor(lines: readonly Credentials[], realm: string): Credentials | undefined {
  return lines.find((line) => realmOf(line) === lower(realm));
}

/** In lower case; empty when there is none. */
export function realmOf(credentials: Credentials): string {
  return lower(unquote(param(credentials.params, 'realm') ?? ''));
}

export interface DigestCheck {
  readonly method: string;
  readonly requestUri: string;
  /** `undefined`: there is no such subscriber. The answer and the work are those of a wrong password. */
  readonly subscriber: Pick<Subscriber, 'ha1Md5' | 'ha1Sha256'> | undefined;
  /** Usually `checkNonce` of nonce.ts with our secrets. */
  readonly checkNonce: (nonce: string) => 'valid' | 'stale' | 'unknown';
  /** Usually `NonceWindow.use`: notes that this count of the nonce was used. */
  readonly useNonce: (nonce: string, nonceCount: number) => 'fresh' | 'replayed' | 'forgotten';
}

/**
 * `wrong`: user or password; challenge again without stale, count it. `stale` and `replay`: the password was right;
 * challenge again with stale=true, which JsSIP and SIP.js answer without asking their user. `malformed`: 400.
 */
export type DigestVerdict = 'ok' | 'stale' | 'wrong' | 'replay' | 'malformed';

export function verify(credentials: Credentials, check: DigestCheck): DigestVerdict {
  const digest = readCredentials(credentials);
  if (digest === undefined || !sameResource(digest.uri, check.requestUri)) return 'malformed';
  // RFC 7616 §3.3: stale=true is only for those who know the password, so the response is checked before the nonce.
  if (!responseMatches(digest, check)) return 'wrong';
  if (check.checkNonce(digest.nonce) !== 'valid') return 'stale';
  // RFC 7616 §3.4: each nonce count is good for one request. Only a right response uses one up.
  const use = check.useNonce(digest.nonce, Number.parseInt(digest.nc, 16));
  if (use === 'replayed') return 'replay';
  return use === 'forgotten' ? 'stale' : 'ok';
}

/** RFC 7616 §3.4.1 with qop=auth: the response, in lower-case hex. */
export function digestResponse(digest: Omit<DigestCredentials, 'response'>, method: string, ha1: string): string {
  const ha2 = hash(digest.algorithm, `${method}:${digest.uri}`);
  return hash(digest.algorithm, `${ha1}:${digest.nonce}:${digest.nc}:${digest.cnonce}:auth:${ha2}`);
}

/** H(username:realm:password), lower-case hex: what a subscriber's row keeps instead of the password. */
export function ha1(algorithm: Algorithm, username: string, realm: string, password: string): string {
  return hash(algorithm, `${username}:${realm}:${password}`);
}

const nobody: Pick<Subscriber, 'ha1Md5' | 'ha1Sha256'> = { ha1Md5: '0'.repeat(32), ha1Sha256: '0'.repeat(64) };

function responseMatches(digest: DigestCredentials, check: DigestCheck): boolean {
  const { ha1Md5, ha1Sha256 } = check.subscriber ?? nobody;
  const expected = digestResponse(digest, check.method, digest.algorithm === 'MD5' ? ha1Md5 : ha1Sha256);
  const equal = equalInConstantTime(digest.response, expected);
  return check.subscriber !== undefined && equal;
}

function equalInConstantTime(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));
}

// RFC 7616 §3.3: no algorithm means MD5.
function algorithmOf(text: string | undefined): Algorithm | undefined {
  const name = lower(unquote(text ?? 'MD5'));
  if (name === 'md5') return 'MD5';
  return name === 'sha-256' ? 'SHA-256' : undefined;
}

// RFC 3261 §22.4 rule 5: the two may differ, as clients leave out parameters or ports; user and host must agree.
function sameResource(digestUri: string, requestUri: string): boolean {
  if (digestUri === requestUri) return true;
  const [a, b] = [parseUri(digestUri), parseUri(requestUri)];
  return a !== undefined && b !== undefined && a.user === b.user && lower(a.host) === lower(b.host);
}

function hash(algorithm: Algorithm, text: string): string {
  return createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text, 'latin1')
    .digest('hex');
}
