/**
 * A SIP message as a value (RFC 3261 §7): the start line, the raw header lines in their order, and the body.
 *
 * Text is latin1: one character is one byte of the wire, so lengths are byte lengths and nothing is lost.
 * Nothing is parsed here; `get` and `all` (header.ts) parse a header when somebody asks for it.
 * Left out on purpose: any I/O, any decision about routing.
 */

/** One header field with its continuation lines, as received. */
export interface HeaderLine {
  /** The long name in lower case, also when the compact form was received: `via` for `v:`. */
  readonly name: string;
  /** The line as received, folding included, without its last CRLF. It leaves like this unless we replace it. */
  readonly raw: string;
  /** The field value, unfolded and trimmed. */
  readonly value: string;
}

interface Common {
  /** As received, without CRLF. */
  readonly startLine: string;
  readonly headers: readonly HeaderLine[];
  /** latin1 text; `body.length` is its length in bytes. */
  readonly body: string;
}

export interface SipRequest extends Common {
  readonly kind: 'request';
  /** Case-sensitive (RFC 3261 §7.1). */
  readonly method: string;
  /** The Request-URI as text. */
  readonly uri: string;
}

export interface SipResponse extends Common {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;
