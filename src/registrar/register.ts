/**
 * What a REGISTER asks of the location service, as a value (RFC 3261 §10.3, RFC 5626 §6, RFC 3327 §5.3, RFC 5627 §5.1).
 *
 * Pure: whether the domain is ours and the user may register it was settled before (§10.3 steps 1, 3 and 4; routes), the
 * order of CSeqs and the number of contacts are checked where the rows are written (step 7, `BindingOutcome`). The 200 is
 * in response.ts.
 */
import type { ErrorCode } from '../errors.ts';
import { lower } from '../message/ascii.ts';
import { type Field, field } from '../message/build.ts';
import { all, get, malformed, values } from '../message/header.ts';
import type { NameAddr } from '../message/headers/address.ts';
import { CallId } from '../message/headers/call-id.ts';
import { Contact, isStar } from '../message/headers/contact.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { To } from '../message/headers/from-to.ts';
import { Expires, MinExpires } from '../message/headers/numbers.ts';
import { Require, Supported } from '../message/headers/options.ts';
import { Path } from '../message/headers/route.ts';
import { UserAgent } from '../message/headers/text.ts';
import type { SipRequest } from '../message/message.ts';
import { canonicalAor, parseUri, type SipUri } from '../message/uri.ts';
import type { Binding, BindingChange, ContactLimit, Transport } from '../ports.ts';
import { bindingKey, instanceOf, mediaOf, qOf, requestedSeconds, storedParams } from './binding.ts';
import { subscriptionOf } from './push.ts';

export interface RegisterLimits {
  readonly minSeconds: number;
  readonly maxSeconds: number;
  /** Where a transport has its own. */
  readonly maxSecondsBy: Readonly<Partial<Record<Transport, number>>>;
  /** Of a device that can be woken: it need not come back to stay reachable. */
  readonly pushSeconds?: number;
  readonly defaultSeconds: number;
  readonly maxContacts: number;
  readonly whenFull: ContactLimit['whenFull'];
}

export const defaultLimits: RegisterLimits = {
  minSeconds: 60,
  maxSeconds: 7200,
  maxSecondsBy: {},
  defaultSeconds: 3600,
  maxContacts: 10,
  whenFull: 'refuse',
};

/** What the engine knows of the REGISTER beside its text. */
export interface RegisterContext extends Pick<Binding, 'flowId' | 'node' | 'boot' | 'transport' | 'source'> {
  readonly nowMs: number;
  readonly limits?: RegisterLimits;
  /** The login by which it comes ends then, and with it what it registers; absent: it stays. */
  readonly untilMs?: number | undefined;
  /** How an address is written as a key; default `canonicalAor`. */
  readonly toAor?: (uri: SipUri) => string;
  /** The address-of-record of a Contact that is a GRUU of ours; default: none is. */
  readonly aorOfGruu?: (contact: string) => string | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly headers?: readonly Field[];
}

export type RegisterPlan =
  | { readonly refuse: Refusal }
  /** No Contact: the client asks for its bindings. */
  | { readonly fetch: true; readonly aor: string }
  | { readonly change: BindingChange };

/** Options that a registrar request may require of us. */
const understood = ['path', 'outbound', 'gruu'];

/** As much as an index entry of the database holds with room to spare. */
const longestKey = 512;
const longestUserAgent = 255;

const badRequest: RegisterPlan = { refuse: { status: 400, code: 'malformed' } };

export function planRegister(request: SipRequest, context: RegisterContext): RegisterPlan {
  const identity = identityOf(request, context.toAor);
  if (identity === undefined || malformed(request, [Contact, Path]) !== undefined) return badRequest;
  const unsupported = all(request, Require).filter((option) => !understood.includes(lower(option)));
  if (unsupported.length > 0) return refuse(420, 'bad-extension', [['Unsupported', unsupported.join(', ')]]);
  const contacts = all(request, Contact);
  if (contacts.length === 0) return { fetch: true, aor: identity.aor };
  return isStar(request) ? planStar(request, identity) : planContacts(request, contacts, identity, context);
}

/** The address-of-record that a REGISTER is about (RFC 3261 §10.3 step 5); `undefined` when To cannot be read. */
export function registerAor(request: SipRequest, toAor = canonicalAor): string | undefined {
  const to = get(request, To);
  const uri = to === undefined ? undefined : parseUri(to.uri);
  return uri === undefined ? undefined : toAor(uri);
}

