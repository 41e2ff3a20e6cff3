/** The media of each side of a call over the whole of it, as points for a chart. */
import type { Explanation, Leg } from './answers.ts';
import type { Point } from './history.ts';

type Counted = Leg['overTime']['packets'];
type Report = Leg['overTime']['quality'][number];

export interface Side {
  readonly name: string;
  readonly overTime: Leg['overTime'];
}

/** The caller first, then the callee that answered. */
export function sidesOf({ legs }: Pick<Explanation, 'legs'>): readonly Side[] {
  return legs.filter(({ inCall }) => inCall).map(({ party, overTime }) => ({ name: party.name, overTime }));
}

export function reported(reports: readonly Report[], value: (report: Report) => number): readonly Point[] {
  return reports.map((report) => ({ atMs: Date.parse(report.at), value: value(report) }));
}

/** Shorter than this, and a packet more or less is a jump. */
const OVER_MS = 2_500;

/** A count that went back belongs to another stream. */
export function packetRate(counted: Counted): readonly Point[] {
  const samples = counted.map(({ at, packets }) => ({ atMs: Date.parse(at), packets }));
  return samples.flatMap(({ atMs, packets }) => {
    const before = samples.findLast((sample) => atMs - sample.atMs >= OVER_MS);
    if (before === undefined || packets < before.packets) return [];
    return [{ atMs, value: ((packets - before.packets) * 1000) / (atMs - before.atMs) }];
  });
}
