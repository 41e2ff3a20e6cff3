/**
 * A network in memory (`ports.ts` Network): the proxy with its listeners on one side, stations (telephones, browsers,
 * other proxies) on the other. Datagrams are lost, doubled, delayed and overtake each other by seed; connections keep
 * their order and lose nothing, but they close, freeze, or cannot be made.
 *
 * A message is a whole text: framing of streams and WebSocket frames are the adapters' tests.
 */
import type { Flow, Listener, Network, NetworkEvents, SocketAddress, Transport } from '../../src/ports.ts';
import type { VirtualClock } from './clock.ts';
import type { SeededRandom } from './random.ts';

/** What happens to datagrams. Probabilities from 0 to 1. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  /** A datagram that takes `lateMs` longer, so that others overtake it. */
  readonly reordering: number;
  readonly lateMs: number;
  /** Of everything, connections included. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export const fairWeather: Weather = {
  loss: 0,
  duplication: 0,
  reordering: 0,
  lateMs: 20,
  minDelayMs: 1,
  maxDelayMs: 1,
};

/** One message under way, as the ladder sees it. */
export interface Passage {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly lost: boolean;
}

export interface StationOptions {
  readonly name: string;
  readonly transport: Transport;
  /** Its address as the proxy sees it (behind a NAT: the NAT's). */
  readonly address: SocketAddress;
  /** The listener it talks to; default: the first of its transport. */
  readonly listener?: number;
  /** Whether the proxy may dial it (tcp, tls). */
  readonly dialable?: boolean;
  readonly received: (text: string) => void;
  readonly disconnected?: (reason: string) => void;
}

export interface Station {
  readonly name: string;
  readonly transport: Transport;
  readonly address: SocketAddress;
  /** The listener it talks to. */
  readonly listener: Listener;
  /** Sends to the proxy; over tcp, tls, ws and wss it opens its connection first when it has none. */
  send(text: string): void;
  /** Closes its connection; the proxy is told. */
  close(reason?: string): void;
  /** From now on it neither sends nor receives, and nobody is told: power cut, or a frozen page. */
  freeze(): void;
  thaw(): void;
}

export interface VirtualNetwork extends Network {
  /** The one that gets what reaches the listeners. */
  attach(events: NetworkEvents): void;
  station(options: StationOptions): Station;
  /** Each message when it is sent. */
  watch(watcher: (passage: Passage) => void): void;
  setWeather(weather: Partial<Weather>): void;
  /** Messages on their way. */
  inFlight(): number;
  /** The proxy's process died and started again: its connections are gone, and nobody told it so. */
  restart(boot: string): void;
}

export interface NetworkOptions {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** As in LISTEN: `udp:192.0.2.100:5060`. */
  readonly listen: readonly string[];
  readonly weather?: Partial<Weather>;
  readonly boot?: string;
  /** The name of the proxy in the ladder. */
  readonly name?: string;
}

interface Link {
  readonly flow: Flow;
  readonly station: StationState;
  /** A stream keeps its order: nothing arrives before what was sent earlier. */
  readonly lastArrivalMs: { toProxy: number; toStation: number };
}

interface StationState {
  readonly options: StationOptions;
  readonly listener: Listener;
  link: Link | undefined;
  frozen: boolean;
}

export function createNetwork(options: NetworkOptions): VirtualNetwork {
  return new MemoryNetwork(options);
}

class MemoryNetwork implements VirtualNetwork {
  readonly listeners: readonly Listener[];
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  #boot: string;
  readonly #name: string;
  readonly #stations: StationState[] = [];
  readonly #udpFlows = new Map<string, Flow>();
  readonly #links = new Map<string, Link>();
  readonly #watchers: ((passage: Passage) => void)[] = [];
  #events: NetworkEvents | undefined;
  #weather: Weather;
  #connections = 0;
  #inFlight = 0;

  constructor(options: NetworkOptions) {
    this.listeners = options.listen.map(listenerOf);
    this.#clock = options.clock;
    this.#random = options.random;
    this.#boot = options.boot ?? 'b00700';
    this.#name = options.name ?? 'proxy';
    this.#weather = { ...fairWeather, ...options.weather };
  }

  attach(events: NetworkEvents): void {
    this.#events = events;
  }

  watch(watcher: (passage: Passage) => void): void {
    this.#watchers.push(watcher);
  }

