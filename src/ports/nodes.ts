/**
 * What nodes of ours know of each other (`ports.ts` gives it out). Nothing here does anything.
 */

import type { Transport } from '../ports.ts';
import type { EventPackage, PartyCall } from './presence.ts';

/** Where other nodes reach this one (NODE_ADDRESS). */
export interface NodeAddress {
  readonly transport: Exclude<Transport, 'ws' | 'wss'>;
  /** Numeric, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** One process of many over the same database. */
export interface NodeSelf {
  /** The same after a restart. */
  readonly id: string;
  /** Of this run. */
  readonly boot: string;
  readonly address: NodeAddress;
}

export interface NodeSeen extends NodeSelf {
  /** Since it said that it is there, by the clock of the database. */
  readonly silentMs: number;
}

export interface NodeStore {
  /** Says that this node is there; resolves with all of them as they were before, itself too. */
  beat(self: NodeSelf): Promise<readonly NodeSeen[]>;
  /** It stops in order. A later run of the same node stays. */
  leave(self: NodeSelf): Promise<void>;
}

/** Which answered calls of nodes are asked for. */
export interface UpAtNodes {
  readonly nodes: readonly string[];
  /** Answered then or later. */
  readonly sinceMs: number;
  /** And before this; may be infinite. */
  readonly untilMs: number;
  readonly limit: number;
}

/** What one node tells the others, as it is in the database for a minute. */
export type Change =
  /** The contacts of this address are others, or their connections are. */
  | { readonly kind: 'registered'; readonly aor: string }
  /** A client's connection is gone. */
  | { readonly kind: 'closed'; readonly flowId: string }
  /** An account was shut: its connections are closed and its calls ended. */
  | { readonly kind: 'account-closed'; readonly aor: string; readonly flowIds: readonly string[] }
  /** What its watchers see of it is other than before. */
  | { readonly kind: 'watched'; readonly resource: string; readonly event: EventPackage }
  /** A message waits for this recipient. */
  | { readonly kind: 'stored'; readonly aor: string }
  /** An rtpengine was added, changed or removed over REST. */
  | { readonly kind: 'media-nodes' }
  /** A call of this account has come to another phase. */
  | { readonly kind: 'call'; readonly aor: string; readonly call: PartyCall };

export interface ToldChange {
  /** Of two of one node the later one has the higher number. */
  readonly id: number;
  readonly node: string;
  readonly change: Change;
}

export interface ChangeStore {
  /** In this order; committed when it resolves. */
  tell(node: string, changes: readonly Change[]): Promise<void>;
  /** What other nodes have told in the last ten seconds; some of it was there the last time. */
  recent(node: string): Promise<readonly ToldChange[]>;
}
