/**
 * The ACK for a 2xx (RFC 3261 §13.2.2.4, §16.6). Usually it is the caller's and is forwarded like any request, without a
 * transaction. Here: the one we send ourselves, when a call that was answered cannot be given its media (law 1).
 *
 * Left out: the ACK for a failure, which belongs to the INVITE client transaction (src/transaction/invite-client.ts).
 */
import { createRequest } from '../message/build.ts';
import { all, get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { Contact } from '../message/headers/contact.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { From, To } from '../message/headers/from-to.ts';
import { RecordRoute } from '../message/headers/route.ts';
import type { Via } from '../message/headers/via.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { hasParam } from '../message/params.ts';
import { parseUri } from '../message/uri.ts';

/** `routeSet`: the way from us to whom sent the 2xx, nearest first. */
export function ackFor2xx(response: SipResponse, via: Via, routeSet: readonly string[]): SipRequest | undefined {
  const from = get(response, From);
  const to = get(response, To);
  const cseq = get(response, CSeq);
  const callId = get(response, CallId);
  if (from === undefined || to === undefined || cseq === undefined || callId === undefined) return undefined;
  const { uri, route } = routed(get(response, Contact)?.uri ?? to.uri, routeSet);
  return createRequest({ method: 'ACK', uri, via, from, to, callId, cseq: cseq.number, route });
}

/** The route set beyond us of the dialog that this 2xx makes: its Record-Routes stand callee first, ours nearest last. */
export function routeSetOf(response: SipResponse, isOurs: (uri: string) => boolean): readonly string[] {
  const routes = all(response, RecordRoute).map((route) => route.uri);
  const ours = routes.findIndex(isOurs);
  return ours < 0 ? [] : routes.slice(0, ours).reverse();
}

// RFC 3261 §12.2.1.1: a first route without `lr` is a strict router: it takes the Request-URI, the target comes last.
function routed(
  target: string,
  routeSet: readonly string[],
): { readonly uri: string; readonly route: readonly string[] } {
  const [first, ...rest] = routeSet;
  const uri = first === undefined ? undefined : parseUri(first);
  if (first === undefined || uri === undefined || hasParam(uri.params, 'lr')) return { uri: target, route: routeSet };
  return { uri: first, route: [...rest, target] };
}
