/**
 * The engine: takes what the network brings, from its start to its stop. The only place where time passes and effects
 * happen; what an operator may want to change is decided in `routes/`. What it is made of stands in assembly.ts.
 */

import type { Flow, NetworkEvents } from '../ports.ts';
import type { Routes } from './api.ts';
import { assemble, type Parts } from './assembly.ts';
import type { Approach } from './auth/protection.ts';
import type { EngineOptions, EnginePorts } from './core.ts';
import { endCalls } from './dialog/end-calls.ts';
import { leaveServers } from './dialog/servers.ts';
import { takenUp } from './dialog/taken-up.ts';
import { EarlyEvents } from './early-events.ts';
import { clientsReturn, hangUpUnlessBack, hangUpUnreachable } from './nodes/node-gone.ts';
import { createOperations } from './operations/assembly.ts';
import type { Operations } from './operations.ts';

export type { EngineOptions, EnginePorts } from './core.ts';

export interface Engine extends NetworkEvents {
  /** Takes up the calls of before the restart. */
  start(): Promise<void>;
  /** New requests are refused from now on; those in progress go on. */
  drain(): void;
  /** Those that ring, too. */
  callsInProgress(): number;
  /** Before `stop`: what rings is cancelled, and `answered` calls are hung up. */
  endCalls(answered: boolean): Promise<void>;
  /** Other nodes are told that an rtpengine was added, changed or removed. */
  mediaNodesChanged(): void;
  /** Drains, and begins nothing more by itself. */
  stop(): Promise<void>;
  readonly operations: Operations;
  /** DOMAINS have changed. */
  replaceDomains(names: readonly string[]): void;
  /** Whether a connection from this address may come in, or a request of HTTP. */
  admits(address: string, approach: Approach): boolean;
  /** A request of HTTP has its answer. */
  answeredHttp(status: number): void;
}

export function createEngine(given: EnginePorts, routes: Routes, options: EngineOptions): Engine {
  const parts = assemble(given, routes, options);
  const { core, receiver } = parts;
  const early = new EarlyEvents({
    message: (text, flow) => receiver.message(text, flow),
    closed: (flow, reason) => closed(parts, flow, reason),
  });
  return {
    operations: createOperations(core),
    admits: (address, approach) => core.protection.admits(address, approach),
    answeredHttp: (status) => core.counters.httpAnswer(status),
    replaceDomains: (names) => core.domains.replace(names),
    start: async () => {
      await start(parts);
      early.open();
    },
    drain: () => {
      core.draining = true;
    },
    callsInProgress: () => Math.max(core.dialogs.size, core.media.size),
    endCalls: (answered) => endCalls(core, receiver, answered),
    mediaNodesChanged: () => core.changes.tell({ kind: 'media-nodes' }),
    stop: () => stop(parts),
    message: (text, flow) => early.message(text, flow),
    closed: (flow, reason) => early.closed(flow, reason),
  };
}

async function start({ core, deletes, silence, keepAlive }: Parts): Promise<void> {
  const { node, graceMs } = core.options;
  await core.nodes.start();
  await core.registrar.start();
  for (const record of await core.dialogs.load()) takenUp(core, record);
  // Before the tables are read: what comes behind is heard.
  await core.changes.start();
  core.ports.addedNodes?.readAgain();
  await Promise.all([core.presence.start(), core.messages.start()]);
  core.ports.clock.after(graceMs * clientsReturn, () => {
    hangUpUnreachable(core);
    core.presence.dropEarlierBoots();
  });
  deletes.start();
  core.leftovers.clear(node);
  silence.start();
  keepAlive.start();
  core.sessions.start();
}

function stop({ core, deletes, silence, keepAlive }: Parts): Promise<void> {
  core.draining = true;
  const left = core.nodes.stop();
  core.presence.stop();
  deletes.stop();
  core.leftovers.stop();
  core.mediaWatch.stop();
  silence.stop();
  keepAlive.stop();
  core.sessions.stop();
  core.callRecords.flush();
  core.failedCalls.flush();
  core.changes.stop();
  return left;
}

function closed({ core, receiver }: Parts, flow: Flow, reason: string): void {
  const { log } = core.ports;
  log.debug({ flow: flow.id, peer: flow.remote, reason }, 'A connection closed');
  core.transactions.closed(flow);
  receiver.closed(flow);
  core.sessions.closed(flow);
  leaveServers(core, flow);
  // A browser that is gone says no BYE: the other side must not wait for it for ever.
  core.dialogs.closed(flow, (record) => hangUpUnlessBack(core, record, ({ flowId }) => flowId === flow.id));
  core.presence.closed(flow);
  if (core.registrar.bindingsOf(flow).length > 0) core.changes.tell({ kind: 'closed', flowId: flow.id });
  core.registrar.closed(flow, (thrown) =>
    log.warn({ error: String(thrown) }, 'The bindings of closed connections wait for the database'),
  );
}
