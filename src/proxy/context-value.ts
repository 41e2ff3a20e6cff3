/**
 * The value behind the response context (response-context.ts): its branches, what happens to it, what it asks for, and
 * the small steps that its rules are made of. No rule of RFC 3261 §16 is decided here but which outcomes count.
 */
import type { ErrorCode } from '../errors.ts';
import { replaceAll } from '../message/edit.ts';
import { all } from '../message/header.ts';
import { Contact } from '../message/headers/contact.ts';
import type { SipResponse } from '../message/message.ts';
import type { Forward, Outcome, OwnFailure, Respond } from './best-response.ts';

export type BranchState = 'preparing' | 'calling' | 'proceeding' | 'accepted' | 'ended';

export interface Cancelling {
  readonly because: 'caller' | 'answered' | 'declined' | 'timer-c' | 'ring-time';
  /** Text of the Reason header (RFC 3326). */
  readonly reason: string | undefined;
  /** `false`: held until the first provisional response. */
  readonly sent: boolean;
}

export interface Branch {
  readonly id: string;
  readonly state: BranchState;
  readonly cancelling: Cancelling | undefined;
  /** Nothing has come of it for too long, not even a 100: while it says nothing, nobody waits for it. */
  readonly silent: boolean;
  /** How it ended, when that was neither by a 2xx nor by our abandoning it. */
  readonly outcome: Outcome | undefined;
}

export interface ResponseContext {
  readonly invite: boolean;
  readonly limits: Limits;
  /** No route adds branches any more. A retry may still come, before the failure that it is for. */
  readonly routed: boolean;
  /** The caller's CANCEL came before a final response. */
  readonly cancelled: boolean;
  /** A 6xx came: no new branches (§16.7 step 5). */
  readonly declined: boolean;
  /** The final response that went upstream. */
  readonly final: 'none' | '2xx' | '300-699';
  readonly branches: readonly Branch[];
}

export interface Limits {
  /** Timer C: longer than three minutes (§16.6 step 11). */
  readonly timerCMs: number;
  /** How long a cancelled branch may take to end: 64*T1 (§9.1). */
  readonly cancelWaitMs: number;
}

export const defaultLimits: Limits = { timerCMs: 181_000, cancelWaitMs: 32_000 };

export type ContextEvent =
  /** New branches exist and are being prepared. */
  | { readonly on: 'branches'; readonly ids: readonly string[] }
  /** Its request left. */
  | { readonly on: 'sent'; readonly branch: string }
  | { readonly on: 'response'; readonly branch: string; readonly response: SipResponse }
  /** It was refused, and the same device is asked in another way: the new branch speaks for both. */
  | { readonly on: 'replaced'; readonly branch: string; readonly by: string }
  /** It could not be sent, timed out (408) or lost its transport (503). */
  | {
      readonly on: 'failed';
      readonly branch: string;
      readonly status: number;
      readonly code: ErrorCode;
      readonly detail?: string;
    }
  /** Its client transaction is gone. */
  | { readonly on: 'terminated'; readonly branch: string }
  | { readonly on: 'timer-c'; readonly branch: string }
  /** Its first response is overdue. */
  | { readonly on: 'silent'; readonly branch: string }
  /** The same of a server, and another one is asked in its place: at its first word it is cancelled. A 2xx still wins. */
  | { readonly on: 'overtaken'; readonly branch: string; readonly by: string }
  /** What rings has rung for as long as it may: others are tried while its CANCELs are on their way. */
  | { readonly on: 'ring-time-out' }
  /** From upstream; `reason` is its Reason header. */
  | { readonly on: 'cancel'; readonly reason?: string }
  | { readonly on: 'routed' };

export type ContextEffect =
  | Forward
  | Respond
  /** It has a provisional response: CANCEL it now. */
  | { readonly do: 'cancel'; readonly branch: string; readonly reason: string | undefined }
  /** Not sent yet: never send it. */
  | { readonly do: 'abandon'; readonly branch: string }
  /** Starts it, or starts it anew. */
  | { readonly do: 'start-timer-c'; readonly branch: string; readonly ms: number }
  | { readonly do: 'stop-timer-c'; readonly branch: string }
  /** Once for each branch: nothing of it goes upstream any more. */
  | { readonly do: 'ended'; readonly branch: string };

export type Step = readonly [ResponseContext, readonly ContextEffect[]];

export const outcomes = (context: ResponseContext): readonly Outcome[] =>
  context.branches.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome]));

/**
 * RFC 4320 §4.2: to a non-INVITE request a 408 is never sent, so anything else is better. When there is nothing else the
 * 408 is the answer all the same, and the server transaction keeps it to itself.
 */
export function answerable(context: ResponseContext): readonly Outcome[] {
  const all = outcomes(context);
  if (context.invite) return all;
  const others = all.filter((outcome) => !isTimeout(outcome));
  return others.length > 0 ? others : all;
}

