/**
 * SIP and SIPS URIs (RFC 3261 §19.1): read, print, compare (§19.1.4), and the canonical texts used as keys.
 *
 * Other schemes (tel, urn, http) answer `undefined`: they are carried as text. Liberal where phones are: `#` and 8-bit
 * bytes in the user part, `_` in host names. Left out: name resolution, and what any URI parameter means.
 */
import { equalsIgnoreCase, lower } from './ascii.ts';
import { type Params, param, parseParams, printParams } from './params.ts';

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As received, with its escapes. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** As given; an IPv6 address with its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** What follows `?`, as received. */
  readonly headers: string | undefined;
}

const forbidden = /[\x00-\x20<>"\x7f]/;
const badEscape = /%(?![0-9A-Fa-f]{2})/;
const schemeSyntax = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const hostPart = /^(\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?(;[^?]*)?(?:\?(.*))?$/;

/** The scheme in lower case; `undefined` when the text is no URI at all. */
export function schemeOf(text: string): string | undefined {
  const scheme = schemeSyntax.exec(text)?.[1];
  return scheme === undefined ? undefined : lower(scheme);
}

export function parseUri(text: string): SipUri | undefined {
  const scheme = schemeOf(text);
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  if (forbidden.test(text)) return undefined;
  const start = scheme.length + 1;
  const at = text.indexOf('@', start);
  const userInfo = at < 0 ? noUser : parseUserInfo(text.slice(start, at));
  const place = parsePlace(text.slice(at < 0 ? start : at + 1));
  return userInfo === undefined || place === undefined ? undefined : { scheme, ...userInfo, ...place };
}

const noUser = { user: undefined, password: undefined };

function parseUserInfo(text: string): Pick<SipUri, 'user' | 'password'> | undefined {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  if (user === '' || badEscape.test(text)) return undefined;
  return { user, password: colon < 0 ? undefined : text.slice(colon + 1) };
}

function parsePlace(text: string): Pick<SipUri, 'host' | 'port' | 'params' | 'headers'> | undefined {
  const match = hostPart.exec(text);
  const host = match?.[1];
  if (match === null || host === undefined) return undefined;
  const port = match[2] === undefined ? undefined : Number(match[2]);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  const params = match[3] === undefined ? [] : parseParams(match[3]);
  return params === undefined ? undefined : { host, port, params, headers: match[4] };
}

/** RFC 3261 §19.1.2: the port that a URI without one means, where no DNS record says another (RFC 3263 §4.2). */
export function defaultPort(uri: SipUri): number {
  return uri.scheme === 'sips' || lower(param(uri.params, 'transport') ?? '') === 'tls' ? 5061 : 5060;
}

export function printUri(uri: SipUri): string {
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const userInfo = uri.user === undefined ? '' : `${uri.user}${password}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const headers = uri.headers === undefined ? '' : `?${uri.headers}`;
  return `${uri.scheme}:${userInfo}${uri.host}${port}${printParams(uri.params)}${headers}`;
}

/** `%41` to `A`, byte by byte: the result is latin1 text again. An escape that is none stays. */
export function decodeEscapes(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Escapes what the user part may not hold bare (RFC 3261 §25.1 user), and nothing else. */
export function escapeUser(text: string): string {
  return text.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/g, escapeByte);
}

const escapeByte = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

const canonicalUser = (user: string): string => escapeUser(decodeEscapes(user));

/** A host name as a key: in any case, with the dot of the root (RFC 3261 §25.1 `hostname`) or without, it is one. */
export function hostNameKey(host: string): string {
  const name = lower(host);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** `sip:user@host`, the address-of-record as a key: RFC 3261 §10.3 step 5 wants parameters off and escapes undone. */
export function canonicalAor(uri: SipUri): string {
  const user = uri.user === undefined ? '' : `${canonicalUser(uri.user)}@`;
  return `sip:${user}${hostNameKey(uri.host)}`;
}

// RFC 3261 §19.1.4: these make two URIs different even when only one of them has the parameter. So does `gr`: a GRUU is one
// device, its AOR all of them (RFC 5627 §3).
const decisive = ['transport', 'user', 'ttl', 'method', 'maddr', 'gr'];

/** A text that is the same for URIs that are equal in all that decides where a request goes. */
export function uriKey(uri: SipUri): string {
  const user = uri.user === undefined ? '' : canonicalUser(uri.user);
  const password = uri.password === undefined ? '' : `:${decodeEscapes(uri.password)}`;
  const userInfo = uri.user === undefined ? '' : `${user}${password}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const params = decisive
    .map((name) => [name, param(uri.params, name)] as const)
    .filter(([, value]) => value !== undefined);
  const text = params.map(([name, value]) => `;${name}=${lower(decodeEscapes(value ?? ''))}`).join('');
  return `${uri.scheme}:${userInfo}${lower(uri.host)}${port}${text}`;
}

/** RFC 3261 §19.1.4. Not transitive, as the RFC itself says, so it is no key: see `uriKey`. */
export function uriEquals(a: SipUri, b: SipUri): boolean {
  return uriKey(a) === uriKey(b) && sharedParamsEqual(a.params, b.params) && headersKey(a) === headersKey(b);
}

// RFC 3261 §19.1.4: any other parameter matters only when both URIs have it.
function sharedParamsEqual(a: Params, b: Params): boolean {
  return a.every(([name, value]) => {
    const other = param(b, name);
    return other === undefined || equalsIgnoreCase(decodeEscapes(value ?? ''), decodeEscapes(other));
  });
}

// RFC 3261 §19.1.4: header components are never ignored, but their order is.
function headersKey(uri: SipUri): string {
  return (uri.headers ?? '').split('&').map(headerKey).sort().join('&');
}

function headerKey(text: string): string {
  const equals = text.indexOf('=');
  return equals < 0 ? lower(text) : `${lower(text.slice(0, equals))}=${decodeEscapes(text.slice(equals + 1))}`;
}
