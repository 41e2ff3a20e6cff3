/**
 * The transactions in progress: the pure machines of `src/transaction`, their timers and their way out.
 *
 * The only place where a machine's effects are performed. What a machine passes up goes to its user: the proxy core.
 */
import { Failure } from '../errors.ts';
import { serialize, withContentLength } from '../message/edit.ts';
import { get } from '../message/header.ts';
import { Via } from '../message/headers/via.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { responseDestination } from '../nat/received.ts';
import type { Cancel, Clock, Flow, Network, SocketAddress } from '../ports.ts';
import type { Effect } from '../transaction/effects.ts';
import { createInviteClient, stepInviteClient } from '../transaction/invite-client.ts';
import { createInviteServer, stepInviteServer } from '../transaction/invite-server.ts';
import { clientKey, inviteKeyOfCancel, serverKey } from '../transaction/key.ts';
import { createNonInviteClient, stepNonInviteClient } from '../transaction/non-invite-client.ts';
import { createNonInviteServer, stepNonInviteServer } from '../transaction/non-invite-server.ts';
import { type TimerName, type Timers, timers } from '../transaction/timers.ts';

/** What a client transaction tells the core. */
export interface ClientUser {
  response(response: SipResponse): void;
  /** `timeout`: timers B or F; `transport`: the flow failed. */
  failed(why: 'timeout' | 'transport'): void;
  terminated(): void;
}

export interface ServerTransaction {
  readonly key: string;
  respond(response: SipResponse): void;
  /** Called once, when it is forgotten. */
  onTerminated: (() => void) | undefined;
}

export interface ClientTransaction {
  /** Forgets it, if it still waits for a final response: whatever comes now is stray. */
  abandon(): void;
}

/**
 * Law 9: how many server transactions there may be before another one is refused. What ends or continues a call that we
 * know of has as much room again: whoever refuses a BYE keeps the very calls that fill the tables.
 */
export interface TransactionLimits {
  /** Those without a final response: what we work on. */
  readonly open: number;
  /** Those that only wait for repetitions: over UDP each one stays 64*T1 (timers H and J), so they are many more. */
  readonly completed: number;
}

const defaultLimits: TransactionLimits = { open: 20_000, completed: 300_000 };

type ServerInput =
  | { readonly on: 'request'; readonly request: SipRequest }
  | { readonly on: 'respond'; readonly response: SipResponse }
  | { readonly on: 'timer'; readonly timer: TimerName }
  | { readonly on: 'transport-error' };

type ClientInput =
  | { readonly on: 'response'; readonly response: SipResponse }
  | { readonly on: 'timer'; readonly timer: TimerName }
  | { readonly on: 'transport-error' };

interface Live<I> {
  readonly flow: Flow;
  readonly input: (event: I) => void;
}

type RunningTimers = Map<TimerName, Cancel>;

/** What `perform` needs to know beside the effect. */
interface Performer {
  readonly send: (message: SipMessage) => boolean;
  readonly timer: (timer: TimerName) => void;
  readonly transportFailed: () => void;
  readonly pass: (message: SipMessage) => void;
  readonly failed: (why: 'timeout' | 'transport') => void;
  readonly terminated: () => void;
}

interface Performance {
  readonly performer: Performer;
  readonly running: RunningTimers;
}

export class Transactions {
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #sent: (message: SipMessage, flow: Flow, text: string) => void;
  readonly #servers = new Map<string, Live<ServerInput> & { readonly transaction: ServerTransaction }>();
  readonly #clients = new Map<string, Live<ClientInput>>();
  /** Keys of the client transactions by the id of their flow: there may be very many, and flows close all the time. */
  readonly #clientsByFlow = new Map<string, Set<string>>();
  readonly #limits: TransactionLimits;
  /** Keys of the server transactions that have no final response yet. */
  readonly #open = new Set<string>();

  constructor(
    clock: Clock,
    network: Network,
    sent: (message: SipMessage, flow: Flow, text: string) => void,
    limits: TransactionLimits = defaultLimits,
  ) {
    this.#clock = clock;
    this.#network = network;
    this.#sent = sent;
    this.#limits = limits;
  }

