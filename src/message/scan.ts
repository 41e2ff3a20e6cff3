/**
 * Text to message, once (RFC 3261 §7, §18.3, §25): start line, header lines as they are, body.
 *
 * Only what every element needs is judged here: that the headers which identify the transaction are there, once, and
 * readable (§8.1.1, §16.3 step 1), and that the body has its length. All else is read when it is asked for.
 * A bare LF ends a line as CRLF does, and leaves as CRLF: the next hop must see the borders that we saw.
 * Leading CRLFs are skipped (§7.5). Left out: streams (framing.ts).
 */
import { trim } from './ascii.ts';
import { get, malformed } from './header.ts';
import { CallId } from './headers/call-id.ts';
import { CSeq } from './headers/cseq.ts';
import { From, To } from './headers/from-to.ts';
import { ContentLength } from './headers/numbers.ts';
import { Via } from './headers/via.ts';
import { Line } from './line.ts';
import type { HeaderLine, SipMessage, SipRequest } from './message.ts';
import { longName } from './names.ts';
import { type Fault, parseStartLine, type StartLine } from './start-line.ts';

export interface Unparsable extends Fault {
  readonly kind: 'unparsable';
  /** What could be read, when it was a request that an answer can be sent to. */
  readonly request: SipRequest | undefined;
}

/** More header lines than this are refused; 70 hops with a Via and a Record-Route each stay far below. */
const MAX_HEADER_LINES = 512;

export function parseMessage(text: string): SipMessage | Unparsable {
  const head = scanHead(text, leadingLineEnds(text));
  const start = parseStartLine(head.startLine);
  if (start.kind === 'neither') return unparsable(start.fault, undefined);
  const message = assemble(start, head, text.slice(head.bodyStart));
  const fault = (start.kind === 'request' ? start.fault : undefined) ?? head.fault ?? headerFault(message);
  return fault === undefined ? withExactBody(message) : unparsable(fault, message);
}

interface Head {
  readonly startLine: string;
  readonly headers: readonly HeaderLine[];
  readonly bodyStart: number;
  readonly fault: Fault | undefined;
}

function leadingLineEnds(text: string): number {
  let at = 0;
  while (text.charCodeAt(at) === 0x0d || text.charCodeAt(at) === 0x0a) at++;
  return at;
}

/** Splits the head into lines, a line with its continuations being one, and stops behind the empty line. */
function scanHead(text: string, from: number): Head {
  const lines: string[] = [];
  let start = from;
  for (let newline = text.indexOf('\n', start); newline >= 0; newline = text.indexOf('\n', newline + 1)) {
    const end = text.charCodeAt(newline - 1) === 0x0d ? newline - 1 : newline;
    if (end <= start) return makeHead(lines, newline + 1, charFault(text.slice(from, start)));
    if (isBlank(text.charCodeAt(newline + 1))) continue;
    if (lines.length > MAX_HEADER_LINES) return makeHead(lines, text.length, tooMany);
    lines.push(text.slice(start, end));
    start = newline + 1;
  }
  return makeHead(lines, text.length, fault('no empty line ends the header section', '§7'));
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

const fault = (error: string, section: string): Fault => ({ error, section, status: 400 });
const tooMany: Fault = { error: `more than ${MAX_HEADER_LINES} header lines`, section: '§21.5.7', status: 513 };
const noHeaderLine = fault('a line of the header section is no header', '§7.3');

// A CR of its own is a line end to some elements and text to others: header fields could be smuggled in.
function charFault(head: string): Fault | undefined {
  // RFC 3261 §25.1 has a NUL as a quoted pair only.
  if (/(?<!\\)\0/.test(head)) return fault('a NUL in the header section', '§25.1');
  return /\r(?!\n)/.test(head) ? fault('a CR without LF in the header section', '§25.1') : undefined;
}

function makeHead(lines: readonly string[], bodyStart: number, problem: Fault | undefined): Head {
  const headers: HeaderLine[] = [];
  for (let at = 1; at < lines.length; at++) {
    const line = headerLine(lines[at] ?? '');
    if (line !== undefined) headers.push(line);
  }
  const complete = headers.length === Math.max(0, lines.length - 1);
  return { startLine: lines[0] ?? '', headers, bodyStart, fault: problem ?? (complete ? undefined : noHeaderLine) };
}

function headerLine(received: string): HeaderLine | undefined {
  const colon = received.indexOf(':');
  const name = colon < 0 ? undefined : longName(received.slice(0, colon));
  if (name === undefined) return undefined;
  if (!received.includes('\n')) return new Line(name, received, trim(received.slice(colon + 1)));
  // RFC 3261 §7.3.1: a continuation, with the line end and all blanks around it, is one SP.
  const value = trim(
    received
      .slice(colon + 1)
      .split('\n')
      .map(trim)
      .join(' '),
  );
  return new Line(name, received.replace(/\r?\n/g, '\r\n'), value);
}

function assemble(start: Exclude<StartLine, { kind: 'neither' }>, head: Head, body: string): SipMessage {
  const { startLine, headers } = head;
  return start.kind === 'request'
    ? { kind: 'request', method: start.method, uri: start.uri, startLine, headers, body }
    : { kind: 'response', status: start.status, reason: start.reason, startLine, headers, body };
}

/** Headers that may stand only once, each with a bit. */
const single = new Map(
  ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length'].map((name, bit) => [name, 1 << bit] as const),
);

function headerFault(message: SipMessage): Fault | undefined {
  let seen = 0;
  for (const line of message.headers) {
    const bit = single.get(line.name) ?? 0;
    if ((seen & bit) !== 0) return fault(`${line.name} stands twice`, '§7.3.1');
    seen |= bit;
  }
  if (get(message, Via) === undefined) return fault('no Via, or one that cannot be read', '§8.1.1.7');
  return identityFault(message, seen) ?? methodFault(message) ?? bodyFault(message);
}

const required = [From, To, CallId, CSeq] as const;

function identityFault(message: SipMessage, seen: number): Fault | undefined {
  const missing = required.find((header) => (seen & (single.get(header.key) ?? 0)) === 0);
  if (missing !== undefined) return fault(`no ${missing.name}`, '§8.1.1');
  const bad = malformed(message, [...required, ContentLength]);
  return bad === undefined ? undefined : fault(`${bad.name} cannot be read`, '§16.3');
}

// RFC 3261 §8.1.1.5: the method in CSeq is the method of the request.
function methodFault(message: SipMessage): Fault | undefined {
  if (message.kind === 'response' || get(message, CSeq)?.method === message.method) return undefined;
  return fault('the method in CSeq is not the method of the request', '§8.1.1.5');
}

// RFC 3261 §18.3: a datagram that ends before its body does is refused.
function bodyFault(message: SipMessage): Fault | undefined {
  const missing = (get(message, ContentLength) ?? 0) - message.body.length;
  return missing > 0 ? fault(`the body is ${missing} bytes shorter than Content-Length`, '§18.3') : undefined;
}

// RFC 3261 §18.3: what follows the body in a datagram is thrown away.
function withExactBody(message: SipMessage): SipMessage {
  const length = get(message, ContentLength) ?? message.body.length;
  return length === message.body.length ? message : { ...message, body: message.body.slice(0, length) };
}

function unparsable(problem: Fault, message: SipMessage | undefined): Unparsable {
  const request = message?.kind === 'request' && canBeAnswered(message) ? message : undefined;
  return { kind: 'unparsable', ...problem, request };
}

// RFC 3261 §8.2.6: Via says where a response goes; the others are copied as they are, those that are there.
function canBeAnswered(request: SipRequest): boolean {
  return get(request, Via) !== undefined;
}
