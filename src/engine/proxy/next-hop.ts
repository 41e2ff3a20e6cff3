/**
 * From a target to the flow that its request leaves by (RFC 3261 §16.6 step 7, RFC 3263 §4, law 4).
 *
 * A known flow is used as it is, and its loss is final: a client's connection is never dialled. Everything else is a
 * list of ways, best first: SRV and NAPTR records and several addresses make more than one. A server that failed lately
 * stands last (RFC 3263 §4.3).
 */
import { Failure } from '../../errors.ts';
import { hasParam, param } from '../../message/params.ts';
import { defaultPort, hostNameKey, parseUri, type SipUri } from '../../message/uri.ts';
import type { Clock, Flow, Listener, Network, Random, Resolver, SocketAddress, Transport } from '../../ports.ts';
import {
  guessedServices,
  inOrder,
  offeredServices,
  type Service,
  settledService,
  settledTransport,
} from '../../proxy/locate.ts';
import type { Target } from '../api.ts';

/** One server of a URI: from which listener, to which address. */
export interface Way {
  readonly listener: Listener;
  readonly remote: SocketAddress;
  /** For the certificate (RFC 5922 §4): the domain that was asked for, not the host that the DNS named. */
  readonly serverName: string | undefined;
  /** Over UDP because nobody said otherwise: what is too large for a datagram may go over TCP. */
  readonly mayUseTcp: boolean;
}

/** A way that is open, and the servers that are left when it fails (RFC 3263 §4.3). */
export interface NextHop {
  readonly flow: Flow;
  /** `undefined` for a known flow: there is one device behind it. */
  readonly way: Way | undefined;
  readonly others: readonly Way[];
}

interface Place {
  readonly transport: Transport;
  readonly host: string;
  readonly port: number;
}

/** More records of one name are not looked at, more servers of one URI not tried (law 9). */
const maxRecords = 10;
const maxWays = 8;
const maxFailed = 1_000;
/** RFC 3263 §4.3 leaves it to us; a server that timed out costs the next caller TRYING_SECONDS, the last one 32 s. */
const avoidMs = 30_000;

export class NextHops {
  readonly #network: Network;
  readonly #resolver: Resolver;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Servers that failed, with when. Oldest first. */
  readonly #failed = new Map<string, number>();

