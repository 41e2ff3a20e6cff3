/**
 * Connections to PostgreSQL: a bounded pool, one `query`, and what is known of the server's state.
 *
 * - A lost connection is looked into at once by a probe of its own, and the server is asked every second (heartbeat.ts);
 *   while it is down it is probed every two seconds and statements are refused without trying, so that calls do not queue
 *   behind a dead server. Those on their way to one that hangs end at once, with their outcome unknown.
 * - Statements run at REPEATABLE READ and are repeated when another node was in the way (40001): each sees one state of
 *   the database and nothing is overwritten unseen.
 * - A node of this release goes on while a newer one changes the tables: what it had prepared is prepared anew.
 * - No error event goes uncaught, and every failure comes out as a `Failure`.
 */
import pg from 'pg';
import { errors, Failure } from '../../errors.ts';
import type { Cancel, Clock, Log } from '../../ports.ts';
import { connectionLost, databaseFailure, hasOldPlan, isFull, mayBeRepeated, refusesWrites } from './failure.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createRefusedWrites } from './refused-writes.ts';

/** `url`: as in DATABASE_URL. Otherwise a socket folder (or host name) of a server that needs no password. */
export type DatabaseConnection =
  | { readonly url: string }
  | { readonly host: string; readonly user: string; readonly database: string; readonly port?: number };

export interface Statement {
  /** Prepared once per connection under this name. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface Pool {
  /** Runs one statement, which is a transaction of its own: committed when it resolves. */
  query<Row extends pg.QueryResultRow>(statement: Statement): Promise<readonly Row[]>;
  /** `down`, too, while it answers and takes no writes: nobody can register then. */
  state(): 'up' | 'down';
  /** Why it is `down`. */
  trouble(): Failure | undefined;
  /** Statements that wait for a connection. */
  waiting(): number;
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly connection: DatabaseConnection;
  readonly log: Log;
  readonly after: Clock['after'];
  readonly maxConnections: number;
  readonly probeMs: number;
}

const MAX_QUEUED = 1000;
const MAX_TRIES = 5;
const CONNECT_TIMEOUT_MS = 3000;
const STATEMENT_TIMEOUT_MS = 5000;
/** Ours, for a server that is gone without a word; later than the server's own. */
const ANSWER_TIMEOUT_MS = 7000;

