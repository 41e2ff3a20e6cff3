/**
 * One transaction in progress: its machine (src/transaction), its timers, and what becomes of its effects.
 *
 * A class and no bundle of closures: there are as many of them as messages in half a minute. Left out: which there are
 * (transactions.ts).
 */
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import type { Cancel, Clock, Flow } from '../ports.ts';
import type { Effect } from '../transaction/effects.ts';
import type { ClientEvent } from '../transaction/invite-client.ts';
import type { ServerEvent } from '../transaction/invite-server.ts';
import type { TimerName } from '../transaction/timers.ts';

/** What a client transaction tells the core. */
export interface ClientUser {
  response(response: SipResponse): void;
  /** `timeout`: timers B or F; `transport`: the flow failed. */
  failed(why: 'timeout' | 'transport'): void;
  terminated(): void;
  /**
   * Its connection has closed. How its peer is reached should something be left to say: its answer may come by another
   * connection (RFC 3261 §18.2.2). `undefined`, or absent: no answer can come any more (§17.1.4).
   */
  closed?(): (() => Flow) | undefined;
}

/** All of them, as one sees them. */
export interface Surroundings {
  readonly clock: Clock;
  /** As it leaves. */
  textOf(message: SipMessage, flow: Flow): string;
  /** `false`: it cannot leave. `message`: what it says; of a repetition nobody knows any more. */
  send(text: string, flow: Flow, message?: SipMessage): boolean;
  /** The server transaction has its final response. */
  answered(key: string): void;
  forgetServer(key: string): void;
  knowsClient(key: string): boolean;
  /** `false`: it was forgotten before. */
  forgetClient(key: string): boolean;
}

type TransactionEvent<Event> =
  | Event
  | { readonly on: 'timer'; readonly timer: TimerName }
  | { readonly on: 'transport-error' };

/** A machine as it begins. */
export interface Machine<Value, Event> {
  readonly first: readonly [Value, readonly Effect[]];
  readonly step: (value: Value, event: TransactionEvent<Event>) => readonly [Value, readonly Effect[]];
}

interface RunningTimer {
  readonly timer: TimerName;
  readonly cancel: Cancel;
}

abstract class LiveTransaction<Value, Event> {
  readonly key: string;
  /** That it began on. */
  readonly flow: Flow;
  /** Where it sends to when that has closed: a server is dialled (RFC 3261 §18.1.1, §18.2.2), a client never (law 4). */
  protected dials: (() => Flow) | undefined;
  protected readonly around: Surroundings;
  readonly #step: Machine<Value, Event>['step'];
  #value: Value;
  #lastSent = '';
  /** Two at most. */
  #timers: readonly RunningTimer[] = [];

  constructor(key: string, flow: Flow, around: Surroundings, { first: [value], step }: Machine<Value, Event>) {
    this.key = key;
    this.flow = flow;
    this.around = around;
    this.#step = step;
    this.#value = value;
  }

  input(event: TransactionEvent<Event>): void {
    // Its effects are not kept: the last message would be, for as long as the machine lives.
    const [value, effects] = this.#step(this.#value, event);
    this.#value = value;
    this.perform(effects);
  }

  perform(effects: readonly Effect[]): void {
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'send':
        this.#lastSent = this.around.textOf(effect.message, this.flow);
        this.#send(effect.message);
        return;
      case 'repeat':
        this.#send();
        return;
      case 'start':
        this.#start(effect.timer, effect.ms);
        return;
      case 'stop':
        this.#stop(effect.timer);
        return;
      case 'pass':
        this.pass(effect.message);
        return;
      case 'timeout':
        this.failed('timeout');
        return;
      case 'transport-error':
        this.failed('transport');
        return;
      case 'terminated':
        this.stopTimers();
        this.terminated();
        return;
      default:
        effect satisfies never;
    }
  }

  #send(message?: SipMessage): void {
    if (this.around.send(this.#lastSent, this.dials?.() ?? this.flow, message)) return;
    // In a turn of its own: the machine must have taken its new state before it hears of a failure.
    this.around.clock.after(0, () => this.transportFailed());
  }

  #start(timer: TimerName, ms: number): void {
    this.#stop(timer);
    const cancel = this.around.clock.after(ms, () => this.input({ on: 'timer', timer }));
    this.#timers = [...this.#timers, { timer, cancel }];
  }

  #stop(timer: TimerName): void {
    this.#timers.find((one) => one.timer === timer)?.cancel();
    this.#timers = this.#timers.filter((one) => one.timer !== timer);
  }

  protected stopTimers(): void {
    for (const { cancel } of this.#timers) cancel();
    this.#timers = [];
  }

  transportFailed(): void {
    this.input({ on: 'transport-error' });
  }

  protected abstract pass(message: SipMessage): void;
  protected abstract failed(why: 'timeout' | 'transport'): void;
  protected abstract terminated(): void;
}

export class LiveServer<Value> extends LiveTransaction<Value, ServerEvent> {
  /** Called once, when it is forgotten. */
  onTerminated: (() => void) | undefined;
  #isPassed = false;

  respond(response: SipResponse): void {
    if (response.status >= 200) this.around.answered(this.key);
    this.input({ on: 'respond', response });
  }

  /** Its connection has closed, and this is the way back to its sender. */
  leavesBy(dials: () => Flow): void {
    this.dials = dials;
  }

  /** Whether it keeps this request to itself: a repetition, or the ACK for a failure. */
  keeps(request: SipRequest): boolean {
    this.#isPassed = false;
    this.input({ on: 'request', request });
    return !this.#isPassed;
  }

  /** Its own request is the core's already. RFC 6026 §7.1: an ACK for a 2xx is, too, where it has the branch of the INVITE. */
  protected pass(): void {
    this.#isPassed = true;
  }

  /** RFC 3261 §17.2.1: no ACK within 64*T1, or no way back. Nobody is left to tell. */
  protected failed(): void {}

  protected terminated(): void {
    this.around.forgetServer(this.key);
    this.onTerminated?.();
  }
}

export class LiveClient<Value> extends LiveTransaction<Value, ClientEvent> {
  readonly #user: ClientUser;
  #isWaiting = true;

  constructor(key: string, flow: Flow, around: Surroundings, machine: Machine<Value, ClientEvent>, user: ClientUser) {
    super(key, flow, around, machine);
    this.#user = user;
  }

  /** Forgets it, if it still waits for a final response: whatever comes now is stray. */
  abandon(): void {
    if (!this.#isWaiting || !this.around.forgetClient(this.key)) return;
    this.stopTimers();
    this.#user.terminated();
  }

  closed(): void {
    this.dials = this.#user.closed?.();
    if (this.dials === undefined) this.transportFailed();
  }

  /** Not of one that was forgotten. */
  override transportFailed(): void {
    if (this.around.knowsClient(this.key)) super.transportFailed();
  }

  protected pass(message: SipMessage): void {
    if (message.kind !== 'response') return;
    if (message.status >= 200) this.#isWaiting = false;
    this.#user.response(message);
  }

  protected failed(why: 'timeout' | 'transport'): void {
    this.#user.failed(why);
  }

  protected terminated(): void {
    this.around.forgetClient(this.key);
    this.#user.terminated();
  }
}
