import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../src/adapters/postgres/database.ts';
import { databaseFailure } from '../../../src/adapters/postgres/failure.ts';
import { createPool, type DatabaseConnection, type Pool } from '../../../src/adapters/postgres/pool.ts';
import { type ErrorCode, Failure } from '../../../src/errors.ts';
import { serverKinds, silentLog, sql, withDatabase } from '../../support/postgres.ts';

const failedWith = (code: ErrorCode) => (error: unknown) => error instanceof Failure && error.code === code;
const one = { name: 'one', text: 'SELECT 1 AS one', values: [] };

async function withPool(connection: DatabaseConnection, work: (pool: Pool) => Promise<void>): Promise<void> {
  const after = (delayMs: number, action: () => void) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  };
  const pool = createPool({ connection, log: silentLog, after, maxConnections: 3, probeMs: 20 });
  try {
    await work(pool);
  } finally {
    await pool.close();
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadlineMs = Date.now() + 10_000; !condition(); await sleep(5)) {
    assert.ok(Date.now() < deadlineMs, 'it has not come to that within 10 s');
  }
}

interface CuttableWay {
  readonly connection: DatabaseConnection;
  cut(): void;
  mend(): Promise<void>;
  /** Connections stay, and nothing passes any more, as with a server that hangs; and it goes on. */
  stall(): void;
  resume(): void;
}

/** A way to the server that can be cut: a TCP relay in front of it. */
async function withCuttableWay(
  connection: DatabaseConnection,
  work: (way: CuttableWay) => Promise<void>,
): Promise<void> {
  assert.ok('url' in connection);
  const target = new URL(connection.url);
  const sockets = new Set<Socket>();
  let stalled = false;
  const relay = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      // Behind the pipes, which let it flow.
      if (stalled) setImmediate(() => socket.pause());
    }
    client.pipe(upstream).pipe(client);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const address = relay.address();
  assert.ok(typeof address === 'object' && address !== null);
  const url = new URL(connection.url);
  url.port = String(address.port);
  const cut = () => {
    relay.close();
    for (const socket of sockets) socket.destroy();
  };
  const hang = (on: boolean) => {
    stalled = on;
    for (const socket of sockets) on ? socket.pause() : socket.resume();
  };
  const mend = async () => {
    relay.listen(address.port, '127.0.0.1');
    await once(relay, 'listening');
  };
  try {
    await work({ connection: { url: url.href }, cut, mend, stall: () => hang(true), resume: () => hang(false) });
  } finally {
    cut();
  }
}

test('pool: a lost server is `down`, statements are refused as such, and it is `up` again by itself', async () => {
  await withDatabase({ kind: 'server' }, async (_database, direct) => {
    await withCuttableWay(direct, async ({ connection, cut, mend }) => {
      await withPool(connection, async (pool) => {
        assert.deepEqual(await pool.query(one), [{ one: 1 }]);
        assert.equal(pool.state(), 'up');
        const running = assert.rejects(
          pool.query({ name: 'sleep', text: 'SELECT pg_sleep(5)', values: [] }),
          failedWith('database-down'),
        );
        await until(() => pool.waiting() === 0);
        await sleep(50);
        cut();
        await running;
        await until(() => pool.state() === 'down');
        await assert.rejects(pool.query(one), failedWith('database-down'));
        await mend();
        await until(() => pool.state() === 'up');
        assert.deepEqual(await pool.query(one), [{ one: 1 }]);
      });
    });
  });
});

test('pool: a server that hangs is `down` within three seconds, with what is on its way to it; and `up` by itself', async () => {
  await withDatabase({ kind: 'server' }, async (_database, direct) => {
    await withCuttableWay(direct, async ({ connection, stall, resume }) => {
      await withPool(connection, async (pool) => {
        assert.deepEqual(await pool.query(one), [{ one: 1 }]);
        await sleep(1_500);
        stall();
        const stalledMs = Date.now();
        await Promise.all([1, 2].map(() => assert.rejects(pool.query(one), failedWith('database-down'))));
        assert.equal(pool.state(), 'down');
        // Statements alone would wait for seven seconds.
        assert.ok(Date.now() - stalledMs < 6_500, `${Date.now() - stalledMs} ms`);
        await assert.rejects(pool.query(one), failedWith('database-down'));
        resume();
        await until(() => pool.state() === 'up');
        assert.deepEqual(await pool.query(one), [{ one: 1 }]);
      });
    });
  });
});

