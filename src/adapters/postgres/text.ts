/**
 * Between SIP text (latin1: one character is one byte) and PostgreSQL text (Unicode, no NUL).
 *
 * Bytes that are no UTF-8 survive: byte 0x80-0xFF becomes the private character U+10FF80-U+10FFFF. Those characters
 * themselves are taken for such bytes too, one by one, so that the way back is always exact.
 */
import { Failure } from '../../errors.ts';

const RAW_BYTE = 0x10ff00;
const ASCII = /^[\x01-\x7f]*$/;
const NOT_LATIN1 = /[^\x00-\xff]/;
const RAW_CHARACTER = /[\u{10ff80}-\u{10ffff}]/u;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** SIP text as PostgreSQL and people read it. */
export function toDatabase(text: string): string {
  if (ASCII.test(text)) return text;
  if (text.includes('\0')) throw new Failure('malformed', 'It has a NUL character.');
  if (NOT_LATIN1.test(text)) throw new Failure('internal', 'Text for the database was not latin1.');
  const bytes = Buffer.from(text, 'latin1');
  const whole = decode(bytes);
  return whole ?? decodePiecewise(bytes);
}

/** The SIP text that `toDatabase` was given; also Unicode from elsewhere, such as the command line, as SIP text. */
export function fromDatabase(text: string): string {
  if (ASCII.test(text)) return text;
  if (!RAW_CHARACTER.test(text)) return Buffer.from(text, 'utf8').toString('latin1');
  return Array.from(text, encodeCharacter).join('');
}

function encodeCharacter(character: string): string {
  if (!RAW_CHARACTER.test(character)) return Buffer.from(character, 'utf8').toString('latin1');
  return String.fromCharCode((character.codePointAt(0) ?? 0) - RAW_BYTE);
}

/** `undefined` when it is no UTF-8, or has one of the characters that stand for raw bytes. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    const text = strictUtf8.decode(bytes);
    return RAW_CHARACTER.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function decodePiecewise(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    const length = sequenceLength(lead);
    const character = decode(bytes.subarray(at, at + length));
    text += character ?? String.fromCodePoint(RAW_BYTE + lead);
    at += character === undefined ? 1 : length;
  }
  return text;
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
