/**
 * What a message must not carry past us: identities claimed by somebody we do not trust (RFC 3325 §5), those that are to
 * stay with whom we trust (§7), and credentials that were for us (RFC 3261 §22.3).
 *
 * Left out: who is trusted (TRUSTED), any other Privacy (RFC 3323), and asserting an identity of our own.
 */
import { lower, trim } from '../message/ascii.ts';
import { removeAll, removeWhere } from '../message/edit.ts';
import { all } from '../message/header.ts';
import { ProxyAuthorization } from '../message/headers/digest.ts';
import { PAssertedIdentity, PPreferredIdentity, Privacy, RemotePartyId } from '../message/headers/text.ts';
import type { SipMessage, SipRequest } from '../message/message.ts';
import { realmOf } from './digest.ts';

/** Telephones show these before From: whoever may write them calls under any name. */
const claims = [PAssertedIdentity, PPreferredIdentity, RemotePartyId];

export function withoutClaims<M extends SipMessage>(message: M): M {
  return claims.reduce((rest, header) => removeAll(rest, header), message);
}

/** Without the names that its sender only claims, and those that he withholds from its receiver. */
export function withNamesFor<M extends SipMessage>(message: M, fromTrusted: boolean, toTrusted: boolean): M {
  if (!fromTrusted) return withoutClaims(message);
  return toTrusted ? message : withoutWithheld(message);
}

/** RFC 3325 §7: what somebody who withholds his number lets only those read whom we trust. */
export function withoutWithheld<M extends SipMessage>(message: M): M {
  const isPrivate = all(message, Privacy).some((values) => values.split(';').some((one) => lower(trim(one)) === 'id'));
  return isPrivate ? withoutClaims(message) : removeWhere(message, RemotePartyId, (text) => withheld.test(text));
}

/** As gateways write it that know no Privacy. */
const withheld = /;\s*privacy\s*=(?!\s*"?off\b)/i;

/** The lines for other realms stay as they are: they are for a proxy behind us. */
export function withoutCredentialsFor(request: SipRequest, isOurRealm: (realm: string) => boolean): SipRequest {
  return removeWhere(request, ProxyAuthorization, (credentials) => isOurRealm(realmOf(credentials)));
}
