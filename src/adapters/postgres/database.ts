/**
 * PostgreSQL as one object: migrations, pool, the stores, and a sweeper for what has expired.
 */
import type { Failure } from '../../errors.ts';
import type { AddedNodeStore, AliasStore, Clock, Log, NodeStore } from '../../ports.ts';
import { createAliasStore } from './alias-store.ts';
import { createCallRecordStore, type PostgresCallRecordStore } from './call-record-store.ts';
import { createCalleeReader } from './callee-reader.ts';
import { createChangeStore, type PostgresChangeStore } from './change-store.ts';
import { createDialogStore, type PostgresDialogStore } from './dialog-store.ts';
import { createFailedCallStore, type PostgresFailedCallStore } from './failed-call-store.ts';
import { createLocationStore, type PostgresLocationStore } from './location-store.ts';
import { createMessageStore, type PostgresMessageStore } from './message-store.ts';
import { migrate } from './migrations.ts';
import { createNodeStore } from './node-store.ts';
import { createOutbox, type PostgresOutbox } from './outbox.ts';
import { createPool, type DatabaseConnection } from './pool.ts';
import { createPresenceStore, type PostgresPresenceStore } from './presence-store.ts';
import { createAddedNodeStore } from './rtpengine-node-store.ts';
import { createSessionStore, type PostgresSessionStore } from './session-store.ts';
import { createSubscriberStore, type SubscriberAdmin } from './subscriber-store.ts';

export interface Database {
  readonly subscribers: SubscriberAdmin;
  readonly aliases: AliasStore;
  readonly sessions: PostgresSessionStore;
  readonly location: PostgresLocationStore;
  readonly dialogs: PostgresDialogStore;
  readonly outbox: PostgresOutbox;
  readonly failedCalls: PostgresFailedCallStore;
  readonly callRecords: PostgresCallRecordStore;
  readonly presence: PostgresPresenceStore;
  readonly messages: PostgresMessageStore;
  readonly addedNodes: AddedNodeStore;
  readonly nodes: NodeStore;
  readonly changes: PostgresChangeStore;
  /** `down`, too, while it answers and takes no writes. */
  state(): 'up' | 'down';
  /** Why it is `down`. */
  trouble(): Failure | undefined;
  /** Its clock, its version and how many migrations it has; rejects when it does not answer, or takes no writes. */
  about(): Promise<{ readonly nowMs: number; readonly version: string; readonly migrations: number }>;
  /** Entries that wait for their statement, and statements that wait for a connection. */
  waiting(): number;
  /** Writes what still waits (for three seconds at most), then disconnects. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly connection: DatabaseConnection;
  readonly log: Log;
  /** How long a statement waits for company at most (DESIGN §5). */
  readonly groupMs?: number;
  readonly clock?: Clock;
  readonly maxConnections?: number;
  /** Between two tries to reach a server that is down. */
  readonly probeMs?: number;
  readonly sweepMs?: number;
  /** How long the record of a call is kept; absent: nobody removes any. */
  readonly recordDays?: number;
}

const CLOSE_MS = 3000;

const ABOUT = `SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now_ms, current_setting('server_version') AS version,
  (SELECT count(*) FROM viaduct_migration WHERE file <> 'lock') AS migrations`;

interface AboutRow {
  readonly now_ms: string;
  readonly version: string;
  readonly migrations: string;
}

/** Rejects with `postgres-unreachable`, `migration-changed` or `migration-failed`. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { connection, log, groupMs = 5, clock = systemClock, maxConnections = 10, probeMs = 2000 } = options;
  await migrate(connection, log);
  const pool = createPool({ connection, log, after: clock.after.bind(clock), maxConnections, probeMs });
  const storeOptions = { pool, clock, groupMs };
  const callees = createCalleeReader(pool, clock);
  const subscribers = createSubscriberStore(storeOptions, callees);
  const sessions = createSessionStore(storeOptions);
  const location = createLocationStore(storeOptions, callees);
  const dialogs = createDialogStore(storeOptions);
  const outbox = createOutbox(storeOptions);
  const failedCalls = createFailedCallStore(storeOptions);
  const callRecords = createCallRecordStore(storeOptions, options.recordDays);
  const presence = createPresenceStore(storeOptions);
  const messages = createMessageStore(storeOptions);
  const changes = createChangeStore(storeOptions);
  const stores = [
    callees,
    subscribers,
    sessions,
    location,
    dialogs,
    outbox,
    failedCalls,
    callRecords,
    presence,
    messages,
  ];
  const stopSweeper = startSweeper(
    [sessions, location, outbox, failedCalls, callRecords, presence, messages, changes],
    options.sweepMs ?? 30_000,
    log,
  );

  return {
    subscribers,
    aliases: createAliasStore(pool),
    sessions,
    location,
    dialogs,
    outbox,
    failedCalls,
    callRecords,
    presence,
    messages,
    addedNodes: createAddedNodeStore(pool),
    nodes: createNodeStore(pool),
    changes,
    state: pool.state,
    trouble: pool.trouble,
    about: async () => {
      const [row] = await pool.query<AboutRow>({ name: 'about', text: ABOUT, values: [] });
      const trouble = pool.trouble();
      if (trouble !== undefined) throw trouble;
      return { nowMs: Number(row?.now_ms), version: row?.version ?? '', migrations: Number(row?.migrations) };
    },
    waiting: () => stores.reduce((sum, store) => sum + store.waiting(), pool.waiting()),
    close: async () => {
      stopSweeper();
      await atMost(CLOSE_MS, Promise.all(stores.map((store) => store.idle())));
      await atMost(CLOSE_MS, pool.close());
    },
  };
}

interface Sweepable {
  sweep(): Promise<number>;
}

/** A sweep that fails is not worth an error: the rows do not count any more, and the next one tries again. */
function startSweeper(stores: readonly Sweepable[], everyMs: number, log: Log): () => void {
  const timer = setInterval(() => {
    void Promise.all(stores.map((store) => store.sweep())).catch((error: unknown) => {
      log.debug({ error: String(error) }, 'sweep failed');
    });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

/** Its timers keep the process alive, unlike those of other clocks: what is being written must get written. */
const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
