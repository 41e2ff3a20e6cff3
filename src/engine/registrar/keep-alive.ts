/**
 * Keeps the way to UDP clients behind NAT open, and finds out who is gone: an OPTIONS (RFC 3261 §11) over each one's flow
 * in every interval. Whatever it answers, it is there; after two without an answer its binding is removed.
 *
 * Only bindings whose flow is of this process. They are sent in slices over the interval, so that their answers do not
 * come all at once. Left out: connections, which have keep-alives of their own (adapters/network).
 */
import { createRequest } from '../../message/build.ts';
import { isBehindNat } from '../../nat/flow-rule.ts';
import type { Binding, Cancel, Flow } from '../../ports.ts';
import { type Core, viaFor } from '../core.ts';

const slices = 30;
const mostFailures = 2;
/** Law 9: addresses with such bindings; those beyond have to keep their own way open. */
const mostAddresses = 100_000;
/** Of the bindings that are taken up after a restart, at once. */
const pageSize = 500;
const retryMs = 5_000;

interface Watched {
  readonly binding: Binding;
  readonly flowId: string;
  failures: number;
  /** An OPTIONS is on its way. */
  isAsked: boolean;
}

type Slice = Map<string, readonly Watched[]>;

export class KeepAlive {
  readonly #core: () => Core;
  readonly #slices: readonly Slice[] = Array.from({ length: slices }, () => new Map());
  #turn = 0;
  #stopTick: Cancel | undefined;

  constructor(core: () => Core) {
    this.#core = core;
  }

  /** Takes up the bindings of before a restart. */
  start(): void {
    const { keepAliveMs = 0 } = this.#core().options;
    if (keepAliveMs === 0) return;
    this.#tick(keepAliveMs / slices);
    void this.#takeUp();
  }

  stop(): void {
    this.#stopTick?.();
  }

  /** All contacts of an address, as they are stored now. */
  registered(aor: string, bindings: readonly Binding[]): void {
    const slice = this.#sliceOf(aor);
    const before = slice.get(aor) ?? [];
    const watched = bindings.flatMap((binding) => this.#watched(binding, before));
    if (watched.length === 0) slice.delete(aor);
    else if (slice.has(aor) || slice.size < mostAddresses / slices) slice.set(aor, watched);
    else this.#core().counters.drop('keep-alives beyond the bound');
  }

  #watched(binding: Binding, before: readonly Watched[]): readonly Watched[] {
    const { flowId, transport, node, contact } = binding;
    const { options, ports } = this.#core();
    if ((options.keepAliveMs ?? 0) === 0 || transport !== 'udp' || node !== options.node || flowId === undefined)
      return [];
    const flow = ports.network.find(flowId);
    if (flow === undefined || !isBehindNat(contact, flow.remote)) return [];
    // One that registered again has shown that it is there; of the others it is as it was.
    const known = before.find(({ binding: old }) => old.key === binding.key && isSameRegistration(old, binding));
    return [known ?? { binding, flowId, failures: 0, isAsked: false }];
  }

  async #takeUp(found: readonly Binding[] = [], after?: string): Promise<void> {
    const { ports, options } = this.#core();
    const page = { node: options.node, limit: pageSize, ...(after === undefined ? {} : { after }) };
    try {
      const more = await ports.location.overUdp(page);
      const all = [...found, ...more];
      const last = more.at(-1)?.flowId;
      if (last !== undefined && all.length < mostAddresses) await this.#takeUp(all, last);
      else this.#taken(all);
    } catch {
      ports.clock.after(retryMs, () => void this.#takeUp(found, after));
    }
  }

  #taken(bindings: readonly Binding[]): void {
    const byAor = Map.groupBy(bindings, ({ aor }) => aor);
    // Who has registered meanwhile is known better.
    for (const [aor, own] of byAor) if (!this.#sliceOf(aor).has(aor)) this.registered(aor, own);
  }

  // --- asking --------------------------------------------------------------------------------------------------------

  #tick(everyMs: number): void {
    this.#stopTick = this.#core().ports.clock.after(everyMs, () => {
      this.#tick(everyMs);
      const slice = this.#slices[this.#turn];
      this.#turn = (this.#turn + 1) % slices;
      if (slice !== undefined) this.#ask(slice);
    });
  }

  #ask(slice: Slice): void {
    const nowMs = this.#core().ports.clock.nowMs();
    for (const [aor, all] of slice) {
      const live = all.filter(({ binding }) => binding.expiresAtMs > nowMs);
      if (live.length === 0) slice.delete(aor);
      for (const one of live) if (!one.isAsked) this.#askOne(one);
    }
  }

  #askOne(one: Watched): void {
    const { ports, transactions } = this.#core();
    const flow = ports.network.find(one.flowId);
    if (flow === undefined) return;
    one.isAsked = true;
    transactions.client(this.#options(one.binding, flow), flow, {
      response: () => {
        one.isAsked = false;
        one.failures = 0;
      },
      failed: () => this.#failed(one),
      terminated: () => {
        one.isAsked = false;
      },
    });
  }

  #options({ contact }: Binding, flow: Flow) {
    const { ports, domains } = this.#core();
    const { host } = flow.listener.advertised;
    return createRequest({
      method: 'OPTIONS',
      uri: contact,
      via: viaFor(flow.listener, `z9hG4bK${ports.random.hex(8)}`),
      from: `<sip:${domains.first}>;tag=${ports.random.hex(4)}`,
      to: `<${contact}>`,
      callId: `${ports.random.hex(8)}@${host}`,
      cseq: 1,
    });
  }

  #failed(one: Watched): void {
    one.isAsked = false;
    one.failures += 1;
    if (one.failures < mostFailures) return;
    const { log } = this.#core().ports;
    const { aor, source } = one.binding;
    this.#drop(one.binding).then(
      () => log.info({ aor, source }, 'A device behind NAT has not answered twice; its registration is removed'),
      // Next time.
      (thrown: unknown) => log.info({ aor, source, error: String(thrown) }, 'A device that is gone stays registered'),
    );
  }

  /** Not if it has registered again in this moment: that has the next CSeq, and this comes too late. */
  async #drop({ aor, key, callId, cseq }: Binding): Promise<void> {
    const { ports, presence } = this.#core();
    const gone = await ports.location.change({ aor, callId, cseq: cseq + 1, save: [], remove: [key] });
    if (gone.outcome !== 'stored') return;
    this.registered(aor, gone.bindings);
    presence.contactEnded(aor);
  }

  #sliceOf(aor: string): Slice {
    let sum = 0;
    for (let at = 0; at < aor.length; at++) sum = (sum * 31 + aor.charCodeAt(at)) % 65_521;
    return this.#slices[sum % slices] ?? new Map();
  }
}

function isSameRegistration(one: Binding, other: Binding): boolean {
  return one.callId === other.callId && one.cseq === other.cseq && one.flowId === other.flowId;
}
