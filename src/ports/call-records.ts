/** What is kept of a call after its end (DESIGN §5): one row each, for bills, questions and figures. */
import type { MediaKind } from '../ports.ts';

/** What each side of a call sent, as rtpengine saw it and the other side reported it. */
export interface LegRecord {
  readonly role: 'caller' | 'callee';
  /** What rtpengine was told that it speaks. */
  readonly profile: MediaKind | undefined;
  /** RTP that came from it; `undefined`: rtpengine said nothing of it. */
  readonly packets: number | undefined;
  readonly bytes: number | undefined;
  /** Of what it sent, by RTCP. */
  readonly quality: Quality | undefined;
  /** Why there is no quality; `undefined` where there is one. */
  readonly noQuality: NoQuality | undefined;
}

export interface Quality {
  /** 1 to 5. */
  readonly mos: number;
  readonly jitterMs: number;
  readonly lossPercent: number;
  readonly roundTripMs: number;
  /** Packets lost in all. */
  readonly lost: number;
}

export type NoQuality =
  | 'not-answered'
  /** Its media did not pass an rtpengine. */
  | 'no-relay'
  /** rtpengine did not answer, or did not know the call any more. */
  | 'relay-gone'
  /** rtpengine was not asked, or said nothing of this side. */
  | 'no-statistics'
  /** Not one packet came from this side. */
  | 'no-media'
  /** Neither side was sent a report (RFC 3550 §6.4). */
  | 'no-rtcp'
  /** Reports came, and none yet that both sides had a part in. */
  | 'too-few-reports';

export interface CallRecord {
  /** Public id; a later call with the same Call-ID has the same one and another `startedAtMs`. */
  readonly id: string;
  readonly startedAtMs: number;
  readonly callId: string;
  readonly node: string;
  readonly from: string;
  readonly to: string;
  /** What was dialled, whatever To says (RFC 3261 §8.1.1.2); `undefined`: a restart took the call up. */
  readonly requestUri: string | undefined;
  /** Whose call it was, in canonical form; of the callee the account that answered, else what was dialled. */
  readonly fromAor: string;
  readonly toAor: string;
  readonly answeredAtMs: number | undefined;
  readonly endedAtMs: number;
  readonly state: 'ended' | 'failed';
  readonly endedBy: 'caller' | 'callee' | 'viaduct' | undefined;
  readonly status: number | undefined;
  /** A row of errors.ts, and what it says of this call. */
  readonly code: string | undefined;
  readonly detail: string;
  readonly mediaNode: string | undefined;
  readonly mediaFault: { readonly code: string; readonly says: string; readonly nextStep: string } | undefined;
  readonly recording: 'on' | 'paused' | 'off' | undefined;
  readonly caller: LegRecord;
  readonly callee: LegRecord;
}

/** Which calls; absent: all. */
export interface CallFilter {
  readonly state?: 'ended' | 'failed' | undefined;
  /** Made or taken by this address, in canonical form. */
  readonly aor?: string | undefined;
  /** Begun at this time or later. */
  readonly sinceMs?: number | undefined;
  /** Begun before it. */
  readonly untilMs?: number | undefined;
}

export interface CallRecordStore {
  /** Inserts or replaces, by id and beginning. */
  save(record: CallRecord): Promise<void>;
  /** The newest with this id. */
  find(id: string): Promise<CallRecord | undefined>;
  /** Newest first; `before`: the place of the last one of the page before. */
  list(
    page: CallFilter & {
      readonly limit: number;
      readonly before?: { readonly startedAtMs: number; readonly id: string } | undefined;
    },
  ): Promise<readonly CallRecord[]>;
}
