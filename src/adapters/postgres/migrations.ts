/**
 * Applies `sql/*.sql` in the order of their names, each once (rules: `sql/README.md`).
 *
 * Nodes that start together take turns by locking one row (no advisory lock: distributed databases have none). All of it
 * is one transaction, so a file that fails leaves nothing behind.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Failure } from '../../errors.ts';
import type { Log } from '../../ports.ts';
import { databaseFailure } from './failure.ts';
import { clientConfig, type DatabaseConnection } from './pool.ts';

const SQL_FOLDER = fileURLToPath(new URL('../../../sql', import.meta.url));

const TABLE = `
  CREATE TABLE IF NOT EXISTS viaduct_migration (
    file text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
  COMMENT ON TABLE viaduct_migration IS 'Which files of sql/ this database has; one row more, named lock, lets nodes take turns.';
  COMMENT ON COLUMN viaduct_migration.file IS 'Name of the file.';
  COMMENT ON COLUMN viaduct_migration.checksum IS 'SHA-256 of its text; a file that is applied must not change.';
  COMMENT ON COLUMN viaduct_migration.applied_at IS 'When it was applied.';
  INSERT INTO viaduct_migration (file, checksum) VALUES ('lock', '') ON CONFLICT DO NOTHING`;

interface Migration {
  readonly file: string;
  readonly text: string;
  readonly checksum: string;
}

/** Rejects with `postgres-unreachable`, or with `migration-changed`. */
export async function migrate(connection: DatabaseConnection, log: Log, folder = SQL_FOLDER): Promise<void> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client(clientConfig(connection));
  client.on('error', () => undefined);
  try {
    await client.connect().catch(unreachable);
    await createTable(client);
    await inOneTransaction(client, () => applyMissing(client, migrations, log));
  } finally {
    void client.end().catch(() => undefined);
  }
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(`${folder}/${file}`, 'utf8');
      return { file, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

async function createTable(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string | null }>(`SELECT to_regclass('viaduct_migration')::text AS name`);
  if (typeof rows[0]?.name === 'string') return;
  // Two nodes may create it at once; PostgreSQL then fails one of them in spite of IF NOT EXISTS.
  await client
    .query(TABLE)
    .catch(() => client.query(TABLE))
    .catch(failed);
}

async function inOneTransaction(client: pg.Client, work: () => Promise<void>): Promise<void> {
  // READ COMMITTED: what the node before us has applied must be seen after the wait for the lock.
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  await client.query(`SELECT file FROM viaduct_migration WHERE file = 'lock' FOR UPDATE`);
  await work();
  await client.query('COMMIT');
}

async function applyMissing(client: pg.Client, migrations: readonly Migration[], log: Log): Promise<void> {
  const applied = await appliedChecksums(client);
  const missing = migrations.filter(({ file }) => !applied.has(file)).length;
  for (const migration of migrations) {
    const checksum = applied.get(migration.file);
    if (checksum === undefined) await apply(client, migration, log);
    else if (checksum !== migration.checksum) throw new Failure('migration-changed', `sql/${migration.file} differs.`);
  }
  if (missing > 0) log.info({ migrations: missing }, 'The tables of the database are up to date');
}

async function appliedChecksums(client: pg.Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ file: string; checksum: string }>(
    'SELECT file, checksum FROM viaduct_migration',
  );
  return new Map(rows.map((row) => [row.file, row.checksum]));
}

async function apply(client: pg.Client, { file, text, checksum }: Migration, log: Log): Promise<void> {
  try {
    await client.query(text);
  } catch (error) {
    throw new Failure('migration-failed', `sql/${file}: ${databaseFailure(error).detail}`);
  }
  await client.query('INSERT INTO viaduct_migration (file, checksum) VALUES ($1, $2)', [file, checksum]);
  log.debug({ file }, 'database migration applied');
}

function unreachable(error: unknown): never {
  throw new Failure('postgres-unreachable', databaseFailure(error).detail);
}

function failed(error: unknown): never {
  throw new Failure('migration-failed', databaseFailure(error).detail);
}
