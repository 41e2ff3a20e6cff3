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
  const reason = reply.reason === undefined ? {} : { reason: reply.reason };
  const recordRoute = reply.toTag !== undefined;
  return createResponse(request, reply.status, { toTag: reply.toTag ?? toTag, recordRoute, headers, ...reason });
}

/** A client that hears this tries again; the others would only make it worse. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  'database-down': 5,
  overloaded: 5,
  'shutting-down': 10,
  'foreign-rate': 60,
  'token-keys-missing': 30,
};

/** Their detail is that of an exception, a route or the database, or an address of ours: for the log, not for strangers. */
const saysNoMore: ReadonlySet<ErrorCode> = new Set([
  'internal',
  'database-down',
  'media-timeout',
  'route-failed',
  'route-verdict',
  'route-late',
]);

/** What went wrong, in words that a caller may read. */
export function wordsFor(code: ErrorCode, detail: string): string {
  return detail === '' || saysNoMore.has(code) ? errors[code].meaning : `${errors[code].meaning} ${detail}`;
}

/** RFC 5630 §5.4 has a number of its own. */
const warnCodes: Partial<Record<ErrorCode, number>> = { 'not-secured': 380 };

// RFC 3261 §20.43: 399 is free text for a person.
function explanation(code: ErrorCode, detail: string): readonly Field[] {
  const retry = retryAfterSeconds[code];
  const warning: Field = ['Warning', `${warnCodes[code] ?? 399} viaduct ${quote(wordsFor(code, detail))}`];
  return retry === undefined ? [warning] : [warning, ['Retry-After', String(retry)]];
}
