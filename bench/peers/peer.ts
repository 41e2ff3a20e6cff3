/** A proxy under test, as the bench sees it. */
import type { Scope } from '../../test/support/process.ts';
import type { Backends } from '../backends.ts';
import type { Case } from '../cases.ts';

export interface RunningPeer {
  /** Root of the tree whose CPU counts. */
  readonly pid: number;
  /** UDP, on 127.0.0.1. */
  readonly port: number;
  /** WebSocket, on 127.0.0.1. */
  readonly wsPort?: number;
  /** Where it tells Prometheus of itself, if it does. */
  readonly metricsUrl?: string;
  /** Its log so far, warnings and worse. */
  readonly said?: () => string;
  /** From its start until it listens. */
  readonly startMs?: number;
}

/** What it finds in its database: the name that it will have, and where its tables are. */
export type Filling = (at: { readonly url: string; readonly node: string }) => Promise<void>;

export interface Peer {
  readonly name: string;
  /** Why it cannot run here; `undefined` when it can. */
  missing(): string | undefined;
  /** With its accounts in the database, and what `filling` adds before it starts; ends with the scope. */
  start(scope: Scope, backends: Backends, one: Pick<Case, 'media' | 'digest'>, filling?: Filling): Promise<RunningPeer>;
}
