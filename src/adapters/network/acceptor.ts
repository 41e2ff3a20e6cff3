/**
 * The listening socket under TCP, TLS, WS and WSS: binds, bounds and keeps the raw connections, and hands each one to
 * its transport. TLS and HTTP servers never listen themselves; they are given sockets that were admitted here.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { SocketAddress } from '../../ports.ts';
import { plainAddress } from './addresses.ts';
import { Admission } from './admission.ts';
import type { Context } from './context.ts';
import type { DropReason } from './drops.ts';
import type { Opening } from './listeners.ts';
import { SocketSet } from './socket-set.ts';

const backlog = 4_096;
const probeAfterMs = 60_000;

export interface Accepted {
  readonly socket: Socket;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

export interface Acceptor {
  readonly port: number;
  /** Those that are connected. */
  readonly sockets: SocketSet;
  start(accepted: (accepted: Accepted) => void): void;
  /** Stops listening; connections stay. */
  stop(): void;
  /** Ends what is still connected; resolves when every socket is gone. */
  close(): Promise<void>;
}

export async function openAcceptor({ entry, bind }: Opening, port: number, context: Context): Promise<Acceptor> {
  const server = createServer({
    // HTTP answers a client that has closed its half already. TLS must not: a handshake would wait for the rest.
    allowHalfOpen: entry.transport === 'ws',
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
  });
  const acceptor = new ListeningAcceptor(server, context);
  await listening(server, bind, port);
  return acceptor;
}

function listening(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, backlog, exclusive: true, ipv6Only: address.includes(':') }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

class ListeningAcceptor implements Acceptor {
  readonly #server: Server;
  readonly #context: Context;
  readonly #admission: Admission;
  readonly sockets = new SocketSet();
  #accepted: ((accepted: Accepted) => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(server: Server, context: Context) {
    this.#server = server;
    this.#context = context;
    this.#admission = new Admission(context.limits);
    server.on('connection', (socket) => this.#connected(socket));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  start(accepted: (accepted: Accepted) => void): void {
    this.#accepted = accepted;
    this.#server.on('error', (error) => this.#context.drops.count('socket-error', { error: error.message }));
  }

  #connected(socket: Socket): void {
    // A connection may break at any moment from here on; whoever uses it hears of that by `close`.
    socket.on('error', () => undefined);
    const remote = { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    const local = { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 };
    if (remote.address === '' || local.address === '') socket.destroy();
    else if (this.#accepted === undefined) this.#refuse(socket, 'not-started', remote);
    else this.#admit({ socket, local, remote }, this.#accepted);
  }

  #admit(connection: Accepted, accepted: (accepted: Accepted) => void): void {
    const { socket, remote } = connection;
    if (!this.#context.admits(remote.address)) {
      this.#refuse(socket, 'refused-source', remote);
      return;
    }
    const refusal = this.#admission.admit(remote.address);
    if (refusal !== undefined) {
      this.#refuse(socket, refusal, remote);
      return;
    }
    this.sockets.add(socket);
    socket.once('close', () => this.#admission.release(remote.address));
    accepted(connection);
  }

  /** A reset: who connects too often must not leave us with TIME_WAIT sockets. */
  #refuse(socket: Socket, reason: DropReason, remote: SocketAddress): void {
    this.#context.drops.count(reason, { source: remote.address });
    socket.resetAndDestroy();
  }

  stop(): void {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async close(): Promise<void> {
    this.stop();
    await this.sockets.close();
    await this.#closed;
  }
}
