/**
 * The network of one process (port `Network`): opens every LISTEN entry or none, and joins the transports to one
 * interface. What is in the folder: listeners.ts says which sockets, acceptor.ts and udp.ts bind them, stream.ts, tls.ts
 * and ws.ts speak on them, dial.ts opens connections, connections.ts finds them again.
 *
 * No SIP decision is made here: a message is text with a flow. Left out: addresses that the host gets after the start.
 */
import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../errors.ts';
import type { Flow, Listener, Log, Network, NetworkEvents, NetworkStatistics, SocketAddress } from '../../ports.ts';
import { type Accepted, type Acceptor, openAcceptor } from './acceptor.ts';
import { canonicalAddress, isPort, sameFamily } from './addresses.ts';
import { Connections } from './connections.ts';
import type { Context } from './context.ts';
import { Delivery } from './delivery.ts';
import { dialTcp, dialTls } from './dial.ts';
import { Drops } from './drops.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { errorCode, type ListenEntry, listenersOf, listenFailure, type Opening, openings } from './listeners.ts';
import { SocketSet } from './socket-set.ts';
import { acceptedStream } from './stream.ts';
import { tlsStreams } from './tls.ts';
import type { TlsServerProfile, TlsSource } from './tls-source.ts';
import { findUdpFlow, openUdp, type UdpSocket, udpFlow } from './udp.ts';
import { Wheel } from './wheel.ts';
import { webSockets } from './ws.ts';

export interface NetworkOptions {
  readonly listen: readonly ListenEntry[];
  /** For all entries that do not advertise something themselves. */
  readonly advertise?: string | undefined;
  /** Needed by `tls` and `wss` entries. */
  readonly tls?: TlsSource | undefined;
  /** Six hex digits that no earlier start of this node had: they make the ids of connections unique. */
  readonly boot: string;
  /** HTTP requests on `ws` and `wss` ports that are not upgrades. */
  readonly httpHandler?: RequestListener | undefined;
  /** Whether a connection from this address may come in; asked before a handshake costs anything. */
  readonly admits?: (address: string) => boolean;
  /** Pages that may open a WebSocket, beside those of the host that it goes to; absent: all. */
  readonly origins?: readonly string[] | undefined;
  /** Told of every message that came, and of every one that was sent. */
  readonly passed?: ((direction: 'in' | 'out', flow: Flow, text: string) => void) | undefined;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
}

export interface OpenNetwork extends Network {
  /** Stops listening, ends every connection, and resolves when no socket is left. */
  shutdown(): Promise<void>;
  /** For connections from now on; those that are open go on. Throws what `TlsSource` throws, and keeps the old one. */
  replaceTls(tls: TlsSource): void;
}

export async function openNetwork(options: NetworkOptions, events: NetworkEvents): Promise<OpenNetwork> {
  const context = contextOf(options, events);
  const network = new SocketNetwork(options, context);
  try {
    for (const entry of options.listen) await network.open(entry);
    network.start();
    return network;
  } catch (thrown) {
    await network.shutdown();
    throw thrown;
  }
}

function contextOf(options: NetworkOptions, events: NetworkEvents): Context {
  const limits = { ...defaultLimits, ...options.limits };
  const drops = new Drops(options.log);
  const delivery = new Delivery(events, drops, options.log, options.passed);
  const connections = new Connections(options.boot, delivery);
  const wheel = new Wheel(limits.tickMs);
  const { log, admits = () => true, origins } = options;
  return { limits, wheel, drops, delivery, connections, dialled: new SocketSet(), admits, origins, log };
}

const drainStepMs = 20;

