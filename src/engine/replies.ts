/**
 * Responses of our own: a verdict or a row of `errors.ts` as a SIP response that explains itself (law 8).
 */
import { type ErrorCode, errors } from '../errors.ts';
import { createResponse, type Field } from '../message/build.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { quote } from '../message/params.ts';
import type { Reply } from './api.ts';

/** `toTag`: random; a response with a To tag of its own keeps it. */
export function responseOf(request: SipRequest, reply: Reply, toTag: string): SipResponse {
  const explained = reply.code === undefined ? [] : explanation(reply.code, reply.detail ?? '');
  const headers = [...(reply.headers ?? []), ...explained];
  return createResponse(request, reply.status, { toTag, headers });
}

/** A client that hears this tries again; the others would only make it worse. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  'database-down': 5,
  overloaded: 5,
  'shutting-down': 10,
};

// RFC 3261 §20.43: 399 is free text for a person.
function explanation(code: ErrorCode, detail: string): readonly Field[] {
  const text = detail === '' ? errors[code].meaning : `${errors[code].meaning} ${detail}`;
  const retry = retryAfterSeconds[code];
  const warning: Field = ['Warning', `399 viaduct ${quote(text)}`];
  return retry === undefined ? [warning] : [warning, ['Retry-After', String(retry)]];
}
