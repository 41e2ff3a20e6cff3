import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../../src/adapters/postgres/database.ts';
import { type EmbeddedPostgres, findEmbedded, startEmbedded } from '../../../src/adapters/postgres/embedded.ts';
import { type ErrorCode, Failure } from '../../../src/errors.ts';
import type { Binding } from '../../../src/ports.ts';
import { NOTHING_INSTALLED, silentLog, sql, temporaryFolder, withFolder } from '../../support/postgres.ts';
import { isAlive, startProcess } from '../../support/process.ts';

const PARENT = fileURLToPath(new URL('embedded-parent.ts', import.meta.url));
const START_MS = 60_000;
const asRoot = process.getuid?.() === 0;

const start = (dataDir: string, installedRoot = NOTHING_INSTALLED) =>
  startEmbedded({ dataDir, log: silentLog, installedRoot });

/** A server that is stopped after `work`, whatever happens in it. */
async function withServer(
  dataDir: string,
  work: (server: EmbeddedPostgres) => Promise<void>,
  installedRoot = NOTHING_INSTALLED,
): Promise<void> {
  const server = await start(dataDir, installedRoot);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

/** One DATA_DIR for each kind of programs, used by test after test: making a data folder takes most of a start. */
const programs = [
  { name: 'packaged', installedRoot: NOTHING_INSTALLED, dataDir: temporaryFolder() },
  { name: 'installed', installedRoot: '/usr/lib/postgresql', dataDir: temporaryFolder() },
] as const;
const usedDataDir = programs[0].dataDir;

after(async () => {
  for (const { installedRoot, dataDir } of programs) {
    // Whatever a failed test has left running is adopted and ended.
    await (await start(dataDir, installedRoot)).stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

const failedWith = (code: ErrorCode, detail: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === code && detail.test(error.detail);

function binding(aor: string, cseq: number): Binding {
  return {
    aor,
    key: 'device',
    contact: 'sip:device@192.0.2.1',
    contactParams: '',
    q: 1,
    expiresAtMs: Date.now() + 3_600_000,
    callId: 'call',
    cseq,
    path: [],
    flowId: undefined,
    node: 'node',
    boot: 'boot',
    transport: 'udp',
    source: '192.0.2.1:5060',
    userAgent: '',
    media: undefined,
    gruuCSeq: undefined,
  };
}

for (const { name, installedRoot, dataDir } of programs) {
  describe(`embedded PostgreSQL, ${name} programs`, () => {
    test('embedded: a first start makes the data folder, a second one finds its data, and nothing is left running', async () => {
      const first = await start(dataDir, installedRoot);
      assert.equal(first.adopted, false);
      await sql(first.connection, 'CREATE TABLE kept AS SELECT 42 AS n');
      await first.stop();
      assert.equal(await isAlive(first.pid()), false);
      assert.equal(existsSync(join(dataDir, 'postgres.json')), false);
      assert.equal(existsSync(first.connection.host), false);
      const second = await start(dataDir, installedRoot);
      assert.equal(second.adopted, false);
      assert.deepEqual(await sql(second.connection, 'SELECT n FROM kept'), [{ n: 42 }]);
      const major = Number(readFileSync(join(dataDir, 'postgres/PG_VERSION'), 'utf8'));
      assert.equal(Number.parseInt(second.version, 10), major);
      await second.stop();
    });

    test('embedded: UTF-8, compared as bytes, synced to disk, no network, a private socket, and never root', async () => {
      const check = async ({ connection, pid }: EmbeddedPostgres) => {
        const [settings] = await sql(
          connection,
          `SELECT current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS addresses,
            current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, 'é' < 'f' AS "language"`,
        );
        assert.deepEqual(settings, { encoding: 'UTF8', addresses: '', fsync: 'on', commit: 'on', language: false });
        assert.equal(statSync(connection.host).mode & 0o777, 0o700);
        assert.notEqual(statSync(`/proc/${pid()}`).uid, 0);
      };
      await withServer(dataDir, check, installedRoot);
    });

    test('law 5: kill -9 of the postmaster during writes loses no acknowledged binding, and the pool goes on', async () => {
      await withServer(dataDir, killedDuringWrites, installedRoot);
    });
  });
}

async function killedDuringWrites(server: EmbeddedPostgres): Promise<void> {
  const database = await openDatabase({ connection: server.connection, log: silentLog, groupMs: 1, probeMs: 50 });
  try {
    const acknowledged = new Map<string, number>();
    let failed = 0;
    let stopped = false;
    const writer = async (aor: string) => {
      for (let cseq = 1; !stopped; cseq++) {
        const change = { aor, callId: 'call', cseq, save: [binding(aor, cseq)], remove: [] };
        try {
          assert.equal((await database.location.change(change)).outcome, 'stored');
          acknowledged.set(aor, cseq);
        } catch (error) {
          // Whether the row exists is unknown; the next CSeq settles it.
          assert.ok(error instanceof Failure && error.code === 'database-down', String(error));
          failed += 1;
          await sleep(10);
        }
      }
    };
    const writers = Array.from({ length: 40 }, (_, index) => writer(`sip:user${index}@example.com`));
    await sleep(150);
    const killed = server.pid();
    process.kill(killed, 'SIGKILL');
    const deadlineMs = Date.now() + 20_000;
    while (failed === 0 || server.pid() === killed || database.state() === 'down') {
      assert.ok(Date.now() < deadlineMs, 'the database has not come back');
      await sleep(10);
    }
    await sleep(150);
    stopped = true;
    await Promise.all(writers);
    for (const [aor, cseq] of acknowledged) {
      const [stored] = await database.location.lookup(aor);
      assert.ok(
        stored !== undefined && stored.cseq >= cseq,
        `${aor}: ${stored?.cseq} is stored, ${cseq} was acknowledged`,
      );
    }
    assert.equal(acknowledged.size, 40);
  } finally {
    await database.close();
  }
}

test('embedded: after kill -9 of Viaduct the server lives on, and the next start adopts it and ends it', async (context) => {
  const parent = startProcess(context, process.execPath, [PARENT, usedDataDir]);
  const pid = Number((await parent.line(/^postmaster (\d+)$/, START_MS))[1]);
  parent.signal('SIGKILL');
  await parent.ended();
  assert.equal(await isAlive(pid), true);
  await withServer(usedDataDir, async (server) => {
    assert.equal(server.adopted, true);
    assert.equal(server.pid(), pid);
    assert.deepEqual(await sql(server.connection, 'SELECT 1 AS one'), [{ one: 1 }]);
  });
  assert.equal(await isAlive(pid), false);
});

test('embedded: Ctrl-C in the terminal does not reach it, since it has a process group of its own', async (context) => {
  const parent = startProcess(context, process.execPath, [PARENT, usedDataDir]);
  const pid = Number((await parent.line(/^postmaster (\d+)$/, START_MS))[1]);
  process.kill(-parent.pid, 'SIGINT');
  await parent.ended();
  assert.equal(await isAlive(pid), true);
  await (await start(usedDataDir)).stop();
});

test('embedded: two starts at once make one data folder and use one server', async (context) => {
  await withFolder(async (dataDir) => {
    const both = [1, 2].map(() => startProcess(context, process.execPath, [PARENT, dataDir]));
    const lines = await Promise.all(both.map((parent) => parent.line(/^postmaster (\d+)$/, START_MS)));
    assert.equal(lines[0]?.[1], lines[1]?.[1]);
    assert.deepEqual(
      readdirSync(dataDir).filter((name) => name.includes('.new-')),
      [],
    );
    for (const parent of both) await parent.stop();
    await (await start(dataDir)).stop();
  });
});

test('embedded: a server that another process of ours has taken over is left to it', async (context) => {
  const server = await start(usedDataDir);
  const heir = startProcess(context, process.execPath, [PARENT, usedDataDir]);
  const pid = Number((await heir.line(/^postmaster (\d+)$/, START_MS))[1]);
  assert.equal(pid, server.pid());
  await server.stop();
  assert.equal(await isAlive(pid), true);
  await heir.stop();
  await (await start(usedDataDir)).stop();
});

test('embedded: a command beside a running Viaduct finds its server, and none where none runs', async () => {
  assert.equal(await findEmbedded(join(usedDataDir, 'nowhere')), undefined);
  assert.equal(await findEmbedded(usedDataDir), undefined);
  await withServer(usedDataDir, async ({ connection }) => {
    assert.deepEqual(await findEmbedded(usedDataDir), connection);
  });
  assert.equal(await findEmbedded(usedDataDir), undefined);
});

test('embedded: the lock file of a dead server, whose number another program has now, is taken away', async () => {
  const lines = [process.pid, join(usedDataDir, 'postgres'), '1700000000', '5432', '/tmp', '', '', ''];
  writeFileSync(join(usedDataDir, 'postgres/postmaster.pid'), lines.join('\n'));
  await withServer(usedDataDir, async (server) => {
    assert.equal(server.adopted, false);
  });
});

test('embedded: a DATA_DIR with a path longer than a socket may have works', async () => {
  await withFolder(async (folder) => {
    const dataDir = join(folder, 'a'.repeat(60), 'b'.repeat(60));
    mkdirSync(dataDir, { recursive: true });
    renameSync(join(usedDataDir, 'postgres'), join(dataDir, 'postgres'));
    try {
      await withServer(dataDir, async ({ connection }) => {
        assert.ok(`${connection.host}/.s.PGSQL.5432`.length <= 107);
      });
    } finally {
      renameSync(join(dataDir, 'postgres'), join(usedDataDir, 'postgres'));
    }
  });
});

test('embedded: a data folder of a version that is not there is refused with the command that installs it', async () => {
  await withFolder(async (dataDir) => {
    mkdirSync(join(dataDir, 'postgres'));
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '12\n');
    await assert.rejects(start(dataDir), failedWith('postgres-missing', /apt-get install postgresql-12/));
  });
});

test('embedded: a server that cannot start is reported with the last words of its log', async () => {
  const settings = join(usedDataDir, 'postgres/postgresql.conf');
  const before = readFileSync(settings);
  writeFileSync(settings, 'nonsense = 1\n');
  try {
    await assert.rejects(start(usedDataDir), failedWith('postgres-start', /nonsense/));
  } finally {
    writeFileSync(settings, before);
  }
});

test('embedded: a folder above DATA_DIR that the server may not enter is named', async () => {
  await withFolder(async (folder) => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, asRoot ? 0o700 : 0o000);
    try {
      const dataDir = join(closed, 'data');
      const named = asRoot ? new RegExp(`cannot enter ${closed};`) : new RegExp(closed);
      await assert.rejects(start(dataDir), failedWith('postgres-start', named));
    } finally {
      chmodSync(closed, 0o700);
    }
  });
});
