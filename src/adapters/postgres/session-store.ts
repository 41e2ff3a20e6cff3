/** Short-lived logins of accounts (`SessionStore`). Nothing is cached: one that is removed opens no door any more. */
import type { Session, SessionStore, Subscriber } from '../../ports.ts';
import type { StoreOptions } from './location-store.ts';
import { createGroupedReader } from './reader.ts';
import { SUBSCRIBER_COLUMNS, type SubscriberRow, subscriberOf } from './subscriber-row.ts';
import { hashes, keyOf } from './subscriber-store.ts';
import { AT, createSweep } from './sweep.ts';
import { fromDatabase } from './text.ts';

export interface PostgresSessionStore extends SessionStore {
  /** Removes what has expired, in batches; resolves with the number. */
  sweep(): Promise<number>;
  waiting(): number;
  idle(): Promise<void>;
}

interface SessionRow {
  readonly id: string;
  readonly username: string;
  readonly domain: string;
  readonly created_at: Date;
  readonly expires_at: Date;
}

const timeOf = (parameter: number): string => `to_timestamp($${parameter}::double precision / 1000)`;
const HOLDS = `x.expires_at > ${timeOf(1)} AND NOT s.disabled`;
const FIND = `SELECT x.id, ${SUBSCRIBER_COLUMNS}, x.ha1_md5, x.ha1_sha256
  FROM session x JOIN subscriber s USING (username, domain) WHERE ${HOLDS} AND x.id = ANY ($2::text[])`;
const ALIVE = `SELECT x.id FROM session x JOIN subscriber s USING (username, domain)
  WHERE ${HOLDS} AND x.id = ANY ($2::text[])`;
const ADD = `INSERT INTO session (id, username, domain, ha1_md5, ha1_sha256, created_at, expires_at)
  SELECT $1, username, domain, $4, $5, ${timeOf(6)}, ${timeOf(7)} FROM subscriber
  WHERE username = $2 AND domain = $3 AND NOT disabled RETURNING id`;
const REMOVE = 'DELETE FROM session WHERE id = $1 RETURNING id';
const PAGE = `SELECT id, username, domain, created_at, expires_at FROM session
  WHERE expires_at > ${timeOf(1)} AND id > $2 ORDER BY id LIMIT $3`;

export function createSessionStore({ pool, clock }: Pick<StoreOptions, 'pool' | 'clock'>): PostgresSessionStore {
  const sweep = createSweep(pool, { table: 'session', key: 'id', isOver: `expires_at <= ${AT}` });
  const finds = createGroupedReader<string, Subscriber | undefined>(async (ids) => {
    const values = [clock.nowMs(), ids];
    const rows = await pool.query<SubscriberRow & { readonly id: string }>({
      name: 'session-find',
      text: FIND,
      values,
    });
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => withSession(id, subscriberOf(byId.get(id))));
  });
  return {
    find: (id) => finds.add(id),
    add: async ({ id, username, domain, createdAtMs, expiresAtMs }, password) => {
      const values = [id, ...keyOf(username, domain), ...hashes(id, domain, password), createdAtMs, expiresAtMs];
      return (await pool.query({ name: 'session-add', text: ADD, values })).length > 0;
    },
    remove: async (id) => (await pool.query({ name: 'session-remove', text: REMOVE, values: [id] })).length > 0,
    alive: async (ids) => {
      const rows = await pool.query<SessionRow>({ name: 'session-alive', text: ALIVE, values: [clock.nowMs(), ids] });
      return rows.map(({ id }) => id);
    },
    page: async (limit, after = '') => {
      const values = [clock.nowMs(), after, limit];
      return (await pool.query<SessionRow>({ name: 'session-page', text: PAGE, values })).map(sessionOf);
    },
    sweep: () => sweep(clock.nowMs()),
    waiting: finds.waiting,
    idle: finds.idle,
  };
}

function withSession(session: string, subscriber: Subscriber | undefined): Subscriber | undefined {
  return subscriber && { ...subscriber, session };
}

function sessionOf({ id, username, domain, created_at, expires_at }: SessionRow): Session {
  const account = { username: fromDatabase(username), domain: fromDatabase(domain) };
  return { id, ...account, createdAtMs: created_at.getTime(), expiresAtMs: expires_at.getTime() };
}
