/**
 * A call explained: each leg with its profile and why, its SDPs and what changed, its media as rtpengine saw it, the
 * steps of offer and answer, who hung up, and the verdicts with the next step.
 */
import type { MediaKind, NgCommand, NoQuality } from '../ports.ts';
import { withoutKeys } from './credentials.ts';
import type { Exchange } from './exchanges.ts';
import { type Facts, factsOf, type Leg } from './facts.ts';
import { noQualityOf } from './leg-record.ts';
import type { LegState, Report } from './media-state.ts';
import type { Party } from './passages.ts';
import { readable } from './readable.ts';
import type { SectionChanges } from './sdp-changes.ts';
import type { Story } from './story.ts';
import { type Verdict, verdictsOf } from './verdicts.ts';

export interface Explanation {
  /** The first one is the headline. */
  readonly verdicts: readonly Verdict[];
  readonly legs: readonly ExplainedLeg[];
  readonly exchanges: readonly ExplainedExchange[];
}

export interface ExplainedLeg {
  readonly party: Party;
  readonly userAgent: string;
  readonly profile: MediaKind | undefined;
  readonly why: string;
  /** It answered, or is the caller. */
  readonly inCall: boolean;
  /** What it sent, and what it was sent. */
  readonly sdpFrom: string | undefined;
  readonly sdpTo: string | undefined;
  readonly media: LegState | undefined;
  /** Why there is no MOS; `undefined` when there is one. */
  readonly noQuality: NoQuality | undefined;
  readonly overTime: MediaOverTime;
}

/** What came from one party, from the answer to the end. */
export interface MediaOverTime {
  /** By then, of the whole call; the oldest first, sixty at most. */
  readonly packets: readonly { readonly atMs: number; readonly packets: number }[];
  readonly quality: readonly Report[];
}

export interface ExplainedExchange {
  readonly kind: 'offer' | 'answer';
  readonly by: 'caller' | 'callee';
  readonly callee: string | undefined;
  readonly atMs: number;
  readonly tookMs: number;
  readonly node: string;
  /** By which it is found in the log of rtpengine. */
  readonly cookie: string;
  /** What rtpengine was told beside SDP and tags. */
  readonly flags: Readonly<Record<string, string>>;
  readonly failure: string | undefined;
  readonly before: string;
  readonly after: string | undefined;
  readonly words: readonly string[];
  readonly changes: readonly SectionChanges[];
}

export function explain(story: Story, nowMs: number): Explanation {
  const facts = factsOf(story, nowMs);
  const legs = [facts.caller, ...facts.callees].flatMap((leg) => leg ?? []);
  return {
    verdicts: verdictsOf(facts),
    legs: legs.map((leg) => explainedLeg(leg, facts)),
    exchanges: facts.exchanges.map(explainedExchange),
  };
}

function explainedLeg(leg: Leg, { story, caller, answerer }: Facts): ExplainedLeg {
  const { party, userAgent, profile, why, media } = leg;
  const inCall = leg === caller || leg === answerer;
  return {
    party,
    userAgent: readable(userAgent),
    profile,
    why,
    inCall,
    sdpFrom: shown(leg.sdpFrom),
    sdpTo: shown(leg.sdpTo),
    media,
    noQuality: noQualityOf(story, media),
    overTime: { packets: inCall ? packetsOf(story, party.role) : [], quality: media?.progress ?? [] },
  };
}

function packetsOf({ mediaHistory }: Story, role: Party['role']): MediaOverTime['packets'] {
  return mediaHistory.samples.flatMap(({ atMs, [role]: packets }) =>
    packets === undefined ? [] : [{ atMs, packets }],
  );
}

function explainedExchange({ event, kind, by, callee, before, after, changes }: Exchange): ExplainedExchange {
  const { atMs, tookMs, node, cookie, command, failure } = event;
  return {
    kind,
    by,
    callee: callee?.name,
    atMs,
    tookMs,
    node,
    cookie,
    flags: flagsOf(command),
    failure:
      failure === undefined
        ? undefined
        : [failure.code, readable(failure.detail)].filter((word) => word !== '').join(': '),
    before: readable(withoutKeys(before)),
    after: shown(after),
    words: changes.words.map(readable),
    changes: changes.sections.map(({ section, removed, added }) => ({
      section,
      removed: removed.map(readable),
      added: added.map(readable),
    })),
  };
}

function shown(sdp: string | undefined): string | undefined {
  return sdp === undefined ? undefined : readable(withoutKeys(sdp));
}

const notFlags: ReadonlySet<string> = new Set(['command', 'sdp', 'call-id', 'from-tag', 'to-tag', 'via-branch']);

function flagsOf(command: NgCommand): Readonly<Record<string, string>> {
  const flags = Object.entries(command).filter(([key]) => !notFlags.has(key));
  return Object.fromEntries(
    flags.map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : String(value)]),
  );
}
