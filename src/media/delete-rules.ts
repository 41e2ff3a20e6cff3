/**
 * When rtpengine is told to let go (DESIGN §4 "Delete rules"): pure rules over the branches of one call.
 *
 * `delete` with from-tag and via-branch frees that branch only if rtpengine knows it and has not deleted it before.
 * For a branch that is unknown, was refused or is gone already it destroys the WHOLE CALL. So a branch is deleted once,
 * only if its offer was `ok`, and only while another branch lives. Everything else waits for the end of the call.
 * Offers of a re-INVITE are no branches: they never reach this file.
 */
import type { DeleteCommand } from './commands.ts';

/** `asked`: its offer is on the way or nobody knows what became of it. */
type BranchState = 'asked' | 'ok' | 'answered' | 'refused' | 'late' | 'ended';

export interface MediaSession {
  readonly branches: ReadonlyMap<string, BranchState>;
  readonly ended: boolean;
}

export type MediaEvent =
  /** An offer for this via-branch leaves. */
  | { readonly on: 'offer-sent'; readonly branch: string }
  | { readonly on: 'offer-ok'; readonly branch: string }
  /** rtpengine said no: it has no such branch. */
  | { readonly on: 'offer-refused'; readonly branch: string }
  /**
   * The callee made the offer: rtpengine then ties the via-branch to the caller, whom all branches share, and a branch
   * delete would end the call for all of them. So there is none.
   */
  | { readonly on: 'late-offer'; readonly branch: string }
  /** A 2xx came on it: the end of its INVITE transaction is no longer the end of its media. */
  | { readonly on: 'answered'; readonly branch: string }
  /** Its INVITE client transaction ended (not: CANCEL was sent, for a 2xx may still come). */
  | { readonly on: 'branch-ended'; readonly branch: string }
  /** The dialog of an answered branch ended, by BYE, while another may go on. */
  | { readonly on: 'dialog-ended'; readonly branch: string }
  | { readonly on: 'call-ended' };

/** A branch to delete, or the whole call, or what has this from-tag: nothing where rtpengine does not know the tag. */
export type MediaDelete =
  | { readonly delete: 'branch'; readonly branch: string }
  | { readonly delete: 'call' }
  | { readonly delete: 'leg' };

const wholeCall: readonly MediaDelete[] = [{ delete: 'call' }];

export function createMediaSession(): MediaSession {
  return { branches: new Map(), ended: false };
}

export function stepMediaSession(
  session: MediaSession,
  event: MediaEvent,
): readonly [MediaSession, readonly MediaDelete[]] {
  switch (event.on) {
    case 'offer-sent':
      return [put(session, event.branch, 'asked'), []];
    case 'offer-ok':
      // It overtook the end of the call: rtpengine has made the call anew, and nobody else would ever delete it.
      return [put(session, event.branch, 'ok'), session.ended ? wholeCall : []];
    case 'offer-refused':
      return [put(session, event.branch, 'refused'), []];
    case 'late-offer':
      return [put(session, event.branch, 'late'), session.ended ? wholeCall : []];
    case 'answered':
      return [session.branches.get(event.branch) === 'ok' ? put(session, event.branch, 'answered') : session, []];
    case 'branch-ended':
      return session.branches.get(event.branch) === 'answered' ? [session, []] : endBranch(session, event.branch);
    case 'dialog-ended':
      return endBranch(session, event.branch);
    case 'call-ended':
      // Also without a branch: its first SDP may have come in an UPDATE or a re-INVITE. Deleting what is not there is harmless.
      return [{ ...session, ended: true }, session.ended ? [] : wholeCall];
  }
}

/** The ng command; the `fromTag` of a branch is the caller's. `delete-delay` is always given: the daemon's own keeps ports for 30 s. */
export function deleteCommand(callId: string, fromTag: string, what: MediaDelete): DeleteCommand {
  const whole = { command: 'delete', 'call-id': callId, 'delete-delay': 0 } as const;
  if (what.delete === 'call') return whole;
  return { ...whole, 'from-tag': fromTag, ...(what.delete === 'branch' ? { 'via-branch': what.branch } : {}) };
}

function endBranch(session: MediaSession, branch: string): readonly [MediaSession, readonly MediaDelete[]] {
  const state = session.branches.get(branch);
  if (session.ended || (state !== 'ok' && state !== 'answered')) return [session, []];
  const next = put(session, branch, 'ended');
  return [next, anotherLives(next) ? [{ delete: 'branch', branch }] : []];
}

/** Lives in rtpengine for certain: an offer that is still on the way does not count. */
function anotherLives(session: MediaSession): boolean {
  return [...session.branches.values()].some((state) => state === 'ok' || state === 'answered');
}

/** A via-branch that has ended stays so: whatever is said of it later, a second delete would destroy the call. */
function put(session: MediaSession, branch: string, state: BranchState): MediaSession {
  if (session.branches.get(branch) === 'ended') return session;
  return { ...session, branches: new Map(session.branches).set(branch, state) };
}
