import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { migrate } from '../../../src/adapters/postgres/migrations.ts';
import { type ErrorCode, Failure } from '../../../src/errors.ts';
import { serverKinds, silentLog, sql, withEmptyDatabase, withFolder } from '../../support/postgres.ts';

const SQL = fileURLToPath(new URL('../../../sql', import.meta.url));
const FILES = readdirSync(SQL)
  .filter((name) => name.endsWith('.sql'))
  .sort();

const applied = `SELECT file, checksum, applied_at FROM viaduct_migration WHERE file <> 'lock' ORDER BY file`;

const withoutComment = `
  SELECT c.relname || coalesce('.' || a.attname, '') AS name
  FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)`;

const failedWith = (code: ErrorCode, detail: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === code && detail.test(error.detail);

/** A copy of sql/ that the test may change. */
function withSqlFolder(work: (folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (parent) => {
    const folder = join(parent, 'sql');
    await mkdir(folder);
    await cp(SQL, folder, { recursive: true });
    await work(folder);
  });
}

for (const kind of serverKinds) {
  describe(`migrations, ${kind}`, () => {
    test('migrations: applied once, in order; a second start changes nothing', async () => {
      await withEmptyDatabase(kind, async (connection) => {
        await migrate(connection, silentLog);
        const first = await sql(connection, applied);
        assert.deepEqual(
          first.map((row) => row.file),
          FILES,
        );
        await migrate(connection, silentLog);
        assert.deepEqual(await sql(connection, applied), first);
      });
    });

    test('migrations: nodes that start together take turns, and all of them succeed', async () => {
      await withEmptyDatabase(kind, async (connection) => {
        await Promise.all(Array.from({ length: 6 }, () => migrate(connection, silentLog)));
        assert.equal((await sql(connection, applied)).length, FILES.length);
      });
    });

    test('migrations: every table and every column has a comment', async () => {
      await withEmptyDatabase(kind, async (connection) => {
        await migrate(connection, silentLog);
        assert.deepEqual(await sql(connection, withoutComment), []);
      });
    });
  });
}

test('migrations: an applied file that has changed refuses to start and is named', async () => {
  await withSqlFolder((folder) =>
    withEmptyDatabase('embedded', async (connection) => {
      await migrate(connection, silentLog, folder);
      await writeFile(join(folder, '002_location.sql'), 'CREATE TABLE other (id int)');
      await assert.rejects(
        migrate(connection, silentLog, folder),
        failedWith('migration-changed', /sql\/002_location\.sql/),
      );
    }),
  );
});

test('migrations: a new file is applied to a database that has the others', async () => {
  await withSqlFolder((folder) =>
    withEmptyDatabase('embedded', async (connection) => {
      await migrate(connection, silentLog, folder);
      await writeFile(join(folder, '900_new.sql'), 'CREATE TABLE fresh (id int)');
      await migrate(connection, silentLog, folder);
      assert.equal((await sql(connection, 'SELECT * FROM fresh')).length, 0);
    }),
  );
});

test('migrations: a file that fails leaves nothing of its run behind, and PostgreSQL says why', async () => {
  await withSqlFolder((folder) =>
    withEmptyDatabase('embedded', async (connection) => {
      await writeFile(join(folder, '900_bad.sql'), 'CREATE TABLE half (id int); SELECT nonsense');
      await assert.rejects(
        migrate(connection, silentLog, folder),
        failedWith('migration-failed', /sql\/900_bad\.sql.*nonsense/),
      );
      assert.deepEqual(await sql(connection, applied), []);
      assert.deepEqual(await sql(connection, `SELECT to_regclass('subscriber')::text AS name`), [{ name: null }]);
    }),
  );
});

test('migrations: a server that is not there is reported as unreachable, without the password', async () => {
  await assert.rejects(migrate({ url: 'postgres://proxy:topsecret@127.0.0.1:1/viaduct' }, silentLog), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, 'postgres-unreachable');
    assert.doesNotMatch(error.message, /topsecret/);
    return true;
  });
});
