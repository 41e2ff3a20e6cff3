/** A wire to a TCP port that can be cut and mended: what a page sees when its network goes and comes back. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Scope } from '../support/process.ts';

export interface Wire {
  readonly port: number;
  /** Closes what is open; until `mend`, what is opened closes at once. */
  cut(): void;
  /** What is open says nothing any more, and does not close either; what is opened from now on is whole. */
  lose(): void;
  mend(): void;
}

/** Ends with the scope. */
export async function openWire(scope: Scope, port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  const lost = new WeakSet<Socket>();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        if (!lost.has(socket)) other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  scope.after(() => {
    cut();
    server.close();
  });
  return {
    port: portOf(server.address()),
    cut,
    lose() {
      for (const socket of sockets) {
        lost.add(socket);
        socket.unpipe();
        socket.resume();
      }
    },
    mend() {
      whole = true;
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