  get counts(): { readonly server: number; readonly client: number } {
    return { server: this.#servers.size, client: this.#clients.size };
  }

  /** Whether the request is one of a known transaction: a retransmission, or the ACK for a failure. */
  absorbed(request: SipRequest): boolean {
    const live = this.#servers.get(serverKey(request));
    if (live === undefined) return false;
    // RFC 6026 §7.1: the ACK for a 2xx has a branch of its own; one with the INVITE's branch is the machine's.
    live.input({ on: 'request', request });
    return true;
  }

  /** Whether it is a repetition, asked without a change of anything. */
  knows(request: SipRequest): boolean {
    return this.#servers.has(serverKey(request));
  }

  /** The INVITE that this CANCEL is about (RFC 3261 §9.2). */
  cancelled(cancel: SipRequest): ServerTransaction | undefined {
    return this.#servers.get(inviteKeyOfCancel(cancel))?.transaction;
  }

  /** Throws `overloaded` when there are too many. `isKnown`: the request ends or continues what is there already. */
  server(request: SipRequest, flow: Flow, isKnown: () => boolean = () => false): ServerTransaction {
    if (this.#isFull(1) && (this.#isFull(2) || !isKnown())) throw new Failure('overloaded', 'server transactions');
    const key = serverKey(request);
    const transaction: ServerTransaction = {
      key,
      respond: (response) => {
        if (response.status >= 200) this.#open.delete(key);
        this.#servers.get(key)?.input({ on: 'respond', response });
      },
      onTerminated: undefined,
    };
    // Not by the Via of the response: a callee could write another one there, and hit somebody with what we repeat.
    const back = this.#wayBack(request, flow);
    const input = this.#startServer(request, flow, {
      send: (message) => this.#send(message, back),
      timer: (timer) => input({ on: 'timer', timer }),
      transportFailed: () => this.#servers.get(key)?.input({ on: 'transport-error' }),
      pass: () => undefined,
      // RFC 3261 §17.2.1: no ACK within 64*T1, or no way back. Nobody is left to tell.
      failed: () => undefined,
      terminated: () => {
        this.#open.delete(key);
        this.#servers.delete(key);
        transaction.onTerminated?.();
      },
    });
    this.#servers.set(key, { flow, input, transaction });
    this.#open.add(key);
    return transaction;
  }

