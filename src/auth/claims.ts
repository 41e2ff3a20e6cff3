/**
 * What a message must not carry past us: identities claimed by somebody we do not trust (RFC 3325 §5), and credentials
 * that were for us (RFC 3261 §22.3).
 *
 * Left out: who is trusted (TRUSTED), Privacy (RFC 3323), and asserting an identity of our own.
 */
import { removeAll, removeWhere } from '../message/edit.ts';
import { ProxyAuthorization } from '../message/headers/digest.ts';
import { PAssertedIdentity, PPreferredIdentity, RemotePartyId } from '../message/headers/text.ts';
import type { SipMessage, SipRequest } from '../message/message.ts';
import { realmOf } from './digest.ts';

/** Telephones show these before From: whoever may write them calls under any name. */
const claims = [PAssertedIdentity, PPreferredIdentity, RemotePartyId];

export function withoutClaims<M extends SipMessage>(message: M): M {
  return claims.reduce((rest, header) => removeAll(rest, header), message);
}

/** The lines for other realms stay as they are: they are for a proxy behind us. */
export function withoutCredentialsFor(request: SipRequest, isOurRealm: (realm: string) => boolean): SipRequest {
  return removeWhere(request, ProxyAuthorization, (credentials) => isOurRealm(realmOf(credentials)));
}
