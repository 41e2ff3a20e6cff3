/**
 * Whose name a request may carry (DESIGN law 10): a local user's From is the user who logged in, and an account registers
 * only itself (RFC 3261 §10.3 step 4).
 *
 * Left out: logging in (digest.ts), which requests must be authenticated and the trusted networks (routes/auth.ts).
 */
import type { ErrorCode } from '../errors.ts';
import { get } from '../message/header.ts';
import type { NameAddr } from '../message/headers/address.ts';
import { From, To } from '../message/headers/from-to.ts';
import type { SipRequest } from '../message/message.ts';
import { canonicalAor, escapeUser, parseUri } from '../message/uri.ts';

export interface Identity {
  readonly username: string;
  readonly domain: string;
}

/** The address-of-record of an account, as `canonicalAor` writes it. */
export function aorOf(identity: Identity): string {
  const uri = parseUri(`sip:${escapeUser(identity.username)}@${identity.domain}`);
  return uri === undefined ? '' : canonicalAor(uri);
}

/** `toAor`: how an address is written as the key of an account. Why the user who logged in may not send this request; `undefined` when it may. */
export function identityRefusal(request: SipRequest, user: Identity, toAor = canonicalAor): ErrorCode | undefined {
  const aor = aorOf(user);
  const isOwn = (address: NameAddr | undefined): boolean => {
    const uri = address === undefined ? undefined : parseUri(address.uri);
    return uri !== undefined && toAor(uri) === aor;
  };
  if (request.method === 'REGISTER' && !isOwn(get(request, To))) return 'register-other';
  return isOwn(get(request, From)) ? undefined : 'wrong-identity';
}