class SocketNetwork implements OpenNetwork {
  readonly #options: NetworkOptions;
  readonly #context: Context;
  readonly #listeners: Listener[] = [];
  /** By listener index. */
  readonly #udp = new Map<number, UdpSocket>();
  readonly #acceptors: { readonly acceptor: Acceptor; readonly listeners: readonly Listener[] }[] = [];
  /** By acceptor: what is done with a connection from now on. */
  #serving: ReadonlyMap<Acceptor, (accepted: Accepted) => void> = new Map();
  #tls: TlsSource | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: NetworkOptions, context: Context) {
    this.#options = options;
    this.#context = context;
    this.#tls = options.tls;
  }

  get listeners(): readonly Listener[] {
    return this.#listeners;
  }

  async open(entry: ListenEntry): Promise<void> {
    // One port for all addresses of a wildcard, also where the system chose it.
    let port = entry.port;
    for (const opening of await openings(entry)) port = await this.#open(opening, port);
  }

  async #open(opening: Opening, port: number): Promise<number> {
    try {
      return opening.entry.transport === 'udp' ? await this.#bindUdp(opening, port) : await this.#listen(opening, port);
    } catch (thrown) {
      // The port that the system chose for the first address is taken on this one.
      if (port !== opening.entry.port && errorCode(thrown) === 'EADDRINUSE') return this.#open(opening, 0);
      throw listenFailure(opening.entry, opening.bind, thrown);
    }
  }

  async #bindUdp(opening: Opening, port: number): Promise<number> {
    const socket = await openUdp(opening.bind, port, this.#context);
    for (const listener of this.#add(opening, socket.port)) this.#udp.set(listener.index, socket);
    return socket.port;
  }

  async #listen(opening: Opening, port: number): Promise<number> {
    const acceptor = await openAcceptor(opening, port, this.#context);
    this.#acceptors.push({ acceptor, listeners: this.#add(opening, acceptor.port) });
    return acceptor.port;
  }

  #add(opening: Opening, port: number): readonly Listener[] {
    const added = listenersOf(opening, port, this.#listeners.length, this.#options.advertise);
    this.#listeners.push(...added);
    return added;
  }

  /** Only now: an event before the caller has this object could not be answered. */
  start(): void {
    this.#serving = this.#servers(this.#tls);
    for (const { acceptor } of this.#acceptors) {
      acceptor.start((accepted) => this.#serving.get(acceptor)?.(accepted));
    }
    for (const [index, socket] of this.#udp) {
      const listener = this.#listeners[index];
      if (listener !== undefined) socket.start(listener);
    }
  }

  /** TLS servers never listen themselves, so new ones take over at once, and the old ones live on in their connections. */
  replaceTls(tls: TlsSource): void {
    this.#serving = this.#servers(tls);
    this.#tls = tls;
  }

  #servers(tls: TlsSource | undefined): ReadonlyMap<Acceptor, (accepted: Accepted) => void> {
    tls?.check(this.#listeners.filter(isSecure).map((listener) => listener.local));
    return new Map(this.#acceptors.map(({ acceptor, listeners }) => [acceptor, this.#byAddress(listeners, tls)]));
  }

  /** An address that came after the start is served as the first listener of the entry. */
  #byAddress(listeners: readonly Listener[], tls: TlsSource | undefined): (accepted: Accepted) => void {
    const serve = new Map(listeners.map((listener) => [listener.local.address, this.#server(listener, tls)]));
    const [first] = serve.values();
    return (accepted) => (serve.get(accepted.local.address) ?? first)?.(accepted);
  }

  #server(listener: Listener, tls: TlsSource | undefined): (accepted: Accepted) => void {
    const context = this.#context;
    switch (listener.transport) {
      case 'tls':
        return tlsStreams(listener, profileOf(listener, tls), context);
      case 'wss':
        return webSockets(listener, profileOf(listener, tls), this.#options.httpHandler, context);
      case 'ws':
        return webSockets(listener, undefined, this.#options.httpHandler, context);
      case 'tcp':
        return ({ socket, remote }) =>
          acceptedStream(socket, context.connections.newFlow(listener, remote, true), context);
      case 'udp':
        throw new TypeError('UDP accepts no connections');
      default:
        return listener.transport satisfies never;
    }
  }

  send(flow: Flow, text: string): boolean {
    const sent = this.#send(flow, text);
    if (sent) this.#options.passed?.('out', flow, text);
    return sent;
  }

  #send(flow: Flow, text: string): boolean {
    if (flow.transport === 'udp') return this.#udp.get(flow.listener.index)?.send(flow.remote, text) ?? false;
    return this.#context.connections.find(flow.id)?.send(text) ?? false;
  }

  find(flowId: string): Flow | undefined {
    if (flowId.startsWith('u')) return findUdpFlow(flowId, this.#listeners);
    return this.#context.connections.find(flowId)?.flow;
  }

  connect(listener: Listener, remote: SocketAddress, serverName?: string): Flow | undefined {
    const address = canonicalAddress(remote.address);
    if (address === undefined || !isPort(remote.port) || !sameFamily(address, listener.local.address)) return undefined;
    if (this.#stopping !== undefined) return undefined;
    const target = { address, port: remote.port };
    return listener.transport === 'udp' ? udpFlow(listener, target, false) : this.#dial(listener, target, serverName);
  }

  #dial(listener: Listener, remote: SocketAddress, serverName: string | undefined): Flow | undefined {
    if (listener.transport !== 'tcp' && listener.transport !== 'tls') return undefined;
    const { connections, dialled, limits, drops } = this.#context;
    const name = listener.transport === 'tls' ? serverName?.toLowerCase() : undefined;
    const open = connections.reusable(listener, remote, name);
    if (open !== undefined) return open.flow;
    if (dialled.size >= limits.dialled) {
      drops.count('too-many-dialled', { remote: remote.address });
      return undefined;
    }
    if (listener.transport === 'tcp') return dialTcp(listener, remote, this.#context);
    const client = this.#tls?.client(remote, name);
    return client === undefined ? undefined : dialTls(listener, remote, name, client, this.#context);
  }

  close(flow: Flow): void {
    this.#context.connections.find(flow.id)?.end('closed here');
  }

  statistics(): NetworkStatistics {
    return { connections: this.#context.connections.counts, dropped: this.#context.drops.snapshot() };
  }

  shutdown(): Promise<void> {
    this.#stopping ??= this.#shutdown();
    return this.#stopping;
  }

  async #shutdown(): Promise<void> {
    const { connections, wheel, dialled } = this.#context;
    for (const { acceptor } of this.#acceptors) acceptor.stop();
    const datagrams = [...this.#udp.values()].map((socket) => socket.close());
    connections.endAll('shutting down');
    await this.#drained();
    await Promise.all([...datagrams, dialled.close(), ...this.#acceptors.map(({ acceptor }) => acceptor.close())]);
    wheel.stop();
  }

  /** Gives connections that were ended politely a moment to send what they hold. */
  async #drained(): Promise<void> {
    const sets = [this.#context.dialled, ...this.#acceptors.map(({ acceptor }) => acceptor.sockets)];
    const untilMs = performance.now() + this.#context.limits.lingerMs;
    while (sets.some((set) => set.size > 0) && performance.now() < untilMs) await delay(drainStepMs);
  }
}

function profileOf(listener: Listener, tls: TlsSource | undefined): TlsServerProfile {
  if (tls !== undefined) return tls.server(listener.local);
  throw new Failure('certificate-unreadable', `LISTEN entry: ${listener.entry} (no certificate is set)`);
}

function isSecure(listener: Listener): boolean {
  return listener.transport === 'tls' || listener.transport === 'wss';
}
