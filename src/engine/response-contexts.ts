/**
 * One request and all its branches (RFC 3261 §16.6 to §16.10): performs what the pure machine of
 * `src/proxy/response-context.ts` decides.
 *
 * Laws 1 and 6: events run one at a time in a mailbox; a response waits there while its media is arranged. A CANCEL may
 * come at any moment: before the routes are done, while a branch is being prepared, or after.
 * Left out: finding the routes' verdict (receive.ts), the branches (downstream.ts), answering the caller (upstream.ts).
 */
import { errors, failureOf } from '../errors.ts';
import { get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import type { SipResponse } from '../message/message.ts';
import { shareBreadth } from '../proxy/loop.ts';
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
  mayReplace,
  type ResponseContext,
  step,
} from '../proxy/response-context.ts';
import { type Relay, type Reply, type Request, refuse, type Target } from './api.ts';
import type { Core } from './core.ts';
import { Downstream } from './downstream.ts';
import { InviteMedia } from './invite-media.ts';
import { Mailbox } from './mailbox.ts';
import { responseOf } from './replies.ts';
import type { ServerTransaction } from './transactions.ts';
import { opensCall, Upstream } from './upstream.ts';

export class ResponseContextRunner {
  readonly #core: Core;
  readonly #request: Request;
  readonly #media: InviteMedia;
  readonly #upstream: Upstream;
  readonly #downstream: Downstream;
  readonly #mailbox: Mailbox;
  #context: ResponseContext;
  #cancelled = false;
  /** The routes have said where to; before that no branch is none too few. */
  #relayed = false;
  /** What the failure route answers in place of the best response. */
  #instead: Reply | undefined;
  /** The failure route is being asked. */
  #asking = false;

  constructor(core: Core, request: Request, server: ServerTransaction) {
    this.#core = core;
    this.#request = request;
    this.#media = new InviteMedia(core, request);
    this.#upstream = new Upstream(core, request, server, this.#media);
    this.#mailbox = new Mailbox((thrown) => this.#fault(thrown));
    this.#downstream = new Downstream(core, request, this.#media, {
      post: (event, room) => this.#mailbox.post(event, room),
      step: (event) => this.#step(event),
      stateOf: (branch) => branchState(this.#context, branch),
      takes: (response) => this.#upstream.takes(response),
      mayReplace: (branch) => mayReplace(this.#context, branch),
    });
    const limits = { ...defaultLimits, timerCMs: core.options.timerCMs };
    this.#context = createResponseContext(request.message.method, limits);
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
    if (opensCall(this.#request)) {
      this.#media.begin();
      this.#core.presence.calls.began(this.#request.message);
    }
    this.#mailbox.post(() => this.#addBranches(targets, shares));
  }

  /** RFC 3261 §16.10: its CANCEL arrived. `reason` is handed on (RFC 3326). */
  cancel(reason: string | undefined): void {
    this.#cancelled = true;
    if (opensCall(this.#request)) this.#core.stories.cancelled(this.#request.message);
    this.#mailbox.post(() => this.#step(reason === undefined ? { on: 'cancel' } : { on: 'cancel', reason }));
  }

  #addBranches(targets: readonly Target[], shares: readonly number[]): void {
    this.#relayed = true;
    const ids = this.#downstream.add(targets, shares);
    this.#step({ on: 'branches', ids });
    // A CANCEL before this point has already abandoned them.
    for (const id of ids) if (branchState(this.#context, id) === 'preparing') this.#downstream.prepare(id);
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
    if (isFinal(this.#context) && allSettled(this.#context)) this.#media.finished();
    if (this.#context.routed || this.#asking) return;
    if (isFinal(this.#context)) this.#step({ on: 'routed' });
    else if (this.#relayed && allEnded(this.#context)) this.#askFailureRoute();
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
      const verdict = await this.#core.routes.failure(this.#request, response, this.#core.proxy);
      if (verdict?.kind === 'reply') this.#instead = verdict;
      return verdict?.kind === 'relay' ? verdict.targets : [];
    } catch (thrown) {
      this.#logFault(thrown);
      return [];
    }
  }

  #perform(effect: ContextEffect): void {
    switch (effect.do) {
      case 'forward':
        if (this.#instead === undefined) this.#forward(effect.response, effect.branch);
        else this.#upstream.reply(this.#instead);
        return;
      case 'respond':
        this.#upstream.reply(this.#instead ?? replyOf(effect));
        return;
      case 'cancel':
        this.#downstream.cancel(effect.branch, effect.reason);
        return;
      case 'start-timer-c':
        this.#downstream.startTimerC(effect.branch, effect.ms);
        return;
      case 'stop-timer-c':
        this.#downstream.stopTimerC(effect.branch);
        return;
      case 'abandon': // it is not sent: downstream.ts sees it in its state
        return;
      case 'ended':
        this.#downstream.abandon(effect.branch);
        return;
      default:
        effect satisfies never;
    }
  }

  #forward(response: SipResponse, branchId: string): void {
    const branch = this.#downstream.sent(branchId);
    if (isSuccess(response) && branch !== undefined) this.#upstream.succeeded(response, branch);
    if (response.status < 200 && branch !== undefined) this.#upstream.rings(response, branch);
    this.#upstream.send(response);
  }

  #callId(): string {
    return get(this.#request.message, CallId) ?? '';
  }

  /** A bug ends this request, and nothing else: its open branches fail, and with them the request. */
  #fault(thrown: unknown): void {
    this.#logFault(thrown);
    const { status } = errors.internal;
    for (const branch of this.#downstream.ids) this.#step({ on: 'failed', branch, status, code: 'internal' });
  }

  #logFault(thrown: unknown): void {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    this.#core.ports.log.error({ callId: this.#callId(), stack }, failureOf(thrown).message);
  }
}

function replyOf(effect: Extract<ContextEffect, { do: 'respond' }>): Reply {
  return effect.code === undefined
    ? { kind: 'reply', status: effect.status }
    : refuse(effect.code, effect.status, effect.detail ?? '');
}
