/**
 * Messages that wait for their recipient, in PostgreSQL (RFC 3428 §7). Stored in groups, one per recipient in each, so
 * that the bound on what waits for him holds.
 */
import type { MessageStore, StoredMessage } from '../../ports.ts';
import type { StoreOptions } from './location-store.ts';
import { AT, createSweep } from './sweep.ts';
import { fromDatabase, toDatabase } from './text.ts';
import { createGroupedWriter } from './writer.ts';

export interface PostgresMessageStore extends MessageStore {
  /** Removes what has expired, in batches; resolves with its number. */
  sweep(): Promise<number>;
  waiting(): number;
  idle(): Promise<void>;
}

interface MessageRow {
  readonly id: string;
  readonly aor: string;
  readonly sender: string;
  readonly content_type: string;
  readonly body: string;
  readonly sent_at: Date;
  readonly expires_at: Date;
}

interface Wanted {
  readonly aor: string;
  /** id, sender, content type, body, sent at, expires at, bound. */
  readonly values: readonly [string, string, string, string, number, number, number];
}

const NOW = `to_timestamp($1::double precision / 1000)`;
const names = 'id, aor, sender, content_type, body, sent_at, expires_at';

const STORE = `
  INSERT INTO stored_message (${names})
  SELECT id, aor, sender, content_type, body, to_timestamp(sent_at / 1000), to_timestamp(expires_at / 1000)
  FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::double precision[], $8::double precision[], $9::int[])
    AS m(aor, id, sender, content_type, body, sent_at, expires_at, most)
  WHERE (SELECT count(*) FROM stored_message s WHERE s.aor = m.aor AND s.expires_at > ${NOW}) < m.most
  RETURNING aor`;

const WAITING = `SELECT ${names} FROM stored_message WHERE expires_at > ${NOW} AND aor = $2 ORDER BY sent_at, id LIMIT $3`;
const DELIVERED = 'DELETE FROM stored_message WHERE id = $1';
const REFUSED = `
  WITH tried AS (UPDATE stored_message SET tries = tries + 1 WHERE id = $1 AND tries + 1 < $2)
  DELETE FROM stored_message WHERE id = $1 AND tries + 1 >= $2`;
const RECIPIENTS = 'SELECT DISTINCT aor FROM stored_message ORDER BY aor LIMIT $1';
export function createMessageStore({ pool, clock, groupMs }: StoreOptions): PostgresMessageStore {
  const sweep = createSweep(pool, { table: 'stored_message', key: 'id', isOver: `expires_at <= ${AT}` });
  const stores = createGroupedWriter<Wanted, 'stored' | 'full'>({
    groupMs,
    maxGroup: 100,
    maxWaiting: 10_000,
    after: clock.after.bind(clock),
    key: ({ aor }) => aor,
    write: async (group) => {
      const columns = [0, 1, 2, 3, 4, 5, 6].map((index) => group.map(({ values }) => values[index]));
      const values = [clock.nowMs(), group.map(({ aor }) => aor), ...columns];
      const rows = await pool.query<{ aor: string }>({ name: 'message-store', text: STORE, values });
      const stored = new Set(rows.map(({ aor }) => aor));
      return group.map(({ aor }) => (stored.has(aor) ? 'stored' : 'full'));
    },
  });
  return {
    store: async (message, most) => stores.add(wanted(message, most)),
    waitingFor: async (aor, limit) => {
      const values = [clock.nowMs(), toDatabase(aor), limit];
      return (await pool.query<MessageRow>({ name: 'message-waiting', text: WAITING, values })).map(messageOf);
    },
    delivered: async (id) => {
      await pool.query({ name: 'message-delivered', text: DELIVERED, values: [toDatabase(id)] });
    },
    refused: async (id, mostTries) => {
      await pool.query({ name: 'message-refused', text: REFUSED, values: [toDatabase(id), mostTries] });
    },
    recipients: async (limit) => {
      const rows = await pool.query<{ aor: string }>({ name: 'message-recipients', text: RECIPIENTS, values: [limit] });
      return rows.map(({ aor }) => fromDatabase(aor));
    },
    sweep: () => sweep(clock.nowMs()),
    waiting: stores.waiting,
    idle: stores.idle,
  };
}

function wanted({ id, aor, from, contentType, body, sentAtMs, expiresAtMs }: StoredMessage, most: number): Wanted {
  const text = [toDatabase(id), toDatabase(from), toDatabase(contentType), toDatabase(body)] as const;
  return { aor: toDatabase(aor), values: [...text, sentAtMs, expiresAtMs, most] };
}

function messageOf(row: MessageRow): StoredMessage {
  return {
    id: fromDatabase(row.id),
    aor: fromDatabase(row.aor),
    from: fromDatabase(row.sender),
    contentType: fromDatabase(row.content_type),
    body: fromDatabase(row.body),
    sentAtMs: row.sent_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
  };
}
