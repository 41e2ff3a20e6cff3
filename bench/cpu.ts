/**
 * CPU time of process trees, from /proc: user and system time of each process, with that of its ended children. Also how
 * much of the machine others took, which says whether a measurement counts.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export interface MachineTime {
  readonly total: number;
  readonly steal: number;
}

/** Seconds used so far by this process and all its descendants. */
export function cpuSeconds(root: number): number {
  return tree(root).reduce((sum, pid) => sum + ticksOf(pid), 0) / ticksPerSecond;
}

/** In ticks, over all cores. */
export function machineTime(): MachineTime {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  return { total: ticks.reduce((sum, each) => sum + each, 0), steal: ticks[7] ?? 0 };
}

/** Percent of the machine that the hypervisor gave to others. */
export function stealPercent(before: MachineTime, after: MachineTime): number {
  return (100 * (after.steal - before.steal)) / Math.max(1, after.total - before.total);
}

/** Resident memory of the tree, in MiB; pages that processes share count once for each. */
export function memoryMiB(root: number): number {
  const pages = tree(root).map((pid) => {
    const [, kiB = '0'] = /^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`)) ?? [];
    return Number(kiB);
  });
  return pages.reduce((sum, each) => sum + each, 0) / 1_024;
}

function tree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = Number(fields(Number(name))[1]);
    if (Number.isInteger(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (pid: number): readonly number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

/** utime, stime, cutime and cstime of proc(5). */
function ticksOf(pid: number): number {
  return fields(pid)
    .slice(11, 15)
    .reduce((sum, each) => sum + Number(each), 0);
}

/** Behind the program's name, which may hold blanks and brackets: state, ppid, … */
function fields(pid: number): readonly string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Processes end while we look. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
