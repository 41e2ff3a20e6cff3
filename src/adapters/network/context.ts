/** What all transports of one network share. */
import type { Log } from '../../ports.ts';
import type { Connections } from './connections.ts';
import type { Delivery } from './delivery.ts';
import type { Drops } from './drops.ts';
import type { Limits } from './limits.ts';
import type { SocketSet } from './socket-set.ts';
import type { Wheel } from './wheel.ts';

export interface Context {
  readonly limits: Limits;
  readonly wheel: Wheel;
  readonly drops: Drops;
  readonly delivery: Delivery;
  readonly connections: Connections;
  /** Sockets that we opened. */
  readonly dialled: SocketSet;
  /** Whether a connection from this address may come in. */
  readonly admits: (address: string) => boolean;
  /** `undefined`: pages of all of them may open a WebSocket. */
  readonly origins: readonly string[] | undefined;
  readonly log: Log;
}
