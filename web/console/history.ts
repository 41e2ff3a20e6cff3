/**
 * The last minutes of the statistics, for the small charts: bounded, and rates made from counters. A counter that went
 * back belongs to a process that was started again: nothing is known of the time between.
 */
import type { Statistics } from './answers.ts';

export interface Sample {
  readonly atMs: number;
  readonly calls: number;
  readonly bindings: number;
  readonly connections: number;
  readonly portsUsed: number;
  /** Since the server was started. */
  readonly requests: number;
  readonly answered: number;
  readonly failed: number;
}

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export const HISTORY_MS = 5 * 60_000;

export function sampleOf(statistics: Statistics, atMs: number): Sample {
  return {
    atMs,
    calls: statistics.calls.inProgress,
    bindings: statistics.registrations.bindings,
    connections: sum(Object.values(statistics.connections)),
    portsUsed: sum(statistics.rtpengine.map(({ ports }) => ports?.used ?? 0)),
    requests: sum(Object.values(statistics.messages.requests)),
    answered: statistics.calls.answered,
    failed: statistics.calls.failed,
  };
}

/** With this one, and without those that are too old. */
export function remember(samples: readonly Sample[], next: Sample): readonly Sample[] {
  return [...samples.filter(({ atMs }) => atMs > next.atMs - HISTORY_MS && atMs < next.atMs), next];
}

type Gauge = 'calls' | 'bindings' | 'connections' | 'portsUsed';
type Counter = 'requests' | 'answered' | 'failed';

export function gauge(samples: readonly Sample[], name: Gauge): readonly Point[] {
  return samples.map((sample) => ({ atMs: sample.atMs, value: sample[name] }));
}

/** Per second, between one sample and the next. */
export function perSecond(samples: readonly Sample[], name: Counter): readonly Point[] {
  return samples.slice(1).flatMap((sample, index) => {
    const before = samples[index];
    if (before === undefined || sample[name] < before[name]) return [];
    const seconds = (sample.atMs - before.atMs) / 1000;
    return [{ atMs: sample.atMs, value: (sample[name] - before[name]) / seconds }];
  });
}

/** Over the last `withinMs`, so that a number does not flicker. */
export function recentRate(samples: readonly Sample[], name: Counter, withinMs = 10_000): number {
  const last = samples.at(-1);
  const first = samples.find(({ atMs }) => last !== undefined && atMs >= last.atMs - withinMs);
  if (last === undefined || first === undefined || first === last || last[name] < first[name]) return 0;
  return ((last[name] - first[name]) * 1000) / (last.atMs - first.atMs);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
