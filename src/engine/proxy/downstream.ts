/**
 * Towards the called of one request: its branches (RFC 3261 §16.6 to §16.8), each with its next hop and media, its client
 * transaction and timer C. What happens on them becomes events of the response context, one at a time.
 *
 * Left out: what the events mean (src/proxy/response-context.ts), building a branch (branches.ts).
 */
import { withNamesFor } from '../../auth/claims.ts';
import { type ErrorCode, errors, Failure, failureOf } from '../../errors.ts';
import { otherKind } from '../../media/profiles.ts';
import { cancelFor } from '../../message/build.ts';
import { removeAll, withBody, withLinesOf } from '../../message/edit.ts';
import { get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import { ContentType } from '../../message/headers/text.ts';
import { Via } from '../../message/headers/via.ts';
import type { SipResponse } from '../../message/message.ts';
import type { Flow } from '../../ports.ts';
import { branchParameter } from '../../proxy/loop.ts';
import { type BranchState, type ContextEvent, isSuccess } from '../../proxy/response-context.ts';
import { withoutPush } from '../../story/credentials.ts';
import type { Request, Target } from '../api.ts';
import { type Core, nobody } from '../core.ts';
import { assumedKind, transportOf } from '../media/assumed-kind.ts';
import type { InviteMedia } from '../media/invite-media.ts';
import { isOfOther } from '../nodes/node-routing.ts';
import { type BranchPlan, type PreparedBranch, prepareBranch } from './branches.ts';
import { isLost, isOverItsConnection, type LiveBranch, roomFor, takeServersLeft, targetOf } from './live-branch.ts';
import { RefusedAnswers } from './refused-answers.ts';
import { invites, opensCall } from './upstream.ts';

/** The response context, as its branches see it. */
export interface Context {
  /** Runs it when all before it is done (law 6). `false`: `room` others wait already, and it is dropped. */
  post(event: () => Promise<void> | void, room?: number): boolean;
  step(event: ContextEvent): void;
  stateOf(branch: string): BranchState | undefined;
  /** Whether this response may go upstream. */
  takes(response: SipResponse): boolean;
  /** Whether a failure went upstream. */
  isRefused(): boolean;
  /** Whether its device may be asked again. */
  mayReplace(branch: string): boolean;
}

export class Downstream {
  readonly #core: Core;
  readonly #request: Request;
  readonly #media: InviteMedia;
  readonly #context: Context;
  readonly #refused: RefusedAnswers;
  readonly #branches = new Map<string, LiveBranch>();

  constructor(core: Core, request: Request, media: InviteMedia, context: Context) {
    this.#core = core;
    this.#request = request;
    this.#media = media;
    this.#context = context;
    this.#refused = new RefusedAnswers(core, request);
  }

  get ids(): readonly string[] {
    return [...this.#branches.keys()];
  }

  /** As it left. */
  sent(id: string): PreparedBranch | undefined {
    return this.#branches.get(id)?.sent;
  }

  // --- on their way --------------------------------------------------------------------------------------------------

  /** New branches, with their ids: none leaves yet. `shares`: of Max-Breadth. */
  add(targets: readonly Target[], shares: readonly number[]): readonly string[] {
    return targets.map((target, index) => this.#add({ target, maxBreadth: shares[index] }));
  }

  #add(branch: Omit<BranchPlan, 'id'>): string {
    const id = branchParameter(this.#core.ports.random.hex(8), this.#request.loopHash);
    const plan = { ...branch, id };
    this.#branches.set(id, {
      plan,
      sent: undefined,
      client: undefined,
      timerC: undefined,
      silence: undefined,
      hasRung: false,
      lost: undefined,
      told: undefined,
    });
    return id;
  }

  /** Next hop, media, then off it goes; several branches are prepared side by side. */
  prepare(id: string): void {
    const branch = this.#branches.get(id);
    if (branch === undefined) return;
    prepareBranch(this.#core, this.#request, branch.plan).then(
      (prepared) => this.#context.post(() => this.#sendOff(branch, prepared)),
      (thrown: unknown) => this.#context.post(() => this.#prepareFailed(branch, failureOf(thrown))),
    );
  }

  #sendOff(branch: LiveBranch, prepared: PreparedBranch): void {
    const { id, message, flow } = prepared;
    // A CANCEL may have abandoned it meanwhile.
    if (this.#context.stateOf(id) !== 'preparing') {
      this.#over(branch);
      return;
    }
    branch.sent = prepared;
    // Stepped first: the answer may come before this turn is over.
    this.#context.step({ on: 'sent', branch: id });
    branch.client = this.#core.transactions.client(message, flow, {
      response: (response) => this.#take(branch, response),
      failed: (why) => this.#context.post(() => this.#failed(branch, why)),
      terminated: () => this.#context.post(() => this.#terminated(branch)),
      closed: () => this.#ringsOn(branch, prepared),
    });
    this.#expectWord(branch, prepared);
  }

  /** A server that rings has closed its connection: it answers by another, and is dialled for a CANCEL. */
  #ringsOn(branch: LiveBranch, { hop, target }: PreparedBranch): (() => Flow) | undefined {
    const mayAnswer = branch.hasRung && hop.way !== undefined && !isOfOther(target);
    return mayAnswer ? () => this.#core.nextHops.flowNow(hop) : undefined;
  }

  /**
   * A registered device is switched off, or out of reach; a server is down, and the next one is asked long before timer B.
   * One that nobody stands in for has timer B.
   */
  #expectWord(branch: LiveBranch, { id, target, hop }: PreparedBranch): void {
    const { tryingMs = 0 } = this.#core.options;
    const isDevice = target.binding !== undefined || this.#request.hop !== undefined;
    if (tryingMs === 0 || !(hop.others.length > 0 || (isDevice && invites(this.#request)))) return;
    branch.silence = this.#core.ports.clock.after(tryingMs, () =>
      this.#context.post(() => {
        if (this.#context.stateOf(id) !== 'calling') return;
        this.#tell(branch, { code: 'branch-timeout', detail: `It has said nothing for ${tryingMs / 1000} s.` });
        if (this.#asksNextServer(branch)) return;
        this.#wakes(branch);
        this.#context.step({ on: 'silent', branch: id });
      }),
    );
  }

  /** RFC 3263 §4.3: callers behind this one go there first. */
  #asksNextServer(branch: LiveBranch): boolean {
    const { plan, sent } = branch;
    const left = takeServersLeft(branch);
    if (sent?.hop.way === undefined || left.length === 0) return false;
    this.#core.nextHops.avoid(sent.hop.way);
    const by = this.#add({ ...plan, left });
    this.#context.step({ on: 'overtaken', branch: plan.id, by });
    this.#prepareIfWanted(by);
    return true;
  }

  /** RFC 8599: who says nothing may sleep behind a connection that is open. Should he speak after all, he counts. */
  #wakes({ plan: { target, maxBreadth } }: LiveBranch): void {
    const asleep = target.otherFlows?.find((one) => one.asleep !== undefined);
    if (asleep === undefined) return;
    const id = this.#add({ maxBreadth, target: { ...target, ...asleep, otherFlows: undefined } });
    this.#context.step({ on: 'branches', ids: [id] });
    this.#prepareIfWanted(id);
  }

  #prepareIfWanted(id: string): void {
    if (this.#context.stateOf(id) === 'preparing') this.prepare(id);
  }

  #prepareFailed(branch: LiveBranch, { code, detail, message, stack }: Failure): void {
    const { id, target } = branch.plan;
    // A CANCEL may have abandoned it meanwhile.
    if (this.#context.stateOf(id) !== 'preparing') {
      this.#over(branch);
      return;
    }
    this.#core.ports.log.info({ callId: this.#callId(), target: withoutPush(target.uri), code, detail }, message);
    if (code === 'internal') this.#core.ports.log.error({ stack }, message);
    this.#tell(branch, { code, detail });
    this.#over(branch);
    if (code === 'flow-gone' && this.#triesNextFlow(branch)) return;
    this.#context.step({ on: 'failed', branch: id, status: this.#statusOf(code), code, detail });
  }

  #failed(branch: LiveBranch, why: 'timeout' | 'transport'): void {
    const broken = isOverItsConnection(branch) ? 'flow-gone' : 'transport-failed';
    const code = why === 'timeout' ? 'branch-timeout' : broken;
    this.#tell(branch, { code, detail: '' });
    if (this.#triesNextServer(branch)) return;
    // Who has said that it rings is there.
    if (!branch.hasRung && this.#triesNextFlow(branch)) return;
    this.#context.step({ on: 'failed', branch: branch.plan.id, status: this.#statusOf(code), code });
  }

  /** RFC 5626 §5.3, law 4: the node that has chosen this flow hears that it is gone, and tries another. */
  #statusOf(code: ErrorCode): number {
    const isFlow = code === 'flow-gone' || code === 'transport-failed';
    return isFlow && this.#request.hop?.purpose === 'over' ? 430 : errors[code].status;
  }

  #terminated(branch: LiveBranch): void {
    this.#over(branch);
    this.#context.step({ on: 'terminated', branch: branch.plan.id });
    this.#branches.delete(branch.plan.id);
  }

  #tell(branch: LiveBranch, failure: Pick<Failure, 'code' | 'detail'>): void {
    if (branch.told === failure.code) return; // timer B of a device that was silent
    branch.told = failure.code;
    this.#core.stories.branchFailed(this.#request.message, withoutPush(branch.plan.target.uri), failure);
  }

  #over(branch: LiveBranch): void {
    branch.timerC?.();
    branch.silence?.();
    this.#media.branchEnded(branch.plan.id);
  }

  /** A node is gone, or was started anew: who rings by way of it has no way back to us. */
  nodeGone(node: string): void {
    for (const branch of [...this.#branches.values()]) {
      // Who has said nothing yet is asked again, or has timer B.
      const isWaiting = (): boolean => this.#context.stateOf(branch.plan.id) === 'proceeding';
      if (this.#wentBy(branch, node))
        this.#context.post(() => (isWaiting() ? this.#failed(branch, 'transport') : undefined));
    }
  }

  /** Over a connection that it has no more. */
  #wentBy(branch: LiveBranch, node: string): boolean {
    const { nodes, nodeRouting } = this.#core;
    const { elsewhere, owner } = targetOf(branch);
    if (owner === node) return !nodes.isThere(node);
    return elsewhere?.node === node && nodeRouting.reach(elsewhere) === undefined;
  }

  // --- responses -----------------------------------------------------------------------------------------------------

  #take(branch: LiveBranch, response: SipResponse): void {
    branch.silence?.();
    branch.hasRung ||= response.status > 100 && response.status < 200;
    const taken = this.#context.post(() => this.#onResponse(branch, response), roomFor(response));
    if (!taken) this.#core.counters.drop('responses waiting');
  }

  /** §16.7 steps 1 to 4 and 9; the machine does the rest. */
  async #onResponse(branch: LiveBranch, received: SipResponse): Promise<void> {
    const { plan, sent, lost } = branch;
    if (sent === undefined) return;
    if (received.status === 503 && this.#triesNextServer(branch)) return;
    if (isLost(received, isOfOther(plan.target) && !branch.hasRung) && this.#triesNextFlow(branch)) return;
    if (received.status === 100) this.#context.step({ on: 'response', branch: plan.id, response: received });
    else if (this.#context.stateOf(plan.id) === 'ended') {
      if (lost !== undefined && isSuccess(received)) this.#refused.hangUp(sent, received, lost);
    } else if (this.#isTooLate(received)) this.#giveUp(branch, sent, received, new Failure('answered-too-late'));
    else if (!this.#context.takes(received)) this.#refused.tooMany(sent, received);
    else {
      // Step 3. Not what the callee left of them: some garble Vias, and nobody upstream would know the response.
      const ours = withLinesOf(received, Via, this.#request.message);
      const trusted = isOfOther(plan.target) || this.#core.options.isTrusted(sent.flow.remote.address);
      const response = await this.#arranged(branch, sent, withNamesFor(ours, trusted, this.#request.trusted));
      if (response === undefined || this.#asksAgain(branch, sent, response)) return;
      if (isSuccess(response)) this.#learn(plan, sent.flow, response);
      this.#context.step({ on: 'response', branch: plan.id, response });
    }
  }

  /** DESIGN §4: a device that refuses the SDP is offered one of the other kind, once; one that was offered either, both. */
  #asksAgain({ plan }: LiveBranch, { id, target, flow }: PreparedBranch, response: SipResponse): boolean {
    if (!opensCall(this.#request) || !this.#context.mayReplace(id)) return false;
    const kind = this.#core.media.refusedKind(this.#request.message, id, { target, flow }, response);
    if (kind === undefined) return false;
    const refused = [...(plan.refused ?? []), kind];
    const media = otherKind(refused);
    if (media === undefined) return false;
    this.#core.ports.log.info(
      { callId: this.#callId(), target: withoutPush(target.uri), media },
      'Refused the SDP; asked again',
    );
    this.#replace(id, { ...plan, target: { ...target, media }, refused });
    return true;
  }

  /** RFC 3263 §4.3: a server that said nothing, was not to be reached or says 503 makes way for the next one. */
  #triesNextServer(branch: LiveBranch): boolean {
    const { plan, sent, hasRung } = branch;
    if (sent?.hop.way === undefined) return false;
    this.#core.nextHops.avoid(sent.hop.way);
    // Whoever has said that it rings may still be answered; a 100 is said by a server before it knows that it cannot.
    if (hasRung || !this.#context.mayReplace(plan.id)) return false;
    const left = takeServersLeft(branch);
    if (left.length === 0) return false;
    this.#replace(plan.id, { ...plan, left });
    return true;
  }

  /** RFC 5626 §5.3: where one flow to a device fails (430, or nobody hears us there), it may be reached by another. */
  #triesNextFlow({ plan }: LiveBranch): boolean {
    const [next, ...otherFlows] = plan.target.otherFlows ?? [];
    if (next === undefined || !this.#context.mayReplace(plan.id)) return false;
    const { target, maxBreadth } = plan;
    this.#replace(plan.id, { maxBreadth, target: { ...target, elsewhere: undefined, ...next, otherFlows } });
    return true;
  }

  #replace(id: string, plan: Omit<BranchPlan, 'id'>): void {
    const by = this.#add(plan);
    this.#context.step({ on: 'replaced', branch: id, by });
    this.prepare(by);
  }

  /** Law 2: what it said of itself, for the next call to it. */
  #learn({ target, refused }: BranchPlan, flow: Flow, response: SipResponse): void {
    const { binding, media } = target;
    const call = binding === undefined ? undefined : this.#core.media.find(this.#request.message);
    const kind = call && this.#core.media.calleeKind(call, response);
    if (binding === undefined || kind === undefined) return;
    const isNews = refused !== undefined || kind !== (media ?? assumedKind(transportOf({ target, flow })));
    if (isNews) this.#core.registrar.learn(binding, kind);
  }

  /** The response with its media in place; `undefined` when that failed and the branch is given up (law 1). */
  async #arranged(branch: LiveBranch, sent: PreparedBranch, response: SipResponse): Promise<SipResponse | undefined> {
    try {
      const { id, target, flow, message } = sent;
      const view = { id, request: this.#request, target, flow, message };
      return await this.#core.routes.reply({ branch: view, response }, this.#core.proxy);
    } catch (thrown) {
      const failure = failureOf(thrown);
      const fields = { callId: this.#callId(), code: failure.code, status: response.status };
      this.#core.ports.log.warn(fields, failure.message);
      if (failure.code === 'internal') this.#core.ports.log.error({ stack: failure.stack }, failure.message);
      // A provisional response is worth passing without its early media, a failure without its restored media.
      if (response.status < 200) return withBody(removeAll(response, ContentType), '');
      if (response.status >= 300) return response;
      this.#giveUp(branch, sent, response, failure);
      return undefined;
    }
  }

  /** Of any other method it ends its branch, and nobody hears of it (RFC 3261 §16.7 step 5). */
  #isTooLate(response: SipResponse): boolean {
    return isSuccess(response) && this.#context.isRefused() && invites(this.#request);
  }

  /** Nobody would hear anything: the callee is let go at once. */
  #giveUp(branch: LiveBranch, sent: PreparedBranch, response: SipResponse, failure: Failure): void {
    const { code, detail } = failure;
    branch.lost = failure;
    this.#tell(branch, failure);
    if (invites(this.#request) || this.#request.inDialog) this.#refused.hangUp(sent, response, failure);
    this.#context.step({ on: 'failed', branch: sent.id, status: errors[code].status, code, detail });
  }

  // --- what the response context asks for ----------------------------------------------------------------------------

  /** RFC 3261 §9.1: CANCEL is a transaction of its own, hop by hop, with the branch of what it cancels. */
  cancel(id: string, reason: string | undefined): void {
    const sent = this.sent(id);
    if (sent === undefined) return;
    this.#core.transactions.client(cancelFor(sent.message, reason), this.#core.nextHops.flowNow(sent.hop), nobody);
  }

  startTimerC(id: string, ms: number): void {
    const branch = this.#branches.get(id);
    if (branch === undefined) return;
    branch.timerC?.();
    branch.timerC = this.#core.ports.clock.after(ms, () =>
      this.#context.post(() => {
        this.#core.stories.timerC(this.#request.message, withoutPush(branch.plan.target.uri));
        this.#context.step({ on: 'timer-c', branch: id });
      }),
    );
  }

  stopTimerC(id: string): void {
    this.#branches.get(id)?.timerC?.();
  }

  /** Nothing of it goes upstream any more. */
  abandon(id: string): void {
    this.#branches.get(id)?.client?.abandon();
  }

  #callId(): string {
    return get(this.#request.message, CallId) ?? '';
  }
}