  #isFull(times: 1 | 2): boolean {
    const open = this.#open.size;
    return open >= times * this.#limits.open || this.#servers.size - open >= times * this.#limits.completed;
  }

  /** Sends a request of ours and follows it. The user is told in turns of their own, never from inside this call. */
  client(request: SipRequest, flow: Flow, user: ClientUser): ClientTransaction {
    const key = clientKey(request);
    let input: (event: ClientInput) => void = () => undefined;
    let waiting = true;
    const running: RunningTimers = new Map();
    const performer: Performer = {
      send: (message) => this.#send(message, flow),
      timer: (timer) => input({ on: 'timer', timer }),
      transportFailed: () => this.#clients.get(key)?.input({ on: 'transport-error' }),
      pass: (message) => {
        if (message.kind !== 'response') return;
        if (message.status >= 200) waiting = false;
        user.response(message);
      },
      failed: (why) => user.failed(why),
      terminated: () => {
        this.#forgetClient(key);
        user.terminated();
      },
    };
    input = this.#startClient(request, flow, { performer, running }, (live) => {
      this.#rememberClient(key, { flow, input: live });
    });
    const abandon = (): void => {
      if (!waiting || !this.#forgetClient(key)) return;
      for (const cancel of running.values()) cancel();
      user.terminated();
    };
    return { abandon };
  }

  /** Whether the response belongs to a transaction of ours; a stray one goes nowhere (RFC 6026 §8.9). */
  response(response: SipResponse): boolean {
    const live = this.#clients.get(clientKey(response));
    live?.input({ on: 'response', response });
    return live !== undefined;
  }

  /** The connection is gone: what waits for an answer over it fails now (RFC 3261 §17.1.4). */
  closed(flow: Flow): void {
    for (const key of [...(this.#clientsByFlow.get(flow.id) ?? [])]) {
      this.#clients.get(key)?.input({ on: 'transport-error' });
    }
  }

  #rememberClient(key: string, live: Live<ClientInput>): void {
    this.#forgetClient(key);
    this.#clients.set(key, live);
    const keys = this.#clientsByFlow.get(live.flow.id);
    if (keys === undefined) this.#clientsByFlow.set(live.flow.id, new Set([key]));
    else keys.add(key);
  }

  #forgetClient(key: string): boolean {
    const id = this.#clients.get(key)?.flow.id;
    if (id === undefined) return false;
    const keys = this.#clientsByFlow.get(id);
    keys?.delete(key);
    if (keys?.size === 0) this.#clientsByFlow.delete(id);
    return this.#clients.delete(key);
  }

  /** Sends a message outside of any transaction: an ACK for a 2xx, or a response to what could not be parsed. */
  sendDirect(message: SipMessage, flow: Flow): boolean {
    return this.#send(message, message.kind === 'response' ? this.#wayBack(message, flow) : flow);
  }

  #startServer(request: SipRequest, flow: Flow, performer: Performer): (event: ServerInput) => void {
    const values = timersOf(flow);
    if (request.method === 'INVITE') {
      return this.#run(createInviteServer(request, values), stepInviteServer, { performer, running: new Map() });
    }
    return this.#run(createNonInviteServer(request, values), stepNonInviteServer, { performer, running: new Map() });
  }

  #startClient(
    request: SipRequest,
    flow: Flow,
    how: Performance,
    ready: (input: (event: ClientInput) => void) => void,
  ): (event: ClientInput) => void {
    const values = timersOf(flow);
    if (request.method === 'INVITE') {
      return this.#run(createInviteClient(request, values), stepInviteClient, how, ready);
    }
    return this.#run(createNonInviteClient(request, values), stepNonInviteClient, how, ready);
  }

  /** A machine with its timers: takes events, performs effects. */
  #run<T, I>(
    first: readonly [T, readonly Effect[]],
    step: (value: T, event: I) => readonly [T, readonly Effect[]],
    { performer, running }: Performance,
    ready?: (input: (event: I) => void) => void,
  ): (event: I) => void {
    // Not the effects: `input` would keep the last message for as long as the machine lives.
    let [value] = first;
    const perform = (effects: readonly Effect[]): void => {
      for (const effect of effects) this.#perform(effect, performer, running);
    };
    const input = (event: I): void => {
      const [next, effects] = step(value, event);
      value = next;
      perform(effects);
    };
    ready?.(input);
    perform(first[1]);
    return input;
  }

  #perform(effect: Effect, performer: Performer, running: RunningTimers): void {
    switch (effect.do) {
      case 'send':
        // In a turn of its own: the machine must have taken its new state before it hears of a failure.
        if (!performer.send(effect.message)) this.#clock.after(0, performer.transportFailed);
        return;
      case 'start':
        running.get(effect.timer)?.();
        running.set(
          effect.timer,
          this.#clock.after(effect.ms, () => performer.timer(effect.timer)),
        );
        return;
      case 'stop':
        running.get(effect.timer)?.();
        running.delete(effect.timer);
        return;
      case 'pass':
        performer.pass(effect.message);
        return;
      case 'timeout':
        performer.failed('timeout');
        return;
      case 'transport-error':
        performer.failed('transport');
        return;
      case 'terminated':
        for (const cancel of running.values()) cancel();
        running.clear();
        performer.terminated();
        return;
      default:
        effect satisfies never;
    }
  }

  // RFC 3261 §18.2.2: over the connection the request came by; for UDP to where its Via says.
  #wayBack(message: SipMessage, flow: Flow): Flow {
    if (flow.transport !== 'udp') return flow;
    const via = get(message, Via);
    const destination = via === undefined ? undefined : responseDestination(via);
    if (destination === undefined || isSame(destination, flow.remote)) return flow;
    return this.#network.connect(flow.listener, destination) ?? flow;
  }

  #send(message: SipMessage, flow: Flow): boolean {
    // RFC 3261 §18.3: a stream needs the length; a datagram that came without one may leave without one.
    const whole = flow.transport === 'tcp' || flow.transport === 'tls' ? withContentLength(message) : message;
    const text = serialize(whole);
    this.#sent(whole, flow, text);
    return this.#network.send(flow, text);
  }
}

function isSame(one: SocketAddress, other: SocketAddress): boolean {
  return one.address === other.address && one.port === other.port;
}

const unreliable = timers(false);
const reliable = timers(true);

function timersOf(flow: Flow): Timers {
  return flow.transport === 'udp' ? unreliable : reliable;
}
