/**
 * Sends the NOTIFY requests (RFC 6665 §4.2.2): each in its subscription's dialog, over the subscriber's own flow, one at
 * a time per subscription as `src/presence/pace.ts` says, and no subscription waiting for another.
 *
 * The row is the truth: each NOTIFY first counts its CSeq up there, so that a restart goes on where we were. In memory is
 * only what is on its way or resting.
 */
import { Failure, failureOf } from '../../errors.ts';
import type { SipRequest } from '../../message/message.ts';
import type { Cancel, ClaimedSubscription, Flow, Subscription } from '../../ports.ts';
import { decideWatch, stateOf, type WatchDecision } from '../../presence/authorize.ts';
import { asOf, endsSubscription, notifyFor } from '../../presence/notify.ts';
import { idle, type Pace, type PaceEvent, stepPace, type Want } from '../../presence/pace.ts';
import { packages } from '../../presence/packages.ts';
import { transportParam } from '../../proxy/record-route.ts';
import type { Target } from '../api.ts';
import { type Core, viaFor } from '../core.ts';
import { hereOf } from '../registrar/here.ts';

/** Law 9: subscriptions with a NOTIFY on its way or resting. One more is told with its next change or refresh. */
const mostAtOnce = 200_000;

/** A database that is away is asked again. */
const retryMs = 5_000;

/** 408 stands for no answer at all, 0 for one that could not be sent and may be sent later. */
const notSent = 0;
const noAnswer = 408;

interface Underway {
  pace: Pace;
  resting: Cancel | undefined;
  paceMs: number;
}

export type DocumentMaker = (subscription: Subscription, decision: WatchDecision) => Promise<string | undefined>;

export class Notifier {
  readonly #core: () => Core;
  readonly #document: DocumentMaker;
  /** Its state or its end has changed, which watchers of watchers see. */
  readonly #stateChanged: (subscription: Subscription) => void;
  readonly #underway = new Map<string, Underway>();

  constructor(core: () => Core, document: DocumentMaker, stateChanged: (subscription: Subscription) => void) {
    this.#core = core;
    this.#document = document;
    this.#stateChanged = stateChanged;
  }

  get size(): number {
    return this.#underway.size;
  }

  /** The subscription is owed a NOTIFY with the state as it is by then. */
  want(id: string, want: Want): void {
    const known = this.#underway.get(id);
    if (known === undefined && this.#underway.size >= mostAtOnce) {
      this.#core().counters.drop('NOTIFY beyond the bound');
      return;
    }
    const underway = known ?? { pace: idle, resting: undefined, paceMs: 0 };
    this.#underway.set(id, underway);
    this.#step(id, underway, { on: 'wanted', want });
  }

