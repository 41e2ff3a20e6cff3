/**
 * Calls for people: one call's record, its ladder, why it went as it did. Nothing here is kept. Left out: the list
 * (call-list.ts).
 */
import type { Log } from '../../ports.ts';
import { explain } from '../../story/explanation.ts';
import { drawLadder } from '../../story/ladder.ts';
import { type Party, readPassages } from '../../story/passages.ts';
import { type Step, stepsOf } from '../../story/steps.ts';
import type { Story } from '../../story/story.ts';
import type { Core } from '../core.ts';
import { refuseIfElsewhere } from '../operations/elsewhere.ts';
import type { CallExplanation, CallSummary, LadderReport, LadderStep } from '../operations.ts';
import { summary, summaryOfRecord } from './call-list.ts';
import type { Happenings } from './happenings.ts';
import type { CallChange } from './stories.ts';

/** In memory, or a failed one in the database; of a call that another node has had, only that one knows more. */
async function find(core: Core, id: string): Promise<Story | undefined> {
  const story = core.stories.byId(id) ?? (await core.failedCalls.find(id));
  if (story === undefined) refuseIfElsewhere(core, id, (await core.callRecords.find(id))?.node);
  return story;
}

/** One in progress is asked for its packets first. */
export async function call(core: Core, id: string): Promise<CallSummary | undefined> {
  const story = core.stories.byId(id);
  if (story?.state === 'answered') await core.stories.askMedia(story);
  if (story !== undefined) return summary(story);
  const record = await core.callRecords.find(id);
  if (record === undefined) refuseIfElsewhere(core, id);
  return record === undefined ? undefined : summaryOfRecord(record);
}

export async function ladder(core: Core, id: string): Promise<LadderReport | undefined> {
  const story = await find(core, id);
  return story === undefined ? undefined : ladderOf(story);
}

/** `undefined`: unknown, or forgotten. A call in progress is asked for its packets first. */
export async function explanation(core: Core, id: string): Promise<CallExplanation | undefined> {
  const story = await find(core, id);
  if (story === undefined) return undefined;
  if (story.state === 'answered') await core.stories.askMedia(story);
  return { call: summary(story), ...explain(story, core.ports.clock.nowMs()) };
}

export function callChanged(happenings: Happenings, change: CallChange, story: Story): void {
  if (happenings.isWatched) happenings.tell({ type: 'call', change, call: summary(story) });
}

/** One line for each call, when it is over. What was only asked for a password was no call yet. */
export function logCall(log: Log, change: CallChange, story: Story): void {
  const { callId, from, to, status, answeredAtMs, endedAtMs, endedBy, code, mediaNode, hasFailed } = story;
  if (change === 'started' || change === 'answered' || status === 401 || status === 407) return;
  const talkedMs = answeredAtMs === undefined ? 0 : (endedAtMs ?? answeredAtMs) - answeredAtMs;
  const seconds = Math.round(talkedMs / 100) / 10;
  const fields = { callId, from, to, status, seconds, endedBy, code, rtpengine: mediaNode };
  const how = answeredAtMs === undefined ? (hasFailed ? 'failed' : 'given up') : 'ended';
  log.info(fields, `Call ${how}`);
}

/** Told of what the watch over the media finds. */
export function mediaChanged(happenings: Happenings, log: Log, story: Story): void {
  if (happenings.isWatched) happenings.tell({ type: 'media', call: summary(story) });
  const { callId, from, to, mediaNode, mediaFault } = story;
  const fields = { callId, from, to, code: mediaFault?.code, rtpengine: mediaNode };
  if (mediaFault === undefined) log.info(fields, 'The media of a call is well again');
  else log.warn({ ...fields, nextStep: mediaFault.nextStep }, mediaFault.says);
}

function ladderOf(story: Story): LadderReport {
  const passages = readPassages(story);
  const steps = stepsOf(story.events, passages);
  const { parties } = passages;
  return {
    call: summary(story),
    parties,
    steps: steps.map((step) => ladderStep(step, parties, story.startedAtMs)),
    lines: drawLadder(steps, parties, story.startedAtMs),
    dropped: story.dropped,
  };
}

function ladderStep(step: Step, parties: readonly Party[], startedAtMs: number): LadderStep {
  const { kind, number, atMs, incoming, label, tone, times, lastAtMs, text } = step;
  const party = step.party === undefined ? undefined : parties.indexOf(step.party);
  const at = { at: iso(atMs), sinceMs: atMs - startedAtMs, lastSinceMs: lastAtMs - startedAtMs };
  return { kind, number, party, incoming, label, tone, times, text, ...at };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
