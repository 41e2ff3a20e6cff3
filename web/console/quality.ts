/** The media of each side of a call as it was while somebody looked at it: rtpengine tells only how it is now. */
import type { Explanation, Leg } from './answers.ts';
import { HISTORY_MS, type Point } from './history.ts';

type Media = NonNullable<Leg['media']>;
type Quality = NonNullable<Media['quality']>;

export interface MediaSample {
  readonly atMs: number;
  /** That came from this side since the call began. */
  readonly packets: number;
  /** An average of the call so far. */
  readonly quality: Media['quality'];
}

export interface SideHistory {
  readonly name: string;
  readonly samples: readonly MediaSample[];
}

/** By the tag of the side; the caller first. */
export type MediaHistory = ReadonlyMap<string, SideHistory>;

export interface Told {
  readonly call: Pick<Explanation['call'], 'state'>;
  readonly legs: Explanation['legs'];
}

/** With what is known now; for the last minutes, and for as long as the call lasts. */
export function rememberMedia(known: MediaHistory, { call, legs }: Told, atMs: number): MediaHistory {
  if (call.state !== 'answered') return known;
  const next = new Map(known);
  for (const { party, media, inCall } of legs) {
    if (media === null || !inCall) continue;
    const before = next.get(media.tag)?.samples ?? [];
    const kept = before.filter((sample) => sample.atMs > atMs - HISTORY_MS && sample.atMs < atMs);
    const samples = [...kept, { atMs, packets: media.packets, quality: media.quality }];
    next.set(media.tag, { name: party.name, samples });
  }
  return next;
}

export function measured(samples: readonly MediaSample[], value: (quality: Quality) => number): readonly Point[] {
  return samples.flatMap(({ atMs, quality }) => (quality === null ? [] : [{ atMs, value: value(quality) }]));
}

/** Viaduct asks rtpengine at most so often, and answers with the same count until then. */
const OVER_MS = 3_500;

/**
 * Over some seconds each. The first look may be answered with what was known long before, and a count that went back
 * belongs to another stream.
 */
export function packetRate([, ...samples]: readonly MediaSample[]): readonly Point[] {
  return samples.flatMap(({ atMs, packets }) => {
    const before = samples.findLast((sample) => atMs - sample.atMs >= OVER_MS);
    if (before === undefined || packets < before.packets) return [];
    return [{ atMs, value: ((packets - before.packets) * 1000) / (atMs - before.atMs) }];
  });
}
