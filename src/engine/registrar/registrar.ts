/**
 * The registrar service (RFC 3261 §10.3): what `src/registrar` plans, committed before it is answered (law 5).
 *
 * Remembers which bindings registered over which flow: by that a caller's connection is known as its device, and its
 * dialogs follow it when it comes back by another one. A PBX registers several accounts over one.
 */
import { Failure } from '../../errors.ts';
import { get, has } from '../../message/header.ts';
import { Contact } from '../../message/headers/contact.ts';
import { Path } from '../../message/headers/route.ts';
import { Via } from '../../message/headers/via.ts';
import { parseUri, type SipUri } from '../../message/uri.ts';
import { isBehindNat, mustUseFlow } from '../../nat/flow-rule.ts';
import { numericAddress } from '../../nat/same-address.ts';
import type {
  Binding,
  BindingChange,
  Clock,
  ContactLimit,
  Flow,
  LocationStore,
  MediaKind,
  PushService,
} from '../../ports.ts';
import { transportParam } from '../../proxy/record-route.ts';
import { deviceOf, hasWayByPath, isSecured } from '../../registrar/binding.ts';
import { type Gruu, isOfGruu } from '../../registrar/gruu.ts';
import { subscriptionOf } from '../../registrar/push.ts';
import { planRegister, type RegisterLimits } from '../../registrar/register.ts';
import { registerResponse } from '../../registrar/response.ts';
import { type Reply, type Request, refuse, reply, type Target } from '../api.ts';
import type { Place, Reach } from '../nodes/node-routing.ts';
import type { Gruus, Named } from './gruus.ts';

export interface RegistrarOptions {
  readonly node: string;
  readonly boot: string;
  readonly graceMs: number;
  readonly limits: RegisterLimits;
  readonly toAor: (uri: SipUri) => string;
  readonly gruus: Gruus;
  /** Other nodes are over the same database. */
  readonly areMany?: boolean;
  /** By which devices without a connection are woken. */
  readonly push?: PushService | undefined;
}

/** What the registrar asks of the rest of the engine. */
export interface Here {
  /** `undefined`: its connection is gone. */
  reach(place: Place): Reach | undefined;
  /** The account or device that a Contact names, when it is of our domains. */
  ours(uri: string): Named | undefined;
}

/** Who hears of what is stored. */
export interface RegistrarListener {
  /** A device registered over this flow. */
  moved(binding: BindingRef, flow: Flow): void;
  /** The contacts of this address as they are now stored; `isNews`: this was no refresh. */
  registered(aor: string, bindings: readonly Binding[], isNews: boolean): void;
  /** Those of a closed connection went. */
  dropped(aor: string): void;
}

/** Contacts that point to another AOR of ours. */
const longestChain = 3;

type BindingRef = Pick<Binding, 'aor' | 'key'>;

/** What registered over a flow. */
interface Behind {
  readonly binding: BindingRef;
  readonly contact: string;
}

/** Flows whose bindings are remembered, and of one its bindings; the oldest makes room (law 9). */
const mostFlows = 100_000;
const mostBehind = 100;

const retryMs = 5_000;

export class Registrar {
  readonly #location: LocationStore;
  readonly #clock: Clock;
  readonly #options: RegistrarOptions;
  readonly #tell: RegistrarListener;
  /** The last to register is the last. */
  readonly #byFlow = new Map<string, readonly Behind[]>();
  /** By AOR: the closed connections whose bindings are still there. */
  readonly #closed = new Map<string, Set<string>>();
  /** Closed connections whose bindings could not be dropped. */
  readonly #owed = new Set<string>();

  constructor(location: LocationStore, clock: Clock, options: RegistrarOptions, tell: RegistrarListener) {
    this.#location = location;
    this.#clock = clock;
    this.#options = options;
    this.#tell = tell;
  }

  /** The connections of before the restart closed with it, and nobody can be called over them (DESIGN §5). */
  start(): Promise<void> {
    return this.#location.dropOtherBoots(this.#options.node, this.#options.boot);
  }

  /** What has registered over a flow. */
  bindingsOf(flow: Flow): readonly BindingRef[] {
    return this.#behind(flow.id).map(({ binding }) => binding);
  }

