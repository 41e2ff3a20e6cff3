/**
 * Watcher information (RFC 3857, RFC 3858): who watches an account, told to the account itself, always in full.
 */
import type { EventPackage, Subscription, SubscriptionState } from '../ports.ts';
import { escapeXml } from './xml.ts';

export function watcherInfo(
  resource: string,
  { version, event, nowMs }: { readonly version: number; readonly event: EventPackage; readonly nowMs: number },
  subscriptions: readonly Subscription[],
): string {
  const root = `<watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="${version}" state="full">`;
  const list = `<watcher-list resource="${escapeXml(resource)}" package="${event}">`;
  const watchers = subscriptions.map((subscription) => watcherElement(subscription, nowMs)).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n${root}${list}${watchers}</watcher-list></watcherinfo>\r\n`;
}

/** RFC 3857 §4.7.1: what brought it into its state. */
const causes: Readonly<Record<SubscriptionState, string>> = {
  pending: 'subscribe',
  active: 'approved',
  terminated: 'timeout',
};

function watcherElement({ id, state, watcher, createdAtMs, expiresAtMs }: Subscription, nowMs: number): string {
  const since = Math.max(0, Math.round((nowMs - createdAtMs) / 1000));
  const left = Math.max(0, Math.round((expiresAtMs - nowMs) / 1000));
  // The id is our tag in the dialog, which must stay between the two of it: only a piece of it is told.
  const times = `duration-subscribed="${since}" expiration="${left}"`;
  const start = `<watcher status="${state}" id="${id.slice(0, 8)}" event="${causes[state]}" ${times}>`;
  return `${start}${escapeXml(watcher)}</watcher>`;
}
