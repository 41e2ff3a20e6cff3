/** Presence and messages of `memory-stores.ts`: the rules of the PostgreSQL stores, in memory. */
import type {
  ClaimedSubscription,
  Clock,
  Mailbox,
  MessageStore,
  PresenceStore,
  Publication,
  PublicationChange,
  StoredMessage,
  Subscription,
  WatcherRule,
} from '../../src/ports.ts';

/** Runs a statement after the latency, or refuses it. */
export type Run = <T>(statement: () => T) => Promise<T>;

export interface MemoryPresence {
  readonly store: PresenceStore;
  readonly rows: {
    publications(): readonly Publication[];
    subscriptions(): readonly Subscription[];
  };
}

const keyOf = (...parts: readonly string[]): string => parts.join('\n');

export function createMemoryPresence(clock: Clock, run: Run, isSilent: (node: string) => boolean): MemoryPresence {
  const publications = new Map<string, Publication>();
  const subscriptions = new Map<string, Subscription>();
  const rules = new Map<string, WatcherRule>();
  const mailboxes = new Map<string, Mailbox>();
  const lives = ({ expiresAtMs }: { readonly expiresAtMs: number }): boolean => expiresAtMs > clock.nowMs();
  const policyOf = (presentity: string, watcher: string) => rules.get(keyOf(presentity, watcher))?.policy;

  const publish = ({ aor, event, ifMatch, next, document }: PublicationChange): 'stored' | 'no-match' => {
    const held = ifMatch === undefined ? undefined : publications.get(keyOf(aor, event, ifMatch));
    if (ifMatch !== undefined && (held === undefined || !lives(held))) return 'no-match';
    if (ifMatch !== undefined) publications.delete(keyOf(aor, event, ifMatch));
    const content = document ?? held;
    if (next !== undefined && content !== undefined) {
      const { contentType, body } = content;
      publications.set(keyOf(aor, event, next.etag), { aor, event, ...next, contentType, body });
    }
    return 'stored';
  };
  const expire = (limit: number) => {
    const over = [...publications.values()].filter((one) => !lives(one)).slice(0, limit);
    for (const { aor, event, etag } of over) publications.delete(keyOf(aor, event, etag));
    return [...new Map(over.map(({ aor, event }) => [keyOf(aor, event), { aor, event }])).values()];
  };
  const subscribe = (wanted: Subscription): boolean => {
    const held = subscriptions.get(wanted.id);
    if (held !== undefined && held.remoteCseq >= wanted.remoteCseq) return false;
    const { cseq, version } = held ?? wanted;
    subscriptions.set(wanted.id, { ...wanted, cseq, version });
    return true;
  };
  const claim = (id: string): ClaimedSubscription | undefined => {
    const held = subscriptions.get(id);
    if (held === undefined) return undefined;
    const subscription = { ...held, cseq: held.cseq + 1, version: held.version + 1 };
    subscriptions.set(id, subscription);
    return { subscription, policy: policyOf(held.resource, held.watcher) };
  };
  const dropWhere = (isOver: (subscription: Subscription) => boolean): void => {
    for (const [id, one] of subscriptions) if (isOver(one)) subscriptions.delete(id);
  };
  const page = <T>(all: readonly T[], aor: (item: T) => string, limit: number, after = ''): readonly T[] => {
    const aors = [...new Set(all.map(aor))].sort().filter((one) => one > after);
    const rows: T[] = [];
    for (const one of aors) if (rows.length < limit) rows.push(...all.filter((item) => aor(item) === one));
    return rows;
  };

  const store: PresenceStore = {
    publications: (aor, event) =>
      run(() =>
        [...publications.values()].filter((one) => one.aor === aor && one.event === event && lives(one)).reverse(),
      ),
    publish: (change) => run(() => publish(change)),
    expirePublications: (limit) => run(() => expire(limit)),
    subscribe: (subscription) => run(() => subscribe(subscription)),
    find: (id) => run(() => subscriptions.get(id)),
    subscribers: (resource, event) =>
      run(() =>
        [...subscriptions.values()].filter(
          (one) => one.resource === resource && one.event === event && one.state !== 'terminated' && lives(one),
        ),
      ),
    claim: (id) => run(() => claim(id)),
    setState: (id, state, reason) =>
      run(() => {
        const held = subscriptions.get(id);
        const expiresAtMs = Math.min(held?.expiresAtMs ?? 0, state === 'terminated' ? clock.nowMs() : Number.MAX_VALUE);
        if (held !== undefined) subscriptions.set(id, { ...held, state, reason, expiresAtMs });
      }),
    forget: (id) => run(() => void subscriptions.delete(id)),
    watched: (node) =>
      run(() => {
        const own = [...subscriptions.values()].filter((one) => one.node === node);
        return [...new Map(own.map((one) => [keyOf(one.resource, one.event), one])).values()];
      }),
    ended: (node, limit) =>
      run(() =>
        [...subscriptions.values()]
          .filter((one) => one.node === node && !lives(one))
          .slice(0, limit)
          .map(({ id }) => id),
      ),
    dropFlow: (flowId) => run(() => dropWhere((one) => one.flowId === flowId)),
    dropEarlierBoots: (node, boot) =>
      run(() => dropWhere((one) => one.node === node && one.boot !== boot && one.flowId?.startsWith('c') === true)),
    adopt: (gone, { node, boot }) =>
      run(() => {
        if (!isSilent(gone)) return;
        for (const [id, one] of subscriptions) if (one.node === gone) subscriptions.set(id, { ...one, node, boot });
      }),
    standing: (presentity, watcher) =>
      run(() => ({
        policy: policyOf(presentity, watcher),
        subscriptions: [...subscriptions.values()].filter((one) => one.watcher === watcher).length,
      })),
    setRule: (rule) => run(() => void rules.set(keyOf(rule.presentity, rule.watcher), rule)),
    removeRule: (presentity, watcher) => run(() => rules.delete(keyOf(presentity, watcher))),
    rules: (presentity) => run(() => [...rules.values()].filter((rule) => rule.presentity === presentity)),
    mailbox: (aor) => run(() => mailboxes.get(aor)),
    setMailbox: (mailbox) => run(() => void mailboxes.set(mailbox.aor, mailbox)),
    counts: () =>
      run(() => ({
        publications: [...publications.values()].filter(lives).length,
        subscriptions: [...subscriptions.values()].filter(lives).length,
      })),
    listPublications: ({ limit, after }) =>
      run(() => page([...publications.values()].filter(lives), ({ aor }) => aor, limit, after)),
    listSubscriptions: ({ limit, after }) =>
      run(() => page([...subscriptions.values()].filter(lives), ({ resource }) => resource, limit, after)),
  };
  const rows = {
    publications: () => [...publications.values()],
    subscriptions: () => [...subscriptions.values()],
  };
  return { store, rows };
}

