/**
 * Which transaction a message belongs to, as a text to look it up by (RFC 3261 §17.1.3, §17.2.3).
 *
 * Parts are joined by a blank, which none of them can hold. Left out: the To tag of an ACK from an RFC 2543 element,
 * which §17.2.3 compares with that of our response: CSeq and Via leave no other INVITE that it could acknowledge.
 */
import { lower } from '../message/ascii.ts';
import { get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { From, To, tagOf } from '../message/headers/from-to.ts';
import { sentBy, Via } from '../message/headers/via.ts';
import type { SipMessage, SipRequest } from '../message/message.ts';
import { param } from '../message/params.ts';

// RFC 3261 §8.1.1.7: a branch that begins like this is unique, and identifies the transaction alone.
const magicCookie = 'z9hg4bk';

/** RFC 3261 §17.2.3. An ACK has the key of its INVITE; a CANCEL has its own. */
export function serverKey(request: SipRequest): string {
  return keyOf(request, request.method === 'ACK' ? 'INVITE' : request.method);
}

/** RFC 3261 §9.2: the key of the INVITE that this CANCEL is about. */
export function inviteKeyOfCancel(cancel: SipRequest): string {
  return keyOf(cancel, 'INVITE');
}

/** RFC 3261 §17.1.3: for a response, and for the request of ours that it answers. */
export function clientKey(message: SipMessage): string {
  const method = message.kind === 'request' ? message.method : get(message, CSeq)?.method;
  return `${branchOf(get(message, Via))} ${method ?? ''}`;
}

function keyOf(request: SipRequest, method: string): string {
  const via = get(request, Via);
  const branch = branchOf(via);
  const sender = via === undefined ? '' : sentBy(via);
  // RFC 3261 §17.2.3: branch, sent-by and method; sent-by, because somebody may have copied our branch.
  if (branch.startsWith(magicCookie)) return `${branch} ${sender} ${method}`;
  return rfc2543Key(request, method, `${branch} ${sender}`);
}

/** RFC 3261 §17.2.3: without the magic cookie all that identifies the request is compared. */
function rfc2543Key(request: SipRequest, method: string, via: string): string {
  const fromTag = tagOf(get(request, From)) ?? '';
  // The ACK has the To tag of our response, which the INVITE has not.
  const toTag = method === 'INVITE' ? '' : (tagOf(get(request, To)) ?? '');
  const callId = get(request, CallId) ?? '';
  return `2543 ${request.uri} ${toTag} ${fromTag} ${callId} ${get(request, CSeq)?.number ?? ''} ${method} ${via}`;
}

// RFC 3261 §7.3.1: parameter values are tokens, and case-insensitive.
const branchOf = (via: Via | undefined): string => lower(param(via?.params ?? [], 'branch') ?? '');
