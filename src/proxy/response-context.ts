/**
 * The response context: all branches of one request, and what goes upstream (RFC 3261 §16.7 to §16.10, §9.1; RFC 6026
 * §7.3; RFC 4320). A value and a list of effects; events come one at a time (law 6).
 *
 *    one branch                                            CANCEL for it
 *                                                           preparing: abandoned, it is never sent
 *    preparing --sent--> calling --1xx--> proceeding        calling: held until its first 1xx
 *        |                |  |             |  |             proceeding: sent, and a final awaited for 64*T1
 *        | abandoned,     |  | 300-699,    |  | 2xx INVITE  accepted, ended: none
 *        | failed         |  | failed      |  V
 *        |                |  +-------------|->accepted     2xx: each is forwarded
 *        |                V                V     | terminated
 *        +--------------->+-----> ended <--+-----+
 *
 * A branch that is `silent` in calling stays there, and is not waited for. With its first 1xx it counts again, unless
 * others have had their turn meanwhile, or a server was `overtaken` by the next one: then it is cancelled.
 *
 * What the engine owes: before it sends a branch it asks `branchState`: only one in `preparing` may leave. At `ended` it
 * forgets the client transaction if that still waits for a response: nothing of the branch goes upstream any more. A 2xx
 * that comes when `isRefused` goes to nobody: it is hung up.
 *
 * Left out: which response is best (best-response.ts), 3xx recursion, Max-Breadth (loop.ts), media, sending.
 */
import type { SipResponse } from '../message/message.ts';
import {
  bestResponse,
  cancelledResponse,
  type Forward,
  type Outcome,
  type OwnFailure,
  type Respond,
} from './best-response.ts';
import {
  answerable,
  type Branch,
  type BranchState,
  both,
  type Cancelling,
  type ContextEffect,
  type ContextEvent,
  change,
  defaultLimits,
  find,
  forward,
  hasEnded,
  ignore,
  isFinal,
  isGivenUp,
  isRefused,
  isSuccess,
  type Limits,
  letServerGo,
  letSilentGo,
  makeBranch,
  mayReplace,
  noAnswerReason,
  outcomes,
  type ResponseContext,
  type Step,
  takesBranches,
} from './context-value.ts';

export {
  allEnded,
  allSettled,
  allTried,
  type BranchState,
  branchState,
  type ContextEffect,
  type ContextEvent,
  defaultLimits,
  isFinal,
  isRefused,
  isSuccess,
  type Limits,
  mayReplace,
  ownFailures,
  type ResponseContext,
  takesBranches,
} from './context-value.ts';

export function createResponseContext(method: string, limits: Limits = defaultLimits): ResponseContext {
  return {
    invite: method === 'INVITE',
    limits,
    routed: false,
    cancelled: false,
    declined: false,
    final: 'none',
    branches: [],
  };
}

export function step(context: ResponseContext, event: ContextEvent): Step {
  return both(take(context, event), conclude);
}

function take(context: ResponseContext, event: ContextEvent): Step {
  switch (event.on) {
    case 'branches':
      return add(letSilentGo(context), event.ids);
    case 'routed':
      return [{ ...context, routed: true }, []];
    case 'cancel':
      return cancelByCaller(context, event.reason);
    case 'replaced':
      return replace(context, event.branch, event.by);
    case 'overtaken':
      return both(add(context, [event.by]), (now) => letServerGo(now, event.branch));
    case 'ring-time-out':
      return ringTimeOut(context);
    case 'sent':
    case 'response':
    case 'failed':
    case 'terminated':
    case 'timer-c':
    case 'silent': {
      const branch = find(context, event.branch);
      return branch === undefined ? ignore(context) : states[branch.state](context, branch, event);
    }
  }
}

// --- what is asked of it ---------------------------------------------------------------------------------------------

/** What would go upstream if no branch were left: for the failure route. */
export function bestSoFar(context: ResponseContext): Forward | Respond | undefined {
  const silent = context.branches.filter((branch) => isGivenUp(branch) && !hasEnded(branch)).map(noAnswer);
  return bestResponse([...answerable(context), ...silent]);
}

// --- the states of a branch ------------------------------------------------------------------------------------------

