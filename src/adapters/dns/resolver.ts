/**
 * Host names to addresses (port `Resolver`): the hosts file, then A and AAAA of the name servers.
 *
 * c-ares asks, not the C library: getaddrinfo holds one of Node's four threads until it gives up, and a handful of dead
 * names in SIP messages would stop the file system with it. So nsswitch.conf and search domains do not count here.
 * `.invalid` (RFC 2606 §2: the Contacts of browsers) is never asked for. Left out: SRV and NAPTR (RFC 3263 §4).
 */
import { Resolver as NodeResolver } from 'node:dns/promises';
import { isIP, SocketAddress } from 'node:net';
import { lower } from '../../message/ascii.ts';
import type { Resolver } from '../../ports.ts';
import { hostsFile } from './hosts.ts';

export interface ResolverOptions {
  /** Name servers, `address` or `address:port`; those of the system by default. */
  readonly servers?: readonly string[];
  readonly hostsPath?: string;
  /** For the first try; the second waits longer. */
  readonly timeoutMs?: number;
  readonly cacheMs?: number;
  readonly nowMs?: () => number;
}

interface Entry {
  readonly addresses: Promise<readonly string[]>;
  readonly untilMs: number;
}

const cachedNames = 1_000;
/** More are not asked for at once; who floods us with dead names waits in vain, and nobody else does for long. */
const openQuestions = 200;
/** A name that was not found may be there soon, or its server back. */
const forgetFailureMs = 5_000;
const tries = 2;
/** RFC 1035 §2.3.4, and the letters that host names are made of; `_` stands in some of them all the same. */
const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

export function createResolver(options: ResolverOptions = {}): Resolver {
  return new CachingResolver(options);
}

class CachingResolver implements Resolver {
  readonly #dns: NodeResolver;
  readonly #hostsPath: string;
  readonly #cacheMs: number;
  readonly #nowMs: () => number;
  /** Oldest first; the promise stands here from the first question on, so that a name is asked for once at a time. */
  readonly #cache = new Map<string, Entry>();
  #open = 0;

  constructor(options: ResolverOptions) {
    this.#dns = new NodeResolver({ timeout: options.timeoutMs ?? 2_000, tries });
    if (options.servers !== undefined) this.#dns.setServers(options.servers);
    this.#hostsPath = options.hostsPath ?? '/etc/hosts';
    this.#cacheMs = options.cacheMs ?? 30_000;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  async addresses(host: string): Promise<readonly string[]> {
    const numeric = numericAddress(host);
    if (numeric !== undefined) return [numeric];
    const name = lower(host).replace(/\.$/, '');
    if (!hostName.test(name) || name === 'invalid' || name.endsWith('.invalid')) return [];
    return this.#cached(name);
  }

  #cached(name: string): Promise<readonly string[]> {
    const known = this.#cache.get(name);
    if (known !== undefined && known.untilMs > this.#nowMs()) return known.addresses;
    this.#cache.delete(name);
    this.#makeRoom();
    const addresses = this.#ask(name);
    this.#cache.set(name, { addresses, untilMs: this.#nowMs() + this.#cacheMs });
    void addresses.then((found) => this.#shorten(name, addresses, found.length));
    return addresses;
  }

  #shorten(name: string, addresses: Promise<readonly string[]>, count: number): void {
    if (count > 0 || this.#cache.get(name)?.addresses !== addresses) return;
    this.#cache.set(name, { addresses, untilMs: this.#nowMs() + Math.min(forgetFailureMs, this.#cacheMs) });
  }

  #makeRoom(): void {
    const [oldest] = this.#cache.keys();
    if (oldest !== undefined && this.#cache.size >= cachedNames) this.#cache.delete(oldest);
  }

  async #ask(name: string): Promise<readonly string[]> {
    if (this.#open >= openQuestions) return [];
    this.#open += 1;
    try {
      return await this.#answer(name);
    } finally {
      this.#open -= 1;
    }
  }

  async #answer(name: string): Promise<readonly string[]> {
    const inFile = await hostsFile(this.#hostsPath, name);
    if (inFile.length > 0) return inFile;
    const [v4, v6] = await Promise.allSettled([this.#dns.resolve4(name), this.#dns.resolve6(name)]);
    return [...found(v4), ...found(v6)];
  }
}

/** No record, no answer and no server are one thing here: nowhere to send to. */
function found(result: PromiseSettledResult<readonly string[]>): readonly string[] {
  return result.status === 'fulfilled' ? result.value : [];
}

function numericAddress(host: string): string | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(bare) === 0) return undefined;
  return bare.includes(':') ? new SocketAddress({ address: bare, family: 'ipv6' }).address : bare;
}
