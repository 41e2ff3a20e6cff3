/**
 * What is wrong with the media of a call that is up, if anything: the first verdict of those that a look at rtpengine can
 * give. Left out: when to look, and who is told (engine/media/media-watch.ts).
 */
import { saysGone } from './events.ts';
import { factsOf } from './facts.ts';
import type { LegState } from './media-state.ts';
import type { Story } from './story.ts';
import { type Verdict, verdictsOf } from './verdicts.ts';

const faults: ReadonlySet<string> = new Set([
  'media-session-lost',
  'no-media-at-all',
  'browser-never-reached-relay',
  'ice-or-dtls-unfinished',
  'dtls-unfinished',
  'one-way',
  'media-stopped',
]);

/** Reading a whole story costs a thousand times what the look at the numbers does. */
export function mediaFaultOf(story: Story, nowMs: number): Verdict | undefined {
  const known = story.media === undefined || story.media.legs.every(isHealthy);
  if (known && !story.events.some((event) => event.kind === 'ng' && saysGone(event))) return undefined;
  return verdictsOf(factsOf(story, nowMs)).find(({ code }) => faults.has(code));
}

function isHealthy({ packets, sends, ice, dtls, silentSeconds = 0 }: LegState): boolean {
  if (ice === 'waiting' || dtls === 'waiting') return false;
  return !sends || (packets > 0 && silentSeconds <= 15);
}
