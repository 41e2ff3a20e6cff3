/**
 * Messages out of a byte stream (RFC 3261 §18.3) and the CRLF keep-alives between them (RFC 5626 §3.5.1).
 *
 * Chunks may end anywhere. A chunk is looked at once and joined once, so one byte at a time costs no more than all at
 * once. Nothing is kept beyond `maxBytes`. A stream whose borders are lost is `broken` and must be closed: whoever
 * disagrees with us about them could smuggle requests.
 * Left out: timeouts, and every judgement of the message (scan.ts).
 */
import { trim } from './ascii.ts';

export type Framed =
  | { readonly kind: 'message'; readonly text: string }
  /** CRLFCRLF, once for a whole run of them in a chunk: answer with one CRLF. */
  | { readonly kind: 'ping' }
  /** One CRLF. When it proves to be the first half of a ping that came in two chunks, the ping follows. */
  | { readonly kind: 'pong' }
  | { readonly kind: 'broken'; readonly error: string };

export interface Framer {
  push(chunk: string): readonly Framed[];
  /** Whether a message has begun and is not complete: whoever holds the stream limits how long that may last. */
  readonly pending: boolean;
}

export function createFramer(limits: { readonly maxBytes: number }): Framer {
  return new StreamFramer(limits.maxBytes);
}

const headEnd = /\n\r?\n/;
const lineEnds = /^[\r\n]+/;

class StreamFramer implements Framer {
  readonly #maxBytes: number;
  #broken = false;
  /** The message so far, in pieces, and their length together. */
  #parts: string[] = [];
  #size = 0;
  /** The last bytes of an unfinished head: its end may lie across two chunks. */
  #tail = '';
  /** Bytes of the body still to come; `undefined` while the head is not complete. */
  #missing: number | undefined;
  /** Between messages: the last byte was a CR; the last CRLF may be half of a ping. */
  #cr = false;
  #half = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get pending(): boolean {
    return this.#size > 0;
  }

  push(chunk: string): readonly Framed[] {
    const out: Framed[] = [];
    let rest = chunk;
    while (rest !== '' && !this.#broken) rest = this.#step(rest, out);
    return out;
  }

  #step(rest: string, out: Framed[]): string {
    if (this.#missing !== undefined) return this.#body(rest, this.#missing, out);
    return this.#size === 0 ? this.#between(rest, out) : this.#head(rest, out);
  }

  #between(rest: string, out: Framed[]): string {
    const run = lineEnds.exec(rest)?.[0] ?? '';
    if (run !== '') {
      this.#keepAlives(run, out);
      return rest.slice(run.length);
    }
    this.#cr = false;
    this.#half = false;
    // No message begins with anything but a token (§7.1): TLS or noise on a plain port need not wait for a timeout.
    return /^[!-~]/.test(rest) ? this.#head(rest, out) : this.#break('the bytes are not SIP', out);
  }

  #keepAlives(run: string, out: Framed[]): void {
    const count = ((this.#cr ? '\r' : '') + run).split('\r\n').length - 1;
    this.#cr = run.endsWith('\r');
    if (count === 0) return;
    const total = count + (this.#half ? 1 : 0);
    if (total >= 2) out.push({ kind: 'ping' });
    this.#half = total % 2 === 1;
    if (this.#half) out.push({ kind: 'pong' });
  }

  #head(rest: string, out: Framed[]): string {
    const seen = this.#tail + rest;
    const end = headEnd.exec(seen);
    if (end === null) return this.#keepHead(rest, seen, out);
    const cut = end.index + end[0].length - this.#tail.length;
    this.#keep(rest.slice(0, cut));
    return this.#headDone(rest.slice(cut), out);
  }

  #keepHead(rest: string, seen: string, out: Framed[]): string {
    this.#keep(rest);
    this.#tail = seen.slice(-2);
    return this.#size > this.#maxBytes ? this.#tooLarge(out) : '';
  }

  #headDone(rest: string, out: Framed[]): string {
    const head = this.#join();
    const length = contentLength(head);
    if (length === undefined) return this.#break('Content-Length is no number, or stands there twice and differs', out);
    if (head.length + length > this.#maxBytes) return this.#tooLarge(out);
    this.#missing = length;
    return length === 0 ? this.#done(rest, out) : rest;
  }

  #body(rest: string, missing: number, out: Framed[]): string {
    const piece = rest.slice(0, missing);
    this.#keep(piece);
    this.#missing = missing - piece.length;
    return this.#missing === 0 ? this.#done(rest.slice(piece.length), out) : '';
  }

  #done(rest: string, out: Framed[]): string {
    out.push({ kind: 'message', text: this.#join() });
    this.#clear();
    return rest;
  }

  #keep(piece: string): void {
    this.#parts.push(piece);
    this.#size += piece.length;
  }

  #join(): string {
    const text = this.#parts.length === 1 ? (this.#parts[0] ?? '') : this.#parts.join('');
    this.#parts = [text];
    return text;
  }

  #clear(): void {
    this.#parts = [];
    this.#size = 0;
    this.#tail = '';
    this.#missing = undefined;
  }

  #tooLarge(out: Framed[]): string {
    return this.#break(`the message is larger than ${this.#maxBytes} bytes`, out);
  }

  #break(error: string, out: Framed[]): string {
    this.#clear();
    this.#broken = true;
    out.push({ kind: 'broken', error });
    return '';
  }
}

/**
 * The length of the body; `undefined` when it cannot be known. RFC 3261 §18.3 wants the header on every stream;
 * without it there is no body (a body that comes all the same breaks the stream, since it begins no message).
 */
function contentLength(head: string): number | undefined {
  const found = new Set<string>();
  for (const [, value = ''] of head.matchAll(/\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)/gi)) {
    found.add(trim(value));
  }
  if (found.size === 0) return 0;
  const [digits = ''] = found;
  return found.size === 1 && /^[0-9]{1,16}$/.test(digits) ? Number(digits) : undefined;
}
