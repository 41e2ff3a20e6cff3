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

/** `isOurs`: whether a Record-Route URI is one that we wrote; those beyond it lead on to the callee. */
export function ackFor2xx(response: SipResponse, via: Via, isOurs: (uri: string) => boolean): SipRequest | undefined {
  const from = get(response, From);
  const to = get(response, To);
  const cseq = get(response, CSeq);
  const callId = get(response, CallId);
  if (from === undefined || to === undefined || cseq === undefined || callId === undefined) return undefined;
  const routes = all(response, RecordRoute).map((route) => route.uri);
  const ours = routes.findIndex(isOurs);
  const route = ours < 0 ? [] : routes.slice(0, ours).reverse();
  const uri = get(response, Contact)?.uri ?? to.uri;
  return createRequest({ method: 'ACK', uri, via, from, to, callId, cseq: cseq.number, route });
}
