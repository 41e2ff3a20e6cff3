import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverKinds, sql, withDatabase } from '../../support/postgres.ts';

const rows = 2500;
/** `n` rows that ended two hours ago, but every fifth one of them in an hour. */
const ends = (column: string): string => `now() + CASE n % 5 WHEN 0 THEN 1 ELSE -${column} END * interval '1 hour'`;

/** For each table with rows that end: one insert of `rows` of them. */
const inserts: Readonly<Record<string, string>> = {
  location: `INSERT INTO location (aor, binding_key, key_hash, contact, contact_params, q, expires_at, call_id, cseq, path, node,
      boot, transport, source, user_agent)
    SELECT 'sip:' || n || '@example.com', 'k', '0123456789', 'sip:x', '', 1, ${ends('2')}, 'c', 1, '{}', 'n', 'b', 'udp', '', ''
    FROM generate_series(1, ${rows}) AS n`,
  stored_message: `INSERT INTO stored_message (id, aor, sender, content_type, body, sent_at, expires_at)
    SELECT n, 'sip:a@example.com', 'sip:b@example.com', 'text/plain', '', now(), ${ends('2')} FROM generate_series(1, ${rows}) AS n`,
  media_outbox: `INSERT INTO media_outbox (call_id, media_node, created_at, expires_at)
    SELECT n, 'm', now(), ${ends('2')} FROM generate_series(1, ${rows}) AS n`,
  failed_call: `INSERT INTO failed_call (id, call_id, node, from_uri, to_uri, started_at, ended_at, story)
    SELECT n, 'c', 'n', 'a', 'b', now(), ${ends('24 * 30')}, '{}' FROM generate_series(1, ${rows}) AS n`,
  call_record: `INSERT INTO call_record (id, call_id, node, from_uri, to_uri, from_aor, to_aor, started_at, ended_at, state)
    SELECT n, 'c', 'n', 'a', 'b', 'a', 'b', ${ends('24 * 30')}, now(), 'ended' FROM generate_series(1, ${rows}) AS n`,
};

for (const kind of serverKinds) {
  test(`location has no index on the time: each sweep looks at a stretch, and the next one goes on behind it: ${kind}`, async () => {
    await withDatabase({ kind }, async ({ location }, connection) => {
      await sql(connection, (inserts.location ?? '').replace(`(1, ${rows})`, '(1, 25000)'));
      const swept = [await location.sweep(), await location.sweep(), await location.sweep()];
      assert.equal(
        swept.reduce((sum, each) => sum + each),
        20_000,
      );
      assert.ok(
        swept.every((each) => each > 0 && each < 10_000),
        `${swept}`,
      );
      await sql(connection, 'UPDATE location SET expires_at = now()');
      assert.equal(await location.sweep(), 5_000, 'it begins anew');
      assert.equal((await sql(connection, 'SELECT FROM location')).length, 0);
    });
  });

  test(`what has expired is removed in batches, however much it is, and nothing else: ${kind}`, async () => {
    await withDatabase({ kind, recordDays: 20 }, async (database, connection) => {
      const stores: Readonly<Record<string, { sweep(): Promise<number> }>> = {
        location: database.location,
        stored_message: database.messages,
        media_outbox: database.outbox,
        failed_call: database.failedCalls,
        call_record: database.callRecords,
      };
      for (const [table, insert] of Object.entries(inserts)) {
        await sql(connection, insert);
        assert.equal(await stores[table]?.sweep(), (rows * 4) / 5, table);
        assert.equal((await sql(connection, `SELECT FROM ${table}`)).length, rows / 5, table);
      }
    });
  });
}