type BranchEvent = Exclude<Extract<ContextEvent, { readonly branch: string }>, { readonly by: string }>;

const states = {
  preparing,
  calling,
  proceeding,
  accepted,
  ended: ignore, // late responses, timers and the end of its client transaction
} satisfies Record<BranchState, (context: ResponseContext, branch: Branch, event: BranchEvent) => Step>;

function preparing(context: ResponseContext, branch: Branch, event: BranchEvent): Step {
  switch (event.on) {
    case 'sent':
      return change(context, { ...branch, state: 'calling' }, startTimerC(context, branch));
    case 'failed':
      return fail(context, branch, own(branch, event));
    case 'response': // nothing was sent, so this answers nothing
    case 'silent':
    case 'timer-c':
    case 'terminated':
      return ignore(context);
  }
}

function calling(context: ResponseContext, branch: Branch, event: BranchEvent): Step {
  switch (event.on) {
    case 'response':
      return receive(context, branch, event.response);
    case 'failed':
      return fail(context, branch, own(branch, event));
    case 'timer-c':
      // RFC 3261 §16.8: without a provisional response it is as if the branch had received a 408.
      return context.invite ? fail(context, branch, noAnswer(branch)) : ignore(context);
    case 'silent':
      return context.invite ? change(context, { ...branch, silent: true }, []) : ignore(context);
    case 'sent': // twice
    case 'terminated': // its failure or final response came before
      return ignore(context);
  }
}

function proceeding(context: ResponseContext, branch: Branch, event: BranchEvent): Step {
  switch (event.on) {
    case 'response':
      return receive(context, branch, event.response);
    case 'failed':
      return fail(context, branch, own(branch, event));
    case 'timer-c':
      return timerC(context, branch);
    case 'silent': // it spoke just in time
    case 'sent': // twice
    case 'terminated': // its failure or final response came before
      return ignore(context);
  }
}

function accepted(context: ResponseContext, branch: Branch, event: BranchEvent): Step {
  switch (event.on) {
    case 'response':
      // RFC 6026 §7.3: every 2xx goes upstream, retransmissions and those of forks downstream included.
      return [context, isSuccess(event.response) ? [forward(branch, event.response)] : []];
    case 'terminated':
      return change(context, { ...branch, state: 'ended' }, [{ do: 'ended', branch: branch.id }]);
    case 'failed': // the transport failed after the answer: the call is up
    case 'sent':
    case 'silent':
    case 'timer-c': // fired while the 2xx was on its way
      return ignore(context);
  }
}

// --- responses -------------------------------------------------------------------------------------------------------

function receive(context: ResponseContext, branch: Branch, response: SipResponse): Step {
  if (response.status < 200) return provisional(context, { ...branch, silent: false }, response);
  if (isSuccess(response) && !isRefused(context))
    return context.invite ? answer(context, branch, response) : reply(context, branch, response);
  return fail(context, branch, outcomeOf(branch, response));
}

function provisional(context: ResponseContext, branch: Branch, response: SipResponse): Step {
  const next: Branch = { ...branch, state: 'proceeding' };
  // RFC 4320 §4.1: upstream nobody waits for a 1xx to a non-INVITE request.
  if (!context.invite) return change(context, next, []);
  // RFC 3261 §16.7 step 5: any but 100 is forwarded at once, until a final response went upstream.
  const heard = response.status > 100 && !isFinal(context) && !isGivenUp(branch);
  const forwarded = heard ? [forward(branch, response)] : [];
  if (branch.cancelling !== undefined) return both(change(context, next, forwarded), (now) => sendCancel(now, next));
  // RFC 3261 §16.7 step 2: 101-199 give the callee the time of timer C again; a 100 does not.
  const again = response.status > 100 ? startTimerC(context, branch) : [];
  return change(context, next, [...forwarded, ...again]);
}

/** RFC 3261 §16.7 steps 5 and 10: the 2xx goes upstream at once, and the others are no longer wanted. */
function answer(context: ResponseContext, branch: Branch, response: SipResponse): Step {
  const first = !isFinal(context);
  const now: ResponseContext = first ? { ...context, final: '2xx' } : context;
  const effects = [...stopTimerC(context, branch), forward(branch, response)];
  const step = change(now, { ...branch, state: 'accepted' }, effects);
  return first ? both(step, (then) => cancelAll(then, { because: 'answered', reason: completedElsewhere })) : step;
}

