/**
 * Tokens in requests: the scheme `Bearer` (RFC 8898, RFC 6750), where they stand, how a client is told that its token is
 * no good, and how they are taken out again.
 *
 * Left out: what a token says and who signed it (the port `TokenVerifier`).
 */
import type { Field } from '../message/build.ts';
import { removeWhere } from '../message/edit.ts';
import { all } from '../message/header.ts';
import { textHeader } from '../message/headers/text.ts';
import type { SipMessage, SipRequest } from '../message/message.ts';
import { quote } from '../message/params.ts';
import type { Challenger } from './digest.ts';

// RFC 8898 §2.1.3: a proxy is shown Proxy-Authorization. JsSIP 3.13 (`authorization_jwt`) puts Authorization into every
// request instead, and as it was given: a token without its scheme is what people try first.
const headers = [textHeader('Proxy-Authorization'), textHeader('Authorization')];
const bearer = /^bearer(?:[ \t]+|$)/i;
const bareToken = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/;

/** `undefined`: the request brings none. What it brings may be anything. */
export function bearerToken(request: SipRequest): string | undefined {
  const values = headers.flatMap((header) => all(request, header));
  return values.find(holdsToken)?.replace(bearer, '');
}

/**
 * Deviates from RFC 3261 §22.3: a token has no realm that says for whom it is, so none leaves here. Whoever gets one
 * can be its owner, and JsSIP sends it to the called side in ACK and BYE, too.
 */
export function withoutTokens<M extends SipMessage>(message: M): M {
  return headers.reduce((rest, header) => removeWhere(rest, header, holdsToken), message);
}

/**
 * RFC 8898 §4, RFC 6750 §3: for a client that came with a token. It stands before the challenges of digest: JsSIP and
 * SIP.js keep the last line, and make nothing of this one.
 *
 * Deviates from RFC 8898 §2.2: others are not told that tokens are taken, because telephones give up at a scheme that
 * they do not know; a client that has a token sends it unasked.
 */
export function bearerChallenge(realm: string, issuer: string, challenger: Challenger): Field {
  const name = challenger === 'proxy' ? 'Proxy-Authenticate' : 'WWW-Authenticate';
  // It is a URI of HTTPS, or there is none.
  const server = issuer.startsWith('https://') ? `, authz_server=${quote(issuer)}` : '';
  return [name, `Bearer realm=${quote(realm)}${server}, error="invalid_token"`];
}

function holdsToken(value: string): boolean {
  return bearer.test(value) || bareToken.test(value);
}
