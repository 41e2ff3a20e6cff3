/**
 * The transactions in progress: found by their keys, counted within bounds, and given their way out.
 *
 * Left out: what one of them does (live-transaction.ts), and why (the pure machines of `src/transaction`).
 */
import { Failure } from '../errors.ts';
import { serialize, withContentLength } from '../message/edit.ts';
import { get } from '../message/header.ts';
import { Via } from '../message/headers/via.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { parseMessage, type Unparsable } from '../message/scan.ts';
import { responseDestination } from '../nat/received.ts';
import type { Clock, Flow, Network, SocketAddress } from '../ports.ts';
import { type ClientEvent, createInviteClient, stepInviteClient } from '../transaction/invite-client.ts';
import { createInviteServer, stepInviteServer } from '../transaction/invite-server.ts';
import { clientKey, inviteKeyOfCancel, serverKey } from '../transaction/key.ts';
import { createNonInviteClient, stepNonInviteClient } from '../transaction/non-invite-client.ts';
import { createNonInviteServer, stepNonInviteServer } from '../transaction/non-invite-server.ts';
import { type Timers, timers } from '../transaction/timers.ts';
import { type ClientUser, LiveClient, LiveServer, type Machine, type Surroundings } from './live-transaction.ts';

export interface ServerTransaction {
  readonly key: string;
  respond(response: SipResponse): void;
  /** Its connection has closed: what is still to be said leaves by this one. */
  leavesBy(dials: () => Flow): void;
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

export class Transactions {
  readonly #network: Network;
  readonly #around: Surroundings;
  readonly #sent: (message: SipMessage, flow: Flow, text: string) => void;
  readonly #servers = new Map<string, Server>();
  readonly #clients = new Map<string, Client>();
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
    this.#network = network;
    this.#sent = sent;
    this.#limits = limits;
    this.#around = {
      clock,
      textOf,
      send: (text, flow, message) => this.#send(text, flow, message),
      answered: (key) => this.#open.delete(key),
      forgetServer: (key) => {
        this.#open.delete(key);
        this.#servers.delete(key);
      },
      knowsClient: (key) => this.#clients.has(key),
      forgetClient: (key) => this.#forgetClient(key),
    };
  }

  get counts(): { readonly server: number; readonly client: number } {
    return { server: this.#servers.size, client: this.#clients.size };
  }

  /** Whether the request is one of a known transaction: a retransmission, or the ACK for a failure. */
  absorbed(request: SipRequest): boolean {
    return this.#servers.get(serverKey(request))?.keeps(request) ?? false;
  }

  /** Whether it is a repetition, asked without a change of anything. */
  knows(request: SipRequest): boolean {
    return this.#servers.has(serverKey(request));
  }

  /** The INVITE that this CANCEL is about (RFC 3261 §9.2). */
  cancelled(cancel: SipRequest): ServerTransaction | undefined {
    return this.#servers.get(inviteKeyOfCancel(cancel));
  }

  /** Throws `overloaded` when there are too many. `isKnown`: the request ends or continues what is there already. */
  server(request: SipRequest, flow: Flow, isKnown: () => boolean = () => false): ServerTransaction {
    if (this.#isFull(1) && (this.#isFull(2) || !isKnown())) throw new Failure('overloaded', 'server transactions');
    const key = serverKey(request);
    // Not by the Via of the response: a callee could write another one there, and hit somebody with what we repeat.
    const live = serverOf(request, key, this.#wayBack(request, flow), this.#around);
    this.#servers.set(key, live);
    this.#open.add(key);
    return live;
  }

  #isFull(times: 1 | 2): boolean {
    const open = this.#open.size;
    return open >= times * this.#limits.open || this.#servers.size - open >= times * this.#limits.completed;
  }

  /** Sends a request of ours and follows it. The user is told in turns of their own, never from inside this call. */
  client(request: SipRequest, flow: Flow, user: ClientUser): ClientTransaction {
    const key = clientKey(request);
    const isInvite = request.method === 'INVITE';
    return isInvite
      ? this.#begin({ first: createInviteClient(request, timersOf(flow)), step: stepInviteClient }, key, flow, user)
      : this.#begin(
          { first: createNonInviteClient(request, timersOf(flow)), step: stepNonInviteClient },
          key,
          flow,
          user,
        );
  }

  #begin<Value>(machine: Machine<Value, ClientEvent>, key: string, flow: Flow, user: ClientUser): ClientTransaction {
    const live = new LiveClient(key, flow, this.#around, machine, user);
    this.#rememberClient(key, live);
    live.perform(machine.first[1]);
    return live;
  }

  /** Whether the response belongs to a transaction of ours; a stray one goes nowhere (RFC 6026 §8.9). */
  response(response: SipResponse): boolean {
    const live = this.#clients.get(clientKey(response));
    live?.input({ on: 'response', response });
    return live !== undefined;
  }

  /** The connection is gone: what waits for an answer that can come over it alone fails now (RFC 3261 §17.1.4). */
  closed(flow: Flow): void {
    for (const key of [...(this.#clientsByFlow.get(flow.id) ?? [])]) {
      this.#clients.get(key)?.closed();
    }
  }

  #rememberClient(key: string, live: Client): void {
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
    const way = message.kind === 'response' ? this.#wayBack(message, flow) : flow;
    return this.#send(textOf(message, way), way, message);
  }

  // RFC 3261 §18.2.2: over the connection the request came by; for UDP to where its Via says.
  #wayBack(message: SipMessage, flow: Flow): Flow {
    if (flow.transport !== 'udp') return flow;
    const via = get(message, Via);
    const destination = via === undefined ? undefined : responseDestination(via);
    if (destination === undefined || isSame(destination, flow.remote)) return flow;
    return this.#network.connect(flow.listener, destination) ?? flow;
  }

  #send(text: string, flow: Flow, message: SipMessage | Unparsable = parseMessage(text)): boolean {
    if (message.kind !== 'unparsable') this.#sent(message, flow, text);
    return this.#network.send(flow, text);
  }
}

function textOf(message: SipMessage, { transport }: Flow): string {
  // RFC 3261 §18.3: a stream needs the length; a datagram that came without one may leave without one.
  return serialize(transport === 'tcp' || transport === 'tls' ? withContentLength(message) : message);
}

type Server = Pick<LiveServer<unknown>, 'key' | 'keeps' | 'respond' | 'leavesBy' | 'onTerminated'>;
type Client = Pick<LiveClient<unknown>, 'flow' | 'input' | 'closed' | 'abandon'>;

/** What its machine asks for at first, to pass the request, is done: the core has it. */
function serverOf(request: SipRequest, key: string, back: Flow, around: Surroundings): Server {
  const values = timersOf(back);
  return request.method === 'INVITE'
    ? new LiveServer(key, back, around, { first: createInviteServer(request, values), step: stepInviteServer })
    : new LiveServer(key, back, around, { first: createNonInviteServer(request, values), step: stepNonInviteServer });
}

function isSame(one: SocketAddress, other: SocketAddress): boolean {
  return one.address === other.address && one.port === other.port;
}

const unreliable = timers(false);
const reliable = timers(true);

function timersOf(flow: Flow): Timers {
  return flow.transport === 'udp' ? unreliable : reliable;
}
