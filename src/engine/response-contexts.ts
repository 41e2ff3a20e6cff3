/**
 * One request and all its branches (RFC 3261 §16.6 to §16.10): performs what the pure machine of
 * `src/proxy/response-context.ts` decides.
 *
 * Laws 1 and 6: events run one at a time in a mailbox; a response waits there while its media is arranged. A CANCEL may
 * come at any moment: before the routes are done, while a branch is being prepared, or after.
 * Left out: finding the routes' verdict (receive.ts), building a branch (branches.ts), answering the caller (upstream.ts).
 */
import { withoutClaims } from '../auth/claims.ts';
import { errors, type Failure, failureOf } from '../errors.ts';
import { cancelFor } from '../message/build.ts';
import { removeAll, removeFirst, withBody } from '../message/edit.ts';
import { get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { ContentType } from '../message/headers/text.ts';
import { Via } from '../message/headers/via.ts';
import type { SipResponse } from '../message/message.ts';
import type { Cancel } from '../ports.ts';
import { branchParameter, shareBreadth } from '../proxy/loop.ts';
import {
  allEnded,
  allSettled,
  bestSoFar,
  branchState,
  type ContextEffect,
  type ContextEvent,
  createResponseContext,
  defaultLimits,
  isFinal,
  isSuccess,
  type ResponseContext,
  step,
} from '../proxy/response-context.ts';
import { type Relay, type Reply, type Request, refuse, type Target } from './api.ts';
import { type LiveBranch, prepareBranch } from './branches.ts';
import { type Core, nobody } from './core.ts';
import { Mailbox } from './mailbox.ts';
import type { MediaCall } from './media-call.ts';
import { RefusedAnswers } from './refused-answers.ts';
import { responseOf } from './replies.ts';
import type { ClientTransaction, ServerTransaction } from './transactions.ts';
import { opensCall, Upstream } from './upstream.ts';

interface Running {
  readonly branch: LiveBranch;
  client: ClientTransaction | undefined;
  timerC: Cancel | undefined;
  /** Why its 2xx could not be given its media: whatever else answers on it is hung up as well. */
  lost: Failure | undefined;
}

export class ResponseContextRunner {
  readonly #core: Core;
  readonly #request: Request;
  readonly #upstream: Upstream;
  readonly #refused: RefusedAnswers;
  readonly #mailbox: Mailbox;
  readonly #branches = new Map<string, Running>();
  /** It makes a dialog and its media. */
  readonly #opensCall: boolean;
  #context: ResponseContext;
  #cancelled = false;
  /** Of an INVITE that opens a call, once it is relayed. */
  #media: MediaCall | undefined;
  #mediaOpen = false;
  /** The routes have said where to; before that no branch is none too few. */
  #relayed = false;
  /** The failure route is being asked. */
  #asking = false;

  constructor(core: Core, request: Request, server: ServerTransaction) {
    this.#core = core;
    this.#request = request;
    this.#upstream = new Upstream(core, request, server);
    this.#refused = new RefusedAnswers(core, request);
    this.#opensCall = opensCall(request);
    const limits = { ...defaultLimits, timerCMs: core.options.timerCMs };
    this.#context = createResponseContext(request.message.method, limits);
    this.#mailbox = new Mailbox((thrown) => this.#fault(thrown));
  }

  /** The verdict of the routes: an answer of ours. A CANCEL that came while they were thinking has had its 487. */
  reply(reply: Reply): void {
    if (!isFinal(this.#context)) this.#upstream.reply(reply);
  }

  /** The verdict of the routes: forward it there. */
  relay({ targets }: Relay): void {
    if (isFinal(this.#context)) return;
    const shares = shareBreadth(this.#request.message, targets.length);
    if (shares === undefined) {
      this.#upstream.reply(refuse('max-breadth', 440));
      return;
    }
    if (this.#opensCall) this.#beginMedia();
    this.#mailbox.post(() => this.#addBranches(targets, shares));
  }

  /** RFC 3261 §16.10: its CANCEL arrived. `reason` is handed on (RFC 3326). */
  cancel(reason: string | undefined): void {
    this.#cancelled = true;
    if (this.#opensCall) this.#core.stories.cancelled(this.#request.message);
    this.#mailbox.post(() => this.#step(reason === undefined ? { on: 'cancel' } : { on: 'cancel', reason }));
  }

  // --- branches ------------------------------------------------------------------------------------------------------

  #addBranches(targets: readonly Target[], shares: readonly number[]): void {
    this.#relayed = true;
    const added = targets.map((target, index) => this.#addBranch(target, shares[index]));
    this.#step({ on: 'branches', ids: added.map(({ branch }) => branch.id) });
    // A CANCEL before this point has already abandoned them.
    for (const running of added) if (this.#stateOf(running) === 'preparing') this.#prepare(running);
  }

  #addBranch(target: Target, maxBreadth: number | undefined): Running {
    const branch: LiveBranch = {
      id: this.#newBranchId(),
      target,
      maxBreadth,
      sent: undefined,
      flow: undefined,
      token: '',
    };
    const running: Running = { branch, client: undefined, timerC: undefined, lost: undefined };
    this.#branches.set(branch.id, running);
    return running;
  }

  #stateOf({ branch }: Running): ReturnType<typeof branchState> {
    return branchState(this.#context, branch.id);
  }

  #newBranchId(): string {
    return branchParameter(this.#core.ports.random.hex(8), this.#request.loopHash);
  }

  /** Next hop, media, then off it goes; several branches are prepared side by side. */
  #prepare(running: Running): void {
    prepareBranch(this.#core, this.#request, running.branch).then(
      () => this.#mailbox.post(() => this.#sendOff(running)),
      (thrown: unknown) => this.#mailbox.post(() => this.#branchFailed(running, failureOf(thrown))),
    );
  }

  #sendOff(running: Running): void {
    const { branch } = running;
    const { sent, flow } = branch;
    if (this.#stateOf(running) !== 'preparing' || sent === undefined || flow === undefined) {
      this.#branchOver(running);
      return;
    }
    // Stepped first: the answer may come before this turn is over.
    this.#step({ on: 'sent', branch: branch.id });
    running.client = this.#core.transactions.client(sent, flow, {
      response: (response) => this.#take(running, response),
      failed: (why) => this.#mailbox.post(() => this.#onFailed(running, why)),
      terminated: () => this.#mailbox.post(() => this.#onTerminated(running)),
    });
  }

  #branchFailed(running: Running, failure: Failure): void {
    this.#core.ports.log.info(
      { callId: this.#callId(), target: running.branch.target.uri, code: failure.code, detail: failure.detail },
      failure.message,
    );
    if (failure.code === 'internal') this.#core.ports.log.error({ stack: failure.stack }, failure.message);
    this.#core.stories.branchFailed(this.#request.message, running.branch.target.uri, failure);
    this.#branchOver(running);
    const { status } = errors[failure.code];
    this.#step({ on: 'failed', branch: running.branch.id, status, code: failure.code, detail: failure.detail });
  }

  #onFailed(running: Running, why: 'timeout' | 'transport'): void {
    const code = why === 'timeout' ? 'branch-timeout' : 'transport-failed';
    const { uri } = running.branch.target;
    this.#core.stories.branchFailed(this.#request.message, uri, { code, detail: '' });
    this.#step({ on: 'failed', branch: running.branch.id, status: errors[code].status, code });
  }

  #onTerminated(running: Running): void {
    this.#branchOver(running);
    this.#step({ on: 'terminated', branch: running.branch.id });
    this.#branches.delete(running.branch.id);
  }

  /** Nothing more comes from it; its media may go, unless it was answered (src/media/delete-rules.ts knows). */
  #branchOver(running: Running): void {
    running.timerC?.();
    if (this.#media !== undefined) this.#core.media.branchEnded(this.#media, running.branch.id);
  }

  // --- responses -----------------------------------------------------------------------------------------------------

  #take(running: Running, response: SipResponse): void {
    const taken = this.#mailbox.post(() => this.#onResponse(running, response), roomFor(response));
    if (!taken) this.#core.counters.drop('responses waiting');
  }

  /** §16.7 steps 1 to 4 and 9; the machine does the rest. */
  async #onResponse(running: Running, received: SipResponse): Promise<void> {
    const { branch } = running;
    if (received.status === 100) {
      this.#step({ on: 'response', branch: branch.id, response: received });
      return;
    }
    if (this.#stateOf(running) === 'ended') {
      if (running.lost !== undefined && isSuccess(received)) this.#refused.hangUp(branch, received, running.lost);
      return;
    }
    if (!this.#upstream.takes(received)) {
      this.#refused.tooMany(branch, received);
      return;
    }
    const { flow } = branch;
    const trusted = flow !== undefined && this.#core.options.isTrusted(flow.remote.address);
    const ours = removeFirst(received, Via); // step 3
    const response = trusted ? ours : withoutClaims(ours);
    const arranged = await this.#arranged(running, response);
    if (arranged === undefined) return;
    this.#step({ on: 'response', branch: branch.id, response: arranged });
  }

  /** The response with its media in place; `undefined` when that failed and the branch is given up (law 1). */
  async #arranged(running: Running, response: SipResponse): Promise<SipResponse | undefined> {
    const { branch } = running;
    const { sent, flow } = branch;
    if (sent === undefined || flow === undefined) return undefined;
    try {
      const view = { id: branch.id, request: this.#request, target: branch.target, flow, message: sent };
      return await this.#core.routes.reply({ branch: view, response }, this.#core.proxy);
    } catch (thrown) {
      const failure = failureOf(thrown);
      this.#core.ports.log.warn(
        { callId: this.#callId(), code: failure.code, status: response.status },
        failure.message,
      );
      // A provisional response is worth passing without its early media, a failure without its restored media.
      if (response.status < 200) return withBody(removeAll(response, ContentType), '');
      if (response.status >= 300) return response;
      // Nobody would hear anything: the callee is let go at once.
      running.lost = failure;
      this.#core.stories.branchFailed(this.#request.message, branch.target.uri, failure);
      if (this.#opensCall || this.#request.inDialog) this.#refused.hangUp(branch, response, failure);
      const { status } = errors[failure.code];
      this.#step({ on: 'failed', branch: branch.id, status, code: failure.code, detail: failure.detail });
      return undefined;
    }
  }

  // --- effects -------------------------------------------------------------------------------------------------------

  #step(event: ContextEvent): void {
    const [context, effects] = step(this.#context, event);
    this.#context = context;
    for (const effect of effects) this.#perform(effect);
    this.#settle();
  }

  /** The machine waits for `routed` as long as a route may add branches: the failure route is asked when all failed. */
  #settle(): void {
    this.#letGoOfMedia();
    if (this.#context.routed || this.#asking) return;
    if (isFinal(this.#context)) this.#step({ on: 'routed' });
    else if (this.#relayed && allEnded(this.#context)) this.#askFailureRoute();
  }

  /** Law 3: no branch brings another call, so its media ends with the last BYE, not with the last timer. */
  #letGoOfMedia(): void {
    if (this.#media === undefined || !this.#mediaOpen) return;
    if (!isFinal(this.#context) || !allSettled(this.#context)) return;
    this.#mediaOpen = false;
    this.#core.media.finished(this.#media);
  }

  #askFailureRoute(): void {
    const best = bestSoFar(this.#context);
    this.#asking = true;
    this.#mailbox.post(async () => {
      const targets = await this.#afterFailure(best);
      this.#asking = false;
      const shares = shareBreadth(this.#request.message, targets.length);
      if (shares === undefined) this.#core.counters.refusal('max-breadth');
      if (targets.length === 0 || shares === undefined) this.#step({ on: 'routed' });
      else this.#addBranches(targets, shares);
    });
  }

  /** A failure route that fails itself adds nothing. */
  async #afterFailure(best: ReturnType<typeof bestSoFar>): Promise<readonly Target[]> {
    if (best === undefined || this.#cancelled || this.#request.inDialog) return [];
    const response = best.do === 'forward' ? best.response : responseOf(this.#request.message, replyOf(best), '');
    try {
      return (await this.#core.routes.failure(this.#request, response, this.#core.proxy))?.targets ?? [];
    } catch (thrown) {
      this.#logFault(thrown);
      return [];
    }
  }

  #perform(effect: ContextEffect): void {
    switch (effect.do) {
      case 'forward':
        this.#forward(effect.response, effect.branch);
        return;
      case 'respond':
        this.#upstream.reply(replyOf(effect));
        return;
      case 'cancel':
        this.#cancelBranch(effect.branch, effect.reason);
        return;
      case 'start-timer-c':
        this.#startTimerC(effect.branch, effect.ms);
        return;
      case 'stop-timer-c':
        this.#branches.get(effect.branch)?.timerC?.();
        return;
      case 'abandon': // `#sendOff` sees it in the branch's state
        return;
      case 'ended':
        this.#branches.get(effect.branch)?.client?.abandon();
        return;
      default:
        effect satisfies never;
    }
  }

  #forward(response: SipResponse, branchId: string): void {
    const branch = this.#branches.get(branchId)?.branch;
    if (isSuccess(response) && branch !== undefined) this.#upstream.succeeded(response, branch, this.#media);
    if (response.status < 200 && branch !== undefined) this.#upstream.rings(response, branch);
    this.#upstream.send(response);
  }

  // RFC 3261 §9.1: CANCEL is a transaction of its own, hop by hop, with the branch of what it cancels.
  #cancelBranch(branchId: string, reason: string | undefined): void {
    const { sent, flow } = this.#branches.get(branchId)?.branch ?? {};
    if (sent === undefined || flow === undefined) return;
    this.#core.transactions.client(cancelFor(sent, reason), flow, nobody);
  }

  #startTimerC(branchId: string, ms: number): void {
    const running = this.#branches.get(branchId);
    if (running === undefined) return;
    running.timerC?.();
    running.timerC = this.#core.ports.clock.after(ms, () =>
      this.#mailbox.post(() => {
        this.#core.stories.timerC(this.#request.message, running.branch.target.uri);
        this.#step({ on: 'timer-c', branch: branchId });
      }),
    );
  }

  #beginMedia(): void {
    const { message, flow } = this.#request;
    this.#mediaOpen = true;
    this.#media = this.#core.media.begin(message, { kind: this.#request.media, address: flow.remote.address });
  }

  #callId(): string {
    return get(this.#request.message, CallId) ?? '';
  }

  /** A bug ends this request, and nothing else: its open branches fail, and with them the request. */
  #fault(thrown: unknown): void {
    this.#logFault(thrown);
    const { status } = errors.internal;
    for (const { branch } of [...this.#branches.values()]) {
      this.#step({ on: 'failed', branch: branch.id, status, code: 'internal' });
    }
  }

  #logFault(thrown: unknown): void {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    this.#core.ports.log.error({ callId: this.#callId(), stack }, failureOf(thrown).message);
  }
}

/**
 * Law 9: how many events may wait before this response is dropped. One that is repeated until somebody has heard it may
 * be; a final response of any other kind comes once for each branch.
 */
function roomFor(response: SipResponse): number | undefined {
  if (response.status < 200) return 64;
  return isSuccess(response) && get(response, CSeq)?.method === 'INVITE' ? 128 : undefined;
}

function replyOf(effect: Extract<ContextEffect, { do: 'respond' }>): Reply {
  return effect.code === undefined
    ? { kind: 'reply', status: effect.status }
    : refuse(effect.code, effect.status, effect.detail ?? '');
}
