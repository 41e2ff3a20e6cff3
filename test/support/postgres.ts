/**
 * Real PostgreSQL for tests, of two kinds: `embedded` is our launcher with the packaged programs (unix socket), `server`
 * the installed PostgreSQL as an operator would run it (TCP on loopback, password). One server of a kind per test file,
 * started when first asked for and stopped after the file's tests; its database is emptied before each test.
 */
import { rmSync } from 'node:fs';
import { after } from 'node:test';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/adapters/postgres/database.ts';
import { startEmbedded } from '../../src/adapters/postgres/embedded.ts';
import { migrate } from '../../src/adapters/postgres/migrations.ts';
import type { DatabaseConnection } from '../../src/adapters/postgres/pool.ts';
import type { Log } from '../../src/ports.ts';
import { sql, startPostgresServer, temporaryFolder } from './postgres-server.ts';

export { sql, temporaryFolder } from './postgres-server.ts';

export type ServerKind = 'embedded' | 'server';
export const serverKinds: readonly ServerKind[] = ['embedded', 'server'];

/** Where no PostgreSQL is installed, so that the packaged one is taken. */
export const NOTHING_INSTALLED = '/nonexistent';

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface DatabaseWish extends Partial<Omit<DatabaseOptions, 'connection'>> {
  readonly kind: ServerKind;
}

/** Runs `work` with all tables made and empty. Not for two tests at the same time. */
export async function withDatabase(
  { kind, ...options }: DatabaseWish,
  work: (database: Database, connection: DatabaseConnection) => Promise<void>,
): Promise<void> {
  const connection = (await serverOf(kind)).connection(MIGRATED);
  await empty(connection);
  const database = await openDatabase({ log: silentLog, ...options, connection });
  try {
    await work(database, connection);
  } finally {
    await database.close();
  }
}

/** Runs `work` with a database that has nothing in it. */
export async function withEmptyDatabase(
  kind: ServerKind,
  work: (connection: DatabaseConnection) => Promise<void>,
): Promise<void> {
  const server = await serverOf(kind);
  databases += 1;
  const name = `empty${databases}`;
  await sql(server.connection('postgres'), `CREATE DATABASE ${name}`);
  await work(server.connection(name));
}

/** A folder for DATA_DIR that is removed after `work`, whatever runs in it must have been stopped by then. */
export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// --- servers ---------------------------------------------------------------------------------------------------------

interface TestServer {
  connection(database: string): DatabaseConnection;
  stop(): Promise<void>;
}

const MIGRATED = 'migrated';
const running = new Map<ServerKind, Promise<TestServer>>();
let databases = 0;

after(async () => {
  for (const server of running.values()) await (await server).stop();
});

function serverOf(kind: ServerKind): Promise<TestServer> {
  const server = running.get(kind) ?? prepare(kind === 'embedded' ? startPackaged() : startInstalled());
  running.set(kind, server);
  return server;
}

async function prepare(starting: Promise<TestServer>): Promise<TestServer> {
  const server = await starting;
  await sql(server.connection('postgres'), `CREATE DATABASE ${MIGRATED}`);
  await migrate(server.connection(MIGRATED), silentLog);
  return server;
}

/** Far cheaper than a new database. What a test has made besides goes too. */
async function empty(connection: DatabaseConnection): Promise<void> {
  const tables = await sql(
    connection,
    `SELECT c.oid::regclass::text AS name, obj_description(c.oid, 'pg_class') IS NOT NULL AS ours
     FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'viaduct_migration'`,
  );
  const statements = tables.map(({ name, ours }) => (ours === true ? `DELETE FROM ${name};` : `DROP TABLE ${name};`));
  await sql(connection, statements.join(' '));
}

async function startPackaged(): Promise<TestServer> {
  const folder = temporaryFolder();
  const embedded = await startEmbedded({ dataDir: folder, log: silentLog, installedRoot: NOTHING_INSTALLED });
  return {
    connection: (database) => ({ ...embedded.connection, database }),
    stop: async () => {
      await embedded.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startInstalled(): Promise<TestServer> {
  const server = await startPostgresServer();
  return { connection: (database) => ({ url: server.url(database) }), stop: () => server.remove() };
}
