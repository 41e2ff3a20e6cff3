/**
 * Subscriptions in PostgreSQL (RFC 6665 §4.2) over grouped statements, and the rules for watchers. Statements and
 * columns: `subscription-sql.ts`.
 */
import type {
  ClaimedSubscription,
  EventPackage,
  PresenceStore,
  Subscription,
  WatcherPolicy,
  WatcherRule,
  WatcherStanding,
} from '../../ports.ts';
import type { StoreOptions } from './location-store.ts';
import { createGroupedReader } from './reader.ts';
import * as statements from './subscription-sql.ts';
import { type ClaimedRow, type SubscriptionRow, subscriptionOf } from './subscription-sql.ts';
import { AT, createSweep } from './sweep.ts';
import { fromDatabase, toDatabase } from './text.ts';
import { companyMsOf, createGroupedWriter } from './writer.ts';

export type SubscriptionStore = Omit<
  PresenceStore,
  'counts' | 'publications' | 'publish' | 'expirePublications' | 'listPublications' | 'mailbox' | 'setMailbox'
> & {
  sweep(): Promise<number>;
  waiting(): number;
  idle(): Promise<void>;
};

const SET_RULE = `INSERT INTO watcher_rule (presentity, watcher, policy) VALUES ($1, $2, $3)
  ON CONFLICT (presentity, watcher) DO UPDATE SET policy = excluded.policy, updated_at = excluded.updated_at`;
const REMOVE_RULE = 'DELETE FROM watcher_rule WHERE presentity = $1 AND watcher = $2 RETURNING watcher';
const RULES = 'SELECT presentity, watcher, policy FROM watcher_rule WHERE presentity = $1 ORDER BY watcher';

