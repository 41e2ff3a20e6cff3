/**
 * Spirals (RFC 3261 §16.3 step 4): a message that passes us again, because somebody sent it back to us, with the SDP that we
 * wrote into it the first time. A new one with such an SDP is none: simple clients say back what they were told. And the
 * forks of a proxy before us, which are as like each other as the passes of a spiral.
 */
import type { Party } from '../../media/offer-answer.ts';
import { addressFamily } from '../../media/profiles.ts';
import { viaBranch } from '../../media/via-branch.ts';
import { all, get } from '../../message/header.ts';
import { CSeq } from '../../message/headers/cseq.ts';
import { Via } from '../../message/headers/via.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../message/message.ts';
import { param } from '../../message/params.ts';
import type { MediaCall, MediaParty } from './media-call.ts';

/** Begins the keys of what we wrote into this message: of a response, `party` sent the request. */
export function nameOf(message: SipMessage, party: Party): string {
  const { number, method } = get(message, CSeq) ?? {};
  return `${message.kind} ${party} ${number} ${method} `;
}

/** An INVITE that opens the call may have been given another CSeq on its way. */
export function isSpiral(call: MediaCall, { body }: SipRequest, name: string, inDialog: boolean): boolean {
  return wrote(call, body, (key) => !inDialog || key.startsWith(name));
}

/** What answers the second pass of a spiral has been through rtpengine when it comes by in the first. */
export function wroteElsewhere(call: MediaCall, { body }: SipResponse, name: string, via: string): boolean {
  return wrote(call, body, (key) => key.startsWith(name) && !key.includes(` ${via} `));
}

function wrote({ rewritten }: MediaCall, body: string, there: (key: string) => boolean): boolean {
  if (body === '') return false;
  for (const [key, own] of rewritten) if (own === body && there(key)) return true;
  return false;
}

/**
 * RFC 3261 §16.6: a proxy before us forked it while this call waits, and gave each copy an offer of its own, as one with a
 * media relay does. One that we forwarded, and that somebody changed on its way back, is none. `mark`: of our via-branches.
 */
export function isOtherFork(call: MediaCall, invite: SipRequest, mark: string): boolean {
  if (call.contexts === 0 || call.cseq !== get(invite, CSeq)?.number || call.invited === invite.body) return false;
  const branches = all(invite, Via).map(({ params }) => param(params, 'branch') ?? '');
  const hasPassed = branches.some((branch) => call.callees.has(viaBranch(mark, branch)));
  return !hasPassed && !isSpiral(call, invite, '', false);
}

/** It comes by again on this branch, for a party that can take it as it is. */
export function leaveAlone(call: MediaCall, request: SipRequest, branchId: string): void {
  const branches = call.arranged.get(request) ?? new Set();
  call.arranged.set(request, branches.add(branchId));
}

export function isLeftAlone(call: MediaCall, request: SipRequest, branchId: string): boolean {
  return call.arranged.get(request)?.has(branchId) === true;
}

/** Whether an SDP that was made for the one suits the other. */
export function canTake(receiver: MediaParty, first: MediaParty): boolean {
  return receiver.kind === first.kind && addressFamily(receiver.address) === addressFamily(first.address);
}
