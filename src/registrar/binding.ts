/**
 * One Contact of a REGISTER as a binding (RFC 3261 §10.3, RFC 5626 §6): its key, its lifetime, and what it tells.
 *
 * Left out: the GRUUs of its device (gruu.ts), and the limits on all contacts together (register.ts).
 */
import { lower } from '../message/ascii.ts';
import type { NameAddr } from '../message/headers/address.ts';
import { Path } from '../message/headers/route.ts';
import { hasParam, param, printParams, unquote, withoutParam } from '../message/params.ts';
import { parseUri, uriKey } from '../message/uri.ts';
import type { Binding, MediaKind, Transport } from '../ports.ts';

/** What one device replaces: its instance and reg-id, else its Contact URI. `undefined`: no SIP URI. */
export function bindingKey(contact: NameAddr): string | undefined {
  const uri = parseUri(contact.uri);
  if (uri === undefined) return undefined;
  const instance = instanceOf(contact);
  // RFC 5626 §6: the same instance and reg-id is the same flow of the same device, whatever its Contact URI is now.
  return instance === undefined ? uriKey(uri) : `${lower(instance)};reg-id=${regIdOf(contact) ?? 0}`;
}

/** What the flows of one device have in common: its instance in lower case; else its Contact URI. */
export function deviceOf({ key }: Pick<Binding, 'key'>): string {
  return key.replace(/;reg-id=\d+$/, '');
}

/** RFC 3327 §5.3: when the connection has closed that it registered over, the proxy in its Path can be dialled. */
export function hasWayByPath({ transport, path }: Pick<Binding, 'transport' | 'path'>): boolean {
  return path.length > 0 && (transport === 'tcp' || transport === 'tls');
}

/**
 * Whether a SIPS request may go there (RFC 3261 §26.2.2): over a connection with TLS, whatever scheme its Contact has, or
 * to a URI that is dialled by TLS alone.
 */
export function isSecured({ flowId, transport, contact, path }: Binding): boolean {
  if (flowId !== undefined) return isTls(transport);
  const [first] = path;
  const next = parseUri((first === undefined ? undefined : Path.parse(first)?.uri) ?? contact);
  return next?.scheme === 'sips' || isTls(lower(param(next?.params ?? [], 'transport') ?? ''));
}

const isTls = (transport: string | undefined): boolean => transport === 'tls' || transport === 'wss';

/** `+sip.instance` without its quotes: `<urn:uuid:…>`. */
export function instanceOf(contact: Pick<NameAddr, 'params'>): string | undefined {
  const instance = unquote(param(contact.params, '+sip.instance') ?? '');
  return instance === '' ? undefined : instance;
}

/** RFC 5626 §4.2: from 1 on. `undefined`: the client does not use outbound for this contact. */
export function regIdOf(contact: NameAddr): number | undefined {
  const text = param(contact.params, 'reg-id') ?? '';
  const regId = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return regId === 0 ? undefined : regId;
}

/** Asked lifetime: the expires parameter, else the Expires header, else the default (RFC 3261 §10.3 step 7). */
export function requestedSeconds(contact: NameAddr, expires: number | undefined, defaultSeconds: number): number {
  const text = param(contact.params, 'expires');
  if (text === undefined) return expires ?? defaultSeconds;
  // RFC 3261 §10.2.1.1: a value that is no number counts as 3600.
  return /^\d{1,10}$/.test(text) ? Number(text) : 3600;
}

/** RFC 3261 §20.10: 0 to 1; 1 when the client says nothing that can be read. */
export function qOf(contact: NameAddr): number {
  const text = param(contact.params, 'q') ?? '1';
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text) ? Number(text) : 1;
}

/** What a REGISTER tells of the device's media. Only browsers use WebSocket; JsSIP adds `+sip.ice` (RFC 5768). */
export function mediaOf(contact: NameAddr, transport: Transport): MediaKind | undefined {
  const uri = parseUri(contact.uri);
  const named = lower((uri && param(uri.params, 'transport')) ?? '');
  const webSocket = [transport, named].some((name) => name === 'ws' || name === 'wss');
  return webSocket || hasParam(contact.params, '+sip.ice') ? 'webrtc' : undefined;
}

/** Not a client's to say: q and expires have places of their own, and GRUUs are ours to give. */
const notStored = ['expires', 'q', 'pub-gruu', 'temp-gruu'];

/** The header parameters as we store and echo them. */
export function storedParams(contact: NameAddr): string {
  return printParams(notStored.reduce(withoutParam, contact.params));
}

/** A stored binding as a Contact of the 200 (RFC 3261 §10.3 step 8). `more`: further parameters, with their semicolons. */
export function contactText(binding: Binding, nowMs: number, more = ''): string {
  const q = binding.q === 1 ? '' : `;q=${binding.q}`;
  const seconds = Math.ceil((binding.expiresAtMs - nowMs) / 1000);
  return `<${binding.contact}>${binding.contactParams}${more}${q};expires=${seconds}`;
}
