/**
 * Parameters of headers and URIs, `;name=value;flag` (RFC 3261 §7.3.1, §25.1 generic-param), in their order.
 *
 * A quoted value is stored with its quotes, so that printing gives back what was read; `unquote` reads it.
 * Left out: what any parameter means, and escapes in URI parameters (uri.ts).
 */
import { equalsIgnoreCase, trim } from './ascii.ts';
import { splitOutside } from './list.ts';

export type Params = readonly (readonly [name: string, value: string | undefined])[];

const nameSyntax = /^[^\x00-\x20"<>=;,\x7f]+$/;
const bareValueSyntax = /^[^\x00-\x20";,\x7f]*$/;
const quotedSyntax = /^"(?:[^"\\]|\\.)*"$/s;

/** The value; `''` for a parameter without one; `undefined` when it is absent. */
export function param(params: Params, name: string): string | undefined {
  for (const [key, value] of params) if (equalsIgnoreCase(key, name)) return value ?? '';
  return undefined;
}

export function hasParam(params: Params, name: string): boolean {
  return params.some(([key]) => equalsIgnoreCase(key, name));
}

/** Replaces the parameter where it stands, or appends it. */
export function withParam(params: Params, name: string, value?: string): Params {
  const at = params.findIndex(([key]) => equalsIgnoreCase(key, name));
  return at < 0 ? [...params, [name, value]] : params.with(at, [name, value]);
}

export function withoutParam(params: Params, name: string): Params {
  return params.filter(([key]) => !equalsIgnoreCase(key, name));
}

/** Reads `;a=b;c` (the first `;` may be missing). One `;` too many at the end is let pass, as phones send it. */
export function parseParams(text: string): Params | undefined {
  const trimmed = trim(text);
  const body = trimmed.startsWith(';') ? trimmed.slice(1) : trimmed;
  if (body === '') return [];
  const pieces = splitOutside(body, ';');
  const count = pieces.at(-1) === '' ? pieces.length - 1 : pieces.length;
  return count === 0 ? undefined : parsePieces(pieces.slice(0, count));
}

/** Reads each piece as `name` or `name=value`. */
export function parsePieces(pieces: readonly string[]): Params | undefined {
  const params: (readonly [string, string | undefined])[] = [];
  for (const piece of pieces) {
    const parsed = parsePiece(piece);
    if (parsed === undefined) return undefined;
    params.push(parsed);
  }
  return params;
}

function parsePiece(piece: string): readonly [string, string | undefined] | undefined {
  const equals = piece.indexOf('=');
  const name = equals < 0 ? piece : trim(piece.slice(0, equals));
  if (!nameSyntax.test(name)) return undefined;
  if (equals < 0) return [name, undefined];
  const value = trim(piece.slice(equals + 1));
  const syntax = value.startsWith('"') ? quotedSyntax : bareValueSyntax;
  return syntax.test(value) ? [name, value] : undefined;
}

/** With a leading `;`, or empty. */
export function printParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) text += value === undefined ? `;${name}` : `;${name}=${value}`;
  return text;
}

/** The text of a quoted-string; other values as they are. */
export function unquote(value: string): string {
  return quotedSyntax.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
}

/** A quoted-string. CR, LF and NUL cannot stand in one, even escaped (§25.1), so they become spaces. */
export function quote(text: string): string {
  return `"${text.replace(/[\r\n\0]/g, ' ').replace(/[\\"]/g, '\\$&')}"`;
}