export function createSubscriptionStore({ pool, clock, groupMs }: StoreOptions): SubscriptionStore {
  const companyMs = companyMsOf(groupMs);
  const limits = { groupMs, companyMs, maxGroup: 250, maxWaiting: 200_000, after: clock.after.bind(clock) };
  // The node that owed the last NOTIFY has not sent it within an hour: it is gone.
  const sweep = createSweep(pool, {
    table: 'subscription',
    key: 'id',
    isOver: `expires_at <= ${AT} - interval '1 hour'`,
  });
  const saves = createGroupedWriter<Prepared, boolean>({
    ...limits,
    key: ({ id }) => id,
    write: async (group) => {
      const values = statements.parametersOf(group.map((one) => one.values));
      const rows = await pool.query<{ id: string }>({ name: 'subscription-save', text: statements.SAVE, values });
      const saved = new Set(rows.map(({ id }) => id));
      return group.map(({ id }) => saved.has(id));
    },
  });
  const claims = createGroupedWriter<string, ClaimedSubscription | undefined>({
    ...limits,
    key: (id) => id,
    write: async (ids) => {
      const rows = await pool.query<ClaimedRow>({ name: 'subscription-claim', text: statements.CLAIM, values: [ids] });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => claimedOf(byId.get(id)));
    },
  });
  const removals = (name: string, text: string) =>
    createGroupedWriter<string, void>({
      ...limits,
      key: (key) => key,
      write: async (keys) => {
        await pool.query({ name, text, values: [keys] });
        return keys.map(() => undefined);
      },
    });
  const forgets = removals('subscription-forget', statements.FORGET);
  const drops = removals('subscription-drop-flows', statements.DROP_FLOWS);
  const finds = createGroupedReader<string, Subscription | undefined>(async (ids) => {
    const rows = await pool.query<SubscriptionRow>({ name: 'subscription-find', text: statements.FIND, values: [ids] });
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => found(byId.get(id)));
  });
  const ofResources = createGroupedReader<Topic, readonly Subscription[]>(async (wanted) => {
    const values = [clock.nowMs(), wanted.map(({ resource }) => resource), wanted.map(({ event }) => event)];
    const rows = await pool.query<SubscriptionRow>({ name: 'subscription-of', text: statements.OF_RESOURCE, values });
    const byTopic = Map.groupBy(rows, topic);
    return wanted.map((one) => (byTopic.get(topic(one)) ?? []).map(subscriptionOf));
  });
  const standings = createGroupedReader<Pair, WatcherStanding>(async (wanted) => {
    const values = [wanted.map(({ presentity }) => presentity), wanted.map(({ watcher }) => watcher)];
    const rows = await pool.query<StandingRow>({ name: 'subscription-standing', text: statements.STANDING, values });
    const byPair = new Map(rows.map((row) => [pair(row), row]));
    return wanted.map((one) => standingOf(byPair.get(pair(one))));
  });
  const groups = [saves, claims, forgets, drops, finds, ofResources, standings];
  // What a NOTIFY waits for keeps no request: a change that a thousand watch must not have calls refused (engine/overload.ts).
  const awaited = [saves, finds, standings];

  return {
    subscribe: async (subscription) =>
      saves.add({ id: toDatabase(subscription.id), values: statements.valuesOf(subscription) }),
    find: async (id) => finds.add(toDatabase(id)),
    subscribers: async (resource, event) => ofResources.add({ resource: toDatabase(resource), event }),
    claim: async (id) => claims.add(toDatabase(id)),
    setState: async (id, state, reason) => {
      const values = [toDatabase(id), state, reason ?? null, clock.nowMs()];
      await pool.query({ name: 'subscription-state', text: statements.SET_STATE, values });
    },
    forget: async (id) => forgets.add(toDatabase(id)),
    watched: async (node) => {
      const values = [toDatabase(node)];
      const rows = await pool.query<Topic>({ name: 'subscription-watched', text: statements.WATCHED, values });
      return rows.map(({ resource, event }) => ({ resource: fromDatabase(resource), event }));
    },
    ended: async (node, limit) => {
      const values = [clock.nowMs(), toDatabase(node), limit];
      const rows = await pool.query<{ id: string }>({ name: 'subscription-ended', text: statements.ENDED, values });
      return rows.map(({ id }) => fromDatabase(id));
    },
    dropFlow: async (flowId) => drops.add(flowId),
    dropEarlierBoots: async (node, boot) => {
      const values = [toDatabase(node), toDatabase(boot)];
      await pool.query({ name: 'subscription-drop-boots', text: statements.DROP_BOOTS, values });
    },
    adopt: async (gone, { node, boot }) => {
      const values = [gone, node, boot].map(toDatabase);
      await pool.query({ name: 'subscription-adopt', text: statements.ADOPT, values });
    },
    standing: async (presentity, watcher) =>
      standings.add({ presentity: toDatabase(presentity), watcher: toDatabase(watcher) }),
    setRule: async ({ presentity, watcher, policy }) => {
      const values = [toDatabase(presentity), toDatabase(watcher), policy];
      await pool.query({ name: 'watcher-rule-set', text: SET_RULE, values });
    },
    removeRule: async (presentity, watcher) => {
      const values = [toDatabase(presentity), toDatabase(watcher)];
      return (await pool.query({ name: 'watcher-rule-remove', text: REMOVE_RULE, values })).length > 0;
    },
    rules: async (presentity) => {
      const rows = await pool.query<WatcherRule>({
        name: 'watcher-rules',
        text: RULES,
        values: [toDatabase(presentity)],
      });
      return rows.map((row) => ({
        presentity: fromDatabase(row.presentity),
        watcher: fromDatabase(row.watcher),
        policy: row.policy,
      }));
    },
    listSubscriptions: async ({ limit, after = '' }) => {
      const values = [clock.nowMs(), toDatabase(after), limit];
      const rows = await pool.query<SubscriptionRow>({ name: 'subscription-list', text: statements.LIST, values });
      return rows.map(subscriptionOf);
    },
    sweep: () => sweep(clock.nowMs()),
    waiting: () => awaited.reduce((sum, group) => sum + group.waiting(), 0),
    idle: async () => {
      await Promise.all(groups.map((group) => group.idle()));
    },
  };
}

interface Prepared {
  readonly id: string;
  readonly values: readonly unknown[];
}

interface Topic {
  readonly resource: string;
  readonly event: EventPackage;
}

interface Pair {
  readonly presentity: string;
  readonly watcher: string;
}

interface StandingRow extends Pair {
  readonly policy: WatcherPolicy | null;
  readonly count: number;
}

const topic = ({ resource, event }: Topic): string => `${resource}\n${event}`;
const pair = ({ presentity, watcher }: Pair): string => `${presentity}\n${watcher}`;

function found(row: SubscriptionRow | undefined): Subscription | undefined {
  return row === undefined ? undefined : subscriptionOf(row);
}

function claimedOf(row: ClaimedRow | undefined): ClaimedSubscription | undefined {
  return row === undefined ? undefined : { subscription: subscriptionOf(row), policy: row.policy ?? undefined };
}

function standingOf(row: StandingRow | undefined): WatcherStanding {
  return { policy: row?.policy ?? undefined, subscriptions: row?.count ?? 0 };
}
