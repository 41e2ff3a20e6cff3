/**
 * Whether a request may be forwarded at all (RFC 3261 §16.3): the checks in the RFC's order, the first refusal wins.
 *
 * Only headers that this proxy reads are judged; a bad Date harms nobody. Neither does a bad Expires, which §10.2.1.1
 * reads as one that is not there. Left out: step 6, Proxy-Authorization, which is a route (routes/auth.ts).
 */
import type { ErrorCode } from '../errors.ts';
import { equalsIgnoreCase } from '../message/ascii.ts';
import type { Field } from '../message/build.ts';
import { all, get, type Header, malformed } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { Contact } from '../message/headers/contact.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { From, To } from '../message/headers/from-to.ts';
import { MaxBreadth, MaxForwards } from '../message/headers/numbers.ts';
import { ProxyRequire, Unsupported } from '../message/headers/options.ts';
import { RecordRoute, Route } from '../message/headers/route.ts';
import { Via } from '../message/headers/via.ts';
import type { SipRequest } from '../message/message.ts';
import { parseUri, schemeOf } from '../message/uri.ts';
import { isLoop } from './loop.ts';

export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  /** What is particular to this request, for `Warning` and log. */
  readonly text: string;
  /** To be put into the response. */
  readonly headers: readonly Field[];
}

/** What the checks need to know of this proxy. */
export interface Here {
  /** `host:port` of each Via that we write, in lower case. */
  readonly sentBys: readonly string[];
  /** `loopHash` of the request, when the caller has it already. */
  readonly loopHash?: () => string;
  /** The request is answered here, not forwarded: a REGISTER to us, an OPTIONS about us. */
  readonly endsHere: boolean;
  /** Extensions that a proxy must know, and we do. */
  readonly extensions?: readonly string[];
}

export function validate(request: SipRequest, here: Here): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(request, here);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

type Check = (request: SipRequest, here: Here) => Refusal | undefined;

const checks: readonly Check[] = [reasonableSyntax, uriScheme, hopsLeft, noLoop, extensionsKnown];

const readByUs: readonly Header<unknown>[] = [
  Via,
  From,
  To,
  CallId,
  CSeq,
  MaxForwards,
  MaxBreadth,
  Route,
  RecordRoute,
  ProxyRequire,
];
// Methods whose Contact we keep: in a binding or in the dialog record. In others it is not read.
const contactIsRead: readonly string[] = ['INVITE', 'UPDATE', 'SUBSCRIBE', 'REFER', 'NOTIFY', 'REGISTER'];

/** Step 1. What identifies the transaction was judged when the message was scanned (src/message/scan.ts). */
function reasonableSyntax(request: SipRequest): Refusal | undefined {
  const read = contactIsRead.includes(request.method) ? [...readByUs, Contact] : readByUs;
  const bad = malformed(request, read);
  if (bad !== undefined) return refuse(400, 'malformed', `${bad.name} cannot be read.`);
  return isSip(request.uri) && parseUri(request.uri) === undefined
    ? refuse(400, 'malformed', 'The Request-URI cannot be read.')
    : undefined;
}

/** Step 2, of what step 1 could read. */
function uriScheme(request: SipRequest): Refusal | undefined {
  if (isSip(request.uri)) return undefined;
  return refuse(416, 'uri-scheme', `The scheme is ${schemeOf(request.uri) ?? 'missing'}.`);
}

function isSip(uri: string): boolean {
  const scheme = schemeOf(uri);
  return scheme === 'sip' || scheme === 'sips';
}

/** Step 3. A request that is not forwarded needs no hop. */
function hopsLeft(request: SipRequest, here: Here): Refusal | undefined {
  if (get(request, MaxForwards) !== 0 || here.endsHere) return undefined;
  return refuse(483, 'too-many-hops', '');
}

/** Step 4. */
function noLoop(request: SipRequest, here: Here): Refusal | undefined {
  return isLoop(request, here.sentBys, here.loopHash) ? refuse(482, 'loop-detected', '') : undefined;
}

/** Step 5. */
function extensionsKnown(request: SipRequest, here: Here): Refusal | undefined {
  // RFC 3261 §8.2.2.3: an ACK and a CANCEL are never refused for an extension.
  if (request.method === 'ACK' || request.method === 'CANCEL') return undefined;
  const known = here.extensions ?? [];
  const unknown = all(request, ProxyRequire).filter((tag) => !known.some((one) => equalsIgnoreCase(one, tag)));
  if (unknown.length === 0) return undefined;
  return refuse(420, 'bad-extension', unknown.join(', '), [[Unsupported.name, unknown.join(', ')]]);
}

function refuse(status: number, code: ErrorCode, text: string, headers: readonly Field[] = []): Refusal {
  return { status, code, text, headers };
}
