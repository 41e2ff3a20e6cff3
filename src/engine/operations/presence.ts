/**
 * What REST may ask and change of presence: lists, rules for watchers, and mailboxes. Whoever it concerns is told.
 */
import { Failure } from '../../errors.ts';
import { canonicalAor, parseUri } from '../../message/uri.ts';
import type { Publication, Subscription } from '../../ports.ts';
import type { Core } from '../core.ts';
import type { Operations, PublicationSummary, SubscriptionSummary } from '../operations.ts';

type PresenceOperations = Pick<
  Operations,
  'publications' | 'subscriptions' | 'watcherRules' | 'setWatcherRule' | 'removeWatcherRule' | 'mailbox' | 'setMailbox'
>;

export function presenceOperations({ ports: { presence: store }, presence }: Core): PresenceOperations {
  return {
    publications: async (page) => {
      const found = await store.listPublications(page);
      return { items: found.map(publication), next: found.length < page.limit ? undefined : found.at(-1)?.aor };
    },
    subscriptions: async (page) => {
      const found = await store.listSubscriptions(page);
      return { items: found.map(subscription), next: found.length < page.limit ? undefined : found.at(-1)?.resource };
    },
    watcherRules: (presentity) => store.rules(aorOf(presentity)),
    setWatcherRule: async ({ presentity, watcher, policy }) => {
      const rule = { presentity: aorOf(presentity), watcher: aorOf(watcher), policy };
      await store.setRule(rule);
      presence.rulesChanged(rule.presentity);
    },
    removeWatcherRule: async (presentity, watcher) => {
      const removed = await store.removeRule(aorOf(presentity), aorOf(watcher));
      if (removed) presence.rulesChanged(aorOf(presentity));
      return removed;
    },
    mailbox: async (text) => {
      const aor = aorOf(text);
      const empty = { aor, newMessages: 0, oldMessages: 0, newUrgent: 0, oldUrgent: 0 };
      return (await store.mailbox(aor)) ?? empty;
    },
    setMailbox: async (mailbox) => {
      const aor = aorOf(mailbox.aor);
      await store.setMailbox({ ...mailbox, aor });
      presence.changed(aor, 'message-summary');
    },
  };
}

function aorOf(text: string): string {
  const uri = parseUri(text);
  if (uri?.user === undefined) throw new Failure('malformed', 'An address looks like sip:alice@example.com.');
  return canonicalAor(uri);
}

function publication({ aor, event, contentType, body, expiresAtMs }: Publication): PublicationSummary {
  return { aor, event, contentType, bytes: body.length, expiresAt: new Date(expiresAtMs).toISOString() };
}

function subscription(row: Subscription): SubscriptionSummary {
  const { resource, event, watcher, state, cseq, remoteTarget, createdAtMs, expiresAtMs } = row;
  const since = new Date(createdAtMs).toISOString();
  const expiresAt = new Date(expiresAtMs).toISOString();
  return { resource, event, watcher, state, notifications: cseq, contact: remoteTarget, since, expiresAt };
}
