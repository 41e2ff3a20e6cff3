/**
 * Loops and fork bombs (RFC 5393, RFC 3261 §16.3 step 4, §16.6 step 8).
 *
 * Each branch of ours carries a hash of all that decided how its request was routed. A request that comes back with that
 * hash would be routed the same way again: a loop. One that comes back changed is a spiral, and is served.
 * Max-Breadth bounds what a loop through other proxies can grow to before anybody notices it.
 */
import { hash } from 'node:crypto';
import { lower } from '../message/ascii.ts';
import { all, get, values } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { ProxyAuthorization } from '../message/headers/digest.ts';
import { From, To, tagOf } from '../message/headers/from-to.ts';
import { MaxBreadth } from '../message/headers/numbers.ts';
import { ProxyRequire } from '../message/headers/options.ts';
import { Route } from '../message/headers/route.ts';
import { sentBy, Via } from '../message/headers/via.ts';
import type { SipRequest } from '../message/message.ts';
import { param } from '../message/params.ts';

const HASH_HEX_DIGITS = 16;

/**
 * RFC 5393 §4.2: of the request as it was received, before §16.4 changes it. Not of Via, Max-Forwards and Record-Route,
 * which differ on every pass, and not of the method, as ACK and CANCEL have the branch of their INVITE.
 */
export function loopHash(request: SipRequest): string {
  const routedBy = [
    request.uri,
    ...values(request, Route),
    '',
    tagOf(get(request, From)),
    tagOf(get(request, To)),
    get(request, CallId),
    get(request, CSeq)?.number,
    ...values(request, ProxyRequire),
    '',
    ...values(request, ProxyAuthorization),
  ];
  // No header value can hold a line end, so no two lists give one text.
  return hash('sha256', Buffer.from(routedBy.join('\n'), 'latin1'), 'hex').slice(0, HASH_HEX_DIGITS);
}

/** Our Via branch parameter (RFC 3261 §8.1.1.7). `random`: hex digits, others for every branch. */
export function branchParameter(random: string, hash: string): string {
  return `z9hG4bK${random}.${hash}`;
}

/** `ourSentBys`: the `host:port` of our Vias, in lower case. `hash` is asked only of a request that has passed us. */
export function isLoop(
  request: SipRequest,
  ourSentBys: readonly string[],
  hash = (): string => loopHash(request),
): boolean {
  return all(request, Via).some((via) => ourSentBys.includes(sentBy(via)) && carries(via, hash()));
}

function carries(via: Via, hash: string): boolean {
  const branch = lower(param(via.params, 'branch') ?? '');
  return branch.startsWith('z9hg4bk') && branch.endsWith(`.${hash}`);
}

/** RFC 5393 §5.3.3: what a request without Max-Breadth may be forked into. */
export const defaultMaxBreadth = 60;

/**
 * RFC 5393 §5.3.3: what each of these branches, sent at the same time, gets of the request's Max-Breadth.
 * `undefined`: it is too small, the answer is 440.
 */
export function shareBreadth(request: SipRequest, branches: number): readonly number[] | undefined {
  const breadth = get(request, MaxBreadth) ?? defaultMaxBreadth;
  if (branches > breadth) return undefined;
  const share = Math.floor(breadth / branches);
  const rest = breadth % branches;
  return Array.from({ length: branches }, (_, index) => (index < rest ? share + 1 : share));
}
