import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
const PROGRAMS = { packaged: NOTHING_INSTALLED, installed: '/usr/lib/postgresql' };
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

const usedDataDir = temporaryFolder();
after(async () => {
  // Whatever a failed test has left running is adopted and ended.
  await (await start(usedDataDir)).stop();
  rmSync(usedDataDir, { recursive: true, force: true });
});

/** A DATA_DIR that has a data folder already, the same for all tests: making one takes most of a start. */
async function withUsedFolder(work: (dataDir: string) => Promise<void>): Promise<void> {
  if (!existsSync(join(usedDataDir, 'postgres'))) await (await start(usedDataDir)).stop();
  await work(usedDataDir);
}

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
  };
}

for (const [name, installedRoot] of Object.entries(PROGRAMS)) {
  describe(`embedded PostgreSQL, ${name} programs`, () => {
    test('embedded: a first start makes the data folder, a second one finds its data, and nothing is left running', async () => {
      await withFolder(async (dataDir) => {
        let pid = 0;
        await withServer(
          dataDir,
          async (server) => {
            pid = server.pid();
            assert.equal(server.adopted, false);
            await sql(server.connection, 'CREATE TABLE kept AS SELECT 42 AS n');
          },
          installedRoot,
        );
        assert.equal(await isAlive(pid), false);
        assert.equal(existsSync(join(dataDir, 'postgres.json')), false);
        await withServer(
          dataDir,
          async ({ connection, adopted, version }) => {
            assert.equal(adopted, false);
            assert.deepEqual(await sql(connection, 'SELECT n FROM kept'), [{ n: 42 }]);
            assert.equal(
              Number.parseInt(version, 10),
              Number(readFileSync(join(dataDir, 'postgres/PG_VERSION'), 'utf8')),
            );
          },
          installedRoot,
        );
      });
    });

    test('embedded: UTF-8, compared as bytes, synced to disk, no network, a private socket, and never root', async () => {
      await withFolder((dataDir) =>
        withServer(
          dataDir,
          async ({ connection, pid }) => {
            const [settings] = await sql(
              connection,
              `SELECT current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS addresses,
                current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, 'é' < 'f' AS "language"`,
            );
            assert.deepEqual(settings, {
              encoding: 'UTF8',
              addresses: '',
              fsync: 'on',
              commit: 'on',
              language: false,
            });
            assert.equal(statSync(connection.host).mode & 0o777, 0o700);
            assert.notEqual(statSync(`/proc/${pid()}`).uid, 0);
          },
          installedRoot,
        ),
      );
    });

    test('law 5: kill -9 of the postmaster during writes loses no acknowledged binding, and the pool goes on', async () => {
      await withFolder((dataDir) => withServer(dataDir, (server) => killedDuringWrites(server), installedRoot));
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
  await withUsedFolder(async (dataDir) => {
    const parent = startProcess(context, process.execPath, [PARENT, dataDir]);
    const pid = Number((await parent.line(/^postmaster (\d+)$/))[1]);
    parent.signal('SIGKILL');
    await parent.ended();
    assert.equal(await isAlive(pid), true);
    await withServer(dataDir, async (server) => {
      assert.equal(server.adopted, true);
      assert.equal(server.pid(), pid);
      assert.deepEqual(await sql(server.connection, 'SELECT 1 AS one'), [{ one: 1 }]);
    });
    assert.equal(await isAlive(pid), false);
  });
});

test('embedded: Ctrl-C in the terminal does not reach it, since it has a process group of its own', async (context) => {
  await withUsedFolder(async (dataDir) => {
    const parent = startProcess(context, process.execPath, [PARENT, dataDir]);
    const pid = Number((await parent.line(/^postmaster (\d+)$/))[1]);
    process.kill(-parent.pid, 'SIGINT');
    await parent.ended();
    assert.equal(await isAlive(pid), true);
    await (await start(dataDir)).stop();
  });
});

test('embedded: two starts at once make one data folder and use one server', async (context) => {
  await withFolder(async (dataDir) => {
    const both = [1, 2].map(() => startProcess(context, process.execPath, [PARENT, dataDir]));
    const lines = await Promise.all(both.map((parent) => parent.line(/^postmaster (\d+)$/)));
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
  await withUsedFolder(async (dataDir) => {
    const server = await start(dataDir);
    const heir = startProcess(context, process.execPath, [PARENT, dataDir]);
    const pid = Number((await heir.line(/^postmaster (\d+)$/))[1]);
    assert.equal(pid, server.pid());
    await server.stop();
    assert.equal(await isAlive(pid), true);
    await heir.stop();
    await (await start(dataDir)).stop();
  });
});

test('embedded: a command beside a running Viaduct finds its server, and none where none runs', async () => {
  await withUsedFolder(async (dataDir) => {
    assert.equal(await findEmbedded(join(dataDir, 'nowhere')), undefined);
    assert.equal(await findEmbedded(dataDir), undefined);
    await withServer(dataDir, async ({ connection }) => {
      assert.deepEqual(await findEmbedded(dataDir), connection);
    });
    assert.equal(await findEmbedded(dataDir), undefined);
  });
});

test('embedded: the lock file of a dead server, whose number another program has now, is taken away', async () => {
  await withUsedFolder(async (dataDir) => {
    const lines = [process.pid, join(dataDir, 'postgres'), '1700000000', '5432', '/tmp', '', '', ''];
    writeFileSync(join(dataDir, 'postgres/postmaster.pid'), lines.join('\n'));
    await withServer(dataDir, async (server) => {
      assert.equal(server.adopted, false);
    });
  });
});

test('embedded: a DATA_DIR with a path longer than a socket may have works', async () => {
  await withFolder(async (folder) => {
    const dataDir = join(folder, 'a'.repeat(60), 'b'.repeat(60));
    await withServer(dataDir, async ({ connection }) => {
      assert.ok(`${connection.host}/.s.PGSQL.5432`.length <= 107);
    });
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
  await withUsedFolder(async (dataDir) => {
    const settings = join(dataDir, 'postgres/postgresql.conf');
    const before = readFileSync(settings);
    writeFileSync(settings, 'nonsense = 1\n');
    try {
      await assert.rejects(start(dataDir), failedWith('postgres-start', /nonsense/));
    } finally {
      writeFileSync(settings, before);
    }
  });
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
