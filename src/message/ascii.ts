/**
 * Trim, case fold and comparison for latin1 text that carries bytes (RFC 3261 §7.3.1: only ASCII is case-insensitive).
 *
 * `String.trim()` eats 0xA0, half of a UTF-8 "à", and `toLowerCase()` turns 0xC0-0xDE into other bytes: both would
 * change what we forward, so nothing that reads the network uses them.
 */

const upperCase = /[A-Z]/;
const upperCaseRuns = /[A-Z]+/g;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;

/** Without SP, HTAB, CR and LF at both ends. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** A-Z to a-z, every other byte as it is. */
export function lower(text: string): string {
  return upperCase.test(text) ? text.replace(upperCaseRuns, (run) => run.toLowerCase()) : text;
}

export function equalsIgnoreCase(a: string, b: string): boolean {
  return a === b || (a.length === b.length && lower(a) === lower(b));
}