/** A 2xx to a non-INVITE request: the first goes upstream; those of slower branches nobody hears (§16.7 step 5). */
function reply(context: ResponseContext, branch: Branch, response: SipResponse): Step {
  const ended = change(context, { ...branch, state: 'ended' }, []);
  const told: ContextEffect = { do: 'ended', branch: branch.id };
  if (isFinal(context)) return both(ended, (now) => [now, [told]]);
  const answered = both(ended, (now) => [{ ...now, final: '2xx' }, [forward(branch, response), told]]);
  return both(answered, (now) => cancelAll(now, { because: 'answered', reason: undefined }));
}

function fail(context: ResponseContext, branch: Branch, outcome: Outcome): Step {
  const effects: readonly ContextEffect[] = [...stopTimerC(context, branch), { do: 'ended', branch: branch.id }];
  const step = change(context, { ...branch, state: 'ended', outcome }, effects);
  const status = outcome.kind === 'response' ? outcome.response.status : outcome.failure.status;
  if (status < 600 || isFinal(context)) return step;
  // RFC 3261 §16.7 step 5: a 6xx speaks for all devices: the others are cancelled, and it waits for them, since a 2xx
  // that is on its way still wins.
  const declined: Omit<Cancelling, 'sent'> = { because: 'declined', reason: `SIP;cause=${status}` };
  return both(step, (now) => cancelAll({ ...now, declined: true }, declined));
}

// --- CANCEL and timer C ----------------------------------------------------------------------------------------------

/** RFC 3261 §16.10. After a final response, and for any other method, a CANCEL has no effect (§9.2). */
function cancelByCaller(context: ResponseContext, reason: string | undefined): Step {
  if (!context.invite || isFinal(context) || context.cancelled) return ignore(context);
  return cancelAll({ ...context, cancelled: true }, { because: 'caller', reason });
}

/** A preparing branch is over; one that rings is cancelled and given up. */
function ringTimeOut(context: ResponseContext): Step {
  if (!context.invite || !takesBranches(context)) return ignore(context);
  return cancelAll(context, { because: 'ring-time', reason: noAnswerReason });
}

function cancelAll(context: ResponseContext, why: Omit<Cancelling, 'sent'>): Step {
  return context.branches.reduce<Step>((step, { id }) => both(step, (now) => cancelOne(now, id, why)), [context, []]);
}

function cancelOne(context: ResponseContext, id: string, why: Omit<Cancelling, 'sent'>): Step {
  const branch = find(context, id);
  switch (branch?.state) {
    case 'preparing':
      return abandon(context, why.because === 'ring-time' ? { ...branch, outcome: noAnswer(branch) } : branch);
    case 'calling':
    case 'proceeding': {
      // RFC 3261 §9.1: only an INVITE is cancelled, once, and not before a provisional response.
      if (!context.invite || branch.cancelling !== undefined) return ignore(context);
      const next = { ...branch, cancelling: { ...why, sent: false } };
      return branch.state === 'calling' ? change(context, next, []) : sendCancel(context, next);
    }
    case 'accepted':
    case 'ended':
    case undefined:
      return ignore(context);
  }
}

function abandon(context: ResponseContext, branch: Branch): Step {
  return change(context, { ...branch, state: 'ended' }, abandoned(branch.id));
}

const abandoned = (branch: string): readonly ContextEffect[] => [
  { do: 'abandon', branch },
  { do: 'ended', branch },
];

/** The CANCEL leaves, unless it has; timer C becomes the wait for the final response (§9.1: 64*T1). */
function sendCancel(context: ResponseContext, branch: Branch): Step {
  const { cancelling } = branch;
  if (cancelling === undefined || cancelling.sent) return change(context, branch, []);
  return change(context, { ...branch, cancelling: { ...cancelling, sent: true } }, [
    { do: 'cancel', branch: branch.id, reason: cancelling.reason },
    { do: 'start-timer-c', branch: branch.id, ms: context.limits.cancelWaitMs },
  ]);
}

