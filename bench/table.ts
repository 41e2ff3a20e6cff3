/** The measured runs as a table for people: medians per case and peer, and Viaduct in multiples of Kamailio. */
import type { Case } from './cases.ts';
import type { Counts } from './counts.ts';

export interface Measured {
  readonly case: string;
  readonly peer: string;
  readonly run: number;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU milliseconds of each operation. */
  readonly proxyMs: number;
  readonly rtpengineMs: number;
  readonly postgresMs: number;
  /** Of each operation, too. */
  readonly counts: Counts;
  readonly memoryMiB: number;
  readonly stealPercent: number;
  /** Of a case with a filled database: what one operation of it is counted by, if it is no sipp call. */
  readonly told?: number;
  /** From its start until it listened, and what it held then. */
  readonly startMs?: number;
  readonly startMiB?: number;
}

type Figure = 'proxyMs' | 'rtpengineMs' | 'postgresMs' | 'p50Ms' | 'p99Ms' | 'failed' | 'memoryMiB';

/** Beyond this the machine was not ours, and a run does not count. */
export const mostStealPercent = 5;

const columns: readonly (readonly [string, number])[] = [
  ['case', 22],
  ['peer', 9],
  ['proxy ms', 9],
  ['rtpengine', 10],
  ['postgres', 9],
  ['p50 ms', 7],
  ['p99 ms', 7],
  ['failed', 7],
  ['MiB', 6],
  ['runs', 5],
];

export function tableOf(cases: readonly Case[], measured: readonly Measured[]): string {
  const lines = cases.flatMap((one) => {
    const peers = [...new Set(measured.filter((each) => each.case === one.name).map(({ peer }) => peer))];
    return [
      ...peers.map((peer) => rowOf(one.name, peer, counted(measured, one.name, peer))),
      ratioOf(one, measured),
      growthOf(one, measured),
    ];
  });
  return [line(columns.map(([name]) => name)), ...lines].filter((each) => each !== '').join('\n');
}

function counted(measured: readonly Measured[], name: string, peer: string): readonly Measured[] {
  return measured.filter((each) => each.case === name && each.peer === peer && isGood(each));
}

/** What failed or was repeated cost something else than what is measured. */
function isGood({ successful, failed, retransmissions, stealPercent }: Measured): boolean {
  return stealPercent <= mostStealPercent && failed === 0 && retransmissions <= successful / 1_000;
}

function rowOf(name: string, peer: string, runs: readonly Measured[]): string {
  const of = (figure: Figure, digits: number): string =>
    runs.length === 0 ? '-' : middle(runs, figure).toFixed(digits);
  const cpu = [of('proxyMs', 3), of('rtpengineMs', 3), of('postgresMs', 3)];
  return line([
    name,
    peer,
    ...cpu,
    of('p50Ms', 0),
    of('p99Ms', 0),
    of('failed', 0),
    of('memoryMiB', 0),
    `${runs.length}`,
  ]);
}

function ratioOf({ name, bar }: Case, measured: readonly Measured[]): string {
  const [ours, theirs] = ['viaduct', 'kamailio'].map((peer) => counted(measured, name, peer));
  if (ours === undefined || theirs === undefined || ours.length === 0 || theirs.length === 0) return '';
  const proxy = middle(ours, 'proxyMs') / middle(theirs, 'proxyMs');
  const both = (runs: readonly Measured[]): number => middle(runs, 'proxyMs') + middle(runs, 'postgresMs');
  const words = [
    `proxy ${proxy.toFixed(2)} times`,
    `proxy and PostgreSQL ${(both(ours) / both(theirs)).toFixed(2)} times`,
  ];
  const aim = bar === undefined ? '' : `; the bar is ${bar.ratio} times for ${bar.of}`;
  return `  Viaduct to Kamailio: ${words.join(', ')}${aim}`;
}

function growthOf({ name, growth }: Case, measured: readonly Measured[]): string {
  if (growth === undefined) return '';
  const [more, less] = [name, growth.from].map((each) => counted(measured, each, 'viaduct'));
  if (more === undefined || less === undefined || more.length === 0 || less.length === 0) return '';
  const proxyAndPostgres = (runs: readonly Measured[]): number => middle(runs, 'proxyMs') + middle(runs, 'postgresMs');
  const percent = (of: (runs: readonly Measured[]) => number): string =>
    `${(100 * (of(more) / of(less) - 1)).toFixed(1)} %`;
  const words = [
    `proxy ${percent((runs) => middle(runs, 'proxyMs'))}`,
    `PostgreSQL ${percent((runs) => middle(runs, 'postgresMs'))}`,
    `both ${percent(proxyAndPostgres)}`,
  ];
  const { startMs = 0, startMiB = 0 } = more[0] ?? {};
  const start = `; started in ${startMs} ms with ${startMiB} MiB`;
  return `  more than ${growth.from}: ${words.join(', ')}; the bar is ${growth.percent} %${start}`;
}

function middle(runs: readonly Measured[], figure: Figure): number {
  const sorted = runs.map((run) => run[figure]).sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, at) => (at < 2 ? cell.padEnd(columns[at]?.[1] ?? 0) : cell.padStart(columns[at]?.[1] ?? 0)))
    .join(' ');
}
