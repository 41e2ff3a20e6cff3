/**
 * The parts of an engine and what each of them is told of the others, a function for each matter. Parts that speak to one
 * another get the core as a function, since none of them is first. Left out: what they do, and when they start (engine.ts).
 */
import { Rate } from '../auth/rate.ts';
import { Failure } from '../errors.ts';
import type { Binding, SubscriberStore } from '../ports.ts';
import { defaultLimits } from '../registrar/register.ts';
import type { Routes } from './api.ts';
import { Logins } from './auth/login.ts';
import { Protection } from './auth/protection.ts';
import { isSessionName, Sessions } from './auth/sessions.ts';
import { createTokenLogins } from './auth/token-login.ts';
import type { Core, EngineOptions, EnginePorts } from './core.ts';
import { CallLimits } from './dialog/call-limits.ts';
import { Dialogs } from './dialog/dialogs.ts';
import { hangUpRecord } from './dialog/hang-up.ts';
import { returnedHere } from './dialog/returned.ts';
import { takenUp } from './dialog/taken-up.ts';
import { Untold } from './dialog/untold.ts';
import { Domains } from './domains.ts';
import { guardedRoutes } from './guarded-routes.ts';
import { Media } from './media/media.ts';
import { MediaDeletes } from './media/media-delete.ts';
import { Leftovers } from './media/media-leftovers.ts';
import { MediaSilence } from './media/media-silence.ts';
import { MediaWatch } from './media/media-watch.ts';
import { Changes } from './nodes/changes.ts';
import { heard, missed, registered } from './nodes/heard.ts';
import { Membership } from './nodes/membership.ts';
import { meeting } from './nodes/newcomers.ts';
import { nodeGone } from './nodes/node-gone.ts';
import { NodeRouting } from './nodes/node-routing.ts';
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

/** Thirty calls of a stranger a minute: nobody's telephone rings all night, and a real neighbour hardly notices. */
const foreignRate = { perSecond: 0.5, burst: 30 };

export interface Parts {
  readonly core: Core;
  readonly receiver: Receiver;
  readonly keepAlive: KeepAlive;
  readonly deletes: MediaDeletes;
  readonly silence: MediaSilence;
}

/** What all of them are made from. */
interface Base {
  readonly ports: EnginePorts;
  readonly options: EngineOptions;
  readonly domains: Domains;
  readonly gruus: Gruus;
  readonly counters: Counters;
  /** Once they are all there. */
  readonly parts: () => Parts;
  readonly core: () => Core;
}

export function assemble(given: EnginePorts, written: Routes, options: EngineOptions): Parts {
  const timings = new Timings(given.clock);
  const { location, ...others } = timings.ports(given);
  const meet = options.nodeAddress && ((bindings: readonly Binding[]) => base.core().nodes.meet(bindings));
  const ports = { ...others, location: meeting(location, meet) };
  const { clock, log, network } = ports;
  const routes = guardedRoutes(written, clock);
  const domains = new Domains(options.domains, network.listeners, options.nodeAddress);
  const gruus = new Gruus(domains, options.secrets);
  const counters = new Counters();
  const base: Base = { ports, options, domains, gruus, counters, parts: () => parts, core: () => parts.core };
  const telling = tellers(base);
  const { deletes, silence, ...media } = mediaParts(base, telling.stories);
  const calls = callParts(base);
  const { protection, logins } = entrance(base, calls.nodes);
  const core: Core = {
    ...{ ports, options, routes, timings, domains, gruus, counters, protection, draining: false },
    ...telling,
    ...media,
    ...calls,
    proxy: createServices(base.core, logins),
    transactions: transactions(base, telling.stories),
    registrar: registrar(base, calls.nodes.areMany),
    presence: new Presence(base.core, clock),
    messages: new Messages(base.core),
    sleepers: new Sleepers(base.core),
    sessions: new Sessions(base.core),
    untold: new Untold(clock),
    nextHops: new NextHops(ports),
    overload: new Overload(ports),
    refusals: new RefusalLog(clock, log),
    foreign: new Rate(foreignRate),
  };
  const parts: Parts = { core, receiver: new Receiver(core), keepAlive: new KeepAlive(base.core), deletes, silence };
  return parts;
}

/** Who tells what became of each call: to the log, to who listens, and to the database. */
function tellers({ ports, options, counters, core }: Base) {
  const { clock, log, media: relay } = ports;
  const { node } = options;
  const happenings = new Happenings(clock, relay);
  const failedCalls = new FailedCalls(ports.failedCalls, clock, log, node);
  const stories = new Stories(clock, relay, (change, story) => {
    callChanged(happenings, change, story);
    logCall(log, change, story);
    if (change === 'failed') failedCalls.keep(story);
    if (change === 'failed' || change === 'ended') {
      callRecords.keep(story);
      mediaWatch.ended(story);
    }
    if (change === 'answered') mediaWatch.answered(story);
  });
  const callRecords = new CallRecords({
    ...{ store: ports.callRecords, clock, log, counters, node },
    domains: () => core().domains,
    answered: (story) => stories.answered(story),
    off: options.keepsCalls === false,
  });
  const mediaWatch = new MediaWatch({
    ...{ clock, relay, stories, counters },
    changed: (story) => mediaChanged(happenings, log, story),
  });
  return { happenings, failedCalls, stories, callRecords, mediaWatch };
}

