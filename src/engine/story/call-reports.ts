/**
 * Calls for people: the list, one call's record, its ladder. Read from the stories; nothing here is kept.
 */

import { errors } from '../../errors.ts';
import type { Log } from '../../ports.ts';
import { explain } from '../../story/explanation.ts';
import { drawLadder } from '../../story/ladder.ts';
import { type Party, readPassages } from '../../story/passages.ts';
import { readable } from '../../story/readable.ts';
import { type Step, stepsOf } from '../../story/steps.ts';
import type { Story } from '../../story/story.ts';
import type { Core } from '../core.ts';
import type {
  CallExplanation,
  CallSummary,
  CallsRequest,
  LadderReport,
  LadderStep,
  MediaFault,
  Page,
} from '../operations.ts';
import type { Happenings } from './happenings.ts';
import type { CallChange } from './stories.ts';

export async function calls(core: Core, { limit, after, state }: CallsRequest): Promise<Page<CallSummary>> {
  const all = core.stories.all().filter((story) => state === undefined || story.state === state);
  const behind = after === undefined ? all : all.filter((story) => placeOf(story) > after);
  const older = state === 'failed' ? await keptBehind(core, limit + 1, after) : [];
  const known = new Set(behind.map(({ id }) => id));
  const both = [...behind, ...older.filter(({ id }) => !known.has(id))].sort((a, b) =>
    placeOf(a) < placeOf(b) ? -1 : 1,
  );
  const page = both.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(summary), next: both.length > limit && last !== undefined ? placeOf(last) : undefined };
}

/** Its place in the list, newest first: ordered as text. */
function placeOf({ startedAtMs, id }: Pick<Story, 'startedAtMs' | 'id'>): string {
  return `${String(endOfTimeMs - startedAtMs).padStart(16, '0')}~${id}`;
}

const endOfTimeMs = 10 ** 15;

/** Failed calls that are in the database; none while that is down. */
async function keptBehind(core: Core, limit: number, after: string | undefined): Promise<readonly Story[]> {
  const [, time, id] = /^(\d{16})~(.*)$/.exec(after ?? '') ?? [];
  const before = time === undefined || id === undefined ? undefined : { startedAtMs: endOfTimeMs - Number(time), id };
  return core.failedCalls.list(limit, before).catch(() => []);
}

/** In memory, or a failed one in the database. */
async function find(core: Core, id: string): Promise<Story | undefined> {
  return core.stories.byId(id) ?? (await core.failedCalls.find(id));
}

export async function call(core: Core, id: string): Promise<CallSummary | undefined> {
  const story = await find(core, id);
  return story === undefined ? undefined : summary(story);
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

export function summary(story: Story): CallSummary {
  const { id, state, answeredAtMs, endedAtMs, endedBy, status, code, mediaNode } = story;
  return {
    id,
    callId: readable(story.callId),
    state,
    from: readable(story.from),
    to: readable(story.to),
    startedAt: iso(story.startedAtMs),
    answeredAt: answeredAtMs === undefined ? undefined : iso(answeredAtMs),
    callerMedia: story.callerMedia,
    calleeMedia: story.calleeMedia,
    rtpengine: mediaNode,
    endedAt: endedAtMs === undefined ? undefined : iso(endedAtMs),
    endedBy,
    status,
    code,
    mediaFault: faultOf(story),
    recording: story.recording,
    reason: code === undefined ? undefined : readable(`${errors[code].meaning} ${story.detail}`.replace(/ $/, '')),
  };
}

function faultOf({ mediaFault }: Story): MediaFault | undefined {
  if (mediaFault === undefined) return undefined;
  const { code, says, nextStep } = mediaFault;
  return { code, says, nextStep };
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
