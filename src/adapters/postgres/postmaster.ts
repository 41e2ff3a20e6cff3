/**
 * The running PostgreSQL of a data folder, as `postmaster.pid` and /proc show it. Each folder's server has a cluster name
 * of its own, which stands in the command line of all its processes, so that a process number which now belongs to
 * another program is never taken for it. (Not by working folder: root in a container may not read that.)
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the start of the machine to that of the process: tells two users of one number apart. */
  readonly startTicks: number;
}

export interface Postmaster extends ProcessIdentity {
  /** Empty as long as it has not opened its socket. */
  readonly socketFolder: string;
}

/** `undefined`: no such process, or it has ended and waits to be collected. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The second field is the name in parentheses, which may have anything in it; fields count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (stat === '' || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startTicks: Number(fields[19]) };
}

export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  return identify(pid)?.startTicks === startTicks;
}

export function clusterName(dataFolder: string): string {
  return `viaduct-${createHash('sha256').update(realpathSync(dataFolder)).digest('hex').slice(0, 8)}`;
}

export function readPostmaster(dataFolder: string): Postmaster | undefined {
  const lines = lockFile(dataFolder);
  const identity = identify(Number(lines[0]));
  if (identity === undefined || !isOf(clusterName(dataFolder), identity.pid)) return undefined;
  return { ...identity, socketFolder: lines[4] ?? '' };
}

/** The server's processes; after the death of a postmaster they need a moment to notice and to end. */
export function processesOf(dataFolder: string): readonly number[] {
  const name = clusterName(dataFolder);
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => identify(pid) !== undefined && isOf(name, pid));
}

/**
 * Takes away the lock file of a dead server whose process number another program has now: PostgreSQL would refuse to
 * start. One whose number is free it removes itself, after a look for its shared memory.
 */
export function removeStaleLock(dataFolder: string): void {
  const pid = Number(lockFile(dataFolder)[0]);
  if (identify(pid) !== undefined && !isPostgres(pid)) rmSync(join(dataFolder, 'postmaster.pid'), { force: true });
}

function isOf(name: string, pid: number): boolean {
  return isPostgres(pid) && commandLine(pid).includes(name);
}

/** A postmaster has its path there, its children `postgres: <cluster name>: …`. */
function isPostgres(pid: number): boolean {
  const [program = ''] = commandLine(pid).split('\0');
  return program.startsWith('postgres: ') || basename(program) === 'postgres';
}

function commandLine(pid: number): string {
  return readOrEmpty(`/proc/${pid}/cmdline`);
}

function lockFile(dataFolder: string): readonly string[] {
  return readOrEmpty(join(dataFolder, 'postmaster.pid')).split('\n');
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