type ChangeIdentity = Pick<BindingChange, 'aor' | 'callId' | 'cseq'>;

function identityOf(request: SipRequest, toAor: RegisterContext['toAor']): ChangeIdentity | undefined {
  const aor = registerAor(request, toAor);
  const callId = get(request, CallId);
  const cseq = get(request, CSeq);
  return aor === undefined || callId === undefined || cseq === undefined
    ? undefined
    : { aor, callId, cseq: cseq.number };
}

// RFC 3261 §10.3 step 6: `*` stands alone and with Expires: 0, or the request is malformed.
function planStar(request: SipRequest, identity: ChangeIdentity): RegisterPlan {
  const alone = values(request, Contact).length === 1;
  return alone && get(request, Expires) === 0 ? { change: { ...identity, save: [], remove: '*' } } : badRequest;
}

function planContacts(
  request: SipRequest,
  contacts: readonly NameAddr[],
  identity: ChangeIdentity,
  context: RegisterContext,
): RegisterPlan {
  const limits = context.limits ?? defaultLimits;
  const mostSeconds = limits.maxSecondsBy[context.transport] ?? limits.maxSeconds;
  const wishes = new Map<string, Wish>();
  for (const contact of contacts) {
    const key = bindingKey(contact);
    if (key === undefined || key.length > longestKey) return badRequest;
    // RFC 5627 §5.1: a device cannot be where it is itself; its calls would run in a circle.
    if (context.aorOfGruu?.(contact.uri) === identity.aor) return refuse(403, 'contact-is-gruu');
    const seconds = requestedSeconds(contact, get(request, Expires), limits.defaultSeconds);
    // RFC 3261 §10.3 step 7: too short is refused with the least we take; 0 asks for removal.
    if (seconds > 0 && seconds < limits.minSeconds) return tooBrief(limits);
    // The same device twice in one request: the last one counts.
    const most = subscriptionOf(contact.uri) === undefined ? mostSeconds : (limits.pushSeconds ?? mostSeconds);
    // What is granted may be less than the least that is asked for: a longer wish would not help.
    wishes.set(key, { key, contact, seconds: Math.min(seconds, most, secondsLeft(context)) });
  }
  const change = changeOf(request, [...wishes.values()], identity, context);
  return change.save.length > limits.maxContacts ? refuse(403, 'too-many-contacts') : { change };
}

/** At least one: 0 would remove it. */
function secondsLeft({ untilMs, nowMs }: RegisterContext): number {
  return untilMs === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor((untilMs - nowMs) / 1000));
}

interface Wish {
  readonly key: string;
  readonly contact: NameAddr;
  readonly seconds: number;
}

function changeOf(
  request: SipRequest,
  wishes: readonly Wish[],
  identity: ChangeIdentity,
  context: RegisterContext,
): BindingChange {
  const { flowId, node, boot, transport, source, nowMs } = context;
  // RFC 3327 §5.3 leaves it to us whether a client that does not list `path` may register through a proxy: it may.
  const path = all(request, Path).map((value) => Path.print(value));
  const common = { ...identity, path, flowId, node, boot, transport, source, userAgent: userAgentOf(request) };
  const asksForGruu = all(request, Supported).some((option) => lower(option) === 'gruu');
  const save = wishes
    .filter((wish) => wish.seconds > 0)
    .map(({ key, contact, seconds }) => ({
      ...common,
      key,
      contact: contact.uri,
      contactParams: storedParams(contact),
      q: qOf(contact),
      expiresAtMs: nowMs + seconds * 1000,
      media: mediaOf(contact, transport),
      gruuCSeq: asksForGruu && instanceOf(contact) !== undefined ? identity.cseq : undefined,
    }));
  const remove = wishes.filter((wish) => wish.seconds === 0).map((wish) => wish.key);
  return { ...identity, save, remove };
}

function userAgentOf(request: SipRequest): string {
  return (get(request, UserAgent) ?? '').replace(/[\x00-\x1f\x7f]/g, ' ').slice(0, longestUserAgent);
}

function tooBrief(limits: RegisterLimits): RegisterPlan {
  return refuse(423, 'interval-too-brief', [field(MinExpires, limits.minSeconds)]);
}

function refuse(status: number, code: ErrorCode, headers: readonly Field[] = []): RegisterPlan {
  return { refuse: { status, code, headers } };
}