  /** The device behind a flow, if it has registered over it: that of this account, or the last one. */
  bindingOf(flow: Flow, account?: string): BindingRef | undefined {
    const behind = this.#behind(flow.id);
    const last = behind.at(-1)?.binding;
    const uri = behind.length < 2 || account === undefined ? undefined : parseUri(account);
    if (uri === undefined) return last;
    const aor = this.#options.toAor(uri);
    return behind.findLast(({ binding }) => binding.aor === aor)?.binding ?? last;
  }

  #behind(flowId: string | undefined): readonly Behind[] {
    return (flowId !== undefined && this.#byFlow.get(flowId)) || [];
  }

  async register(request: Request): Promise<Reply> {
    const { message } = request;
    const nowMs = this.#clock.nowMs();
    const { limits, toAor, gruus } = this.#options;
    const aorOfGruu = (contact: string): string | undefined => aorOf(gruus.read(contact));
    const untilMs = request.notes.user?.untilMs;
    const plan = planRegister(message, { ...this.#context(request), nowMs, limits, toAor, aorOfGruu, untilMs });
    if ('refuse' in plan) {
      const { status, code, headers } = plan.refuse;
      return refuse(code, status, '', headers ?? []);
    }
    const vapidKey = this.#options.push?.vapidKey;
    const own = { serviceRoute: serviceRoute(request), vapidKey, tokenSecret: gruus.secret };
    if ('fetch' in plan) {
      const bindings = await this.#location.lookup(plan.aor);
      return reply(200, registerResponse(message, bindings, nowMs, own));
    }
    const { outcome, bindings } = await this.#location.change({ ...plan.change, limit: this.#limit(plan.change.aor) });
    switch (outcome) {
      case 'out-of-order':
        return refuse('register-out-of-order', 500);
      case 'too-many':
        return refuse('too-many-contacts', 403);
      case 'stored': {
        const isNews = !this.#isRefresh(plan.change);
        this.#remember(plan.change, request.flow);
        this.#tell.registered(plan.change.aor, bindings, isNews);
        return reply(200, registerResponse(message, bindings, this.#clock.nowMs(), own));
      }
    }
  }

  /** The same devices over the flows that they came by before. */
  #isRefresh({ save, remove }: BindingChange): boolean {
    const isKnown = ({ flowId, key }: Binding): boolean =>
      this.#behind(flowId).some(({ binding }) => binding.key === key);
    return remove.length === 0 && save.every(isKnown);
  }

  #limit(aor: string): ContactLimit {
    const { maxContacts, whenFull } = this.#options.limits;
    return { contacts: maxContacts, whenFull, closedFlows: [...(this.#closed.get(aor) ?? [])] };
  }

  /**
   * The contacts of an AOR, or of one device of it, as targets, those whose connection is gone left out. A contact that is
   * itself an address of ours is looked up in turn: sent to ourselves, its call would pass rtpengine twice. Throws
   * `not-secured`.
   */
  async targets(asked: Named, here: Here, seen: ReadonlySet<string> = new Set()): Promise<readonly Target[]> {
    const { aor, gruu, isSecure = false } = asked;
    const all = await this.#location.lookup(aor);
    const named = gruu === undefined ? all : ofGruu(all, gruu);
    const bindings = isSecure ? named.filter(isSecured) : named;
    if (bindings.length < named.length && bindings.length === 0) throw new Failure('not-secured');
    const devices = flowsOfEach(bindings.filter((one) => here.reach(one) !== undefined));
    const passed = new Set(seen).add(aor);
    const found = await Promise.all(devices.map((flows) => this.#expanded(flows, here, passed, isSecure)));
    const awake = new Set(devices.map(([binding]) => deviceOf(binding)));
    return [...found.flat(), ...this.#asleep(bindings.filter((one) => !awake.has(deviceOf(one))))];
  }

  /**
   * Where a request goes whose dialog has a GRUU as its target: to the contact of that device, which need not know itself
   * by its GRUU. `routed`: there are proxies between, and they know the way. Any other target stays as it is; `undefined`:
   * the device is not there.
   *
   * A dialog outlives the temporary GRUU that it was begun with: whoever is in it has been given the way to the device.
   */
  async atDevice(at: Target, here: Here, routed = false): Promise<Target | undefined> {
    const gruu = this.#options.gruus.read(at.uri);
    if (gruu === undefined || gruu === 'invalid') return at;
    const device = { ...gruu, given: undefined };
    const { flowId, elsewhere } = at;
    const isThere = elsewhere !== undefined || (flowId !== undefined && here.reach({ flowId }) !== undefined);
    if (isThere) return { ...at, uri: await this.#contactOn(at, device) };
    const [found] = await this.targets({ aor: gruu.aor, gruu: device }, here);
    if (found === undefined || found.asleep !== undefined) return undefined;
    return routed ? { ...at, uri: found.uri } : { ...at, ...found, media: at.media ?? found.media };
  }

  /** The Contact by which the device at this flow knows itself; the URI as it is when that names another device. */
  async #contactOn({ uri, flowId, elsewhere, binding }: Target, gruu: Gruu): Promise<string> {
    const isIt = ({ binding }: Behind): boolean => binding.aor === gruu.aor && deviceOf(binding) === gruu.device;
    const behind = this.#behind(flowId).findLast(isIt);
    if (behind !== undefined) return behind.contact;
    // A device may well know itself by its GRUU: better so than a BYE lost because the database is away.
    const bindings = ofGruu(await this.#location.lookup(gruu.aor).catch(() => []), gruu);
    const isThere = (one: Binding): boolean => one.flowId === (elsewhere?.flowId ?? flowId) || one.key === binding?.key;
    return bindings.find(isThere)?.contact ?? uri;
  }

  /** RFC 8599: those of these devices that can be woken. */
  #asleep(bindings: readonly Binding[]): readonly Target[] {
    const { push } = this.#options;
    return flowsOfEach(bindings).flatMap(([binding]) => {
      const asleep = subscriptionOf(binding.contact);
      return asleep !== undefined && push?.accepts(asleep) ? [{ ...targetOf(binding), asleep }] : [];
    });
  }

  async #expanded(
    [binding, ...others]: Flows,
    here: Here,
    passed: ReadonlySet<string>,
    isSecure: boolean,
  ): Promise<readonly Target[]> {
    const { contact, flowId, path, q } = binding;
    const next = flowId === undefined && path.length === 0 ? here.ours(contact) : undefined;
    if (next === undefined) {
      const [first, ...rest] = [binding, ...others].map((one) => targetOf(one, here.reach(one)));
      return first === undefined ? [] : [withOthers(first, [...rest, ...this.#asleep([binding])])];
    }
    // An AOR that was passed already, or the third one in a row, is a circle or as good as one.
    if (passed.has(next.aor) || passed.size >= longestChain) return [];
    const targets = await this.targets(isSecure ? { ...next, isSecure } : next, here, passed);
    return targets.map((target) => ({ ...target, q: Math.min(q, target.q ?? 1) }));
  }

  /** What a device turned out to speak is kept with its binding, for the next call to it. */
  learn({ aor, key }: BindingRef, media: MediaKind): void {
    this.#location.learn(aor, key, media).catch(() => undefined); // the next call learns it again
  }

  /** The connection is gone: its bindings follow after the grace time, unless the client came back (DESIGN §5). */
  closed(flow: Flow, failed: (thrown: unknown) => void): void {
    const aors = new Set(this.#behind(flow.id).map(({ binding }) => binding.aor));
    if (aors.size === 0) return;
    this.#byFlow.delete(flow.id);
    for (const aor of aors) {
      const flows = this.#closed.get(aor) ?? new Set();
      this.#closed.set(aor, flows.add(flow.id));
    }
    this.#dropAfter(this.#options.graceMs, flow.id, aors, failed);
  }

  /** A binding that nobody answers to must not stay because the database was away. */
  #dropAfter(delayMs: number, flowId: string, aors: ReadonlySet<string>, failed: (thrown: unknown) => void): void {
    this.#clock.after(delayMs, () => {
      this.#location.dropFlow(flowId).then(
        () => {
          this.#owed.delete(flowId);
          for (const aor of aors) this.#dropped(flowId, aor);
        },
        (thrown: unknown) => {
          // Once, until the database is back: thousands may close while it is away, and each is tried again and again.
          if (this.#owed.size === 0) failed(thrown);
          this.#owed.add(flowId);
          this.#dropAfter(retryMs, flowId, aors, failed);
        },
      );
    });
  }

  #dropped(flowId: string, aor: string): void {
    const flows = this.#closed.get(aor);
    flows?.delete(flowId);
    if (flows?.size === 0) this.#closed.delete(aor);
    this.#tell.dropped(aor);
  }

  get goneCount(): number {
    return [...this.#closed.values()].reduce((sum, flows) => sum + flows.size, 0);
  }

  /** Its connection is closed and its client has not come back: nobody can be called there. */
  isGone({ aor, flowId }: Binding): boolean {
    return flowId !== undefined && this.#closed.get(aor)?.has(flowId) === true;
  }

  #context(request: Request): Pick<Binding, 'flowId' | 'node' | 'boot' | 'transport' | 'source'> {
    const { flow } = request;
    const { node, boot } = this.#options;
    const source = `${flow.remote.address}:${flow.remote.port}`;
    return { flowId: this.#flowFor(request), node, boot, transport: flow.transport, source };
  }

  #flowFor(request: Request): string | undefined {
    const via = get(request.message, Via);
    if (via === undefined) return undefined;
    const { flow } = request;
    if (isAskedByPath(request)) return undefined;
    const question = { transport: flow.transport, via, contact: get(request.message, Contact), source: flow.remote };
    if (request.notes.reachByFlow || mustUseFlow(question)) return flow.id;
    // From another node it is asked by way of this one: many telephones hear nobody but who they registered with.
    const isHere = question.contact !== undefined && !isBehindNat(question.contact.uri, flow.remote);
    return this.#options.areMany === true && isHere ? flow.id : undefined;
  }

  #remember(change: BindingChange, flow: Flow): void {
    for (const { aor, key, flowId, contact, transport, path } of change.save) {
      if (flowId !== flow.id) continue;
      this.#tell.moved({ aor, key }, flow);
      // It does not end with the connection of a proxy, whose other users it is not either.
      if (hasWayByPath({ transport, path })) continue;
      const others = this.#behind(flow.id).filter(({ binding }) => binding.aor !== aor || binding.key !== key);
      this.#byFlow.delete(flow.id);
      const [oldest] = this.#byFlow.keys();
      if (this.#byFlow.size >= mostFlows && oldest !== undefined) this.#byFlow.delete(oldest);
      this.#byFlow.set(flow.id, [...others.slice(1 - mostBehind), { binding: { aor, key }, contact }]);
    }
  }
}

type Flows = readonly [best: Binding, ...others: Binding[]];

/** RFC 5626 §5.3: of the flows of one device, which differ in their reg-id, one is used at a time: first the best or newest. */
function flowsOfEach(bindings: readonly Binding[]): readonly Flows[] {
  const devices = Map.groupBy(bindings, deviceOf);
  return [...devices.values()].flatMap(([best, ...others]) => (best === undefined ? [] : [[best, ...others]]));
}

const ofGruu = (bindings: readonly Binding[], gruu: Gruu): readonly Binding[] =>
  bindings.filter((binding) => isOfGruu(gruu, binding));

function aorOf(gruu: Gruu | 'invalid' | undefined): string | undefined {
  return gruu === 'invalid' ? undefined : gruu?.aor;
}

function withOthers(target: Target, otherFlows: readonly Target[]): Target {
  return otherFlows.length === 0 ? target : { ...target, otherFlows };
}

/** `reach`: by default over its flow here, or at its contact. */
export function targetOf({ contact, flowId, path, aor, key, media, q }: Binding, reach: Reach = { flowId }): Target {
  // The URIs alone: where to go next is found from the first.
  const route = path.map((value) => Path.parse(value)?.uri ?? value);
  return { uri: contact, flowId: undefined, ...reach, route, binding: { aor, key }, media, q };
}

/**
 * RFC 3327 §5.3: a proxy that brings the REGISTERs of many is no client (law 4): what belongs to its connection is nobody's
 * alone, and ends with it for nobody. Over TLS it is dialled by a name only, for it must prove one; by an address, which few
 * certificates hold, when its connection has closed (`hasWayByPath`).
 */
function isAskedByPath({ message, flow }: Request): boolean {
  const host = parseUri(get(message, Path)?.uri ?? '')?.host;
  if (host === undefined) return false;
  return flow.transport === 'tcp' || (flow.transport === 'tls' && numericAddress(host) === undefined);
}

/** RFC 3608 §6: a client behind another proxy learns how its requests find us; one that reaches us directly knows. */
function serviceRoute({ message, flow }: Request): readonly string[] {
  if (!has(message, Path)) return [];
  const { host, port } = flow.listener.advertised;
  return [`<sip:${host}:${port}${transportParam(flow.listener)};lr>`];
}
