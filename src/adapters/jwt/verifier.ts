/**
 * JSON Web Tokens as a `TokenVerifier`, by `jose`: signature first, then issuer, audience and times (RFC 7519 §4.1).
 *
 * Only signatures of a private key are taken (RFC 8725 §3.1): with `none` and HS256 whoever knows the public key could
 * sign. Left out: encrypted tokens, and asking the identity server whether it has revoked one.
 */
import { type CryptoKey, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Clock, RefusedToken, TokenFault, TokenVerifier, VerifiedToken } from '../../ports.ts';
import type { Keys } from './keys.ts';

export interface VerifierOptions {
  readonly keys: Pick<Keys, 'find' | 'areKnown' | 'areOutOfDate'>;
  readonly issuer: string;
  /** One of them must stand in `aud`. */
  readonly audiences: readonly string[];
  /** Which claim names the account. */
  readonly claim: string;
  readonly clock: Clock;
}

const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
/** How far the clocks of the identity server and of this host may be apart. */
const clockSkewSeconds = 30;
/** Identity servers put groups and roles in; a cookie of a browser has to hold half of this. */
const longestToken = 8192;
const longestAccount = 255;

export function createVerifier(options: VerifierOptions): TokenVerifier {
  const { keys, issuer, claim } = options;
  const verify = async (token: string): Promise<VerifiedToken | RefusedToken> => {
    if (token.length > longestToken) return refused('token-malformed', `It is longer than ${longestToken} bytes.`);
    if (!(await keys.areKnown())) return refused('token-keys-missing');
    try {
      return accountIn(await payloadOf(token, keys.find, checksOf(options)), claim);
    } catch (thrown) {
      const fault = faultOf(thrown, token);
      // The key may be a new one that we could not fetch: nobody is blamed for that.
      return fault.fault === 'token-key' && keys.areOutOfDate ? { ...fault, fault: 'token-keys-missing' } : fault;
    }
  };
  return { issuer, verify };
}

function checksOf({ issuer, audiences, clock }: VerifierOptions) {
  return {
    algorithms,
    issuer,
    audience: [...audiences],
    requiredClaims: ['exp'],
    clockTolerance: clockSkewSeconds,
    currentDate: new Date(clock.nowMs()),
  };
}

/** RFC 7515 §4.1.4: `kid` is a hint. A token without one is tried with each key that its algorithm fits. */
async function payloadOf(token: string, find: Keys['find'], checks: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, find, checks)).payload;
  } catch (thrown) {
    if (thrown instanceof errors.JWKSMultipleMatchingKeys) return payloadByAny(token, thrown, checks);
    throw thrown;
  }
}

async function payloadByAny(
  token: string,
  candidates: AsyncIterable<CryptoKey>,
  checks: JWTVerifyOptions,
): Promise<JWTPayload> {
  let last: unknown = new errors.JWSSignatureVerificationFailed();
  for await (const key of candidates) {
    try {
      return (await jwtVerify(token, key, checks)).payload;
    } catch (thrown) {
      // It was this key, and what the token says is wrong.
      if (thrown instanceof errors.JWTClaimValidationFailed || thrown instanceof errors.JWTExpired) throw thrown;
      last = thrown;
    }
  }
  throw last;
}

function accountIn(payload: JWTPayload, claim: string): VerifiedToken | RefusedToken {
  const name = payload[claim];
  const isName = typeof name === 'string' && name !== '' && name.length <= longestAccount;
  if (!isName) return refused('token-claim', `"${claim}" is to name the account.`);
  return { account: name, untilMs: ((payload.exp ?? 0) + clockSkewSeconds) * 1000 };
}

function faultOf(thrown: unknown, token: string): RefusedToken {
  if (thrown instanceof errors.JWTExpired)
    return refused('token-expired', `It ended at ${timeOf(thrown.payload.exp)}.`);
  if (thrown instanceof errors.JWTClaimValidationFailed) return claimFault(thrown);
  if (thrown instanceof errors.JOSEAlgNotAllowed) return refused('token-algorithm', inHeader(token, 'alg'));
  if (thrown instanceof errors.JWSSignatureVerificationFailed)
    return refused('token-signature', inHeader(token, 'kid'));
  const isKey = thrown instanceof errors.JWKSNoMatchingKey;
  // A key that is too short, or broken: nobody forged anything, and no token by it is taken.
  if (!(thrown instanceof errors.JOSEError))
    return refused('token-key', `${inHeader(token, 'kid')} It cannot be used.`);
  return isKey ? refused('token-key', inHeader(token, 'kid')) : refused('token-malformed');
}

const byClaim: Readonly<Record<string, TokenFault>> = {
  iss: 'token-issuer',
  aud: 'token-audience',
  nbf: 'token-early',
};

/** The signature was right: what it says may be told. */
function claimFault({ claim, reason, payload }: errors.JWTClaimValidationFailed): RefusedToken {
  const fault = byClaim[claim];
  if (fault === undefined || reason !== 'check_failed') return refused('token-claim', `"${claim}" is ${reason}.`);
  const value = claim === 'nbf' ? timeOf(payload.nbf) : shown(payload[claim]);
  return refused(fault, `Its ${claim} is ${value}.`);
}

/** One field of its header, which nobody has signed as far as we know. */
function inHeader(token: string, field: 'alg' | 'kid'): string {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    return `Its ${field} is ${shown(Object(header)[field])}.`;
  } catch {
    return '';
  }
}

const longestShown = 100;

/** For a line of the log and a Warning header: ASCII, in one line. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  return JSON.stringify(value)
    .slice(0, longestShown)
    .replace(/[^\x20-\x7e]/g, '?');
}

function timeOf(seconds: number | undefined): string {
  const date = new Date((seconds ?? 0) * 1000);
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString();
}

function refused(fault: TokenFault, detail = ''): RefusedToken {
  return { fault, detail };
}
