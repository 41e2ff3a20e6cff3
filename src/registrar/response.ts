/**
 * The headers of the 200 to a REGISTER (RFC 3261 §10.3 step 8, RFC 5626 §6, RFC 3327 §5.3, RFC 3608 §6, RFC 5627 §5.2).
 *
 * Sent only after the rows are committed (law 5). Left out: Flow-Timer: we expect no keep-alive of a client.
 */
import { lower } from '../message/ascii.ts';
import type { Field } from '../message/build.ts';
import { all, values } from '../message/header.ts';
import { Contact } from '../message/headers/contact.ts';
import { Supported } from '../message/headers/options.ts';
import { Path } from '../message/headers/route.ts';
import { Via } from '../message/headers/via.ts';
import type { SipRequest } from '../message/message.ts';
import { hasParam } from '../message/params.ts';
import { parseUri } from '../message/uri.ts';
import type { Binding } from '../ports.ts';
import { bindingKey, contactText, instanceOf, regIdOf } from './binding.ts';
import { gruuParams } from './gruu.ts';
import { asksForPush, pushCapability } from './push.ts';

export interface RegistrarOwn {
  /** Service-Route values such as `<sip:192.0.2.1;lr>`; none by default. */
  readonly serviceRoute?: readonly string[];
  /** Where we wake devices by push (RFC 8599): the key that they subscribe for. */
  readonly vapidKey?: string | undefined;
  /** Enciphers temporary GRUUs; without it no GRUU is given. */
  readonly tokenSecret?: string | undefined;
}

/** `bindings`: all that the AOR has now. */
export function registerResponse(
  request: SipRequest,
  bindings: readonly Binding[],
  nowMs: number,
  own: RegistrarOwn = {},
): readonly Field[] {
  const contacts = ownFirst(request, bindings).filter((binding) => binding.expiresAtMs > nowMs);
  return [
    ...contacts.map((binding): Field => ['Contact', contactText(binding, nowMs, gruusOf(request, binding, own))]),
    ...pathHeaders(request),
    ...(own.serviceRoute ?? []).map((route): Field => ['Service-Route', route]),
    ['Supported', 'path, outbound'],
    // RFC 5626 §6: tells the client that its flow is kept as it asked for.
    ...(usesOutbound(request) ? [['Require', 'outbound'] as const] : []),
    ...pushHeaders(request, own.vapidKey),
    ['Date', new Date(nowMs).toUTCString()],
  ];
}

/** JsSIP and SIP.js read the expiry of the first Contact that is theirs, and some clients of the first one at all. */
function ownFirst(request: SipRequest, bindings: readonly Binding[]): readonly Binding[] {
  const keys = new Set(all(request, Contact).map(bindingKey));
  const isOwn = (binding: Binding): boolean => keys.has(binding.key);
  return [...bindings.filter(isOwn), ...bindings.filter((binding) => !isOwn(binding))];
}

// RFC 5627 §5.2: whoever reads GRUUs sees those of each device of the account, and `gruu` in no header of the response.
function gruusOf(request: SipRequest, binding: Binding, { tokenSecret }: RegistrarOwn): string {
  return tokenSecret !== undefined && supports(request, 'gruu') ? gruuParams(binding, tokenSecret) : '';
}

// RFC 3327 §5.3: the client sees which proxies were noted, if it can read Path.
function pathHeaders(request: SipRequest): readonly Field[] {
  return supports(request, 'path') ? values(request, Path).map((text): Field => ['Path', text]) : [];
}

function pushHeaders(request: SipRequest, vapidKey: string | undefined): readonly Field[] {
  const asked = all(request, Contact).some(({ uri }) => asksForPush(uri));
  return asked && vapidKey !== undefined ? [pushCapability(vapidKey)] : [];
}

// RFC 5626 §6: not if a proxy is between us and the client that does not say `ob`: then the flow is not ours to keep.
function usesOutbound(request: SipRequest): boolean {
  const asked = all(request, Contact).some((one) => instanceOf(one) !== undefined && regIdOf(one) !== undefined);
  if (!asked || !supports(request, 'outbound')) return false;
  return all(request, Via).length === 1 || all(request, Path).some((path) => saysOb(path.uri));
}

function saysOb(text: string): boolean {
  const uri = parseUri(text);
  return uri !== undefined && hasParam(uri.params, 'ob');
}

function supports(request: SipRequest, option: string): boolean {
  return all(request, Supported).some((name) => lower(name) === option);
}
