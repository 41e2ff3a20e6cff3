/**
 * name-addr and addr-spec (RFC 3261 §20.10, §25.1): the value of From, To, Contact, Route and their kin.
 *
 * Without angle brackets everything after `;` belongs to the header, not to the URI (§20). The URI stays text, since
 * it may be of any scheme; `parseUri` reads it.
 */
import { trim } from '../ascii.ts';
import { isUri } from '../grammar.ts';
import { closingQuote } from '../list.ts';
import { type Params, parseParams, printParams, quote, unquote } from '../params.ts';

export interface NameAddr {
  /** Without quotes and escapes. */
  readonly display: string | undefined;
  readonly uri: string;
  /** The header's parameters. */
  readonly params: Params;
}

const bareDisplay = /^[^"<>,;\\]*$/;

export function parseNameAddr(text: string): NameAddr | undefined {
  if (text.startsWith('"')) return parseQuoted(text);
  const open = text.indexOf('<');
  return open < 0 ? parseAddrSpec(text) : parseBracketed(text, open);
}

function parseQuoted(text: string): NameAddr | undefined {
  const end = closingQuote(text, 0) + 1;
  const rest = trim(text.slice(end));
  return rest.startsWith('<') ? parseAfterDisplay(unquote(text.slice(0, end)), rest) : undefined;
}

function parseBracketed(text: string, open: number): NameAddr | undefined {
  const display = trim(text.slice(0, open));
  if (!bareDisplay.test(display)) return undefined;
  return parseAfterDisplay(display === '' ? undefined : display, text.slice(open));
}

/** `<uri>;params` */
function parseAfterDisplay(display: string | undefined, text: string): NameAddr | undefined {
  const close = text.indexOf('>');
  const rest = trim(text.slice(close + 1));
  if (close < 0 || (rest !== '' && !rest.startsWith(';'))) return undefined;
  return make(display, text.slice(1, close), rest);
}

function parseAddrSpec(text: string): NameAddr | undefined {
  const semicolon = text.indexOf(';');
  const uri = trim(semicolon < 0 ? text : text.slice(0, semicolon));
  // RFC 3261 §20: a URI with a comma or a question mark must stand in brackets, or nobody knows where it ends.
  if (/[,?]/.test(uri)) return undefined;
  return make(undefined, uri, semicolon < 0 ? '' : text.slice(semicolon));
}

function make(display: string | undefined, uri: string, paramText: string): NameAddr | undefined {
  const params = parseParams(paramText);
  return params === undefined || !isUri(uri) ? undefined : { display, uri, params };
}

/** Always with brackets, so that no parameter changes its owner. */
export function printNameAddr(address: NameAddr): string {
  const display = address.display === undefined ? '' : `${quote(address.display)} `;
  return `${display}<${address.uri}>${printParams(address.params)}`;
}
