/**
 * One forwarded copy of a request (RFC 3261 §16.6 steps 1 to 6 and 8), as a value.
 *
 * Left out: the next hop's address (§16.6 step 7, src/engine/proxy/next-hop.ts), timer C and sending.
 */
import type { Field } from '../message/build.ts';
import { prepend, replaceAll, setHeader, withUri } from '../message/edit.ts';
import { all, get } from '../message/header.ts';
import type { NameAddr } from '../message/headers/address.ts';
import { MaxBreadth, MaxForwards } from '../message/headers/numbers.ts';
import { RecordRoute, Route } from '../message/headers/route.ts';
import { textHeader } from '../message/headers/text.ts';
import { Via } from '../message/headers/via.ts';
import type { SipRequest } from '../message/message.ts';
import { hasParam } from '../message/params.ts';
import { parseUri } from '../message/uri.ts';

export interface Forwarding {
  readonly uri: string;
  readonly via: Via;
  /** Ours, topmost first; none for a request that makes no dialog. */
  readonly recordRoutes: readonly NameAddr[];
  /** Put before the Route values that the request has, nearest first. */
  readonly routes: readonly string[];
  /** This branch's share of Max-Breadth; `undefined` leaves the header as it is. */
  readonly maxBreadth: number | undefined;
  /** Further headers, in front of those of their name. */
  readonly headers?: readonly Field[];
}

/** What a proxy writes where the sender left it out (§16.6 step 3). */
const defaultMaxForwards = 70;

export function forwarded(request: SipRequest, how: Forwarding): SipRequest {
  const hops = get(request, MaxForwards);
  let copy = withUri(request, how.uri); // steps 1 and 2
  copy = setHeader(copy, MaxForwards, hops === undefined ? defaultMaxForwards : hops - 1); // step 3
  for (const value of how.recordRoutes.toReversed()) copy = prepend(copy, RecordRoute, value); // step 4
  if (how.maxBreadth !== undefined) copy = setHeader(copy, MaxBreadth, how.maxBreadth); // RFC 5393 §5.3.3.1
  for (const route of how.routes.toReversed()) copy = prepend(copy, Route, routeValue(route));
  for (const [name, text] of (how.headers ?? []).toReversed()) copy = prepend(copy, textHeader(name, true), text);
  copy = strictNextHop(copy); // step 6
  return prepend(copy, Via, how.via); // step 8
}

// §16.6 step 6: a next hop without `lr` is a strict router: it wants its own URI as Request-URI, the real one comes last.
function strictNextHop(request: SipRequest): SipRequest {
  const routes = all(request, Route);
  const first = routes[0];
  const uri = first === undefined ? undefined : parseUri(first.uri);
  if (first === undefined || uri === undefined || hasParam(uri.params, 'lr')) return request;
  const behind = [...routes.slice(1), routeValue(request.uri)];
  return replaceAll(withUri(request, first.uri), Route, behind);
}

function routeValue(text: string): NameAddr {
  const uri = text.startsWith('<') ? text.slice(1, text.lastIndexOf('>')) : text;
  return { display: undefined, uri, params: [] };
}
