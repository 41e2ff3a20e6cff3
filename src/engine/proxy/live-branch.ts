/** One branch on its way (downstream.ts), and what is asked of it and of its responses. */

import type { ErrorCode, Failure } from '../../errors.ts';
import { get } from '../../message/header.ts';
import { CSeq } from '../../message/headers/cseq.ts';
import type { SipResponse } from '../../message/message.ts';
import type { Cancel } from '../../ports.ts';
import { isSuccess } from '../../proxy/response-context.ts';
import type { Target } from '../api.ts';
import { isOfOther } from '../nodes/node-routing.ts';
import type { ClientTransaction } from '../transactions.ts';
import type { BranchPlan, PreparedBranch } from './branches.ts';
import type { Way } from './next-hop.ts';

export interface LiveBranch {
  readonly plan: BranchPlan;
  /** `undefined` while it is being prepared. */
  sent: PreparedBranch | undefined;
  client: ClientTransaction | undefined;
  timerC: Cancel | undefined;
  /** Its first response is waited for. */
  silence: Cancel | undefined;
  /** It has said more than 100. */
  hasRung: boolean;
  /** Why its 2xx could not be given its media: whatever else answers on it is hung up as well. */
  lost: Failure | undefined;
  /** What its story was told last. */
  told: ErrorCode | undefined;
}

/** As it was sent: one that slept has come back with another flow. */
export function targetOf({ sent, plan }: LiveBranch): Target {
  return sent?.target ?? plan.target;
}

/** Its connection is one that only the device can make (law 4); a node that is gone has taken those of its devices along. */
export function isOverItsConnection(branch: LiveBranch): boolean {
  if (isOfOther(targetOf(branch))) return true;
  const { sent } = branch;
  return sent !== undefined && sent.hop.way === undefined && sent.flow.transport !== 'udp';
}

/** 430, or the word of a node of ours that its device says nothing: it may sleep, and be woken. */
export function isLost({ status }: SipResponse, byNode: boolean): boolean {
  return status === 430 || (byNode && status === 408);
}

/**
 * Law 9: how many events may wait before this response is dropped. One that is repeated until somebody has heard it may
 * be; a final response of any other kind comes once for each branch.
 */
export function roomFor(response: SipResponse): number | undefined {
  if (response.status < 200) return 64;
  return isSuccess(response) && get(response, CSeq)?.method === 'INVITE' ? 128 : undefined;
}

/** The servers that have not been asked for it (RFC 3263 §4.3): each is asked once. */
export function takeServersLeft(branch: LiveBranch): readonly Way[] {
  const { sent } = branch;
  if (sent === undefined) return [];
  const { others } = sent.hop;
  branch.sent = { ...sent, hop: { ...sent.hop, others: [] } };
  return others;
}
