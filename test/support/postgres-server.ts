/**
 * The installed PostgreSQL as an operator would run it: TCP on loopback, with a password; a test may stop and start it.
 * It is ended in any case when the test process ends.
 */
import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { findBinaries } from '../../src/adapters/postgres/binaries.ts';
import { type DatabaseConnection, probe } from '../../src/adapters/postgres/pool.ts';
import { serverUser } from '../../src/adapters/postgres/server-user.ts';
import { freePort } from './process.ts';

export interface PostgresServer {
  readonly port: number;
  pid(): number;
  /** As in DATABASE_URL; `postgres` is there from the start. */
  url(database: string): string;
  /** As an operator stops it: connections are ended. */
  stop(): Promise<void>;
  /** After `stop`: on the same port, with the same data. */
  start(): Promise<void>;
  /** It hangs, with all its connections open; and goes on. */
  freeze(): void;
  thaw(): void;
  /** Stops it, and its data is gone. */
  remove(): Promise<void>;
}

export interface PostgresServerOptions {
  /** A commit is on the disk when it is answered, as in production. Tests do not wait for disks. */
  readonly durable?: boolean;
  /** As in its configuration; default what it has by itself. */
  readonly sharedBuffers?: string;
}

/** Throws `postgres-missing` where none is installed: a test that needs it fails, it is never skipped. */
export async function startPostgresServer({
  durable = false,
  sharedBuffers = '128MB',
}: PostgresServerOptions = {}): Promise<PostgresServer> {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const user = serverUser(data);
  const binaries = findBinaries({ major: undefined, installedRoot: '/usr/lib/postgresql', cacheFolder: folder, user });
  const owner = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  makeOwned(data, user);
  writeFileSync(join(folder, 'password'), 'p@ss:word', { mode: 0o644 });
  const initdb = ['-D', data, '-U', 'proxy', '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C.UTF-8'];
  await promisify(execFile)(binaries.initdb, [...initdb, '-N', `--pwfile=${join(folder, 'password')}`], {
    cwd: '/',
    ...owner,
  });
  const port = await freePort('tcp');
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `port=${port}`,
    `fsync=${durable ? 'on' : 'off'}`,
    `shared_buffers=${sharedBuffers}`,
  ];
  const url = (database: string): string => `postgres://proxy:p%40ss%3Aword@127.0.0.1:${port}/${database}`;
  const output = openSync(join(folder, 'log'), 'a');
  let running: Running | undefined;

  const start = async (): Promise<void> => {
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    running = run(binaries.postgres, args, { cwd: '/', stdio: ['ignore', output, output], ...owner });
    await untilItAnswers(url('postgres'));
  };
  const stop = async (): Promise<void> => {
    await running?.end();
    running = undefined;
  };
  const remove = async (): Promise<void> => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  };
  await start();
  const pid = (): number => running?.pid ?? 0;
  const freeze = (): void => signalFamily(pid(), 'SIGSTOP');
  const thaw = (): void => signalFamily(pid(), 'SIGCONT');
  return { port, pid, url, start, stop, freeze, thaw, remove };
}

/** Each process of PostgreSQL has a group of its own: the postmaster first, so that it makes no more of them. */
function signalFamily(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
  for (const child of childrenOf(pid)) signalIfThere(child, signal);
}

/** A child may end by itself before its turn comes: a session whose client is gone, once it goes on. */
function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown;
  }
}

function childrenOf(pid: number): readonly number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.filter((name) => parentOf(name) === pid).map(Number);
}

function parentOf(name: string): number | undefined {
  try {
    // The name in parentheses may have blanks.
    return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

interface Running {
  readonly pid: number;
  end(): Promise<void>;
}

function run(program: string, args: readonly string[], options: Parameters<typeof spawn>[2]): Running {
  const child = spawn(program, [...args], options);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const endWithUs = (): void => void child.kill('SIGQUIT');
  process.once('exit', endWithUs);
  return {
    pid: child.pid ?? 0,
    async end() {
      process.removeListener('exit', endWithUs);
      child.kill('SIGINT');
      await ended;
    },
  };
}

async function untilItAnswers(url: string): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (let error = await probe({ url }); error !== undefined; error = await probe({ url })) {
    if (Date.now() > deadline) throw new Error(`The test server does not answer: ${error}`);
    await sleep(20);
  }
}

/** Everybody may enter: the server runs as another user when we are root. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  chmodSync(folder, 0o755);
  return folder;
}

function makeOwned(folder: string, owner: { readonly uid: number; readonly gid: number } | undefined): void {
  mkdirSync(folder, { mode: 0o700 });
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
}

/** One statement on a connection of its own. */
export async function sql(connection: DatabaseConnection, text: string, values: readonly unknown[] = []) {
  const client = new pg.Client('url' in connection ? connection.url : connection);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