const isTimeout = (outcome: Outcome): boolean =>
  (outcome.kind === 'own' ? outcome.failure.status : outcome.response.status) === 408;

export const makeBranch = (id: string, state: BranchState): Branch => ({
  id,
  state,
  cancelling: undefined,
  silent: false,
  outcome: undefined,
});

export const find = (context: ResponseContext, id: string): Branch | undefined =>
  context.branches.find((branch) => branch.id === id);

/** It rang for too long and is cancelled, or says nothing. It is not waited for, but a 2xx of it still wins. */
export const isGivenUp = (branch: Branch): boolean => branch.silent || branch.cancelling?.because === 'ring-time';

export const noAnswerReason = 'SIP;cause=408;text="No answer"';

/** Others have their turn, or the caller was refused: who wakes up now is cancelled at his first word. */
export function letSilentGo(context: ResponseContext): ResponseContext {
  const branches = context.branches.map((branch) => (branch.silent ? letGo(branch) : branch));
  return { ...context, branches };
}

function letGo(branch: Branch): Branch {
  if (branch.cancelling !== undefined) return branch;
  return { ...branch, cancelling: { because: 'ring-time', reason: noAnswerReason, sent: false } };
}

/** Of the servers of one target the next has its turn. */
export function letServerGo(context: ResponseContext, id: string): Step {
  const branch = find(context, id);
  return branch?.state === 'calling' ? change(context, letGo({ ...branch, silent: true }), []) : ignore(context);
}

/**
 * RFC 3261 §16.7 step 4: a route has called these contacts of 3xx responses itself. They are taken out, and a response
 * without any is forgotten.
 */
export function withoutContacts(context: ResponseContext, contacts: readonly string[]): ResponseContext {
  const branches = context.branches.map((branch) => ({ ...branch, outcome: unfollowed(branch.outcome, contacts) }));
  return { ...context, branches };
}

function unfollowed(outcome: Outcome | undefined, contacts: readonly string[]): Outcome | undefined {
  if (outcome?.kind !== 'response' || Math.floor(outcome.response.status / 100) !== 3) return outcome;
  const named = all(outcome.response, Contact);
  const left = named.filter(({ uri }) => !contacts.includes(uri));
  if (left.length === named.length) return outcome;
  return left.length === 0 ? undefined : { ...outcome, response: replaceAll(outcome.response, Contact, left) };
}

export const hasEnded = (branch: Branch): boolean => branch.state === 'ended';

/** Whether every branch there is has ended. */
export const allEnded = (context: ResponseContext): boolean => context.branches.every(hasEnded);

/** Whether nothing rings that is waited for: time for the next targets, when no final response went upstream. */
export const allTried = (context: ResponseContext): boolean =>
  context.branches.every((branch) => hasEnded(branch) || isGivenUp(branch));

/** Whether no branch can bring a first 2xx any more: each was answered or has ended. */
export const allSettled = (context: ResponseContext): boolean =>
  context.branches.every((branch) => branch.state === 'accepted' || hasEnded(branch));

export function branchState(context: ResponseContext, id: string): BranchState | undefined {
  return find(context, id)?.state;
}

/** Whether a final response went upstream. */
export const isFinal = (context: ResponseContext): boolean => context.final !== 'none';

/** Whether the caller was told that there is no call. */
export const isRefused = (context: ResponseContext): boolean => context.final === '300-699';

/** Whether a new branch would be sent. Not after a final response, a 6xx (§16.7 step 5) or the caller's CANCEL. */
export const takesBranches = (context: ResponseContext): boolean =>
  !isFinal(context) && !context.cancelled && !context.declined;

/** Whether this one may be followed by another try at its target: it has no final response, and is still wanted. */
export function mayReplace(context: ResponseContext, id: string): boolean {
  const branch = find(context, id);
  const isOpen = branch?.state === 'preparing' || branch?.state === 'calling' || branch?.state === 'proceeding';
  return isOpen && branch.cancelling === undefined && takesBranches(context);
}

/** Our own part in the failure, also when the response of another branch goes upstream. */
export const ownFailures = (context: ResponseContext): readonly OwnFailure[] =>
  outcomes(context).flatMap((outcome) => (outcome.kind === 'own' ? [outcome.failure] : []));

export const isSuccess = (response: SipResponse): boolean => response.status >= 200 && response.status < 300;

export const forward = (branch: Branch, response: SipResponse): Forward => ({
  do: 'forward',
  response,
  branch: branch.id,
});

export function change(context: ResponseContext, branch: Branch, effects: readonly ContextEffect[]): Step {
  const branches = context.branches.map((other) => (other.id === branch.id ? branch : other));
  return [{ ...context, branches }, effects];
}

/** One step, then another from where it led. */
export function both([context, effects]: Step, next: (context: ResponseContext) => Step): Step {
  const [then, more] = next(context);
  return [then, more.length === 0 ? effects : [...effects, ...more]];
}

export function ignore(context: ResponseContext): Step {
  return [context, []];
}