  /** It has ended: the last NOTIFY is owed, unless one is on its way; then it is asked for again. */
  wantEnd(id: string): void {
    if (this.#underway.get(id)?.pace.state !== 'sending') this.want(id, 'urgent');
  }

  /** One look (RFC 6665 §4.4.3): the only NOTIFY of a subscription that is kept nowhere. */
  once(subscription: Subscription, decision: WatchDecision): void {
    const first = { ...subscription, cseq: 1, version: 0 };
    this.#sendOff(first, decision).catch((thrown: unknown) => this.#notSent(subscription, thrown));
  }

  #step(id: string, underway: Underway, event: PaceEvent): void {
    const [pace, effects] = stepPace(underway.pace, event);
    underway.pace = pace;
    for (const effect of effects) {
      switch (effect) {
        case 'send':
          this.#send(id, underway);
          break;
        case 'rest':
          underway.resting = this.#core().ports.clock.after(underway.paceMs, () =>
            this.#step(id, underway, { on: 'rested' }),
          );
          break;
        case 'stop-resting':
          underway.resting?.();
          break;
        default:
          effect satisfies never;
      }
    }
    if (underway.pace.state === 'idle') this.#underway.delete(id);
  }

  #send(id: string, underway: Underway): void {
    this.#notify(id, underway)
      .catch((thrown: unknown) => this.#failed(id, underway, thrown))
      .then(() => this.#step(id, underway, { on: 'answered' }));
  }

  #failed(id: string, underway: Underway, thrown: unknown): void {
    const { code, message } = failureOf(thrown);
    const { log } = this.#core().ports;
    if (code === 'internal') {
      log.error({ subscription: id, stack: stackOf(thrown) }, message);
      return;
    }
    log.info({ subscription: id, code }, message);
    // The database comes back, and the subscription is still owed its NOTIFY.
    underway.paceMs = Math.max(underway.paceMs, retryMs);
    this.#step(id, underway, { on: 'wanted', want: 'change' });
  }

  async #notify(id: string, underway: Underway): Promise<void> {
    const { presence, clock } = this.#core().ports;
    const claimed = await presence.claim(id);
    if (claimed === undefined) return;
    const { subscription, decision } = this.#standing(claimed, clock.nowMs());
    underway.paceMs = packages[subscription.event].paceMs;
    if (subscription.state !== claimed.subscription.state) await this.#keepState(subscription);
    const status = await this.#sendOff(subscription, decision).catch((thrown: unknown) =>
      this.#notSent(subscription, thrown),
    );
    const isOver = subscription.state === 'terminated' || endsSubscription(status);
    if (!isOver) return;
    await presence.forget(id);
    this.#stateChanged(subscription);
  }

  /** What the rules of the presentity make of it now. */
  #standing(
    { subscription, policy }: ClaimedSubscription,
    nowMs: number,
  ): { readonly subscription: Subscription; readonly decision: WatchDecision } {
    const { event, resource, watcher } = subscription;
    const otherwise = this.#core().options.presence;
    const decision = decideWatch({ event, resource, watcher, rule: policy, otherwise });
    const current = asOf(subscription, nowMs);
    if (current.state === 'terminated') return { subscription: current, decision };
    // §4.1.3: `rejected` tells the watcher not to come back.
    if (decision === 'refused')
      return { subscription: { ...current, state: 'terminated', reason: 'rejected' }, decision };
    return { subscription: { ...current, state: stateOf(decision) }, decision };
  }

  async #keepState(subscription: Subscription): Promise<void> {
    const { id, state, reason } = subscription;
    await this.#core().ports.presence.setState(id, state, reason);
    this.#stateChanged(subscription);
  }

  async #sendOff(held: Subscription, decision: WatchDecision): Promise<number> {
    const { nodeRouting, ports } = this.#core();
    const { clock, random } = ports;
    const target = await this.#atDevice(held);
    const flowId = target.elsewhere?.flowId ?? target.flowId;
    const subscription = { ...held, remoteTarget: target.uri, flowId, routeSet: target.route ?? [] };
    const flow = await this.#flowOf(target, held.listener);
    const body = await this.#document(subscription, decision);
    const face = nodeRouting.faceTo(target) ?? flow.listener;
    const { host, port } = face.advertised;
    const notify = notifyFor(subscription, {
      via: viaFor(face, `z9hG4bK${random.hex(8)}`),
      contact: `sip:${host}:${port}${transportParam(face)}`,
      nowMs: clock.nowMs(),
      body,
    });
    return this.#finalStatus(notify, flow, subscription.flowId !== undefined && flow.transport !== 'udp');
  }

  /** A subscriber whose Contact is a GRUU (RFC 5627) is told at the contact of that device, at whichever node that is. */
  async #atDevice({ remoteTarget: uri, flowId, routeSet, callId }: Subscription): Promise<Target> {
    const { registrar, nodeRouting } = this.#core();
    const at = await registrar.atDevice({ uri, flowId }, hereOf(this.#core()), routeSet.length > 0);
    if (at === undefined) throw new Failure('flow-gone');
    return nodeRouting.through({ ...at, route: at.route ?? routeSet }, { callId });
  }

  async #flowOf(target: Target, listener: number): Promise<Flow> {
    const { nextHops, nodeRouting, ports } = this.#core();
    const [first] = ports.network.listeners;
    const from = nodeRouting.listenerTo(target) ?? ports.network.listeners[listener] ?? first;
    if (from === undefined) throw new Error('There is no listener.');
    return (await nextHops.hopTo(target, target.route?.[0], from)).flow;
  }

  /** `waits`: its client may come back with another connection, and then ask again by itself. */
  #finalStatus(notify: SipRequest, flow: Flow, waits: boolean): Promise<number> {
    const lost = waits ? notSent : noAnswer;
    return new Promise((resolve) => {
      this.#core().transactions.client(notify, flow, {
        response: ({ status }) => {
          if (status >= 200) resolve(status);
        },
        failed: (why) => resolve(why === 'timeout' ? noAnswer : lost),
        terminated: () => resolve(noAnswer),
      });
    });
  }

  #notSent({ id, watcher, flowId }: Subscription, thrown: unknown): number {
    const failure = failureOf(thrown);
    if (failure.code === 'internal' || failure.code === 'database-down') throw thrown;
    this.#core().ports.log.info({ subscription: id, watcher, code: failure.code }, failure.message);
    return flowId === undefined ? noAnswer : notSent;
  }
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? '') : '';
}
