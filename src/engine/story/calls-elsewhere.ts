/**
 * Calls that are up at other nodes, for the list: the rows of their dialogs, which all nodes share, are what is known of them
 * here. How they began is lost, as over a restart. Left out: calls that ring there, which have no row.
 */
import { callIdHash } from '../../dialog/call-id-hash.ts';
import type { DialogRecord } from '../../ports.ts';
import { Story } from '../../story/story.ts';
import type { Core } from '../core.ts';
import type { StoryFilter } from './call-records.ts';

export interface CallElsewhere {
  readonly story: Story;
  readonly node: string;
}

export interface CallsElsewhere {
  readonly calls: readonly CallElsewhere[];
  /** The last one that was read, where there may be more behind it. */
  readonly last: Story | undefined;
}

/** More are answered in no millisecond: each page gets beyond the one it begins in. */
const mostInOneMs = 100;
/** Accounts are no column: so many are looked through for one, and then the next page goes on. */
const mostSearched = 2_000;

const none: CallsElsewhere = { calls: [], last: undefined };

/** The newest first; at least `limit`, if there are so many. */
export async function callsElsewhere(
  core: Core,
  limit: number,
  { state = 'answered', sinceMs = 0, untilMs = Number.POSITIVE_INFINITY, aor }: StoryFilter,
): Promise<CallsElsewhere> {
  const nodes = core.nodes.others().map(({ id }) => id);
  if (nodes.length === 0 || state !== 'answered') return none;
  const most = (aor === undefined ? limit : mostSearched) + mostInOneMs;
  const records = await core.ports.dialogs.up({ nodes, sinceMs, untilMs, limit: most });
  // Another branch of a fork, or another pass of a spiral, is the same call.
  const calls = [...new Map(records.map((record) => [record.callId, callOf(record)])).values()].sort(byPlace);
  const isWanted = ({ story }: CallElsewhere): boolean =>
    core.callRecords.matches(story, { aor }) && !isOurs(core, story.id);
  return { calls: calls.filter(isWanted), last: records.length < most ? undefined : calls.at(-1)?.story };
}

function callOf(record: DialogRecord): CallElsewhere {
  const { callId, caller, callee, answeredAtMs, node } = record;
  const story = new Story({ id: callIdHash(callId), callId, from: caller.uri, to: callee.uri, atMs: answeredAtMs });
  story.answered(record, answeredAtMs);
  return { story, node };
}

/** It passes this node as well, which knows more of it. */
function isOurs({ stories }: Core, id: string): boolean {
  const story = stories.byId(id);
  return story?.isLive === true && !story.isOfOthers;
}

function byPlace({ story: a }: CallElsewhere, { story: b }: CallElsewhere): number {
  return b.startedAtMs - a.startedAtMs || (a.id < b.id ? -1 : 1);
}
