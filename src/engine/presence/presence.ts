/**
 * The presence service (RFC 3903, RFC 6665, RFC 3856): what `src/presence` plans, committed before it is answered (law 5),
 * and who is told when something has changed.
 *
 * Left out: the NOTIFY requests (notifier.ts) and their bodies (presence-documents.ts). The node that has a watcher's flow
 * sends his.
 */
import { aorOf } from '../../auth/identity.ts';
import { get } from '../../message/header.ts';
import { From, To, tagOf } from '../../message/headers/from-to.ts';
import { canonicalAor, decodeEscapes, parseUri } from '../../message/uri.ts';
import type { Binding, Cancel, EventPackage, Flow, Subscription } from '../../ports.ts';
import { decideWatch, stateOf, type WatchDecision } from '../../presence/authorize.ts';
import { planPublish, publishResponse, type Refusal } from '../../presence/publish.ts';
import {
  planResubscribe,
  planSubscribe,
  resourceOf,
  type SubscribePlan,
  subscribeResponse,
} from '../../presence/subscribe.ts';
import { transportParam } from '../../proxy/record-route.ts';
import { type Reply, type Request, refuse, reply } from '../api.ts';
import type { Core } from '../core.ts';
import { ToldRegistrations } from '../registrar/told-registrations.ts';
import { BusyCalls } from './busy-calls.ts';
import { Notifier } from './notifier.ts';
import { documentFor } from './presence-documents.ts';
import { Watched } from './watched.ts';

/** Law 9, per account. */
const mostPublications = 20;
const mostSubscriptions = 1_000;

const sweepMs = 2_000;
const sweepBatch = 500;

/** After a start: browsers come back within seconds, and nobody shall be told that they were gone. */
const tellAnewAfterMs = 10_000;
const tellAnewMs = 100;
const tellAnewBatch = 50;
/** On their way or resting, so that a thousand in a second are told: more would leave no time for calls. */
const tellAnewMost = 5_000;

export class Presence {
  readonly calls: BusyCalls;
  readonly #core: () => Core;
  readonly #notifier: Notifier;
  readonly #watched = new Watched();
  readonly #told: ToldRegistrations;
  /** What has changed while the database was away; no more than what is watched. */
  readonly #owed = new Map<string, Pick<Subscription, 'resource' | 'event'>>();
  #timer: Cancel | undefined;

