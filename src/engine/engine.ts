/**
 * The engine: puts its parts together and takes what the network brings. The only place where time passes and effects
 * happen; what an operator may want to change is decided in `routes/`.
 */

import { Rate } from '../auth/rate.ts';
import { Failure } from '../errors.ts';
import type { DialogRecord, Flow, NetworkEvents, SubscriberStore } from '../ports.ts';
import { defaultLimits } from '../registrar/register.ts';
import type { Routes } from './api.ts';
import { Logins } from './auth/login.ts';
import { type Approach, Protection } from './auth/protection.ts';
import { isSessionName, Sessions } from './auth/sessions.ts';
import { createTokenLogins } from './auth/token-login.ts';
import type { Core, EngineOptions, EnginePorts } from './core.ts';
import { CallLimits } from './dialog/call-limits.ts';
import { Dialogs } from './dialog/dialogs.ts';
import { endCalls } from './dialog/end-calls.ts';
import { hangUpRecord } from './dialog/hang-up.ts';
import { Domains } from './domains.ts';
import { EarlyEvents } from './early-events.ts';
import { Media } from './media/media.ts';
import { MediaDeletes } from './media/media-delete.ts';
import { MediaLeftovers } from './media/media-leftovers.ts';
import { MediaSilence } from './media/media-silence.ts';
import { MediaWatch } from './media/media-watch.ts';
import { Changes } from './nodes/changes.ts';
import { heard, missed, registered } from './nodes/heard.ts';
import { clientsReturn, hangUpUnlessBack, hangUpUnreachable, nodeGone } from './nodes/node-gone.ts';
import { Nodes } from './nodes/nodes.ts';
import { createOperations } from './operations/assembly.ts';
import type { Operations } from './operations.ts';
import { Overload } from './overload.ts';
import { Messages } from './presence/messages.ts';
import { Presence } from './presence/presence.ts';
import { NextHops } from './proxy/next-hop.ts';
import { Receiver } from './receive.ts';
import { Gruus } from './registrar/gruus.ts';
import { hereOf } from './registrar/here.ts';
import { KeepAlive } from './registrar/keep-alive.ts';
import { Registrar } from './registrar/registrar.ts';
import { Sleepers } from './registrar/sleepers.ts';
import { createServices } from './services.ts';
import { Counters } from './statistics/counters.ts';
import { RefusalLog } from './statistics/refusal-log.ts';
import { Timings } from './statistics/timings.ts';
import { CallRecords } from './story/call-records.ts';
import { callChanged, logCall, mediaChanged } from './story/call-reports.ts';
import { FailedCalls } from './story/failed-calls.ts';
import { Happenings } from './story/happenings.ts';
import { Stories } from './story/stories.ts';
import { Transactions } from './transactions.ts';

export type { EngineOptions, EnginePorts } from './core.ts';

/** Thirty calls of a stranger a minute: nobody's telephone rings all night, and a real neighbour hardly notices. */
const foreignRate = { perSecond: 0.5, burst: 30 };

