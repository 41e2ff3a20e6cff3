/**
 * How many packets had come from each side of a call, over the whole of it: rtpengine tells only how many by now.
 *
 * A value within a bound (law 9): when there are too many samples every second one goes, and later ones are further apart.
 * Left out: quality over time, which rtpengine keeps itself (media-state.ts).
 */
import type { MediaState } from './media-state.ts';

export interface MediaHistory {
  /** Samples are at least so far apart, but for the last one. */
  readonly everyMs: number;
  readonly samples: readonly MediaSample[];
}

/** Packets since the call began; absent: rtpengine said nothing of this side. */
export interface MediaSample {
  readonly atMs: number;
  readonly caller?: number | undefined;
  readonly callee?: number | undefined;
}

export interface Tags {
  readonly callerTag: string | undefined;
  readonly calleeTag: string | undefined;
}

export const noHistory: MediaHistory = { everyMs: 1_000, samples: [] };
export const mostSamples = 60;

export function sampleOf({ legs }: MediaState, { callerTag, calleeTag }: Tags, atMs: number): MediaSample {
  const of = (tag: string | undefined) => legs.find((leg) => leg.tag === tag)?.packets;
  return { atMs, caller: of(callerTag), callee: of(calleeTag) };
}

/** The last sample is always kept, so that the lines end where the call does. */
export function withSample({ everyMs, samples }: MediaHistory, sample: MediaSample): MediaHistory {
  const before = samples.at(-2);
  const isClose = before !== undefined && (samples.at(-1)?.atMs ?? 0) - before.atMs < everyMs;
  const next = [...(isClose ? samples.slice(0, -1) : samples), sample];
  if (next.length <= mostSamples) return { everyMs, samples: next };
  return { everyMs: 2 * everyMs, samples: next.filter((_, index) => index % 2 === 0) };
}

/** What it costs to keep, in bytes, nearly. */
export function historySize({ samples }: MediaHistory): number {
  return 64 * samples.length;
}
