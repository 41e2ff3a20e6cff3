/**
 * Splitting at a separator that may also stand inside quoted strings and angle brackets (RFC 3261 §7.3.1, §25.1).
 *
 * Left out: any judgement of the pieces. An unclosed quote or bracket swallows the rest, whose parser then refuses it.
 */
import { trim } from './ascii.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LESS = 0x3c;
const GREATER = 0x3e;

/** The pieces between the separators, trimmed; empty pieces are kept, since an empty list element is an error. */
export function splitOutside(text: string, separator: ',' | ';'): readonly string[] {
  if (!text.includes(separator)) return [trim(text)];
  if (!text.includes('"') && !text.includes('<')) return text.split(separator).map(trim);
  const pieces: string[] = [];
  let start = 0;
  for (const end of separatorsOutside(text, separator.charCodeAt(0))) {
    pieces.push(trim(text.slice(start, end)));
    start = end + 1;
  }
  return pieces;
}

/** The positions of the separators that count, and the end of the text. */
function separatorsOutside(text: string, separator: number): readonly number[] {
  const found: number[] = [];
  let bracketed = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = closingQuote(text, at);
    else if (code === LESS) bracketed = true;
    else if (code === GREATER) bracketed = false;
    else if (code === separator && !bracketed) found.push(at);
  }
  found.push(text.length);
  return found;
}

/** The quote that closes the one at `open`, or the end of the text. */
export function closingQuote(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return Math.min(at, text.length);
}