export interface Engine extends NetworkEvents {
  /** Takes up the calls of before the restart. */
  start(): Promise<void>;
  /** New requests are refused from now on; those in progress go on. */
  drain(): void;
  /** Those that ring, too. */
  callsInProgress(): number;
  /** Before `stop`: what rings is cancelled, and `answered` calls are hung up. */
  endCalls(answered: boolean): Promise<void>;
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
  const timings = new Timings(given.clock);
  const ports = timings.ports(given);
  const { clock, random, network, log } = ports;
  const { node, boot, secrets, graceMs } = options;
  const happenings = new Happenings(clock, ports.media);
  const failedCalls = new FailedCalls(ports.failedCalls, clock, log, node);
  const stories = new Stories(clock, ports.media, (change, story) => {
    callChanged(happenings, change, story);
    logCall(log, change, story);
    if (change === 'failed') failedCalls.keep(story);
    if (change === 'failed' || change === 'ended') {
      callRecords.keep(story);
      mediaWatch.ended(story);
    }
    if (change === 'answered') mediaWatch.answered(story);
  });
  const counters = new Counters();
  const callRecords = new CallRecords({
    ...{ store: ports.callRecords, clock, log, counters, node },
    domains: () => core.domains,
    answered: (story) => stories.answered(story),
    off: options.keepsCalls === false,
  });
  const mediaWatch = new MediaWatch({
    clock,
    relay: ports.media,
    stories,
    counters,
    changed: (story) => mediaChanged(happenings, log, story),
  });
  const relay = stories.watchedRelay();
  const deletes = new MediaDeletes(relay, ports.outbox, clock, log, (mediaNode, name) =>
    core.media.isAlive(mediaNode, name),
  );
  const self = options.nodeAddress === undefined ? undefined : { id: node, boot, address: options.nodeAddress };
  const nodes = new Nodes(() => core, self, {
    gone: (other) => {
      receiver.nodeGone(other);
      nodeGone(core, other);
    },
  });
  const dialogs = new Dialogs(
    ports,
    { node, secrets, graceMs },
    {
      nodes,
      atDevice: (at, routed) => core.registrar.atDevice(at, hereOf(core), routed),
      adopted: (record) => takenUp(core, record),
    },
  );
  const isNode = (address: string): boolean => nodes.hasAddress(address);
  const protection = new Protection({ ...ports, isTrusted: options.isTrusted, isNode }, options.protection);
  const domains = new Domains(options.domains, network.listeners, options.nodeAddress);
  const gruus = new Gruus(domains, secrets);
  const accounts: Pick<SubscriberStore, 'find'> = {
    find: (name, domain, isPatient) =>
      isSessionName(name) ? ports.sessions.find(name) : ports.subscribers.find(name, domain, isPatient),
  };
  const tokens = ports.tokens && createTokenLogins(ports.tokens, ports.subscribers, domains);
  const logins = new Logins(clock, random, accounts, { owner: { node, boot }, secrets, domains, tokens }, protection);
  const core: Core = {
    ports,
    options,
    routes,
    proxy: createServices(() => core, logins),
    transactions: new Transactions(
      clock,
      network,
      (message, flow, text) => {
        stories.sent(message, text, flow);
        log.debug({ to: flow.remote, transport: flow.transport, line: message.startLine }, 'sent');
      },
      options.transactionLimits,
    ),
    media: new Media(relay, deletes, log, node),
    dialogs,
    nodes,
    changes: new Changes({ changes: nodes.areMany ? ports.changes : undefined, clock, log }, node, {
      heard: (change, from) => heard(core, change, from),
      missed: () => missed(core),
    }),
    registrar: new Registrar(
      ports.location,
      clock,
      {
        ...{ node, boot, graceMs, gruus, push: ports.push },
        limits: options.registrar ?? defaultLimits,
        toAor: (uri) => domains.aorOf(uri),
        areMany: nodes.areMany,
      },
      {
        moved: (binding, flow) => dialogs.moved(binding, flow),
        registered: (aor, bindings, isNews) => {
          registered(core, aor, bindings);
          if (isNews) core.changes.tell({ kind: 'registered', aor });
          keepAlive.registered(aor, bindings);
        },
        dropped: (aor) => core.presence.contactEnded(aor),
      },
    ),
    presence: new Presence(() => core, clock),
    messages: new Messages(() => core),
    sleepers: new Sleepers(() => core),
    gruus,
    callLimits: new CallLimits(
      (uri) => gruus.accountOf(uri),
      options.maxCalls ?? 0,
      (aor) => core.presence.calls.elsewhere(aor),
    ),
    sessions: new Sessions(() => core),
    nextHops: new NextHops(ports),
    domains,
    counters,
    timings,
    protection,
    overload: new Overload(ports),
    refusals: new RefusalLog(clock, log),
    foreign: new Rate(foreignRate),
    draining: false,
    stories,
    failedCalls,
    callRecords,
    happenings,
    mediaWatch,
    leftovers: (of) => clearLeftovers(of),
  };
  const receiver = new Receiver(core);
  const keepAlive = new KeepAlive(() => core);
  const isKnown = (name: string): boolean | Promise<boolean> =>
    core.media.isKnown(name) || (nodes.areMany && ports.dialogs.hasMedia(name));
  const leftovers = new Map<string, MediaLeftovers>();
  const clearLeftovers = (of: string): void => {
    leftovers.get(of)?.stop();
    const more = new MediaLeftovers({ relay: ports.media, deletes, clock, log }, of, isKnown);
    leftovers.set(of, more);
    more.start();
  };
  const silence = new MediaSilence({
    relay: ports.media,
    clock,
    media: core.media,
    calls: () => dialogs.all(),
    end: (record) => hangUpRecord(core, record, new Failure('media-silent')),
    idleMs: options.mediaIdleMs ?? 0,
  });
  const events: NetworkEvents = {
    message: (text, flow) => receiver.message(text, flow),
    closed: (flow, reason) => closed(core, receiver, flow, reason),
  };
  const early = new EarlyEvents(events);
  return {
    operations: createOperations(core),
    admits: (address, approach) => protection.admits(address, approach),
    answeredHttp: (status) => counters.httpAnswer(status),
    replaceDomains: (names) => core.domains.replace(names),
    start: async () => {
      await nodes.start();
      await core.registrar.start();
      for (const record of await dialogs.load()) takenUp(core, record);
      // Before the tables are read: what comes behind is heard.
      await core.changes.start();
      await Promise.all([core.presence.start(), core.messages.start()]);
      clock.after(graceMs * clientsReturn, () => {
        hangUpUnreachable(core);
        core.presence.dropEarlierBoots();
      });
      deletes.start();
      clearLeftovers(node);
      silence.start();
      keepAlive.start();
      core.sessions.start();
      early.open();
    },
    drain: () => {
      core.draining = true;
    },
    callsInProgress: () => Math.max(core.dialogs.size, core.media.size),
    endCalls: (answered) => endCalls(core, receiver, answered),
    stop: () => {
      core.draining = true;
      const left = nodes.stop();
      core.presence.stop();
      deletes.stop();
      for (const each of leftovers.values()) each.stop();
      mediaWatch.stop();
      silence.stop();
      keepAlive.stop();
      core.sessions.stop();
      callRecords.flush();
      failedCalls.flush();
      core.changes.stop();
      return left;
    },
    message: (text, flow) => early.message(text, flow),
    closed: (flow, reason) => early.closed(flow, reason),
  };
}

/** A call of before the restart, or of a node that is gone. */
function takenUp(core: Core, record: DialogRecord): void {
  core.media.restore(record);
  core.stories.restored(record);
  core.callLimits.established(record);
  core.presence.calls.established(record);
}

function closed(core: Core, receiver: Receiver, flow: Flow, reason: string): void {
  const { log } = core.ports;
  log.debug({ flow: flow.id, peer: flow.remote, reason }, 'A connection closed');
  core.transactions.closed(flow);
  receiver.closed(flow);
  core.sessions.closed(flow);
  // A browser that is gone says no BYE: the other side must not wait for it for ever.
  core.dialogs.closed(flow, (record) => hangUpUnlessBack(core, record, ({ flowId }) => flowId === flow.id));
  core.presence.closed(flow);
  if (core.registrar.bindingOf(flow) !== undefined) core.changes.tell({ kind: 'closed', flowId: flow.id });
  core.registrar.closed(flow, (thrown) => log.warn({ flow: flow.id, error: String(thrown) }, 'Its bindings stay'));
}