export function clientConfig(connection: DatabaseConnection): pg.ClientConfig {
  const address = 'url' in connection ? { connectionString: connection.url } : connection;
  return {
    ...address,
    application_name: 'viaduct',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
}

export function createPool(options: PoolOptions): Pool {
  const { connection, log, after, maxConnections } = options;
  const pool = new pg.Pool({
    ...clientConfig(connection),
    onConnect: setSession,
    query_timeout: ANSWER_TIMEOUT_MS,
    max: maxConnections,
    min: 1,
    idleTimeoutMillis: 60_000,
  });
  const health = createHealth(options);
  const refusedWrites = createRefusedWrites(after, log);
  const trouble = (): Failure | undefined => health.trouble() ?? refusedWrites.latest();
  pool.on('error', () => health.suspect());
  const busy = new Set<pg.PoolClient>();
  let lastAnswerMs = 0;
  const stopHeartbeat = startHeartbeat({
    config: clientConfig(connection),
    isDown: () => health.trouble() !== undefined,
    lastAnswerMs: () => lastAnswerMs,
    broken: health.suspect,
    silent: (error) => {
      health.isSilent(error);
      for (const client of busy) void end(client);
    },
  });
  let closed = false;

  async function query<Row extends pg.QueryResultRow>(statement: Statement): Promise<readonly Row[]> {
    if (closed) throw new Failure('shutting-down');
    const down = health.trouble();
    // One of its own: each has the stack of who asked.
    if (down !== undefined) throw new Failure(down.code, down.detail);
    if (pool.waitingCount >= MAX_QUEUED) throw new Failure('overloaded', 'All database connections are in use.');
    for (let tries = 1; ; tries++) {
      try {
        const rows = await queryOnce<Row>(statement);
        refusedWrites.done(statement.name);
        return rows;
      } catch (error) {
        // It ends with each connection that has one.
        if (hasOldPlan(error) && tries < maxConnections + MAX_TRIES) continue;
        if (connectionLost(error)) health.suspect();
        if (tries >= MAX_TRIES || !mayBeRepeated(error)) throw logged(statement, error);
        await pause(after, Math.random() * 10 * tries);
      }
    }
  }

  async function queryOnce<Row extends pg.QueryResultRow>(statement: Statement): Promise<readonly Row[]> {
    const client = await pool.connect();
    busy.add(client);
    try {
      const result = await client.query<Row>({ ...statement, values: [...statement.values] });
      client.release();
      lastAnswerMs = performance.now();
      return result.rows;
    } catch (error) {
      client.release(connectionLost(error) || hasOldPlan(error));
      throw error;
    } finally {
      busy.delete(client);
    }
  }

  function logged(statement: Statement, error: unknown): Failure {
    const failure = databaseFailure(error);
    if (refusesWrites(error)) refusedWrites.refused(statement.name, failure);
    if (failure.code === 'internal')
      log.error({ statement: statement.name, error: failure.message }, 'statement failed');
    return failure;
  }

  return {
    query,
    state: () => (trouble() === undefined ? 'up' : 'down'),
    trouble,
    waiting: () => pool.waitingCount,
    close: async () => {
      if (closed) return;
      closed = true;
      health.stop();
      refusedWrites.stop();
      await Promise.all([stopHeartbeat(), pool.end()]);
    },
  };
}

/** Not as start-up parameters: a DATABASE_URL may have `options` of its own, and connection poolers refuse them. */
async function setSession(client: pg.ClientBase): Promise<void> {
  // A connection that breaks fails its statement and emits an error besides, which nobody else listens to meanwhile.
  client.on('error', () => undefined);
  await client.query(
    `SET default_transaction_isolation = 'repeatable read'; SET statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
  );
  // Our statements find rows by key. While a table fills up its statistics are old, and a plan made from them reads the
  // whole table for each group; planning anew each time costs as much as the work, and compiling a plan a hundred times as
  // much. Databases that speak the protocol only may not know one of these settings, and do without it.
  for (const setting of ['enable_seqscan = off', 'plan_cache_mode = force_generic_plan', 'jit = off']) {
    await client.query(`SET ${setting}`).catch(() => undefined);
  }
}

/** One with a statement on its way is cut, and that fails. */
async function end(client: pg.ClientBase): Promise<void> {
  if (client instanceof pg.Client) await client.end().catch(() => undefined);
}

interface Health {
  /** Undefined while it answers. */
  trouble(): Failure | undefined;
  /** It does not answer: `down` without another question, and probed until it does. */
  isSilent(error: string): void;
  /** Something broke: find out whether it was one connection or the server. */
  suspect(): void;
  stop(): void;
}

function createHealth({ connection, log, after, probeMs }: PoolOptions): Health {
  let trouble: Failure | undefined;
  let probing = false;
  let stopTimer: Cancel | undefined;
  let stopped = false;

  function suspect(): void {
    if (probing || stopped || stopTimer !== undefined) return;
    probing = true;
    void attempt(connection).then((error) => {
      probing = false;
      if (!stopped) conclude(error === undefined || isFull(error) ? undefined : databaseFailure(error));
    });
  }

  function conclude(found: Failure | undefined): void {
    const { nextStep } = errors['database-down'];
    if (found !== undefined && found.detail !== trouble?.detail)
      log.error({ error: found.detail, nextStep }, 'the database is down');
    if (found === undefined && trouble !== undefined) log.info({}, 'the database is up again');
    trouble = found;
    stopTimer?.();
    stopTimer = trouble === undefined ? undefined : after(probeMs, again);
  }

  function isSilent(error: string): void {
    if (!stopped && trouble === undefined && stopTimer === undefined) conclude(new Failure('database-down', error));
  }

  function again(): void {
    stopTimer = undefined;
    suspect();
  }

  function stop(): void {
    stopped = true;
    stopTimer?.();
  }

  return { trouble: () => trouble, isSilent, suspect, stop };
}

/** One connection and one statement; the error in words when that does not work. */
export async function probe(connection: DatabaseConnection): Promise<string | undefined> {
  const error = await attempt(connection);
  return error === undefined ? undefined : databaseFailure(error).detail;
}

async function attempt(connection: DatabaseConnection): Promise<unknown> {
  const client = new pg.Client({ ...clientConfig(connection), query_timeout: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return undefined;
  } catch (error) {
    return error;
  } finally {
    void client.end().catch(() => undefined);
  }
}

function pause(after: Clock['after'], delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    after(delayMs, resolve);
  });
}
