/**
 * DATA_DIR/run.json: which process runs here, what it listens on and which children it has (DESIGN §3). For people, for
 * tests, and so that no second Viaduct starts on the same data.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Listener } from '../ports.ts';

export interface RunFile {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: tells this process from a later one with its number. */
  readonly startTime: string;
  readonly http: { readonly host: string; readonly port: number };
  readonly listeners: readonly (Pick<Listener, 'entry' | 'transport'> & Listener['local'])[];
  /** Process numbers of the children that this start brought or adopted. */
  readonly children: { readonly postgres?: number; readonly rtpengine?: number };
}

const pathOf = (dataDir: string): string => join(dataDir, 'run.json');

/** Throws `already-running` when another Viaduct uses this DATA_DIR. */
export function refuseSecond(dataDir: string): void {
  const other = readRunFile(dataDir);
  if (other !== undefined && other.pid !== process.pid && startTimeOf(other.pid) === other.startTime) {
    throw new Failure('already-running', `Process ${other.pid} uses ${dataDir}.`);
  }
}

export function writeRunFile(dataDir: string, run: Omit<RunFile, 'pid' | 'startTime'>): void {
  const { pid } = process;
  const text = JSON.stringify({ pid, startTime: startTimeOf(pid) ?? '', ...run }, undefined, 2);
  // Renamed, so that nobody ever reads half of it.
  const written = `${pathOf(dataDir)}.new`;
  writeFileSync(written, `${text}\n`, { mode: 0o600 });
  renameSync(written, pathOf(dataDir));
}

export function removeRunFile(dataDir: string): void {
  rmSync(pathOf(dataDir), { force: true });
}

function readRunFile(dataDir: string): Pick<RunFile, 'pid' | 'startTime'> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(pathOf(dataDir), 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTime' in value)) return undefined;
    const { pid, startTime } = value;
    return typeof pid === 'number' && typeof startTime === 'string' ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}

function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
