/**
 * One request and all its branches (RFC 3261 §16.6 to §16.10): performs what the pure machine of
 * `src/proxy/response-context.ts` decides.
 *
 * Laws 1 and 6: events run one at a time in a mailbox; a response waits there while its media is arranged. A CANCEL may
 * come at any moment: before the routes are done, while a branch is being prepared, or after.
 * Left out: finding the routes' verdict (receive.ts), the branches (downstream.ts), answering the caller (upstream.ts).
 */
import { errors, Failure, failureOf } from '../../errors.ts';
import { get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import { Via } from '../../message/headers/via.ts';
import type { SipResponse } from '../../message/message.ts';
import type { Cancel, NodeSelf } from '../../ports.ts';
import { withoutContacts } from '../../proxy/context-value.ts';
import { shareBreadth } from '../../proxy/loop.ts';
import {
  allSettled,
  allTried,
  bestSoFar,
  branchState,
  type ContextEffect,
  type ContextEvent,
  createResponseContext,
  defaultLimits,
  isFinal,
  isRefused,
  isSuccess,
  mayReplace,
  type ResponseContext,
  step,
  takesBranches,
} from '../../proxy/response-context.ts';
import { inGroups } from '../../proxy/target-set.ts';
import { type Relay, type Reply, type Request, refuse, reply, type Target } from '../api.ts';
import type { Core } from '../core.ts';
import { wayBackTo } from '../dialog/servers.ts';
import { Mailbox } from '../mailbox.ts';
import { InviteMedia } from '../media/invite-media.ts';
import { isViaOf } from '../nodes/node-address.ts';
import { responseOf } from '../replies.ts';
import type { ServerTransaction } from '../transactions.ts';
import { Downstream } from './downstream.ts';
import { opensCall, Upstream } from './upstream.ts';

/** How long a group of targets rings before the next one has its turn, where nobody says otherwise. */
const groupRingMs = 20_000;

/** Law 9: how often the failure route may name further targets; forwarding asks for five. */
const mostRounds = 16;

const callerGone = 'SIP;cause=487;text="The connection of the caller closed"';
const senderGone = 'SIP;cause=487;text="The node of the caller is gone"';

export class ResponseContextRunner {
  readonly #core: Core;
  readonly #request: Request;
  readonly #server: ServerTransaction;
  readonly #media: InviteMedia;
  readonly #upstream: Upstream;
  readonly #downstream: Downstream;
  readonly #mailbox: Mailbox;
  #context: ResponseContext;
  /** The routes have said where to; before that no branch is none too few. */
  #relayed = false;
  /** What the failure route answers in place of the best response. */
  #instead: Reply | undefined;
  /** Groups of targets that have not had their turn. */
  #waiting: readonly (readonly Target[])[] = [];
  #ringMs: number | undefined;
  #stopRinging: Cancel | undefined;
  /** How many its story knows. */
  #diversions = 0;
  /** The failure route is being asked. */
  #asking = false;
  /** How often it has named further targets. */
  #rounds = 0;

  constructor(core: Core, request: Request, server: ServerTransaction) {
    this.#core = core;
    this.#request = request;
    this.#server = server;
    this.#media = new InviteMedia(core, request);
    this.#upstream = new Upstream(core, request, server, this.#media);
    this.#mailbox = new Mailbox((thrown) => this.#fault(thrown));
    this.#downstream = new Downstream(core, request, this.#media, {
      post: (event, room) => this.#mailbox.post(event, room),
      step: (event) => this.#step(event),
      stateOf: (branch) => branchState(this.#context, branch),
      takes: (response) => this.#upstream.takes(response),
      isRefused: () => isRefused(this.#context),
      mayReplace: (branch) => mayReplace(this.#context, branch),
    });
    const limits = { ...defaultLimits, timerCMs: core.options.timerCMs };
    this.#context = createResponseContext(request.message.method, limits);
  }

  /** Nothing final went upstream. */
  get isOpen(): boolean {
    return !isFinal(this.#context);
  }

  /** The verdict of the routes: an answer of ours. A CANCEL that came while they were thinking has had its 487. */
  reply(reply: Reply): void {
    if (!isFinal(this.#context)) this.#upstream.reply(reply);
  }

  /** The verdict of the routes: forward it there. */
  relay(relay: Relay): void {
    if (isFinal(this.#context)) return;
    const [first = []] = this.#groupsOf(relay);
    if (shareBreadth(this.#request.message, first.length) === undefined) {
      this.#upstream.reply(refuse('max-breadth', 440));
      return;
    }
    if (opensCall(this.#request)) {
      this.#media.begin();
      this.#core.presence.calls.began(this.#request.message);
    }
    this.#mailbox.post(() => this.#take(relay));
  }

  /** RFC 3261 §16.10: its CANCEL arrived. `reason` is handed on (RFC 3326). */
  cancel(reason: string | undefined): void {
    if (opensCall(this.#request)) this.#core.stories.cancelled(this.#request.message);
    this.#mailbox.post(() => this.#step(reason === undefined ? { on: 'cancel' } : { on: 'cancel', reason }));
  }

  /** Its connection is gone. What rings for a client is told so, for no answer could reach him (law 4). */
  callerClosed(): void {
    const wayBack = wayBackTo(this.#core, this.#request);
    if (wayBack === undefined) this.cancel(callerGone);
    else this.#server.leavesBy(wayBack);
  }

  /** A node of ours is gone: who rings there is not waited for, and what it has sent us has nobody to be answered to. */
  nodeGone(gone: NodeSelf): void {
    this.#downstream.nodeGone(gone.id);
    const { message, hop } = this.#request;
    const isSender = hop !== undefined && isViaOf(gone, get(message, Via));
    if (isSender && !this.#core.nodes.isThere(gone.id)) this.cancel(senderGone);
  }

  // --- targets -------------------------------------------------------------------------------------------------------

  /** RFC 3261 §16.6: one group after the other; for anything but a call nobody waits that long. */
  #groupsOf({ targets }: Relay): readonly (readonly Target[])[] {
    return opensCall(this.#request) ? inGroups(targets) : [targets];
  }

  /** Its first targets are tried; the others wait for their turn. */
  #take(relay: Relay): void {
    this.#relayed = true;
    this.#tellDiversions();
    this.#context = withoutContacts(this.#context, relay.follows ?? []);
    this.#waiting = this.#groupsOf(relay);
    this.#ringMs = relay.ringMs;
    if (relay.isForwarded === true && opensCall(this.#request)) this.#upstream.reply(reply(181));
    this.#tryNext();
  }

  /** Where it was sent on since the last time. */
  #tellDiversions(): void {
    const { diverted = [] } = this.#request.notes.forwarding ?? {};
    for (const one of diverted.slice(this.#diversions)) this.#core.stories.diverted(this.#request.message, one);
    this.#diversions = diverted.length;
  }

  /** The group whose turn it is; when none is left the failure route is asked. */
  #tryNext(): void {
    this.#stopRinging?.();
    const [group, ...later] = takesBranches(this.#context) ? this.#waiting : [];
    this.#waiting = later;
    if (group === undefined) this.#askFailureRoute();
    else this.#addBranches(group);
  }

  #addBranches(targets: readonly Target[]): void {
    const shares = shareBreadth(this.#request.message, targets.length);
    if (shares === undefined) {
      this.#core.counters.refusal('max-breadth');
      this.#tryNext();
      return;
    }
    // RFC 3261 §21.1.4: the caller hears that somebody is looked for.
    if (targets.some(({ asleep }) => asleep !== undefined) && opensCall(this.#request))
      this.#upstream.reply(reply(182));
    this.#startRinging();
    const ids = this.#downstream.add(targets, shares);
    this.#step({ on: 'branches', ids });
    // A CANCEL before this point has already abandoned them.
    for (const id of ids) if (branchState(this.#context, id) === 'preparing') this.#downstream.prepare(id);
  }

  #startRinging(): void {
    const ms = this.#ringMs ?? (this.#waiting.length > 0 ? groupRingMs : undefined);
    if (ms === undefined || !opensCall(this.#request)) return;
    let isOver = false;
    const out = (): void => {
      if (!isOver) this.#step({ on: 'ring-time-out' });
    };
    const cancel = this.#core.ports.clock.after(ms, () => this.#mailbox.post(out));
    this.#stopRinging = () => {
      isOver = true;
      cancel();
    };
  }

  #askFailureRoute(): void {
    const best = bestSoFar(this.#context);
    this.#asking = true;
    this.#mailbox.post(async () => {
      const verdict = await this.#afterFailure(best);
      this.#asking = false;
      if (verdict?.kind === 'relay') this.#take(verdict);
      else {
        this.#instead = verdict;
        this.#step({ on: 'routed' });
      }
    });
  }

  /** A failure route that fails itself adds nothing. */
  async #afterFailure(best: ReturnType<typeof bestSoFar>): Promise<Relay | Reply | undefined> {
    const { inDialog, hop } = this.#request;
    // What another node has sent here for one device is that node's to decide.
    if (best === undefined || inDialog || hop !== undefined || !takesBranches(this.#context)) return undefined;
    const response = best.do === 'forward' ? best.response : responseOf(this.#request.message, replyOf(best), '');
    try {
      const verdict = await this.#core.routes.failure(this.#request, response, this.#core.proxy);
      if (verdict?.kind !== 'relay') return verdict;
      if (verdict.targets.length === 0) return undefined;
      if (++this.#rounds > mostRounds) throw new Failure('route-endless');
      return verdict;
    } catch (thrown) {
      this.#logFault(thrown);
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
    if (isFinal(this.#context) && allSettled(this.#context)) this.#media.finished();
    if (this.#context.routed || this.#asking) return;
    if (isFinal(this.#context)) {
      this.#stopRinging?.();
      this.#step({ on: 'routed' });
    } else if (this.#relayed && allTried(this.#context)) this.#tryNext();
  }

  #perform(effect: ContextEffect): void {
    switch (effect.do) {
      case 'forward':
        if (this.#instead === undefined || isSuccess(effect.response)) this.#forward(effect.response, effect.branch);
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
    const { code, row, message, stack } = failureOf(thrown);
    const fields = { callId: this.#callId(), code };
    if (code === 'internal') this.#core.ports.log.error({ ...fields, stack }, message);
    else this.#core.ports.log.warn({ ...fields, nextStep: row.nextStep }, message);
  }
}

function replyOf(effect: Extract<ContextEffect, { do: 'respond' }>): Reply {
  return effect.code === undefined
    ? { kind: 'reply', status: effect.status }
    : refuse(effect.code, effect.status, effect.detail ?? '');
}
