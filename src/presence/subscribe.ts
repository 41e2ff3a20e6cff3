/**
 * What a SUBSCRIBE asks, as a value (RFC 6665 §4.2.1): a new subscription, a refresh, an end, or one look (`Expires: 0`
 * outside a dialog, §4.4.3).
 *
 * Pure: who may is decided in authorize.ts, the row is written by the engine before the 200. Left out: event filters
 * (RFC 4660), lists (RFC 4662), and more than one subscription in a dialog (§4.5.2 advises against it).
 */
import { type Field, field } from '../message/build.ts';
import { all, get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { Contact } from '../message/headers/contact.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { Accept, Event } from '../message/headers/event.ts';
import { From, To, tagOf } from '../message/headers/from-to.ts';
import { Expires } from '../message/headers/numbers.ts';
import { RecordRoute } from '../message/headers/route.ts';
import type { SipRequest } from '../message/message.ts';
import { param } from '../message/params.ts';
import { canonicalAor, parseUri } from '../message/uri.ts';
import type { EventPackage, Subscription } from '../ports.ts';
import { lifetimeOf, packageNamed, packages } from './packages.ts';
import { badEvent, type Refusal, tooBrief } from './publish.ts';

/** What the engine knows beside the text of the SUBSCRIBE. */
export interface SubscribeContext
  extends Pick<Subscription, 'id' | 'resource' | 'watcher' | 'flowId' | 'listener' | 'node' | 'boot'> {
  readonly nowMs: number;
}

export interface SubscribePlan {
  readonly subscription: Subscription;
  /** 0: it ends with its first NOTIFY. */
  readonly seconds: number;
}

type Plan = SubscribePlan | { readonly refuse: Refusal };

const malformed: Plan = { refuse: { status: 400, code: 'malformed' } };

/** Outside a dialog. The state is `active` until somebody decides otherwise. */
export function planSubscribe(request: SipRequest, context: SubscribeContext): Plan {
  const asked = askedOf(request);
  if ('refuse' in asked) return asked;
  const dialog = dialogOf(request);
  if (dialog === undefined) return malformed;
  const { nowMs, ...known } = context;
  const { event, eventId, seconds } = asked;
  const subscription: Subscription = {
    ...known,
    ...dialog,
    event,
    eventId,
    ...lifeOf(seconds, nowMs),
    createdAtMs: nowMs,
    cseq: 0,
    version: -1,
  };
  return { subscription, seconds };
}

/** In its dialog: a refresh, or with `Expires: 0` the end. The sender's flow and Contact hold from now on. */
export function planResubscribe(
  request: SipRequest,
  held: Subscription,
  here: Pick<Subscription, 'flowId' | 'listener' | 'node' | 'boot'> & { readonly nowMs: number },
): Plan {
  if (!isOfDialog(request, held)) return { refuse: { status: 481, code: 'no-subscription' } };
  const asked = askedOf(request);
  if ('refuse' in asked) return asked;
  if (asked.event !== held.event || asked.eventId !== held.eventId) {
    return { refuse: { status: 481, code: 'no-subscription' } };
  }
  const remoteCseq = get(request, CSeq)?.number ?? 0;
  // RFC 3261 §12.2.2: out of order.
  if (remoteCseq <= held.remoteCseq) return { refuse: { status: 500, code: 'subscribe-out-of-order' } };
  const { nowMs, ...place } = here;
  const remoteTarget = get(request, Contact)?.uri ?? held.remoteTarget;
  const life = lifeOf(asked.seconds, nowMs);
  const state = life.state === 'active' ? held.state : life.state;
  return { subscription: { ...held, ...place, ...life, state, remoteTarget, remoteCseq }, seconds: asked.seconds };
}

/** The headers of the 200 beside its Contact (RFC 6665 §4.2.1.1). */
export function subscribeResponse(seconds: number): readonly Field[] {
  return [field(Expires, seconds)];
}

/** The address that a SUBSCRIBE or PUBLISH is about: its Request-URI (RFC 3856 §6.3, RFC 3903 §4). */
export function resourceOf(request: SipRequest): string | undefined {
  const uri = parseUri(request.uri);
  return uri?.user === undefined ? undefined : canonicalAor(uri);
}

interface Asked {
  readonly event: EventPackage;
  readonly eventId: string | undefined;
  readonly seconds: number;
}

function askedOf(request: SipRequest): Asked | { readonly refuse: Refusal } {
  const header = get(request, Event);
  const event = packageNamed(header?.name);
  if (header === undefined || event === undefined) return { refuse: badEvent() };
  const row = packages[event];
  if (!accepts(request, row.contentType)) {
    return { refuse: { status: 406, code: 'presence-type', headers: [['Accept', row.contentType]] } };
  }
  const seconds = lifetimeOf(get(request, Expires), row);
  if (seconds === 'too-brief') return { refuse: tooBrief(row.minSeconds) };
  return { event, eventId: param(header.params, 'id'), seconds };
}

// RFC 6665 §3.1.3: without Accept it takes the default of the package. Several phones list only other packages' types.
function accepts(request: SipRequest, contentType: string): boolean {
  const ranges = all(request, Accept).map(({ name }) => name);
  return ranges.length === 0 || [contentType, 'application/*', '*/*'].some((range) => ranges.includes(range));
}

function lifeOf(seconds: number, nowMs: number): Pick<Subscription, 'state' | 'reason' | 'expiresAtMs'> {
  // §4.2.2: an end that the subscriber asked for has the reason `timeout`.
  if (seconds === 0) return { state: 'terminated', reason: 'timeout', expiresAtMs: nowMs };
  return { state: 'active', reason: undefined, expiresAtMs: nowMs + seconds * 1000 };
}

type DialogPart = Pick<
  Subscription,
  'callId' | 'remoteTag' | 'localUri' | 'remoteUri' | 'remoteTarget' | 'routeSet' | 'remoteCseq'
>;

// RFC 3261 §12.1.1: the state of the dialog at the side that was asked.
function dialogOf(request: SipRequest): DialogPart | undefined {
  const callId = get(request, CallId);
  const cseq = get(request, CSeq);
  const from = get(request, From);
  const to = get(request, To);
  const contact = get(request, Contact);
  const remoteTag = tagOf(from);
  if (callId === undefined || cseq === undefined || from === undefined || to === undefined) return undefined;
  if (contact === undefined || contact.uri === '*' || remoteTag === undefined) return undefined;
  const routeSet = all(request, RecordRoute).map(({ uri }) => uri);
  const ends = { localUri: to.uri, remoteUri: from.uri, remoteTarget: contact.uri };
  return { callId, remoteTag, ...ends, routeSet, remoteCseq: cseq.number };
}

function isOfDialog(request: SipRequest, held: Subscription): boolean {
  const sameCall = get(request, CallId) === held.callId && tagOf(get(request, From)) === held.remoteTag;
  return sameCall && held.state !== 'terminated';
}
