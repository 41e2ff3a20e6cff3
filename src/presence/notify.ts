/**
 * The NOTIFY of a subscription (RFC 6665 §4.2.2), and what its answer means for it.
 */
import { createRequest, type Field, field } from '../message/build.ts';
import { Event, SubscriptionState } from '../message/headers/event.ts';
import type { Via } from '../message/headers/via.ts';
import type { SipRequest } from '../message/message.ts';
import { hasParam, type Params } from '../message/params.ts';
import { parseUri } from '../message/uri.ts';
import type { Subscription } from '../ports.ts';
import { packages } from './packages.ts';

export interface NotifyParts {
  readonly via: Via;
  /** Our URI in this dialog, for Contact. */
  readonly contact: string;
  readonly nowMs: number;
  /** `undefined`: none, as for a pending watcher (RFC 3856 §6.6.2: he must learn nothing). */
  readonly body: string | undefined;
}

export function notifyFor(subscription: Subscription, { via, contact, nowMs, body }: NotifyParts): SipRequest {
  const { id, localUri, remoteUri, remoteTag, callId, cseq, event } = subscription;
  const content = body === undefined ? {} : { body, contentType: packages[event].contentType };
  return createRequest({
    method: 'NOTIFY',
    ...routed(subscription),
    via,
    from: { display: undefined, uri: localUri, params: [['tag', id]] },
    to: { display: undefined, uri: remoteUri, params: [['tag', remoteTag]] },
    callId,
    cseq,
    headers: [['Contact', `<${contact}>`], eventField(subscription), stateField(subscription, nowMs)],
    ...content,
  });
}

function eventField({ event, eventId }: Subscription): Field {
  return field(Event, { name: event, params: eventId === undefined ? [] : [['id', eventId]] });
}

// §4.1.3: `expires` while it lives, `reason` when it is over.
function stateField(subscription: Subscription, nowMs: number): Field {
  const { state, reason = 'timeout', expiresAtMs } = subscription;
  const seconds = Math.max(0, Math.round((expiresAtMs - nowMs) / 1000));
  const params: Params = state === 'terminated' ? [['reason', reason]] : [['expires', String(seconds)]];
  return field(SubscriptionState, { name: state, params });
}

// RFC 3261 §12.2.1.1: a first route without `lr` is a strict router: it takes the Request-URI, the target comes last.
function routed({ routeSet, remoteTarget }: Subscription): { readonly uri: string; readonly route: readonly string[] } {
  const [first, ...rest] = routeSet;
  if (first === undefined || isLoose(first)) return { uri: remoteTarget, route: routeSet };
  return { uri: first, route: [...rest, remoteTarget] };
}

function isLoose(route: string): boolean {
  const uri = parseUri(route);
  return uri === undefined || hasParam(uri.params, 'lr');
}

// RFC 6665 §4.2.2 names the responses that end the usage of the dialog, RFC 5057 §5.1 why.
const endings: ReadonlySet<number> = new Set([404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]);

/** Whether this final response to a NOTIFY says that nobody listens there any more. */
export function endsSubscription(status: number): boolean {
  return endings.has(status);
}

/** How the subscription stands at this moment: one whose time is over is terminated, whatever its row says. */
export function asOf(subscription: Subscription, nowMs: number): Subscription {
  if (subscription.state === 'terminated' || subscription.expiresAtMs > nowMs) return subscription;
  return { ...subscription, state: 'terminated', reason: 'timeout' };
}
