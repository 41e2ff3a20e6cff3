/**
 * The open connections, by flow id and by peer address (RFC 5626: a flow is found again by its id and by nothing else;
 * RFC 3261 §18.1.1: what we send to an address reuses the connection that is open to it).
 *
 * A browser whose socket closed: its id is gone from here at that moment, `find` and `send` know it no more, and the
 * engine is told exactly once, after the call that noticed it has returned.
 */
import type { Flow, Listener, NetworkStatistics, SocketAddress, Transport } from '../../ports.ts';
import type { Delivery } from './delivery.ts';

export interface Connection {
  readonly flow: Flow;
  /** Whom the peer has proved to be, when we dialled it over TLS. */
  readonly serverName: string | undefined;
  send(text: string): boolean;
  /** Ends it: what is queued may still leave, then the socket closes. */
  end(reason: string): void;
}

export class Connections {
  readonly #boot: string;
  readonly #delivery: Delivery;
  readonly #byId = new Map<string, Connection>();
  readonly #byPeer = new Map<string, Set<Connection>>();
  readonly #counts = { tcp: 0, tls: 0, ws: 0, wss: 0 };
  #lastNumber = 0;

  constructor(boot: string, delivery: Delivery) {
    this.#boot = boot;
    this.#delivery = delivery;
  }

  get counts(): NetworkStatistics['connections'] {
    return { ...this.#counts };
  }

  newFlow(listener: Listener, remote: SocketAddress, inbound: boolean): Flow {
    this.#lastNumber += 1;
    const id = `c${this.#boot}-${this.#lastNumber}`;
    return { id, transport: listener.transport, listener, remote, inbound };
  }

  add(connection: Connection): void {
    const { flow } = connection;
    this.#byId.set(flow.id, connection);
    const key = peerKey(flow.listener, flow.remote);
    const peers = this.#byPeer.get(key) ?? new Set();
    this.#byPeer.set(key, peers.add(connection));
    this.#count(flow, 1);
  }

  find(flowId: string): Connection | undefined {
    return this.#byId.get(flowId);
  }

  isOpen(flow: Flow): boolean {
    return this.#byId.has(flow.id);
  }

  /**
   * An open connection to this address. A name that has to be proved is not proved by a connection that the peer
   * opened (RFC 5923 §4), nor by one that was dialled for another name.
   */
  reusable(listener: Listener, remote: SocketAddress, serverName: string | undefined): Connection | undefined {
    for (const connection of this.#byPeer.get(peerKey(listener, remote)) ?? []) {
      if (serverName === undefined || (!connection.flow.inbound && connection.serverName === serverName))
        return connection;
    }
    return undefined;
  }

  /** To be called by whoever notices first; the second call has no effect. */
  gone(connection: Connection, reason: string): boolean {
    const { flow } = connection;
    if (!this.#byId.delete(flow.id)) return false;
    const key = peerKey(flow.listener, flow.remote);
    const peers = this.#byPeer.get(key);
    peers?.delete(connection);
    if (peers?.size === 0) this.#byPeer.delete(key);
    this.#count(flow, -1);
    setImmediate(() => this.#delivery.closed(flow, reason));
    return true;
  }

  endAll(reason: string): void {
    for (const connection of [...this.#byId.values()]) connection.end(reason);
  }

  #count(flow: Flow, change: 1 | -1): void {
    if (isConnected(flow.transport)) this.#counts[flow.transport] += change;
  }
}

export function isConnected(transport: Transport): transport is Exclude<Transport, 'udp'> {
  return transport !== 'udp';
}

function peerKey(listener: Listener, remote: SocketAddress): string {
  return `${listener.index} ${remote.address} ${remote.port}`;
}
