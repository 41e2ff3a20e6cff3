/**
 * The list of calls: those of this process from memory, those that are up at other nodes, and what the database has of ended
 * ones, newest first.
 * Left out: what there is to say of one call (call-reports.ts).
 */
import { errors, Failure, failureOf, isErrorCode } from '../../errors.ts';
import { parseUri } from '../../message/uri.ts';
import type { CallRecord } from '../../ports.ts';
import { legRecord } from '../../story/leg-record.ts';
import { readable } from '../../story/readable.ts';
import type { Story } from '../../story/story.ts';
import type { Core } from '../core.ts';
import { encode } from '../operations/subscribers.ts';
import type { CallSummary, CallsRequest, MediaFault, Page } from '../operations.ts';
import type { StoryFilter } from './call-records.ts';
import { type CallsElsewhere, callsElsewhere } from './calls-elsewhere.ts';

interface Entry {
  readonly place: string;
  readonly call: () => CallSummary;
}

export async function calls(
  core: Core,
  { limit, after, whole = false, ...wanted }: CallsRequest,
): Promise<Page<CallSummary> & { readonly partial?: boolean }> {
  const filter = filterOf(core, wanted);
  const asked = Promise.all([keptBehind(core, limit + 1, after, filter), upBehind(core, limit + 1, after, filter)]);
  const found = await asked.catch((thrown: unknown) => {
    if (whole || failureOf(thrown).code !== 'database-down') throw thrown;
    return undefined;
  });
  const [kept, up] = found ?? [[], { calls: [], last: undefined }];
  // Calls that began before the last row that was read may have rows that were not.
  const horizon = firstOf(kept.length > limit ? kept.at(-1) : undefined, up.last);
  const isHere = ({ place }: Entry): boolean =>
    (after === undefined || place > after) && (horizon === undefined || place <= horizon);
  const known = core.stories
    .all()
    .filter((story) => core.callRecords.matches(story, filter))
    .map((story) => ({ place: placeOf(story), call: () => summary(story) }));
  // What is in memory knows better.
  const others = kept.filter(({ id, startedAtMs }) => core.stories.byId(id)?.startedAtMs !== startedAtMs);
  const older = others.map((record) => ({ place: placeOf(record), call: () => summaryOfRecord(record) }));
  const elsewhere = up.calls.map(({ story, node }) => ({
    place: placeOf(story),
    call: () => ({ ...summary(story), node }),
  }));
  const all = [...known, ...older, ...elsewhere].filter(isHere).sort((a, b) => (a.place < b.place ? -1 : 1));
  const page = all.slice(0, limit);
  const next = all.length > limit ? page.at(-1)?.place : horizon;
  return { items: page.map(({ call }) => call()), next, ...(found === undefined ? { partial: true } : {}) };
}

type Wanted = Omit<CallsRequest, 'limit' | 'after' | 'whole'>;

function filterOf({ domains, callRecords }: Core, { state, account, since, until }: Wanted): StoryFilter {
  const uri = account === undefined ? undefined : `sip:${bare(encode(account), domains.first)}`;
  if (uri !== undefined && parseUri(uri) === undefined)
    throw new Failure('malformed', 'An account looks like alice@example.com.');
  return {
    state,
    aor: uri && callRecords.aorOf(uri),
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : Date.parse(until),
  };
}

/** `alice@example.com`; without a domain in the first of ours. */
function bare(address: string, domain: string): string {
  const text = address.replace(/^sips?:/i, '');
  return text.includes('@') ? text : `${text}@${domain}`;
}

/** Its place in the list, newest first: ordered as text. */
function placeOf(of: Pick<Story, 'startedAtMs' | 'id'> | undefined): string {
  return of === undefined ? '' : `${String(endOfTimeMs - of.startedAtMs).padStart(16, '0')}~${of.id}`;
}

const endOfTimeMs = 10 ** 15;

/** The place that comes first. */
function firstOf(...of: readonly (Pick<Story, 'startedAtMs' | 'id'> | undefined)[]): string | undefined {
  const [first] = of.flatMap((one) => (one === undefined ? [] : [placeOf(one)])).sort();
  return first;
}

async function upBehind(
  core: Core,
  limit: number,
  after: string | undefined,
  filter: StoryFilter,
): Promise<CallsElsewhere> {
  const { untilMs = Number.POSITIVE_INFINITY } = filter;
  // Those that began with it may come behind it.
  const behindMs = after === undefined ? Number.POSITIVE_INFINITY : placeIn(after).startedAtMs + 1;
  return callsElsewhere(core, limit, { ...filter, untilMs: Math.min(untilMs, behindMs) });
}

/** Ended calls that are in the database. */
async function keptBehind(
  core: Core,
  limit: number,
  after: string | undefined,
  { state, ...filter }: StoryFilter,
): Promise<readonly CallRecord[]> {
  const before = after === undefined ? undefined : placeIn(after);
  if (state === 'ringing' || state === 'answered') return [];
  return core.callRecords.list({ limit, before, state, ...filter });
}

function placeIn(after: string): { readonly startedAtMs: number; readonly id: string } {
  const [, time, id] = /^(0\d{15})~([\w-]{1,64})$/.exec(after) ?? [];
  if (time === undefined || id === undefined) throw new Failure('malformed', '"after" is the "next" of an answer.');
  return { startedAtMs: endOfTimeMs - Number(time), id };
}

// --- one call in few words -------------------------------------------------------------------------------------------

export function summary(story: Story): CallSummary {
  const { id, state, startedAtMs, answeredAtMs, endedAtMs, endedBy, status, code, detail } = story;
  const { callerMedia, calleeMedia, mediaNode, mediaFault, recording } = story;
  return {
    ...{ id, state, endedBy, status, code, callerMedia, calleeMedia, recording },
    ...namesOf(story),
    startedAt: iso(startedAtMs),
    answeredAt: maybeIso(answeredAtMs),
    endedAt: maybeIso(endedAtMs),
    rtpengine: mediaNode,
    mediaFault: faultOf(mediaFault),
    reason: code === undefined ? undefined : reasonOf(code, detail),
    legs: [legRecord(story, 'caller'), legRecord(story, 'callee')],
  };
}

export function summaryOfRecord(record: CallRecord): CallSummary {
  const { id, state, startedAtMs, answeredAtMs, endedAtMs, endedBy, status, code, detail } = record;
  const { caller, callee, mediaNode, mediaFault, recording } = record;
  return {
    ...{ id, state, endedBy, status, code, mediaFault, recording },
    ...namesOf(record),
    startedAt: iso(startedAtMs),
    answeredAt: maybeIso(answeredAtMs),
    endedAt: iso(endedAtMs),
    callerMedia: caller.profile,
    calleeMedia: callee.profile,
    rtpengine: mediaNode,
    // Another version may have written it.
    reason: code === undefined || !isErrorCode(code) ? undefined : reasonOf(code, detail),
    legs: [caller, callee],
  };
}

function namesOf({ callId, from, to, requestUri }: Pick<CallRecord, 'callId' | 'from' | 'to' | 'requestUri'>) {
  const dialled = requestUri === undefined ? undefined : readable(requestUri);
  return { callId: readable(callId), from: readable(from), to: readable(to), requestUri: dialled };
}

function reasonOf(code: keyof typeof errors, detail: string): string {
  return readable(`${errors[code].meaning} ${detail}`.replace(/ $/, ''));
}

function faultOf(fault: Story['mediaFault']): MediaFault | undefined {
  return fault && { code: fault.code, says: fault.says, nextStep: fault.nextStep };
}

const maybeIso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : iso(ms));

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
