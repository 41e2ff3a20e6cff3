/**
 * Messages that we make ourselves: responses (RFC 3261 §8.2.6), the ACK for a failure (§17.1.1.3), CANCEL (§9.1), and
 * requests of our own (§8.1.1). Each has a Content-Length.
 *
 * What is copied from another message is copied as raw lines. Left out: tags, branches and Call-IDs (they need chance).
 */
import { lower } from './ascii.ts';
import { headerLine } from './edit.ts';
import { get, type Header } from './header.ts';
import { type NameAddr, printNameAddr } from './headers/address.ts';
import { CSeq } from './headers/cseq.ts';
import { To, tagOf } from './headers/from-to.ts';
import { Via } from './headers/via.ts';
import { Line } from './line.ts';
import type { HeaderLine, SipMessage, SipRequest, SipResponse } from './message.ts';
import { reasonPhrase } from './reasons.ts';

export { reasonPhrase } from './reasons.ts';

/** A header as name and text. */
export type Field = readonly [name: string, text: string];

/** A header for `headers`, from its descriptor and value. */
export const field = <T>(header: Header<T>, value: NoInfer<T>): Field => [header.name, header.print(value)];

export interface ResponseOptions {
  readonly reason?: string;
  /** Given to To when it has no tag yet. */
  readonly toTag?: string;
  readonly headers?: readonly Field[];
  readonly body?: string;
  readonly contentType?: string;
  /** Copies Record-Route, as a response that makes a dialog must (RFC 3261 §12.1.1). */
  readonly recordRoute?: boolean;
}

const line = (name: string, text: string): HeaderLine => headerLine(name, text, lower(name));

const linesOf = (message: SipMessage, key: string): readonly HeaderLine[] =>
  message.headers.filter((candidate) => candidate.name === key);

/** RFC 3261 §8.2.6: what identifies the transaction is copied from the request, Vias in their order. */
export function createResponse(request: SipRequest, status: number, options: ResponseOptions = {}): SipResponse {
  const reason = (options.reason ?? reasonPhrase(status)).replace(/[\r\n\0]+/g, ' ');
  const headers = [
    ...linesOf(request, 'via'),
    ...(options.recordRoute === true ? linesOf(request, 'record-route') : []),
    ...linesOf(request, 'from'),
    ...linesOf(request, 'to').map((to) => withTag(request, to, options.toTag)),
    ...linesOf(request, 'call-id'),
    ...linesOf(request, 'cseq'),
    // RFC 3261 §8.2.6.1: only the 100 says back when the request was sent.
    ...(status === 100 ? linesOf(request, 'timestamp') : []),
    ...(options.headers ?? []).map(([name, text]) => line(name, text)),
    ...bodyLines(options.body, options.contentType),
  ];
  const startLine = `SIP/2.0 ${status} ${reason}`;
  return { kind: 'response', status, reason, startLine, headers, body: options.body ?? '' };
}

function withTag(request: SipRequest, to: HeaderLine, tag: string | undefined): HeaderLine {
  if (tag === undefined || tagOf(get(request, To)) !== undefined) return to;
  return new Line(to.name, `${withoutEnding(to.raw)};tag=${tag}`, `${withoutEnding(to.value)};tag=${tag}`);
}

/** Without the blanks and the `;` that a sender may have left at the end. */
function withoutEnding(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\r\n;'.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

function bodyLines(body = '', contentType: string | undefined): readonly HeaderLine[] {
  const length = line('Content-Length', String(body.length));
  return contentType === undefined ? [length] : [line('Content-Type', contentType), length];
}

/**
 * RFC 3261 §17.1.1.3: the ACK for a 300-699 belongs to the INVITE's transaction: its top Via, and To of the response.
 */
export function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  return hopByHop(invite, 'ACK', linesOf(response, 'to'), []);
}

/** RFC 3261 §9.1. `reason` is the text of a Reason header (RFC 3326). */
export function cancelFor(invite: SipRequest, reason?: string): SipRequest {
  return hopByHop(invite, 'CANCEL', linesOf(invite, 'to'), reason === undefined ? [] : [line('Reason', reason)]);
}

/** A request in the transaction of `invite`: to the same next hop, with the same branch, Route and CSeq number. */
function hopByHop(
  invite: SipRequest,
  method: string,
  to: readonly HeaderLine[],
  extra: readonly HeaderLine[],
): SipRequest {
  const headers = [
    ...topVia(invite),
    ...linesOf(invite, 'route'),
    line('Max-Forwards', '70'),
    ...linesOf(invite, 'from'),
    ...to,
    ...linesOf(invite, 'call-id'),
    line('CSeq', `${get(invite, CSeq)?.number ?? 0} ${method}`),
    ...extra,
    ...bodyLines(undefined, undefined),
  ];
  return { kind: 'request', method, uri: invite.uri, startLine: `${method} ${invite.uri} SIP/2.0`, headers, body: '' };
}

function topVia(request: SipRequest): readonly HeaderLine[] {
  const [first] = linesOf(request, 'via');
  const via = get(request, Via);
  if (first === undefined || via === undefined) return [];
  return Via.read(first).length === 1 ? [first] : [line('Via', Via.print(via))];
}

export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly via?: Via;
  /** An address, or the text of the header. */
  readonly from: NameAddr | string;
  readonly to: NameAddr | string;
  readonly callId: string;
  readonly cseq: number;
  readonly maxForwards?: number;
  /** Addresses, or texts such as `<sip:proxy;lr>` (a bare URI gets its brackets). */
  readonly route?: readonly (NameAddr | string)[];
  readonly headers?: readonly Field[];
  readonly body?: string;
  readonly contentType?: string;
}

export function createRequest(parts: RequestParts): SipRequest {
  const { method, uri, body = '' } = parts;
  const headers = [
    ...(parts.via === undefined ? [] : [line('Via', Via.print(parts.via))]),
    ...(parts.route ?? []).map((value) => line('Route', routeText(value))),
    line('Max-Forwards', String(parts.maxForwards ?? 70)),
    line('From', addressText(parts.from)),
    line('To', addressText(parts.to)),
    line('Call-ID', parts.callId),
    line('CSeq', `${parts.cseq} ${method}`),
    ...(parts.headers ?? []).map(([name, text]) => line(name, text)),
    ...bodyLines(body, parts.contentType),
  ];
  return { kind: 'request', method, uri, startLine: `${method} ${uri} SIP/2.0`, headers, body };
}

const addressText = (value: NameAddr | string): string => (typeof value === 'string' ? value : printNameAddr(value));

const routeText = (value: NameAddr | string): string =>
  typeof value === 'string' && !value.includes('<') ? `<${value}>` : addressText(value);
