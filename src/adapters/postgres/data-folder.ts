/**
 * The folders of the embedded server: DATA_DIR/postgres with the data, and a short private one for its socket (the path
 * of a unix socket ends at 107 bytes).
 */
import { execFile } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Failure } from '../../errors.ts';
import type { Binaries } from './binaries.ts';
import { identify } from './postmaster.ts';
import { closedFolder, type ServerUser } from './server-user.ts';

export const ADMIN = 'viaduct';
const SOCKET_PREFIX = 'viaduct-pg-';
const SOCKET_NAME_LENGTH = '/.s.PGSQL.5432'.length;
const MAX_SOCKET_PATH = 107;

/** DATA_DIR itself, made if need be. Throws `postgres-start` naming a folder that the server's user cannot enter. */
export function openDataDir(dataDir: string, user: ServerUser | undefined): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new Failure('postgres-start', `DATA_DIR cannot be made: ${String(error)}.`);
  }
  if (user !== undefined && statSync(dataDir).uid === 0) chmodSync(dataDir, statSync(dataDir).mode | 0o011);
  const closed = closedFolder(dataDir, user);
  if (closed === undefined) return;
  throw new Failure(
    'postgres-start',
    `PostgreSQL runs as ${user?.name ?? 'this user'} and cannot enter ${closed}; set DATA_DIR to a folder that everybody can enter, such as /var/lib/viaduct.`,
  );
}

/** Major version of the data folder; `undefined` when there is none yet. */
export function majorOf(dataFolder: string): number | undefined {
  const file = join(dataFolder, 'PG_VERSION');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
}

/** Made beside its place and then moved there: what is there is whole, also after a kill in the middle. */
export async function createDataFolder(
  dataFolder: string,
  binaries: Binaries,
  user: ServerUser | undefined,
): Promise<void> {
  removeAbandoned(dirname(dataFolder), `${basename(dataFolder)}.new-`);
  const made = mkdtempSync(`${dataFolder}.new-${process.pid}-`);
  if (user !== undefined) chownSync(made, user.uid, user.gid);
  try {
    await promisify(execFile)(binaries.initdb, initdbArguments(made, binaries.major), childOptions(binaries, user));
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw new Failure('postgres-start', `initdb failed: ${String(error).trim().slice(-500)}`);
  }
  moveIntoPlace(made, dataFolder);
}

/** For the server's own programs: its user, a folder that everybody can enter, and no PG* variables of ours. */
export function childOptions({ libraryPath }: Binaries, user: ServerUser | undefined): ChildOptions {
  const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  return {
    cwd: '/',
    env: libraryPath === undefined ? environment : { ...environment, LD_LIBRARY_PATH: libraryPath },
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  };
}

interface ChildOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

function initdbArguments(folder: string, major: number): readonly string[] {
  // `trust`: whoever can enter the socket's folder (mode 0700) is the server's user or root anyway.
  const common = ['-D', folder, '-U', ADMIN, '-A', 'trust', '-E', 'UTF8', '--no-instructions'];
  if (major < 17) return [...common, '--locale=C.UTF-8'];
  return [...common, '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
}

/** Two starts at once: the second finds the first one's folder there, and uses it. */
function moveIntoPlace(made: string, dataFolder: string): void {
  try {
    renameSync(made, dataFolder);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (majorOf(dataFolder) === undefined) throw new Failure('postgres-start', `${dataFolder}: ${String(error)}`);
  }
}

function removeAbandoned(folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    const abandoned = name.startsWith(prefix) && identify(Number.parseInt(name.slice(prefix.length), 10)) === undefined;
    if (abandoned) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

// --- socket folder ---------------------------------------------------------------------------------------------------

/** A name that nobody can have guessed and put something else in its place. */
export function createSocketFolder(user: ServerUser | undefined): string {
  const folder = mkdtempSync(join(socketParent(user), SOCKET_PREFIX));
  makePrivate(folder, user);
  return folder;
}

/** The same folder for a server that is started again, as its clients know it. */
export function restoreSocketFolder(folder: string, user: ServerUser | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  makePrivate(folder, user);
}

export function removeSocketFolder(folder: string): void {
  if (basename(folder).startsWith(SOCKET_PREFIX)) rmSync(folder, { recursive: true, force: true });
}

function makePrivate(folder: string, user: ServerUser | undefined): void {
  chmodSync(folder, 0o700);
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
}

function socketParent(user: ServerUser | undefined): string {
  if (user !== undefined && isWritable('/run') && closedFolder('/run', user) === undefined) return '/run';
  const folder = tmpdir();
  const length = join(folder, `${SOCKET_PREFIX}XXXXXX`).length + SOCKET_NAME_LENGTH;
  return length <= MAX_SOCKET_PATH && closedFolder(folder, user) === undefined ? folder : '/tmp';
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
