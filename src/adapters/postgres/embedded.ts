/**
 * The embedded database (DESIGN §3): a real PostgreSQL as a process of its own, in DATA_DIR/postgres, reachable by unix
 * socket only and never running as root.
 *
 * - It lives in a process group of its own: Ctrl-C reaches us first, and a kill -9 of ours leaves it running. The next
 *   start adopts it. It is ended by the process of ours that started or adopted it last (`owner` in the state file).
 * - When it dies it is started again with the same socket, so that the pool reconnects by itself.
 * - DATA_DIR/postgres.log has its output, DATA_DIR/postgres.json says what runs.
 */
import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Failure } from '../../errors.ts';
import type { Log } from '../../ports.ts';
import { createSocketFolder, openDataDir, removeSocketFolder, restoreSocketFolder } from './data-folder.ts';
import { clientConfig } from './pool.ts';
import { identify, isAlive, type ProcessIdentity } from './postmaster.ts';
import {
  connectionTo,
  type EmbeddedConnection,
  endServer,
  findServer,
  launch,
  type Server,
  type Site,
} from './server-process.ts';
import { type ServerUser, serverUser } from './server-user.ts';

export interface EmbeddedPostgres {
  readonly connection: EmbeddedConnection;
  /** Such as `15.20`. */
  readonly version: string;
  /** Whether it was running already. */
  readonly adopted: boolean;
  /** Process number of the postmaster now. */
  pid(): number;
  /** Ends it, unless another process of ours has adopted it since. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly log: Log;
  /** Where installed PostgreSQL versions are looked for: `<root>/<major>/bin`. */
  readonly installedRoot?: string;
}

const DATABASE = 'viaduct';
const WATCH_MS = 250;
const RESTART_PAUSE_MS = 1000;

/** Rejects with `postgres-missing` or `postgres-start`. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const site = openSite(options);
  const running = await findServer(site.dataFolder);
  const server = running ?? (await launchFirst(site));
  const version = await prepareDatabase(server);
  writeState(site, server, version);
  options.log.info({ pid: server.pid, version, adopted: running !== undefined }, 'embedded PostgreSQL runs');
  return supervise(site, server, version, running !== undefined, options.log);
}

/** The connection to the server of this DATA_DIR if it is running, for commands beside a running Viaduct. */
export async function findEmbedded(dataDir: string): Promise<EmbeddedConnection | undefined> {
  const server = await findServer(join(resolve(dataDir), 'postgres'));
  return server === undefined ? undefined : connectionTo(server, DATABASE);
}

function openSite({ dataDir, installedRoot = '/usr/lib/postgresql' }: EmbeddedOptions): Site {
  const folder = resolve(dataDir);
  const dataFolder = join(folder, 'postgres');
  const user = serverUser(dataFolder);
  openDataDir(folder, user);
  return { dataDir: folder, dataFolder, installedRoot, user };
}

/** Leaves no socket folder behind that nobody uses. */
async function launchFirst(site: Site): Promise<Server> {
  const socketFolder = socketFolderFor(site);
  let used: string | undefined;
  try {
    const server = await launch(site, socketFolder);
    used = server.socketFolder;
    return server;
  } finally {
    if (used !== socketFolder) removeSocketFolder(socketFolder);
  }
}

/** Makes our database when it is the first time, and asks for the version. */
async function prepareDatabase(server: Server): Promise<string> {
  const client = new pg.Client(clientConfig(connectionTo(server)));
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; present: boolean }>(
      `SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
        EXISTS (SELECT FROM pg_database WHERE datname = '${DATABASE}') AS present`,
    );
    if (rows[0]?.present !== true) await client.query(`CREATE DATABASE ${DATABASE}`).catch(madeByAnother);
    return rows[0]?.version ?? '';
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('postgres-start', String(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** 42P04: there is one of that name; 23505: somebody is making it right now. */
function madeByAnother(error: unknown): void {
  if (error instanceof pg.DatabaseError && (error.code === '42P04' || error.code === '23505')) return;
  throw error;
}

// --- while it runs ---------------------------------------------------------------------------------------------------

function supervise(site: Site, first: Server, version: string, adopted: boolean, log: Log): EmbeddedPostgres {
  let server = first;
  let stopping = false;
  let restarting: Promise<void> | undefined;

  async function restart(): Promise<void> {
    log.error({ pid: server.pid }, 'PostgreSQL has ended by itself and is started again');
    while (!stopping && !(await restartOnce())) await sleep(RESTART_PAUSE_MS);
    restarting = undefined;
  }

  async function restartOnce(): Promise<boolean> {
    try {
      restoreSocketFolder(server.socketFolder, site.user);
      server = await launch(site, server.socketFolder);
      writeState(site, server, version);
      return true;
    } catch (error) {
      log.error({ error: String(error) }, 'PostgreSQL does not start again');
      return false;
    }
  }

  const watch = setInterval(() => {
    if (!isAlive(server)) restarting ??= restart();
  }, WATCH_MS);
  watch.unref();

  return {
    connection: connectionTo(first, DATABASE),
    version,
    adopted,
    pid: () => server.pid,
    stop: async () => {
      stopping = true;
      clearInterval(watch);
      await restarting;
      if (hasOtherOwner(site)) return;
      await endServer(server);
      rmSync(stateFile(site), { force: true });
      removeSocketFolder(server.socketFolder);
    },
  };
}

// --- state file ------------------------------------------------------------------------------------------------------

function stateFile({ dataDir }: Site): string {
  return join(dataDir, 'postgres.json');
}

function writeState(site: Site, { pid, startTicks, socketFolder }: Server, version: string): void {
  const owner = identify(process.pid);
  const state = { pid, startTicks, socketFolder, version, owner };
  writeFileSync(stateFile(site), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}

function readState(site: Site): unknown {
  try {
    const state: unknown = JSON.parse(readFileSync(stateFile(site), 'utf8'));
    return state;
  } catch {
    return undefined;
  }
}

function hasOtherOwner(site: Site): boolean {
  const owner = member(readState(site), 'owner');
  return isIdentity(owner) && owner.pid !== process.pid && isAlive(owner);
}

/** That of the server before, where it is still there and private: another process of ours may know it by that. */
function socketFolderFor(site: Site): string {
  const before = member(readState(site), 'socketFolder');
  return typeof before === 'string' && isPrivate(before, site.user) ? before : createSocketFolder(site.user);
}

function isPrivate(folder: string, user: ServerUser | undefined): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isDirectory()) return false;
  return stats.uid === (user?.uid ?? process.getuid?.()) && (stats.mode & 0o077) === 0;
}

function isIdentity(json: unknown): json is ProcessIdentity {
  return typeof member(json, 'pid') === 'number' && typeof member(json, 'startTicks') === 'number';
}

function member(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, name) : undefined;
}