  setWeather(weather: Partial<Weather>): void {
    this.#weather = { ...this.#weather, ...weather };
  }

  inFlight(): number {
    return this.#inFlight;
  }

  restart(boot: string): void {
    this.#boot = boot;
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const { station } of links) {
      station.link = undefined;
      station.options.disconnected?.('the proxy was restarted');
    }
  }

  // --- the proxy's side ---

  send(flow: Flow, text: string): boolean {
    if (flow.transport === 'udp') {
      const station = this.#stations.find(
        (one) => one.options.transport === 'udp' && same(one.options.address, flow.remote),
      );
      this.#datagram(this.#name, station?.options.name ?? key(flow.remote), text, () => this.#arrive(station, text));
      return true;
    }
    const link = this.#links.get(flow.id);
    if (link === undefined) return false;
    this.#overConnection(link, 'toStation', text, () => this.#arrive(link.station, text));
    return true;
  }

  find(flowId: string): Flow | undefined {
    const [, index, address, port] = /^u(\d+):(.+):(\d+)$/.exec(flowId) ?? [];
    if (index === undefined || address === undefined || port === undefined) return this.#links.get(flowId)?.flow;
    const listener = this.listeners[Number(index)];
    return listener?.transport === 'udp' ? this.#udpFlow(listener, { address, port: Number(port) }) : undefined;
  }

  connect(listener: Listener, remote: SocketAddress): Flow | undefined {
    if (listener.transport === 'udp') return this.#udpFlow(listener, remote);
    if (listener.transport === 'ws' || listener.transport === 'wss') return undefined;
    const open = [...this.#links.values()].find(
      ({ flow }) => flow.transport === listener.transport && same(flow.remote, remote),
    );
    return open?.flow ?? this.#dial(listener, remote);
  }

  close(flow: Flow): void {
    const link = this.#links.get(flow.id);
    if (link === undefined) return;
    this.#links.delete(flow.id);
    // What was sent before arrives before.
    this.#later(this.#arrivalMs(link, 'toStation') - this.#clock.nowMs(), () => {
      if (link.station.link !== link) return;
      link.station.link = undefined;
      link.station.options.disconnected?.('closed by the proxy');
    });
  }

  statistics(): ReturnType<Network['statistics']> {
    const connections = { tcp: 0, tls: 0, ws: 0, wss: 0 };
    for (const { flow } of this.#links.values()) if (flow.transport !== 'udp') connections[flow.transport]++;
    return { connections, dropped: {} };
  }

  // --- the stations' side ---

  station(options: StationOptions): Station {
    const listener =
      options.listener === undefined ? this.#listenerFor(options.transport) : this.listeners[options.listener];
    if (listener === undefined) throw new Error(`no listener for ${options.name} over ${options.transport}`);
    const state: StationState = { options, listener, link: undefined, frozen: false };
    this.#stations.push(state);
    return {
      name: options.name,
      transport: options.transport,
      address: options.address,
      listener,
      send: (text) => this.#sendFrom(state, text),
      close: (reason = 'closed by the peer') => this.#closeFrom(state, reason),
      freeze: () => {
        state.frozen = true;
      },
      thaw: () => {
        state.frozen = false;
      },
    };
  }

  #sendFrom(state: StationState, text: string): void {
    if (state.frozen) return;
    if (state.options.transport === 'udp') {
      const flow = this.#udpFlow(state.listener, state.options.address);
      this.#datagram(state.options.name, this.#name, text, () => this.#events?.message(text, flow));
      return;
    }
    const link = state.link ?? this.#link(state, state.listener, state.options.address, true);
    this.#overConnection(link, 'toProxy', text, () => this.#events?.message(text, link.flow));
  }

  #closeFrom(state: StationState, reason: string): void {
    const { link } = state;
    if (link === undefined) return;
    state.link = undefined;
    this.#later(this.#arrivalMs(link, 'toProxy') - this.#clock.nowMs(), () => {
      if (this.#links.delete(link.flow.id)) this.#events?.closed(link.flow, reason);
    });
  }

  #arrive(station: StationState | undefined, text: string): void {
    if (station !== undefined && !station.frozen) station.options.received(text);
  }

  // --- flows ---

  #listenerFor(transport: Transport): Listener | undefined {
    return this.listeners.find((listener) => listener.transport === transport);
  }

  #udpFlow(listener: Listener, remote: SocketAddress): Flow {
    const id = `u${listener.index}:${key(remote)}`;
    const known = this.#udpFlows.get(id);
    if (known !== undefined) return known;
    const flow: Flow = { id, transport: 'udp', listener, remote, inbound: false };
    this.#udpFlows.set(id, flow);
    return flow;
  }

  #link(station: StationState, listener: Listener, remote: SocketAddress, inbound: boolean): Link {
    const id = `c${this.#boot}-${++this.#connections}`;
    const flow: Flow = { id, transport: listener.transport, listener, remote, inbound };
    const link: Link = { flow, station, lastArrivalMs: { toProxy: 0, toStation: 0 } };
    station.link = link;
    this.#links.set(id, link);
    return link;
  }

  #dial(listener: Listener, remote: SocketAddress): Flow {
    const { transport } = listener;
    const target = this.#stations.find(
      ({ options }) => options.dialable === true && options.transport === transport && same(options.address, remote),
    );
    if (target !== undefined) return this.#link(target, listener, remote, false).flow;
    const id = `c${this.#boot}-${++this.#connections}`;
    const flow: Flow = { id, transport, listener, remote, inbound: false };
    // What is sent while a connection is being made waits in it, and is lost when that fails: so says `closed`.
    const options: StationOptions = { name: key(remote), transport, address: remote, received: () => {} };
    const nobody: StationState = { options, listener, link: undefined, frozen: true };
    this.#links.set(id, { flow, station: nobody, lastArrivalMs: { toProxy: 0, toStation: 0 } });
    this.#later(2 * this.#delayMs(), () => {
      if (this.#links.delete(id)) this.#events?.closed(flow, 'connection refused');
    });
    return flow;
  }

  // --- weather ---

  #datagram(from: string, to: string, text: string, deliver: () => void): void {
    const lost = this.#random.chance(this.#weather.loss);
    this.#tell(from, to, text, lost);
    if (lost) return;
    const copies = this.#random.chance(this.#weather.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const lateMs = this.#random.chance(this.#weather.reordering) ? this.#weather.lateMs : 0;
      this.#later(this.#delayMs() + lateMs, deliver);
    }
  }

  #overConnection(link: Link, way: keyof Link['lastArrivalMs'], text: string, deliver: () => void): void {
    const names = [link.station.options.name, this.#name] as const;
    this.#tell(names[way === 'toProxy' ? 0 : 1], names[way === 'toProxy' ? 1 : 0], text, false);
    this.#later(this.#arrivalMs(link, way) - this.#clock.nowMs(), () => {
      // What was under way when the receiving end closed is gone.
      if (way === 'toProxy' ? this.#links.has(link.flow.id) : link.station.link === link) deliver();
    });
  }

  #arrivalMs(link: Link, way: keyof Link['lastArrivalMs']): number {
    link.lastArrivalMs[way] = Math.max(link.lastArrivalMs[way], this.#clock.nowMs() + this.#delayMs());
    return link.lastArrivalMs[way];
  }

  #delayMs(): number {
    return this.#random.integer(this.#weather.minDelayMs, this.#weather.maxDelayMs);
  }

  #later(delayMs: number, action: () => void): void {
    this.#inFlight++;
    this.#clock.after(delayMs, () => {
      this.#inFlight--;
      action();
    });
  }

  #tell(from: string, to: string, text: string, lost: boolean): void {
    const passage = { atMs: this.#clock.nowMs(), from, to, text, lost };
    for (const watcher of this.#watchers) watcher(passage);
  }
}

const transports = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const satisfies readonly Transport[];

function listenerOf(entry: string, index: number): Listener {
  const [, name, host, port] = /^(\w+):(.+):(\d+)$/.exec(entry) ?? [];
  const transport = transports.find((one) => one === name);
  if (transport === undefined || host === undefined) throw new Error(`no LISTEN entry: ${entry}`);
  const address = host.replace(/^\[|\]$/g, '');
  const local = { address, port: Number(port) };
  return { index, entry, transport, local, advertised: { host, port: Number(port) } };
}

function key({ address, port }: SocketAddress): string {
  return `${address}:${port}`;
}

function same(a: SocketAddress, b: SocketAddress): boolean {
  return a.address === b.address && a.port === b.port;
}