  constructor(ports: {
    readonly network: Network;
    readonly resolver: Resolver;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.#network = ports.network;
    this.#resolver = ports.resolver;
    this.#clock = ports.clock;
    this.#random = ports.random;
  }

  /**
   * `firstRoute`: the topmost Route of the request that leaves, if it has one. `left`: the ways that are left after
   * others have failed. `preferred`: if it fits. Throws `flow-gone`, `foreign-target`…
   */
  async hopTo(
    target: Target,
    firstRoute: string | undefined,
    preferred: Listener,
    left: readonly Way[] = [],
  ): Promise<NextHop> {
    if (target.flowId !== undefined) {
      const flow = this.#network.find(target.flowId);
      if (flow === undefined) throw new Failure('flow-gone');
      return { flow, way: undefined, others: [] };
    }
    const [known, ...rest] = left;
    if (known !== undefined) return { flow: this.open(known), way: known, others: rest };
    const [way, ...others] = await this.ways(firstRoute ?? target.uri, preferred);
    return { flow: this.open(way), way, others };
  }

  /** RFC 3261 §18.1.1: the same server over TCP, and over UDP when that fails; the hop itself where TCP is of no use. */
  streamInstead(hop: NextHop): NextHop {
    const { way, others } = hop;
    if (way === undefined) return hop;
    const listener = this.#listenerFor('tcp', way.remote.address, way.listener);
    // A firewall may swallow what is dialled, which costs each caller seconds.
    if (listener === undefined || this.#hasFailed({ ...way, listener })) return hop;
    const flow = this.#network.connect(listener, way.remote, way.serverName);
    if (flow === undefined) return hop;
    const datagrams = { ...way, mayUseTcp: false };
    return { flow, way: { ...datagrams, listener }, others: [datagrams, ...others] };
  }

  /** As it is reached now: a server is dialled anew when its connection has closed, a client never (law 4). */
  flowNow({ flow, way }: NextHop): Flow {
    return way === undefined || this.#network.find(flow.id) !== undefined ? flow : this.open(way);
  }

  async toUri(text: string, preferred: Listener): Promise<Flow> {
    const [way] = await this.ways(text, preferred);
    return this.open(way);
  }

  /** The servers of this URI, best first; never empty. Throws `uri-scheme`, `foreign-target`, `no-listener`. */
  async ways(text: string, preferred: Listener): Promise<readonly [Way, ...Way[]]> {
    const uri = parseUri(text);
    if (uri === undefined) throw new Failure('uri-scheme', text.slice(0, 80));
    const places = await this.#placesOf(uri);
    const found = await Promise.all(places.map((place) => this.#waysTo(place, uri, preferred)));
    const [first, ...others] = this.#failedLast(found.flat()).slice(0, maxWays);
    if (first !== undefined) return [first, ...others];
    const [{ transport }] = places;
    const reached = await Promise.all(places.map(({ host }) => this.#resolver.addresses(bare(host))));
    const [address] = reached.flat();
    if (address === undefined) throw this.#notFound(places, bare(uri.host));
    throw new Failure('no-listener', `${transport} to ${address}`);
  }

  /** Nobody knows it, or nobody was there to ask. */
  #notFound(places: readonly Place[], host: string): Failure {
    const isUnanswered = places.some((place) => this.#resolver.isUnanswered(bare(place.host)));
    return new Failure(isUnanswered ? 'name-server-silent' : 'foreign-target', host);
  }

  open({ listener, remote, serverName }: Way): Flow {
    const flow = this.#network.connect(listener, remote, serverName);
    if (flow === undefined) throw new Failure('flow-gone', `A client of ${listener.transport} cannot be dialled.`);
    return flow;
  }

  /** RFC 3263 §4.3: it timed out, could not be reached, or said 503. Others go first for a while. */
  avoid({ listener, remote }: Way): void {
    const key = keyOf(listener.transport, remote);
    this.#failed.delete(key);
    this.#failed.set(key, this.#clock.nowMs());
    const [oldest] = this.#failed.keys();
    if (oldest !== undefined && this.#failed.size > maxFailed) this.#failed.delete(oldest);
  }

  // RFC 3263 §4.1 and §4.2.
  async #placesOf(uri: SipUri): Promise<readonly [Place, ...Place[]]> {
    const host = hostNameKey(param(uri.params, 'maddr') ?? uri.host);
    const transport = settledTransport(uri, isNumeric(host));
    const itself: Place = { transport: transport ?? 'udp', host, port: uri.port ?? defaultPort(uri) };
    // A name without a dot is of this host or of this network, and has no records of a domain.
    if (uri.port !== undefined || isNumeric(host) || !host.includes('.')) return [itself];
    // Asked for now, so that a domain that has neither NAPTR nor SRV records costs no more time than before.
    void this.#resolver.addresses(host);
    const services = await this.#servicesOf(host, transport);
    const [first, ...others] = await this.#serversOf(services);
    if (first !== undefined) return [first, ...others];
    // The transport is chosen, by NAPTR records as well; where nobody has, it is UDP if we speak it.
    const chosen = services[0]?.transport ?? itself.transport;
    return [{ ...itself, transport: chosen, port: chosen === 'tls' ? 5061 : itself.port }];
  }

  /** By the transport that is settled; else those that the domain prefers; else those that we would. */
  async #servicesOf(host: string, transport: Transport | undefined): Promise<readonly Service[]> {
    if (transport !== undefined) return settledService(transport, host);
    const able = new Set(this.#network.listeners.map((listener) => listener.transport));
    const guessed = guessedServices(host, able);
    for (const { name } of guessed) void this.#resolver.services(name);
    const offered = offeredServices((await this.#resolver.pointers(host)).slice(0, maxRecords), able);
    return offered.length > 0 ? offered : guessed;
  }

  /** In the order of the services: the servers of the next transport are tried when all of the first have failed. */
  async #serversOf(services: readonly Service[]): Promise<readonly Place[]> {
    const answers = await Promise.all(services.map(({ name }) => this.#resolver.services(name)));
    const places = answers.map((records, index) =>
      inOrder(records.slice(0, maxRecords), () => this.#random.fraction()).map(({ name, port }) => ({
        transport: services[index]?.transport ?? 'udp',
        host: name,
        port,
      })),
    );
    const isRefused = places.flat().length === 0 && answers.flat().length > 0;
    if (isRefused) throw new Failure('foreign-target', 'Its SRV records say that it takes no calls (RFC 2782).');
    return places.flat();
  }

  async #waysTo({ transport, host, port }: Place, uri: SipUri, preferred: Listener): Promise<readonly Way[]> {
    const addresses = await this.#resolver.addresses(bare(host));
    const mayUseTcp = transport === 'udp' && !hasParam(uri.params, 'transport');
    return addresses.slice(0, maxRecords).flatMap((address) => {
      const listener = this.#listenerFor(transport, address, preferred);
      const serverName = nameOf(uri.host);
      return listener === undefined ? [] : [{ listener, remote: { address, port }, serverName, mayUseTcp }];
    });
  }

  /** The one the request came by if it fits; else the first of that transport and address family. */
  #listenerFor(transport: Transport, address: string, preferred: Listener): Listener | undefined {
    const fits = (listener: Listener): boolean =>
      listener.transport === transport && listener.local.address.includes(':') === address.includes(':');
    return fits(preferred) ? preferred : this.#network.listeners.find(fits);
  }

  #failedLast(ways: readonly Way[]): readonly Way[] {
    return [...ways.filter((way) => !this.#hasFailed(way)), ...ways.filter((way) => this.#hasFailed(way))];
  }

  #hasFailed({ listener, remote }: Way): boolean {
    const failedMs = this.#failed.get(keyOf(listener.transport, remote)) ?? Number.NEGATIVE_INFINITY;
    return failedMs > this.#clock.nowMs() - avoidMs;
  }
}

function keyOf(transport: Transport, { address, port }: SocketAddress): string {
  return `${transport}:${address}:${port}`;
}

/** Without the brackets of an IPv6 address. */
function bare(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function isNumeric(host: string): boolean {
  return host.startsWith('[') || /^[0-9.]+$/.test(host);
}

/** For the certificate check; numeric addresses have none. */
function nameOf(host: string): string | undefined {
  return isNumeric(host) ? undefined : hostNameKey(host);
}
