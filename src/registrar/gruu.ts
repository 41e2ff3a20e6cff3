/**
 * GRUUs: addresses of one device of an account (RFC 5627). A public one is the AOR with the device in `gr`; a temporary one
 * (temp-gruu.ts) names neither account nor device. Both are made of what a binding holds anyway, so there is no table.
 *
 * Left out: who is called at one (routes/gruu.ts), and what was registered once: a public GRUU of an account that exists
 * counts as good whether its device has ever been seen or not.
 */
import { lower } from '../message/ascii.ts';
import { param, parseParams, quote } from '../message/params.ts';
import { canonicalAor, decodeEscapes, parseUri, printUri, type SipUri } from '../message/uri.ts';
import type { Binding } from '../ports.ts';
import { deviceOf, instanceOf } from './binding.ts';
import { decodeTemporary, encodeTemporary, registrationHash } from './temp-gruu.ts';

/** One device of an account. */
export interface Gruu {
  readonly aor: string;
  /** `deviceOf` its bindings. */
  readonly device: string;
  /** Of a temporary one: in which registration, and by which REGISTER of it, it was given. `undefined`: it is public. */
  readonly given: { readonly registrationHash: string; readonly cseq: number } | undefined;
  /** A SIPS URI: it leads to a SIPS contact only. */
  readonly isSecure: boolean;
}

// What stands between the angle brackets names the device; more is no instance id (RFC 5626 §4.1).
const instanceSyntax = /^<([^<>"\x00-\x20\x7f]{1,250})>$/;

/** `sip:alice@example.com;gr=urn:uuid:…`. `undefined`: the device has no instance id, or the AOR no user. */
export function publicGruu(binding: Binding): string | undefined {
  const [, name] = instanceSyntax.exec(instanceIn(binding)) ?? [];
  const aor = name === undefined ? undefined : parseUri(binding.aor);
  if (name === undefined || aor?.user === undefined) return undefined;
  return printUri({ ...aor, scheme: schemeFor(binding), params: [['gr', escapeParam(name)]] });
}

/** The one that the last REGISTER of this device was given, the same whenever it is asked for. */
export function temporaryGruu(binding: Binding, secret: string): string | undefined {
  const [, name] = instanceSyntax.exec(instanceIn(binding)) ?? [];
  const aor = parseUri(binding.aor);
  if (name === undefined || aor?.user === undefined || binding.gruuCSeq === undefined) return undefined;
  const { callId, cseq } = binding;
  const names = { user: aor.user, host: aor.host, device: lower(name) };
  const user = encodeTemporary({ ...names, registrationHash: registrationHash(callId), cseq }, secret);
  if (user === undefined) return undefined;
  return printUri({ ...aor, scheme: schemeFor(binding), user, params: [['gr', undefined]] });
}

/** Those of a Contact of a 200 to REGISTER (§5.2), each with its semicolon. */
export function gruuParams(binding: Binding, secret: string): string {
  const named = [
    ['pub-gruu', publicGruu(binding)],
    ['temp-gruu', temporaryGruu(binding, secret)],
  ] as const;
  return named.map(([name, uri]) => (uri === undefined ? '' : `;${name}=${quote(uri)}`)).join('');
}

/** What of our addresses it names: one device; `invalid`: it looks like a GRUU of ours, and is none; `undefined`: no GRUU. */
export function readGruu(
  uri: SipUri,
  domainOf: (uri: SipUri) => string,
  secrets: readonly string[],
): Gruu | 'invalid' | undefined {
  const gr = param(uri.params, 'gr');
  if (gr === undefined || uri.user === undefined) return undefined;
  const host = domainOf(uri);
  const isSecure = uri.scheme === 'sips';
  if (gr !== '') {
    const device = `<${lower(decodeEscapes(gr))}>`;
    return { aor: canonicalAor({ ...uri, host }), device, given: undefined, isSecure };
  }
  const read = decodeTemporary(uri.user, host, secrets);
  if (read === undefined) return 'invalid';
  const { user, device, ...given } = read;
  return { aor: canonicalAor({ ...uri, user, host }), device: `<${device}>`, given, isSecure };
}

/** Whether this contact is of the device. A temporary GRUU ends with the registration that it was given in (§5.1). */
export function isOfGruu({ aor, device, given, isSecure }: Gruu, binding: Binding): boolean {
  if (binding.aor !== aor || deviceOf(binding) !== device) return false;
  if (isSecure && schemeFor(binding) !== 'sips') return false;
  if (given === undefined) return true;
  const { callId, gruuCSeq } = binding;
  return gruuCSeq !== undefined && gruuCSeq <= given.cseq && registrationHash(callId) === given.registrationHash;
}

function instanceIn({ contactParams }: Binding): string {
  return instanceOf({ params: parseParams(contactParams) ?? [] }) ?? '';
}

/** RFC 5630: who registers a SIPS contact is given SIPS GRUUs. */
function schemeFor({ contact }: Binding): SipUri['scheme'] {
  return parseUri(contact)?.scheme ?? 'sip';
}

/** Escapes what a parameter of a URI may not hold bare (RFC 3261 §25.1 paramchar). */
function escapeParam(text: string): string {
  const escape = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return text.replace(/[^A-Za-z0-9\-_.!~*'()[\]/:&+$]/g, escape);
}