function timerC(context: ResponseContext, branch: Branch): Step {
  if (!context.invite) return ignore(context);
  // RFC 3261 §9.1: after 64*T1 without a final response a cancelled INVITE is over.
  if (branch.cancelling?.sent === true) return fail(context, branch, noAnswer(branch));
  // RFC 3261 §16.8: it rang for too long.
  return sendCancel(context, { ...branch, cancelling: { because: 'timer-c', reason: noAnswerReason, sent: false } });
}

function startTimerC(context: ResponseContext, branch: Branch): readonly ContextEffect[] {
  return context.invite ? [{ do: 'start-timer-c', branch: branch.id, ms: context.limits.timerCMs }] : [];
}

function stopTimerC(context: ResponseContext, branch: Branch): readonly ContextEffect[] {
  return context.invite && branch.state !== 'preparing' ? [{ do: 'stop-timer-c', branch: branch.id }] : [];
}

// Phones show no missed call when they read this.
const completedElsewhere = 'SIP;cause=200;text="Call completed elsewhere"';

// --- the end ---------------------------------------------------------------------------------------------------------

/**
 * RFC 3261 §16.7 step 6: the best response goes upstream when every branch has ended without a 2xx. Deviates: a silent
 * one is not waited for (until timer B, 32 s), which helps a caller whose callee is switched off.
 */
function conclude(context: ResponseContext): Step {
  if (isFinal(context) || !context.branches.every((branch) => hasEnded(branch) || branch.silent))
    return ignore(context);
  const best = context.cancelled ? cancelledAnswer(context) : context.routed ? bestOrNone(context) : undefined;
  // A route is still at work, and may add branches.
  if (best === undefined) return ignore(context);
  return [{ ...letSilentGo(context), final: '300-699' }, [best]];
}

function cancelledAnswer(context: ResponseContext): Forward | Respond {
  const answered = context.branches.every(({ outcome }) => outcome?.kind === 'response');
  return cancelledResponse(outcomes(context), context.routed && answered);
}

/** RFC 3261 §16.5: an empty target set is a 480. */
const bestOrNone = (context: ResponseContext): Forward | Respond =>
  bestSoFar(context) ?? { do: 'respond', status: 480, code: 'not-registered' };

function outcomeOf(branch: Branch, response: SipResponse): Outcome {
  // Deviates: §16.7 step 6 would forward the 487. The caller cancelled nothing, and is told that nobody answered.
  const { because } = branch.cancelling ?? {};
  if (response.status === 487 && (because === 'timer-c' || because === 'ring-time')) return noAnswer(branch);
  // RFC 5626 §11.5: 430 is for the proxy that chose the flow. A user agent is told that nobody is there.
  if (response.status === 430) return own(branch, { status: 480, code: 'flow-gone' });
  return { kind: 'response', branch: branch.id, response };
}

const noAnswer = (branch: Branch): Outcome => own(branch, { status: 408, code: 'branch-timeout' });

function own(branch: Branch, { status, code, detail }: OwnFailure): Outcome {
  const failure = detail === undefined ? { status, code } : { status, code, detail };
  return { kind: 'own', branch: branch.id, failure };
}

/** Its refusal counts for nothing by itself: a 606 declines for no other device, and the caller never hears of a 488. */
function replace(context: ResponseContext, id: string, by: string): Step {
  const branch = find(context, id);
  if (branch === undefined || !mayReplace(context, id) || find(context, by) !== undefined) return ignore(context);
  const effects: readonly ContextEffect[] = [...stopTimerC(context, branch), { do: 'ended', branch: id }];
  return both(add(context, [by]), (now) => change(now, { ...branch, state: 'ended' }, effects));
}

// --- pieces ----------------------------------------------------------------------------------------------------------

function add(context: ResponseContext, ids: readonly string[]): Step {
  const fresh = [...new Set(ids)].filter((id) => find(context, id) === undefined);
  const open = takesBranches(context);
  const branches = fresh.map((id) => makeBranch(id, open ? 'preparing' : 'ended'));
  const next = { ...context, branches: [...context.branches, ...branches] };
  return [next, open ? [] : fresh.flatMap(abandoned)];
}
