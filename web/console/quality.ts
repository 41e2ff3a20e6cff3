/** The quality of each side of a call as it was while somebody looked at it: rtpengine tells only how it is now. */
import type { Explanation, Leg } from './answers.ts';
import { HISTORY_MS } from './history.ts';

type Quality = NonNullable<NonNullable<Leg['media']>['quality']>;

export interface QualitySample extends Quality {
  readonly atMs: number;
}

/** By the tag of the side. */
export type QualityHistory = ReadonlyMap<string, readonly QualitySample[]>;

export function rememberQuality(known: QualityHistory, legs: Explanation['legs'], atMs: number): QualityHistory {
  const next = new Map(known);
  for (const { media } of legs) {
    if (media === null || media.quality === null) continue;
    const kept = (next.get(media.tag) ?? []).filter((sample) => sample.atMs > atMs - HISTORY_MS && sample.atMs < atMs);
    next.set(media.tag, [...kept, { ...media.quality, atMs }]);
  }
  return next;
}