/** What has to do with rtpengine; each command stands in the story of its call. */
function mediaParts({ ports, options, core }: Base, stories: Stories) {
  const { clock, log, dialogs } = ports;
  const relay = stories.watchedRelay();
  const deletes = new MediaDeletes(relay, ports.outbox, clock, log, (mediaNode, name) =>
    core().media.isAlive(mediaNode, name),
  );
  const media = new Media(relay, deletes, log, options.node);
  const leftovers = new Leftovers(
    { relay: ports.media, deletes, clock, log },
    (name) => media.isKnown(name) || (core().nodes.areMany && dialogs.hasMedia(name)),
  );
  const silence = new MediaSilence({
    ...{ relay: ports.media, clock, media },
    calls: () => core().dialogs.all(),
    end: (record) => hangUpRecord(core(), record, new Failure('media-silent')),
    idleMs: options.mediaIdleMs ?? 0,
  });
  return { media, deletes, leftovers, silence };
}

/** Calls that are up, and the nodes that they may be at. */
function callParts({ ports, options, gruus, parts, core }: Base) {
  const { node, boot, secrets, graceMs, nodeAddress: address, maxCalls = 0 } = options;
  const self = address === undefined ? undefined : { id: node, boot, address };
  const nodes = new Membership(core, self, {
    gone: (other) => {
      parts().receiver.nodeGone(other);
      nodeGone(core(), other);
    },
  });
  const nodeRouting = new NodeRouting(core, nodes);
  const dialogs = new Dialogs(
    ports,
    { node, secrets, graceMs },
    {
      nodes,
      reach: (place) => nodeRouting.reach(place),
      atDevice: (at, routed) => core().registrar.atDevice(at, hereOf(core()), routed),
      adopted: (record) => takenUp(core(), record),
    },
  );
  const changes = new Changes({ ...ports, changes: nodes.areMany ? ports.changes : undefined }, node, {
    heard: (change, from) => heard(core(), change, from),
    missed: () => missed(core()),
  });
  const callLimits = new CallLimits(
    (uri) => gruus.accountOf(uri),
    maxCalls,
    (aor) => core().presence.calls.elsewhere(aor),
  );
  return { nodes, nodeRouting, dialogs, changes, callLimits };
}

/** Who may come in, and as whom. */
function entrance({ ports, options, domains }: Base, nodes: Membership) {
  const { clock, random, subscribers, sessions } = ports;
  const { node, boot, secrets, isTrusted } = options;
  const isNode = (address: string): boolean => nodes.hasAddress(address);
  const protection = new Protection({ ...ports, isTrusted, isNode }, options.protection);
  const accounts: Pick<SubscriberStore, 'find'> = {
    find: (name, domain, isPatient) =>
      isSessionName(name) ? sessions.find(name) : subscribers.find(name, domain, isPatient),
  };
  const tokens = ports.tokens && createTokenLogins(ports.tokens, subscribers, domains);
  const logins = new Logins(clock, random, accounts, { owner: { node, boot }, secrets, domains, tokens }, protection);
  return { protection, logins };
}

function transactions({ ports, options }: Base, stories: Stories): Transactions {
  const { clock, network, log } = ports;
  const sent: ConstructorParameters<typeof Transactions>[2] = (message, flow, text) => {
    stories.sent(message, text, flow);
    log.debug({ to: flow.remote, transport: flow.transport, line: message.startLine }, 'sent');
  };
  return new Transactions(clock, network, sent, options.transactionLimits);
}

function registrar({ ports, options, domains, gruus, parts, core }: Base, areMany: boolean): Registrar {
  const { node, boot, graceMs, registrar: limits = defaultLimits } = options;
  const toAor: Domains['aorOf'] = (uri) => domains.aorOf(uri);
  const about = { node, boot, graceMs, gruus, push: ports.push, limits, toAor, areMany };
  return new Registrar(ports.location, ports.clock, about, {
    moved: (binding, flow) => returnedHere(core(), binding, flow),
    registered: (aor, bindings, isNews) => {
      registered(core(), aor, bindings);
      if (isNews) core().changes.tell({ kind: 'registered', aor });
      parts().keepAlive.registered(aor, bindings);
    },
    dropped: (aor) => core().presence.contactEnded(aor),
  });
}