test('pool: one that is asked nothing is `down` by itself when it hangs', async (t) => {
  await withDatabase({ kind: 'server' }, async (_database, direct) => {
    await withCuttableWay(direct, async ({ connection, stall }) => {
      await withPool(connection, async (pool) => {
        await sleep(1_500);
        stall();
        const stalledMs = Date.now();
        await until(() => pool.state() === 'down');
        t.diagnostic(`known after ${Date.now() - stalledMs} ms`);
      });
    });
  });
});

test('pool: a server that has no connection left for one more is `up`: those that there are go on', async () => {
  await withDatabase({ kind: 'server' }, async (_database, direct) => {
    assert.ok('url' in direct);
    await sql(direct, "CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 1");
    const url = new URL(direct.url);
    [url.username, url.password] = ['narrow', 'narrow'];
    try {
      await withPool({ url: url.href }, async (pool) => {
        assert.deepEqual(await pool.query(one), [{ one: 1 }]);
        // The heartbeat finds no place, for as long as it is asked for one.
        for (const untilMs = Date.now() + 2_500; Date.now() < untilMs; await sleep(20)) {
          assert.equal(pool.state(), 'up');
          assert.deepEqual(await pool.query(one), [{ one: 1 }]);
        }
      });
    } finally {
      await sql(direct, 'DROP ROLE narrow');
    }
  });
});

