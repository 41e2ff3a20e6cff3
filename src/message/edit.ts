/**
 * Changes of a message (RFC 3261 §7.3): each gives a new message in which only the lines of that header are others.
 *
 * A line we write is `Name: value`; a line we did not touch keeps its bytes, folding and spelling included (DESIGN
 * law 7). Left out: which changes a proxy makes (src/proxy).
 */
import { type Header, has, valuesOf } from './header.ts';
import { ContentLength } from './headers/numbers.ts';
import { Line } from './line.ts';
import type { HeaderLine, SipMessage, SipRequest } from './message.ts';

/** A header line of ours. CR, LF and NUL in the text become blanks: a value can never begin a header of its own. */
export function headerLine(name: string, text: string, key: string): HeaderLine {
  const safe = /[\r\n\0]/.test(text) ? text.replace(/[\r\n\0]+/g, ' ') : text;
  return new Line(key, `${name}: ${safe}`, safe);
}

function lineOf<T>(header: Header<T>, value: T): HeaderLine {
  return headerLine(header.name, header.print(value), header.key);
}

const withHeaders = <M extends SipMessage>(message: M, headers: readonly HeaderLine[]): M => ({ ...message, headers });

const indexOf = (message: SipMessage, header: Header<unknown>): number =>
  message.headers.findIndex((line) => line.name === header.key);

export function withUri(request: SipRequest, uri: string): SipRequest {
  return { ...request, uri, startLine: `${request.method} ${uri} SIP/2.0` };
}

/** Before the first value of this header, on a line of its own; a header not there yet follows the Vias. */
export function prepend<M extends SipMessage, T>(message: M, header: Header<T>, value: NoInfer<T>): M {
  const present = indexOf(message, header);
  const at = present >= 0 ? present : behindVias(message, header);
  return withHeaders(message, message.headers.toSpliced(at, 0, lineOf(header, value)));
}

const behindVias = (message: SipMessage, header: Header<unknown>): number =>
  header.key === 'via' ? 0 : message.headers.findLastIndex((line) => line.name === 'via') + 1;

/** Replaces the first value and leaves the others of its line; without such a header nothing changes. */
export function replaceFirst<M extends SipMessage, T>(message: M, header: Header<T>, value: NoInfer<T>): M {
  return spliceFirst(message, header, [header.print(value)]);
}

/** Removes the first value, also out of a comma list. */
export function removeFirst<M extends SipMessage>(message: M, header: Header<unknown>): M {
  return spliceFirst(message, header, []);
}

function spliceFirst<M extends SipMessage>(message: M, header: Header<unknown>, texts: readonly string[]): M {
  const at = message.headers.findIndex((line) => line.name === header.key && valuesOf(line, header.list).length > 0);
  const line = message.headers[at];
  if (line === undefined) return message;
  const rest = [...texts, ...valuesOf(line, header.list).slice(1)];
  const lines = rest.length === 0 ? [] : [headerLine(header.name, rest.join(', '), header.key)];
  return withHeaders(message, message.headers.toSpliced(at, 1, ...lines));
}

/** Puts these values, a line each, where the first one stood (or last), and removes all others of this header. */
export function replaceAll<M extends SipMessage, T>(message: M, header: Header<T>, values: readonly NoInfer<T>[]): M {
  const lines = values.map((value) => lineOf(header, value));
  const at = indexOf(message, header);
  if (at < 0) return withHeaders(message, [...message.headers, ...lines]);
  const after = message.headers.slice(at).filter((line) => line.name !== header.key);
  return withHeaders(message, [...message.headers.slice(0, at), ...lines, ...after]);
}

/** This value and no other: in place of what was there, or last. */
export function setHeader<M extends SipMessage, T>(message: M, header: Header<T>, value: NoInfer<T>): M {
  return replaceAll(message, header, [value]);
}

/** With the lines that another message has of this header, in place of its own. */
export function withLinesOf<M extends SipMessage>(message: M, header: Header<unknown>, other: SipMessage): M {
  const at = Math.max(0, indexOf(message, header));
  const lines = other.headers.filter((line) => line.name === header.key);
  const after = message.headers.slice(at).filter((line) => line.name !== header.key);
  return withHeaders(message, [...message.headers.slice(0, at), ...lines, ...after]);
}

export function removeAll<M extends SipMessage>(message: M, header: Header<unknown>): M {
  if (!has(message, header)) return message;
  return withHeaders(
    message,
    message.headers.filter((line) => line.name !== header.key),
  );
}

/** Without the lines that hold a value for which this is so; the others keep their bytes. */
export function removeWhere<M extends SipMessage, T>(
  message: M,
  header: Header<T>,
  isOut: (value: NoInfer<T>) => boolean,
): M {
  const holdsOne = (line: HeaderLine): boolean =>
    line.name === header.key && header.read(line).some((value) => value !== undefined && isOut(value));
  if (!message.headers.some(holdsOne)) return message;
  return withHeaders(
    message,
    message.headers.filter((line) => !holdsOne(line)),
  );
}

/** Behind the last value of this header, on a line of its own; a header not there yet comes last. */
export function append<M extends SipMessage, T>(message: M, header: Header<T>, value: NoInfer<T>): M {
  const last = message.headers.findLastIndex((line) => line.name === header.key);
  const at = last < 0 ? message.headers.length : last + 1;
  return withHeaders(message, message.headers.toSpliced(at, 0, lineOf(header, value)));
}

/** With another body and its Content-Length; Content-Type is the caller's. */
export function withBody<M extends SipMessage>(message: M, body: string): M {
  return { ...setHeader(message, ContentLength, body.length), body };
}

/** With a Content-Length, as every message on a stream must have one (RFC 3261 §18.3); unchanged when it has it. */
export function withContentLength<M extends SipMessage>(message: M): M {
  return has(message, ContentLength) ? message : setHeader(message, ContentLength, message.body.length);
}

/** The bytes to send. Adds nothing. */
export function serialize(message: SipMessage): string {
  let text = `${message.startLine}\r\n`;
  for (const line of message.headers) text += `${line.raw}\r\n`;
  return `${text}\r\n${message.body}`;
}
