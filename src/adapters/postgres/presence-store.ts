/** `PresenceStore` in PostgreSQL: publications, subscriptions with their rules, and mailboxes. */
import type { Mailbox, PresenceStore } from '../../ports.ts';
import { createCount } from './count.ts';
import type { StoreOptions } from './location-store.ts';
import { createPublicationStore } from './publication-store.ts';
import { createGroupedReader } from './reader.ts';
import { createSubscriptionStore } from './subscription-store.ts';
import { fromDatabase, toDatabase } from './text.ts';

export interface PostgresPresenceStore extends PresenceStore {
  /** Removes what no node will ever end; resolves with its number. */
  sweep(): Promise<number>;
  waiting(): number;
  idle(): Promise<void>;
}

interface MailboxRow {
  readonly aor: string;
  readonly new_messages: number;
  readonly old_messages: number;
  readonly new_urgent: number;
  readonly old_urgent: number;
}

const MAILBOX =
  'SELECT aor, new_messages, old_messages, new_urgent, old_urgent FROM mailbox WHERE aor = ANY ($1::text[])';
const SET_MAILBOX = `INSERT INTO mailbox (aor, new_messages, old_messages, new_urgent, old_urgent)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (aor) DO UPDATE SET new_messages = excluded.new_messages, old_messages = excluded.old_messages,
    new_urgent = excluded.new_urgent, old_urgent = excluded.old_urgent, updated_at = excluded.updated_at`;

const COUNT = (table: 'publication' | 'subscription'): string =>
  `SELECT count(*)::int AS count FROM (
     SELECT FROM ${table} WHERE expires_at > to_timestamp($1::double precision / 1000) LIMIT $2) AS few`;

export function createPresenceStore(options: StoreOptions): PostgresPresenceStore {
  const { pool, clock } = options;
  const publications = createPublicationStore(options);
  const subscriptions = createSubscriptionStore(options);
  const mailboxes = createGroupedReader<string, Mailbox | undefined>(async (aors) => {
    const rows = await pool.query<MailboxRow>({ name: 'mailbox-find', text: MAILBOX, values: [aors] });
    const byAor = new Map(rows.map((row) => [row.aor, row]));
    return aors.map((aor) => mailboxOf(byAor.get(aor)));
  });
  const counted = (table: 'publication' | 'subscription') =>
    createCount(async (most) => {
      const values = [clock.nowMs(), most];
      const [row] = await pool.query<{ count: number }>({ name: `${table}-count`, text: COUNT(table), values });
      return row?.count ?? 0;
    }, clock);
  const [countPublications, countSubscriptions] = [counted('publication'), counted('subscription')];
  const parts = [publications, subscriptions, mailboxes];
  return {
    ...publications,
    ...subscriptions,
    mailbox: async (aor) => mailboxes.add(toDatabase(aor)),
    setMailbox: async ({ aor, newMessages, oldMessages, newUrgent, oldUrgent }) => {
      const values = [toDatabase(aor), newMessages, oldMessages, newUrgent, oldUrgent];
      await pool.query({ name: 'mailbox-set', text: SET_MAILBOX, values });
    },
    counts: async () => ({ publications: await countPublications(), subscriptions: await countSubscriptions() }),
    waiting: () => parts.reduce((sum, part) => sum + part.waiting(), 0),
    idle: async () => {
      await Promise.all(parts.map((part) => part.idle()));
    },
  };
}

function mailboxOf(row: MailboxRow | undefined): Mailbox | undefined {
  if (row === undefined) return undefined;
  return {
    aor: fromDatabase(row.aor),
    newMessages: row.new_messages,
    oldMessages: row.old_messages,
    newUrgent: row.new_urgent,
    oldUrgent: row.old_urgent,
  };
}
