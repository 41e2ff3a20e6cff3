/**
 * Host names to addresses (port `Resolver`): the hosts file, then A and AAAA of the name servers; SRV and NAPTR records.
 *
 * c-ares asks, not the C library: getaddrinfo holds one of Node's four threads until it gives up, and a handful of dead
 * names in SIP messages would stop the file system with it. So nsswitch.conf and search domains do not count here.
 * `.invalid` (RFC 2606 §2: the Contacts of browsers) is never asked for.
 */
import { NODATA, NOTFOUND, Resolver as NodeResolver } from 'node:dns/promises';
import { isIP, SocketAddress } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { lower } from '../../message/ascii.ts';
import type { NaptrRecord, Resolver, SrvRecord } from '../../ports.ts';
import { type Answer, Answers } from './answers.ts';
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

const cachedNames = 1_000;
/** More are not asked for at once; who floods us with dead names waits in vain, and nobody else does for long. */
const openQuestions = 200;
const forgetFailureMs = 5_000;
/** RFC 8767 §5 suggests one to three days: over a weekend. */
const staleMs = 3 * 24 * 3_600_000;
const tries = 2;
/** For AAAA. RFC 8305 §3 has 50; what we find is kept for 30 s, and may be asked for by a listener of the other family. */
const ipv6Ms = 250;
/** For A, and for the first try: most of us and of those we call have nothing else. */
const tryMs = 2_000;
/** RFC 1035 §2.3.4, and the letters that host names are made of; `_` stands in some of them all the same. */
const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

export function createResolver(options: ResolverOptions = {}): Resolver {
  return new CachingResolver(options);
}

class CachingResolver implements Resolver {
  readonly #dns: NodeResolver;
  readonly #hostsPath: string;
  readonly #addresses: Answers<string>;
  readonly #services: Answers<SrvRecord>;
  readonly #pointers: Answers<NaptrRecord>;
  #open = 0;

  constructor(options: ResolverOptions) {
    this.#dns = new NodeResolver({ timeout: options.timeoutMs ?? tryMs, tries });
    if (options.servers !== undefined) this.#dns.setServers(options.servers);
    this.#hostsPath = options.hostsPath ?? '/etc/hosts';
    const nowMs = options.nowMs ?? (() => performance.now());
    const limits = { names: cachedNames, keepMs: options.cacheMs ?? 30_000, keepFailureMs: forgetFailureMs, staleMs };
    this.#addresses = new Answers(limits, nowMs);
    this.#services = new Answers(limits, nowMs);
    this.#pointers = new Answers(limits, nowMs);
  }

  async addresses(host: string): Promise<readonly string[]> {
    const numeric = numericAddress(host);
    if (numeric !== undefined) return [numeric];
    const name = askable(host);
    return name === undefined ? [] : this.#addresses.of(name, () => this.#bounded(() => this.#addressesOf(name)));
  }

  isUnanswered(host: string): boolean {
    const name = askable(host);
    return name !== undefined && this.#addresses.isUnanswered(name);
  }

  async services(host: string): Promise<readonly SrvRecord[]> {
    const name = askable(host);
    const ask = async () => found(await settled(this.#dns.resolveSrv(name ?? '')));
    return name === undefined ? [] : this.#services.of(name, () => this.#bounded(ask));
  }

  async pointers(host: string): Promise<readonly NaptrRecord[]> {
    const name = askable(host);
    const ask = async () => found(await settled(this.#dns.resolveNaptr(name ?? '')));
    return name === undefined ? [] : this.#pointers.of(name, () => this.#bounded(ask));
  }

  async #bounded<T>(ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
    if (this.#open >= openQuestions) return undefined;
    this.#open += 1;
    try {
      return await ask();
    } finally {
      this.#open -= 1;
    }
  }

  async #addressesOf(name: string): Promise<Answer<string>> {
    const inFile = await hostsFile(this.#hostsPath, name);
    if (inFile.length > 0) return inFile;
    return found(...(await oneOrBoth(settled(this.#dns.resolve4(name)), settled(this.#dns.resolve6(name)))));
  }
}

/** The name as it is asked for; `undefined` for what no name server can know. */
function askable(host: string): string | undefined {
  const name = lower(host).replace(/\.$/, '');
  return !hostName.test(name) || name === 'invalid' || name.endsWith('.invalid') ? undefined : name;
}

/** The addresses of one family are enough to call: some name servers never answer for the other. */
async function oneOrBoth<T>(ipv4: Promise<PromiseSettledResult<T>>, ipv6: Promise<PromiseSettledResult<T>>) {
  const families = [ipv4, ipv6] as const;
  const [first, otherMs] = await Promise.race([
    ipv4.then((answer) => [answer, ipv6Ms] as const),
    ipv6.then((answer) => [answer, tryMs] as const),
  ]);
  if (first.status === 'rejected') return Promise.all(families);
  const patience = new AbortController();
  const out = setTimeout(otherMs, [first], { signal: patience.signal }).catch(() => [first]);
  const all = await Promise.race([Promise.all(families), out]);
  patience.abort();
  return all;
}

async function settled<T>(answer: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([answer]);
  return result;
}

/** No record is an answer; a name server that is silent or in trouble gives none, and may only be so for one of two. */
function found<T>(...results: readonly PromiseSettledResult<readonly T[]>[]): Answer<T> {
  const records = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  const isUnknown = results.some((result) => result.status === 'rejected' && !saysNo(result.reason));
  return records.length === 0 && isUnknown ? undefined : records;
}

function saysNo(reason: unknown): boolean {
  const code = reason instanceof Error && 'code' in reason ? reason.code : undefined;
  return code === NOTFOUND || code === NODATA;
}

function numericAddress(host: string): string | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(bare) === 0) return undefined;
  return bare.includes(':') ? new SocketAddress({ address: bare, family: 'ipv6' }).address : bare;
}