test('pool: a server that takes no writes is `down` with the cure, though it answers; and `up` as soon as it takes them', async () => {
  await withDatabase({ kind: 'server' }, async (_database, direct) => {
    const connection = await asRole(direct, 'reader');
    await sql(direct, 'CREATE TABLE written (n int); GRANT ALL ON written TO reader');
    await sql(direct, 'ALTER ROLE reader SET default_transaction_read_only = on');
    const write = { name: 'write', text: 'INSERT INTO written VALUES (1)', values: [] };
    try {
      await withPool(connection, async (pool) => {
        assert.deepEqual([await pool.query(one), pool.state()], [[{ one: 1 }], 'up']);
        await assert.rejects(pool.query(write), failedWith('database-down'));
        assert.deepEqual([await pool.query(one), pool.state()], [[{ one: 1 }], 'down']);
        assert.match(pool.trouble()?.detail ?? '', /read-only.*\(25006\)\. It is a standby/);
        await sql(direct, 'ALTER ROLE reader SET default_transaction_read_only = off');
        await sql(direct, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'");
        await until(() => pool.state() === 'down');
        await pool.query(write);
        assert.deepEqual([pool.state(), pool.trouble()], ['up', undefined]);
      });
    } finally {
      await sql(direct, 'DROP TABLE written; DROP ROLE reader');
    }
  });
});

test('pool: a password that is right no more is told as such, with the setting; no fault of ours', async () => {
  await withDatabase({ kind: 'server' }, async (_database, direct) => {
    const connection = await asRole(direct, 'rotated');
    try {
      await withPool(connection, async (pool) => {
        await pool.query(one);
        await sql(direct, "ALTER ROLE rotated PASSWORD 'another'");
        await sql(direct, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'");
        for (const untilMs = Date.now() + 10_000; pool.state() === 'up'; await sleep(5)) {
          assert.ok(Date.now() < untilMs, 'nobody has noticed within 10 s');
          await pool.query(one).catch((thrown) => assert.ok(failedWith('database-down')(thrown), String(thrown)));
        }
        const cause =
          /password authentication failed for user "rotated" \(28P01\)\. Check user and password of DATABASE_URL/;
        assert.match(pool.trouble()?.detail ?? '', cause);
        await assert.rejects(pool.query(one), cause);
        await sql(direct, "ALTER ROLE rotated PASSWORD 'rotated'");
        await until(() => pool.state() === 'up');
      });
    } finally {
      await sql(direct, 'DROP ROLE rotated');
    }
  });
});

/** One that may log in with its name as the password. */
async function asRole(direct: DatabaseConnection, role: string): Promise<DatabaseConnection> {
  assert.ok('url' in direct);
  await sql(direct, `CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
  const url = new URL(direct.url);
  [url.username, url.password] = [role, role];
  return { url: url.href };
}

for (const kind of serverKinds) {
  describe(`pool, ${kind}`, () => {
    test('pool: one connection that is ended by the server is replaced, the state stays `up`', async () => {
      await withDatabase({ kind }, async (_database, connection) => {
        await withPool(connection, async (pool) => {
          await pool.query(one);
          const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()`;
          await sql(connection, others);
          await sleep(50);
          assert.equal(pool.state(), 'up');
          assert.deepEqual(await pool.query(one), [{ one: 1 }]);
        });
      });
    });

    test('pool: when another transaction was in the way the statement is done again', async () => {
      await withDatabase({ kind }, async (_database, connection) => {
        await sql(connection, 'CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)');
        await withPool(connection, async (pool) => {
          const count = { name: 'count', text: 'UPDATE counter SET n = n + 1', values: [] };
          for (let round = 0; round < 10; round++) await Promise.all([pool.query(count), pool.query(count)]);
        });
        assert.deepEqual(await sql(connection, 'SELECT n FROM counter'), [{ n: 20 }]);
      });
    });

    test('pool: a column that the migration of another node adds fails no statement that was prepared before', async () => {
      await withDatabase({ kind }, async (_database, connection) => {
        await sql(connection, 'CREATE TABLE growing (a int); INSERT INTO growing VALUES (1)');
        await withPool(connection, async (pool) => {
          const all = { name: 'all', text: 'SELECT *, pg_sleep(0.1)::text FROM growing', values: [] };
          const atOnce = () => Promise.all(Array.from({ length: 6 }, () => pool.query(all)));
          await atOnce();
          await sql(connection, 'ALTER TABLE growing ADD COLUMN b int DEFAULT 2');
          for (const [row] of await atOnce()) assert.partialDeepStrictEqual(row, { a: 1, b: 2 });
        });
      });
    });

    test('pool: a statement with a fault is an internal failure and the connection goes on', async () => {
      await withDatabase({ kind }, async (_database, connection) => {
        await withPool(connection, async (pool) => {
          const wrong = { name: 'wrong', text: 'SELECT nonsense', values: [] };
          await assert.rejects(pool.query(wrong), failedWith('internal'));
          await assert.rejects(
            pool.query({ name: 'divide', text: 'SELECT 1 / 0', values: [] }),
            failedWith('malformed'),
          );
          assert.deepEqual(await pool.query(one), [{ one: 1 }]);
        });
      });
    });
  });
}

test('pool: after close every statement is refused as shutting down', async () => {
  await withDatabase({ kind: 'embedded' }, async (_database, connection) => {
    await withPool(connection, async (pool) => {
      await pool.close();
      await assert.rejects(pool.query(one), failedWith('shutting-down'));
    });
  });
});

test('pool: what is thrown without an SQLSTATE comes from the connection', () => {
  assert.equal(databaseFailure(new Error('Connection terminated unexpectedly')).code, 'database-down');
  const refused = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:5432`));
  const both = 'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432';
  assert.equal(databaseFailure(new AggregateError(refused)).detail, both, 'a name with two addresses');
  const failure = new Failure('overloaded');
  assert.equal(databaseFailure(failure), failure);
});

test('database: close writes what still waits', async () => {
  await withDatabase({ kind: 'embedded' }, async (_database, connection) => {
    const database = await openDatabase({ connection, log: silentLog, groupMs: 50 });
    const entry = { callId: 'call', mediaNode: 'node', createdAtMs: Date.now() };
    const added = database.outbox.add(entry);
    await until(() => database.waiting() === 1);
    await database.close();
    await added;
    assert.equal((await sql(connection, 'SELECT * FROM media_outbox')).length, 1);
  });
});
