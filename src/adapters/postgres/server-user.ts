/**
 * Whose processes the embedded PostgreSQL runs as. It refuses to run as root, so as root we choose another user, who
 * must be able to enter the folders above the data.
 */
import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../../errors.ts';

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** `undefined`: as ourselves. As root: the owner of the data folder where there is one, else `postgres`, else `nobody`. */
export function serverUser(dataFolder: string): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = ownerOf(dataFolder);
  if (owner !== undefined && owner.uid !== 0) return owner;
  const accounts = readFileSync('/etc/passwd', 'latin1').split('\n');
  const user = accountNamed('postgres', accounts) ?? accountNamed('nobody', accounts);
  if (user === undefined) throw new Failure('postgres-start', 'There is no user `postgres` or `nobody` to run it as.');
  return user;
}

function accountNamed(wanted: string, accounts: readonly string[]): ServerUser | undefined {
  const [name, , uid, gid] = accounts.find((line) => line.startsWith(`${wanted}:`))?.split(':') ?? [];
  if (name === undefined || uid === undefined || gid === undefined) return undefined;
  return { name, uid: Number(uid), gid: Number(gid) };
}

function ownerOf(folder: string): ServerUser | undefined {
  const stats = statSync(folder, { throwIfNoEntry: false });
  return stats === undefined ? undefined : { uid: stats.uid, gid: stats.gid, name: `uid ${stats.uid}` };
}

/** The first folder on the way to `path` (itself included) that the user may not enter. */
export function closedFolder(path: string, user: ServerUser | undefined): string | undefined {
  const folders = [path];
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) folders.unshift(dirname(folder));
  return folders.find((folder) => !mayEnter(folder, user));
}

function mayEnter(folder: string, user: ServerUser | undefined): boolean {
  try {
    if (user !== undefined) return executableBy(user, statSync(folder));
    accessSync(folder, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The child has no supplementary groups. */
function executableBy(user: ServerUser, { uid, gid, mode }: Stats): boolean {
  if (uid === user.uid) return (mode & 0o100) !== 0;
  if (gid === user.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
