/**
 * The push parameters of a Contact URI (RFC 8599 §14): `pn-provider=webpush`, and in `pn-prid` the endpoint that the
 * push service gave to the client, its reserved characters escaped.
 *
 * Beyond RFC 8599, which has no content in pushes: `pn-param` may hold the keys of the subscription, `<p256dh>.<auth>`,
 * and the push says who calls. Left out: other providers (APNs, FCM), and `pn-purr` for requests in a dialog.
 */
import { lower } from '../message/ascii.ts';
import type { Field } from '../message/build.ts';
import { param } from '../message/params.ts';
import { decodeEscapes, parseUri } from '../message/uri.ts';
import type { PushKeys, PushSubscription } from '../ports.ts';

const keysSyntax = /^([\w-]{87})\.([\w-]{22})$/;

/** `undefined`: this contact cannot be woken by us. */
export function subscriptionOf(contact: string): PushSubscription | undefined {
  const params = parseUri(contact)?.params ?? [];
  if (lower(param(params, 'pn-provider') ?? '') !== 'webpush') return undefined;
  const endpoint = decodeEscapes(param(params, 'pn-prid') ?? '');
  return endpoint === '' ? undefined : { endpoint, keys: keysOf(decodeEscapes(param(params, 'pn-param') ?? '')) };
}

function keysOf(text: string): PushKeys | undefined {
  const [, p256dh, auth] = keysSyntax.exec(text) ?? [];
  return p256dh === undefined || auth === undefined ? undefined : { p256dh, auth };
}

/** RFC 8599 §4.1.4: the client asks who can wake it, with its parameters or with `pn-provider` alone. */
export function asksForPush(contact: string): boolean {
  const provider = param(parseUri(contact)?.params ?? [], 'pn-provider');
  return provider === '' || lower(provider ?? '') === 'webpush';
}

/** RFC 8599 §4.1.2, §4.1.3, RFC 6809: we wake it, and it is to subscribe for this key. */
export function pushCapability(vapidKey: string): Field {
  return ['Feature-Caps', `*;+sip.pns="webpush";+sip.vapid="${vapidKey}"`];
}
