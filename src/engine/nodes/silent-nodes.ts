/**
 * Nodes that the database has not heard of for a while are asked themselves, by OPTIONS (RFC 3261 §11). One that answers
 * has only lost the database: it keeps its clients and calls, and nobody takes over what it has.
 *
 * Any answer counts. Left out: a node that neither the database nor the other nodes reach, which nobody can tell from a
 * dead one.
 */
import { createRequest } from '../../message/build.ts';
import type { NodeSeen, NodeSelf } from '../../ports.ts';
import { type Core, viaFor } from '../core.ts';
import { addressText, nameOf, uriOf } from './node-address.ts';

const answerMs = 4_000;

export class SilentNodes {
  readonly #core: () => Core;
  /** By name: when it answered last. */
  readonly #answeredMs = new Map<string, number>();
  /** Names of those that the log has. */
  readonly #told = new Set<string>();
  /** Names of those that an OPTIONS is on its way to. */
  readonly #asked = new Set<string>();

  constructor(core: () => Core) {
    this.#core = core;
  }

  /** Within this time. */
  hasAnswered(node: NodeSelf, withinMs: number): boolean {
    const atMs = this.#answeredMs.get(nameOf(node));
    return atMs !== undefined && this.#core().ports.clock.nowMs() - atMs < withinMs;
  }

  /** Whether its answer is all that keeps it from being taken for gone. */
  keeps(node: NodeSeen, withinMs: number): boolean {
    if (!this.hasAnswered(node, withinMs)) return false;
    const { id, address, silentMs } = node;
    const fields = { node: id, address: addressText(address), silentMs };
    if (!this.#told.has(nameOf(node))) this.#core().ports.log.warn(fields, 'A node answers, and has lost the database');
    this.#told.add(nameOf(node));
    return true;
  }

  /** These, and no others any more. */
  ask(silent: readonly NodeSeen[]): void {
    const names = new Set(silent.map(nameOf));
    for (const known of [this.#answeredMs, this.#told])
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    for (const node of silent) if (!this.#asked.has(nameOf(node))) this.#ask(node);
  }

  #ask(node: NodeSeen): void {
    const name = nameOf(node);
    this.#asked.add(name);
    this.#send(node, () => this.#answered(node)).catch(() => this.#asked.delete(name));
  }

  #answered(node: NodeSeen): void {
    this.#answeredMs.set(nameOf(node), this.#core().ports.clock.nowMs());
    this.#asked.delete(nameOf(node));
  }

  async #send(node: NodeSeen, answered: () => void): Promise<void> {
    const { nodeRouting, nextHops, transactions, domains, ports } = this.#core();
    const uri = uriOf(node.address);
    const target = { uri, owner: node.id };
    const [listener, face] = [nodeRouting.listenerTo(target), nodeRouting.faceTo(target)];
    if (listener === undefined || face === undefined) throw new Error('There is no listener.');
    const { flow } = await nextHops.hopTo(target, undefined, listener);
    const request = createRequest({
      method: 'OPTIONS',
      uri,
      via: viaFor(face, `z9hG4bK${ports.random.hex(8)}`),
      from: `<sip:${domains.first}>;tag=${ports.random.hex(4)}`,
      to: `<${uri}>`,
      callId: ports.random.hex(12),
      cseq: 1,
    });
    const over = (): void => void this.#asked.delete(nameOf(node));
    const asked = transactions.client(request, flow, { response: answered, failed: over, terminated: over });
    // The next beat asks again.
    ports.clock.after(answerMs, () => asked.abandon());
  }
}