export interface MemoryMessages {
  readonly store: MessageStore;
  readonly rows: () => readonly StoredMessage[];
}

export function createMemoryMessages(clock: Clock, run: Run): MemoryMessages {
  const table = new Map<string, { readonly message: StoredMessage; readonly tries: number }>();
  const alive = (): readonly StoredMessage[] =>
    [...table.values()].map(({ message }) => message).filter(({ expiresAtMs }) => expiresAtMs > clock.nowMs());
  const store: MessageStore = {
    store: (message, most) =>
      run(() => {
        if (alive().filter(({ aor }) => aor === message.aor).length >= most) return 'full';
        table.set(message.id, { message, tries: 0 });
        return 'stored';
      }),
    waitingFor: (wanted, limit) =>
      run(() =>
        alive()
          .filter(({ aor }) => aor === wanted)
          .slice(0, limit),
      ),
    delivered: (id) => run(() => void table.delete(id)),
    refused: (id, mostTries) =>
      run(() => {
        const held = table.get(id);
        if (held === undefined) return;
        if (held.tries + 1 >= mostTries) table.delete(id);
        else table.set(id, { ...held, tries: held.tries + 1 });
      }),
    recipients: (limit) => run(() => [...new Set(alive().map(({ aor }) => aor))].slice(0, limit)),
  };
  return { store, rows: alive };
}