  constructor(core: () => Core, clock: Core['ports']['clock']) {
    this.#core = core;
    this.#told = new ToldRegistrations(clock, (aor) => this.mayHaveGone(aor));
    this.calls = new BusyCalls(clock, (uri) => this.#aorOfOurs(uri), {
      shown: (aor) => this.heard(aor, 'dialog'),
      changed: (aor, { id, direction, phase, remote }) =>
        this.#core().changes.tell({ kind: 'call', aor, call: { id, direction, phase, remote } }),
    });
    this.#notifier = new Notifier(
      core,
      (subscription, decision) => this.#document(subscription, decision),
      ({ resource, event }) => this.#watchersChanged(resource, event),
    );
  }

  /** Subscriptions with a NOTIFY on its way, or owed and waiting for its time. */
  get notifying(): number {
    return this.#notifier.size;
  }

  // --- requests ------------------------------------------------------------------------------------------------------

  async subscribe(request: Request): Promise<Reply> {
    const { random, clock, presence } = this.#core().ports;
    const resource = resourceOf(request.message);
    const watcher = this.#identityOf(request);
    if (resource === undefined || !(await this.#exists(resource))) return refuse('not-found', 404);
    if (watcher === undefined) return refuse('not-watchable', 403);
    const id = random.hex(12);
    const plan = planSubscribe(request.message, {
      ...this.#placeOf(request),
      id,
      resource,
      watcher,
      nowMs: clock.nowMs(),
    });
    if ('refuse' in plan) return refused(plan.refuse);
    const { policy, subscriptions } = await presence.standing(resource, watcher);
    const decision = this.#decide(plan.subscription, policy);
    if (decision === 'refused') return refuse('not-watchable', 403);
    if (plan.seconds === 0) return this.#lookOnce(request, plan, decision);
    if (subscriptions >= mostSubscriptions) return refuse('too-many-subscriptions', 403);
    await presence.subscribe({ ...plan.subscription, state: stateOf(decision) });
    this.#watched.add(resource, plan.subscription.event);
    return this.#accepted(request, plan);
  }

  async resubscribe(request: Request): Promise<Reply> {
    const { presence, clock } = this.#core().ports;
    const held = await presence.find(tagOf(get(request.message, To)) ?? '');
    if (held === undefined) return refuse('no-subscription', 481);
    const here = { ...this.#placeOf(request), nowMs: clock.nowMs() };
    const plan = planResubscribe(request.message, held, here);
    if ('refuse' in plan) return refused(plan.refuse);
    if (!(await presence.subscribe(plan.subscription))) return refuse('subscribe-out-of-order', 500);
    // It may have been with another node until now.
    this.#watched.add(held.resource, held.event);
    return this.#accepted(request, plan);
  }

  async publish(request: Request): Promise<Reply> {
    const { random, clock, presence } = this.#core().ports;
    const aor = resourceOf(request.message);
    // RFC 3903 §6 step 3: an account publishes for itself; a trusted server for anybody.
    const isOwn = request.trusted || this.#identityOf(request) === aor;
    if (aor === undefined || !isOwn) return refuse('wrong-identity', 403);
    const etag = random.hex(8);
    const plan = planPublish(request.message, { aor, etag, nowMs: clock.nowMs() });
    if ('refuse' in plan) return refused(plan.refuse);
    const { change } = plan;
    if (change.ifMatch === undefined && (await presence.publications(aor, change.event)).length >= mostPublications) {
      return refuse('too-many-publications', 403);
    }
    if ((await presence.publish(change)) === 'no-match') return refuse('entity-tag', 412);
    // §6 step 5: a refresh says nothing new.
    if (change.document !== undefined || change.next === undefined) this.changed(aor, change.event);
    return reply(200, publishResponse(plan, etag));
  }

  #accepted(request: Request, { subscription, seconds }: SubscribePlan): Reply {
    const { id, resource, event } = subscription;
    // In a turn of its own, so that the 200 is ahead of it.
    this.#core().ports.clock.after(0, () => this.#notifier.want(id, 'urgent'));
    this.#watchersChanged(resource, event);
    return this.#subscribed(request, id, seconds);
  }

  #lookOnce(request: Request, { subscription }: SubscribePlan, decision: WatchDecision): Reply {
    this.#core().ports.clock.after(0, () => this.#notifier.once(subscription, decision));
    return this.#subscribed(request, subscription.id, 0);
  }

  #subscribed({ flow }: Request, toTag: string, seconds: number): Reply {
    const { host, port } = flow.listener.advertised;
    const contact = `<sip:${host}:${port}${transportParam(flow.listener)}>`;
    return { ...reply(200, [['Contact', contact], ...subscribeResponse(seconds)]), toTag };
  }

  // --- what has changed ----------------------------------------------------------------------------------------------

  /** The watchers of this address are owed a NOTIFY, by whichever node has their connection. */
  changed(resource: string, event: EventPackage): void {
    this.heard(resource, event);
    this.#core().changes.tell({ kind: 'watched', resource, event });
  }

  /** The same for those of this node. Never throws: nobody waits for it. */
  heard(resource: string, event: EventPackage): void {
    const since = this.#watched.ask(resource, event);
    if (since === undefined) return;
    const { ports, options } = this.#core();
    ports.presence.subscribers(resource, event).then(
      (subscriptions) => {
        if (subscriptions.length === 0) this.#watched.forget(resource, event, since);
        for (const { id, node } of subscriptions) if (node === options.node) this.#notifier.want(id, 'change');
      },
      (thrown: unknown) => this.#owe(resource, event, thrown),
    );
  }

  /** The contacts of this address are stored: whoever was told of others hears of these. */
  registered(aor: string, bindings: readonly Binding[]): void {
    if (!this.#told.differs(aor, bindings)) return;
    this.heard(aor, 'reg');
    this.heard(aor, 'presence');
  }

  /** A contact of this address has ended at this node. */
  contactEnded(aor: string): void {
    this.mayHaveGone(aor);
    this.#core().changes.tell({ kind: 'registered', aor });
  }

  watches(aor: string): boolean {
    return this.#watched.has(aor, 'reg') || this.#watched.has(aor, 'presence');
  }

  /** Contacts of this address have ended, or their connection has. */
  mayHaveGone(aor: string): void {
    if (!this.watches(aor)) return;
    this.#core()
      .ports.location.lookup(aor)
      .then((bindings) => this.registered(aor, bindings))
      .catch((thrown: unknown) => {
        this.#owe(aor, 'reg', thrown);
        this.#owe(aor, 'presence', thrown);
      });
  }

  /** The database was away: asked again with the next sweep. */
  #owe(resource: string, event: EventPackage, thrown: unknown): void {
    const { log } = this.#core().ports;
    if (this.#owed.size === 0) log.warn({ resource, event, error: String(thrown) }, 'Watchers are told later');
    this.#owed.set(`${event} ${resource}`, { resource, event });
  }

  #watchersChanged(resource: string, event: EventPackage): void {
    if (event === 'presence') this.changed(resource, 'presence.winfo');
  }

  /** The rules of this address are others: every watcher of it is looked at anew. */
  rulesChanged(presentity: string): void {
    this.changed(presentity, 'presence');
    this.changed(presentity, 'dialog');
  }

  // --- life ----------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    const { ports, nodes } = this.#core();
    for (const { id } of nodes.others()) for (const record of await ports.dialogs.load(id)) this.calls.known(record);
    await this.tellAllAnew(tellAnewAfterMs);
    this.#sweepLater();
  }

  /** All that is watched from here may have changed without our hearing of it. */
  async tellAllAnew(afterMs = 0): Promise<void> {
    const { ports, options } = this.#core();
    const watched = await ports.presence.watched(options.node);
    for (const { resource, event } of watched) this.#watched.add(resource, event);
    this.#tellAnew(watched, afterMs);
  }

  /**
   * What happened while we were away, or in our last moment, was told to nobody: a lamp would stay on for an hour. So
   * many at a time that other work goes on.
   */
  #tellAnew(watched: readonly Pick<Subscription, 'resource' | 'event'>[], afterMs: number, from = 0): void {
    if (from >= watched.length) return;
    this.#core().ports.clock.after(afterMs, () => {
      const to = this.notifying < tellAnewMost ? from + tellAnewBatch : from;
      for (const { resource, event } of watched.slice(from, to)) this.heard(resource, event);
      this.#tellAnew(watched, tellAnewMs, to);
    });
  }

  stop(): void {
    this.#timer?.();
  }

  /** Clients of an earlier run that did not come back are gone. */
  dropEarlierBoots(): void {
    const { ports, options } = this.#core();
    ports.presence.dropEarlierBoots(options.node, options.boot).catch(this.#note('Old subscriptions stay'));
  }

  /** After the grace time: what only this connection could reach is over. */
  closed(flow: Flow): void {
    const { ports, options } = this.#core();
    if (flow.transport === 'udp' || !this.#watched.hasAny) return;
    ports.clock.after(options.graceMs, () => {
      ports.presence.dropFlow(flow.id).catch(this.#note('Its subscriptions stay'));
    });
  }

  /** What has ended is told so, and goes; in batches. */
  #sweepLater(): void {
    this.#timer = this.#core().ports.clock.after(sweepMs, () => {
      this.#sweep()
        .catch(this.#note('Ended subscriptions stay a while'))
        .finally(() => this.#sweepLater());
    });
  }

  async #sweep(): Promise<void> {
    const { ports, options } = this.#core();
    const owed = [...this.#owed.values()];
    this.#owed.clear();
    for (const { resource, event } of owed) this.heard(resource, event);
    for (const { aor, event } of await ports.presence.expirePublications(sweepBatch)) this.changed(aor, event);
    if (!this.#watched.hasAny) return;
    for (const id of await ports.presence.ended(options.node, sweepBatch)) this.#notifier.wantEnd(id);
  }

  #note(text: string): (thrown: unknown) => void {
    return (thrown) => this.#core().ports.log.debug({ error: String(thrown) }, text);
  }

  // --- who and where -------------------------------------------------------------------------------------------------

  #decide({ event, resource, watcher }: Subscription, rule: Parameters<typeof decideWatch>[0]['rule']): WatchDecision {
    return decideWatch({ event, resource, watcher, rule, otherwise: this.#core().options.presence });
  }

  /** Who logged in; of a trusted network, who From says. Nobody else watches or publishes. */
  #identityOf({ message, notes, trusted }: Request): string | undefined {
    if (notes.user !== undefined) return aorOf(notes.user);
    const uri = trusted ? parseUri(get(message, From)?.uri ?? '') : undefined;
    return uri === undefined ? undefined : canonicalAor(uri);
  }

  async #exists(aor: string): Promise<boolean> {
    const uri = parseUri(aor);
    if (uri?.user === undefined) return false;
    return (await this.#core().ports.subscribers.find(decodeEscapes(uri.user), uri.host)) !== undefined;
  }

  #placeOf({ notes, flow }: Request): Pick<Subscription, 'flowId' | 'listener' | 'node' | 'boot'> {
    const { node, boot } = this.#core().options;
    return { flowId: notes.reachByFlow ? flow.id : undefined, listener: flow.listener.index, node, boot };
  }

  #aorOfOurs(text: string): string | undefined {
    const { domains, gruus } = this.#core();
    const gruu = gruus.read(text);
    if (gruu !== undefined) return gruu === 'invalid' ? undefined : gruu.aor;
    const uri = parseUri(text);
    return uri?.user !== undefined && domains.isOurs(uri) ? canonicalAor(uri) : undefined;
  }

  #document(subscription: Subscription, decision: WatchDecision): Promise<string | undefined> {
    const { presence, location, clock } = this.#core().ports;
    const { secret } = this.#core().gruus;
    const sources = { presence, location, clock, calls: this.calls, told: this.#told, tokenSecret: secret };
    return documentFor(sources, subscription, decision);
  }
}

function refused({ status, code, detail = '', headers = [] }: Refusal): Reply {
  return refuse(code, status, detail, headers);
}
