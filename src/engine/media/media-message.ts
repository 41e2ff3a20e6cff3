/** Messages as offer and answer see them: whether they carry an SDP, and where one could pass rtpengine by. */
import { Failure } from '../../errors.ts';
import { removeAll, setHeader, withBody } from '../../message/edit.ts';
import { get } from '../../message/header.ts';
import { CSeq } from '../../message/headers/cseq.ts';
import { ContentType } from '../../message/headers/text.ts';
import type { SipMessage } from '../../message/message.ts';
import { isSdp, mayHideSdp } from '../../sdp/describe.ts';

/** Methods that may carry an offer or an answer. */
export const carriers: ReadonlySet<string> = new Set(['INVITE', 'ACK', 'PRACK', 'UPDATE']);

/** Law 1: an SDP inside a multipart body, or without a type, would reach the other side past rtpengine. */
export function mayPassBy(message: SipMessage): boolean {
  return carriers.has(get(message, CSeq)?.method ?? '') && mayHideSdp(message);
}

export function facts(message: SipMessage): { readonly method: string; readonly sdp: string | undefined } {
  return { method: get(message, CSeq)?.method ?? '', sdp: isSdp(message) ? message.body : undefined };
}

/** Law 1: an SDP of a call that we hold no media for would pass us by. */
export function ofNoCall<M extends SipMessage>(message: M): M {
  const method = get(message, CSeq)?.method ?? '';
  if (!carriers.has(method) || !isSdp(message)) return message;
  if (message.kind === 'request' && method !== 'ACK') throw new Failure('media-lost');
  return withoutBody(message);
}

/** With this SDP, also where it came without one. */
export function withSdp<M extends SipMessage>(message: M, sdp: string): M {
  return withBody(message.body === '' ? setHeader(message, ContentType, 'application/sdp') : message, sdp);
}

export function withoutBody<M extends SipMessage>(message: M): M {
  return withBody(removeAll(message, ContentType), '');
}
