/**
 * Starts and ends the embedded server of one data folder, and finds the one that runs.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../errors.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { ADMIN, childOptions, createDataFolder, majorOf } from './data-folder.ts';
import { probe } from './pool.ts';
import {
  clusterName,
  identify,
  isAlive,
  type ProcessIdentity,
  processesOf,
  readPostmaster,
  removeStaleLock,
} from './postmaster.ts';
import type { ServerUser } from './server-user.ts';

/** Where a server lives and as whom. */
export interface Site {
  readonly dataDir: string;
  readonly dataFolder: string;
  readonly installedRoot: string;
  readonly user: ServerUser | undefined;
}

export interface Server extends ProcessIdentity {
  readonly socketFolder: string;
}

export interface EmbeddedConnection {
  /** The folder of its socket. */
  readonly host: string;
  readonly user: string;
  readonly database: string;
}

const START_MS = 60_000;
const ORPHANS_MS = 10_000;
const FAST_STOP_MS = 15_000;
const HARD_STOP_MS = 5000;
const POLL_MS = 20;
const MAX_LOG_BYTES = 10_000_000;

/** `postgres` is the database that every server has. */
export function connectionTo({ socketFolder }: Server, database = 'postgres'): EmbeddedConnection {
  return { host: socketFolder, user: ADMIN, database };
}

/** The live server of this data folder, once it answers. */
export async function findServer(dataFolder: string): Promise<Server | undefined> {
  const deadline = Date.now() + START_MS;
  while (majorOf(dataFolder) !== undefined) {
    const postmaster = readPostmaster(dataFolder);
    if (postmaster === undefined) return undefined;
    if (postmaster.socketFolder !== '' && (await probe(connectionTo(postmaster))) === undefined) return postmaster;
    if (Date.now() > deadline) throw new Failure('postgres-start', `Process ${postmaster.pid} does not answer.`);
    await sleep(POLL_MS);
  }
  return undefined;
}

/** A new server, or that of another start of the same folder which was faster. */
export async function launch(site: Site, socketFolder: string): Promise<Server> {
  try {
    return await startServer(site, socketFolder);
  } catch (error) {
    // Two never run on one folder: PostgreSQL's own lock file sees to that.
    const other = await findServer(site.dataFolder);
    if (other === undefined) throw error;
    return other;
  }
}

async function startServer(site: Site, socketFolder: string): Promise<Server> {
  const { dataDir, dataFolder, installedRoot, user } = site;
  const binaries = findBinaries({ major: majorOf(dataFolder), installedRoot, cacheFolder: dataDir, user });
  if (majorOf(dataFolder) === undefined) await createDataFolder(dataFolder, binaries, user);
  const other = await othersIn(dataFolder);
  if (other !== undefined) return other;
  removeStaleLock(dataFolder);
  const server = { ...(await spawnServer(site, binaries, socketFolder)), socketFolder };
  await answers(site, server);
  return server;
}

/**
 * Waits until nobody uses the folder, and gives the server of another start when there is one. After kill -9 of a
 * postmaster its children end by themselves; a second server beside them would ruin the data.
 */
async function othersIn(dataFolder: string): Promise<Server | undefined> {
  const deadline = Date.now() + ORPHANS_MS;
  for (;;) {
    const other = await findServer(dataFolder);
    const pids = processesOf(dataFolder);
    if (other !== undefined || pids.length === 0) return other;
    if (Date.now() > deadline) throw new Failure('postgres-start', `Processes ${pids.join(' ')} use ${dataFolder}.`);
    await sleep(POLL_MS);
  }
}

async function spawnServer(site: Site, binaries: Binaries, socketFolder: string): Promise<ProcessIdentity> {
  const output = openLog(join(site.dataDir, 'postgres.log'));
  try {
    const child = spawn(binaries.postgres, serverArguments(site.dataFolder, socketFolder), {
      ...childOptions(binaries, site.user),
      stdio: ['ignore', output, output],
      detached: true,
    });
    await new Promise((started, failed) => {
      child.once('spawn', started).once('error', failed);
    });
    child.unref();
    return identify(child.pid ?? 0) ?? { pid: child.pid ?? 0, startTicks: 0 };
  } catch (error) {
    throw new Failure('postgres-start', String(error));
  } finally {
    closeSync(output);
  }
}

function serverArguments(dataFolder: string, socketFolder: string): readonly string[] {
  const settings: Readonly<Record<string, string>> = {
    cluster_name: clusterName(dataFolder),
    listen_addresses: '',
    unix_socket_directories: socketFolder,
    port: '5432',
    fsync: 'on',
    shared_buffers: '64MB',
    max_connections: '40',
    // No replicas: less to write.
    wal_level: 'minimal',
    max_wal_senders: '0',
    jit: 'off',
    log_checkpoints: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    logging_collector: 'off',
    log_destination: 'stderr',
    // Crash recovery syncs one file system instead of a thousand files.
    recovery_init_sync_method: 'syncfs',
  };
  return ['-D', dataFolder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

async function answers(site: Site, server: Server): Promise<void> {
  const deadline = Date.now() + START_MS;
  while ((await probe(connectionTo(server))) !== undefined) {
    if (!isAlive(server)) throw new Failure('postgres-start', lastWords(site.dataDir));
    if (Date.now() > deadline) throw new Failure('postgres-start', `It does not answer. ${lastWords(site.dataDir)}`);
    await sleep(POLL_MS);
  }
}

/** SIGINT is PostgreSQL's fast shutdown: clients are disconnected, everything is written. SIGQUIT leaves it to recovery. */
export async function endServer(server: Server): Promise<void> {
  if (await ended(server, 'SIGINT', FAST_STOP_MS)) return;
  if (await ended(server, 'SIGQUIT', HARD_STOP_MS)) return;
  throw new Failure('internal', `PostgreSQL (process ${server.pid}) does not stop.`);
}

async function ended(server: Server, signal: NodeJS.Signals, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  if (isAlive(server)) process.kill(server.pid, signal);
  while (isAlive(server)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

function openLog(file: string): number {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

function lastWords(dataDir: string): string {
  return readFileSync(join(dataDir, 'postgres.log'), 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}
