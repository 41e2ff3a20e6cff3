/**
 * DATA_DIR before anything uses it: made, and tried by writing, so that whatever is wrong with it is said at once, by its
 * name. Folders are made one by one: Node's own recursive `mkdir` never comes back from a path such as /proc/x/y.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../errors.ts';

/** A new PostgreSQL takes 40 MB, and its log another 32. */
const newDatabaseBytes = 100 * 1024 * 1024;
const triedBytes = 64 * 1024;

/** Throws `data-dir`. `newDatabase`: a PostgreSQL of our own will be made there. */
export function openDataDir(dataDir: string, newDatabase: boolean): void {
  try {
    makeFolder(dataDir);
    tryToWrite(join(dataDir, `.tried-${process.pid}`));
  } catch (thrown) {
    throw new Failure('data-dir', `DATA_DIR=${dataDir}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  if (!newDatabase || free >= newDatabaseBytes) return;
  const words = `${Math.floor(free / 1024 ** 2)} MB are free there, and a new database takes 100 MB.`;
  throw new Failure('data-dir', `DATA_DIR=${dataDir}: ${words}`);
}

/** With those above it; throws what the system says of the first that cannot be made. */
export function makeFolder(path: string): void {
  const known = statSync(path, { throwIfNoEntry: false });
  if (known?.isDirectory() === true) return;
  if (known !== undefined) throw new Error(`${path} is a file.`);
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o755 });
}

function tryToWrite(path: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeFileSync(file, Buffer.alloc(triedBytes, 1));
    fsyncSync(file);
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
