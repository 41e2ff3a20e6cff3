/**
 * The other nodes over the same database (DESIGN §5, many nodes): who is there.
 *
 * Each node says every few seconds that it is there, by the clock of the database. One that is silent for too long, and does
 * not answer either (silent-nodes.ts), is handed nothing any more, nor are connections of its earlier runs; some time later
 * it is gone, and others take over what it had.
 * Without NODE_ADDRESS there are no others, the database is asked nothing, and nothing here does anything.
 * Left out: how a request gets to another node (node-routing.ts), what becomes of the calls of a node that is gone
 * (node-gone.ts), what nodes tell each other (changes.ts).
 */
import { nodeNumber } from '../../dialog/token.ts';
import type { Binding, Cancel, NodeSeen, NodeSelf } from '../../ports.ts';
import type { Core } from '../core.ts';
import { MissedRuns } from './newcomers.ts';
import { addressText, nameOf } from './node-address.ts';
import { SilentNodes } from './silent-nodes.ts';

const beatMs = 2_000;
/** After this nothing is sent to a node any more. Five beats: one or two may be late in a busy database. */
const goneMs = 10_000;
/** Before that it is asked whether it has only lost the database. */
const askedMs = 5_000;

/** A node that the database was too slow for, and that still has its clients, shall not lose them. */
const mournedMs = 30_000;
/** Law 9. */
const mostMourned = 1_000;

export class Membership {
  readonly #core: () => Core;
  /** Absent without NODE_ADDRESS. */
  readonly self: NodeSelf | undefined;
  readonly #tell: { readonly gone: (node: NodeSelf) => void };
  /** The others that are there, by id. */
  #others: ReadonlyMap<string, NodeSeen> = new Map();
  /** The others as the database has them, with those that are silent. */
  #seen: readonly NodeSeen[] = [];
  /** When our own beats began to succeed in a row. */
  #beatingSinceMs: number | undefined;
  readonly #mourned = new Set<string>();
  readonly #silent: SilentNodes;
  readonly #missed = new MissedRuns();
  #hasBeaten = false;
  #isDouble = false;
  /** The beat that is on its way. */
  #beating: Promise<void> = Promise.resolve();
  #timer: Cancel | undefined;
  #isStopped = false;

  constructor(core: () => Core, self: NodeSelf | undefined, tell: { readonly gone: (node: NodeSelf) => void }) {
    this.#core = core;
    this.self = self;
    this.#tell = tell;
    this.#silent = new SilentNodes(core);
  }

  /** NODE_ADDRESS is set. */
  get areMany(): boolean {
    return this.self !== undefined;
  }

  /** This one first. */
  list(): readonly NodeSeen[] {
    return this.self === undefined ? [] : [{ ...this.self, silentMs: 0 }, ...this.#others.values()];
  }

  others(): readonly NodeSeen[] {
    return [...this.#others.values()];
  }

  /** Said before anything of ours is read: another node must not take our calls for those of one that is gone. */
  async start(): Promise<void> {
    if (this.self === undefined) return;
    this.#beating = this.#beat(this.self);
    await this.#beating;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.();
    if (this.self === undefined) return;
    // It would bring the row back.
    await this.#beating;
    const { nodes } = this.#core().ports;
    await nodes?.leave(this.self).catch(() => undefined);
  }

  /** The nodes of these bindings; one that is not known may have started since the last beat, and is looked for. */
  async meet(bindings: readonly Pick<Binding, 'node' | 'boot'>[]): Promise<void> {
    const { self } = this;
    if (self === undefined || this.#isStopped) return;
    const isNew = ({ node, boot }: Pick<Binding, 'node' | 'boot'>): boolean =>
      node !== self.id && this.#others.get(node)?.boot !== boot && this.#missed.add({ id: node, boot });
    if (bindings.filter(isNew).length === 0) return;
    this.#beating = this.#beating.then(() => this.#askWhoIsThere(self));
    await this.#beating;
  }

  async #beat(self: NodeSelf): Promise<void> {
    await this.#askWhoIsThere(self);
    if (this.#isStopped) return;
    this.#timer = this.#core().ports.clock.after(beatMs, () => {
      this.#beating = this.#beating.then(() => this.#beat(self));
    });
  }

  async #askWhoIsThere(self: NodeSelf): Promise<void> {
    const { nodes, log } = this.#core().ports;
    try {
      this.#look(self, (await nodes?.beat(self)) ?? []);
    } catch (thrown) {
      // Then it is not the others who are silent.
      if (this.#beatingSinceMs !== undefined) log.warn({ error: String(thrown) }, 'The other nodes cannot be seen');
      this.#beatingSinceMs = undefined;
    }
  }

  #look(self: NodeSelf, seen: readonly NodeSeen[]): void {
    this.#lookForDouble(self, seen);
    const nowMs = this.#core().ports.clock.nowMs();
    this.#beatingSinceMs ??= nowMs;
    // Everybody was silent while the database was away: each is given its time anew.
    const isFair = nowMs - this.#beatingSinceMs >= goneMs;
    const before = this.#seen;
    this.#seen = seen.filter(({ id }) => id !== self.id);
    const answers = (node: NodeSeen): boolean => this.#silent.hasAnswered(node, goneMs);
    const isThere = (node: NodeSeen): boolean =>
      node.silentMs < goneMs || answers(node) || (!isFair && this.#others.has(node.id));
    this.#others = new Map(this.#seen.filter(isThere).map((node) => [node.id, node]));
    for (const node of this.#others.values()) this.#mourned.delete(nameOf(node));
    const runs = new Set(this.#seen.map(nameOf));
    const ended = before.filter((node) => !runs.has(nameOf(node)));
    const silent = this.#seen.filter(({ silentMs }) => silentMs >= askedMs);
    this.#silent.ask(silent.filter((node) => !this.#mourned.has(nameOf(node)) && !this.#isReplaced(self, node)));
    const overdue = isFair ? silent.filter(({ silentMs }) => silentMs >= mournedMs) : [];
    const gone = overdue.filter((node) => !this.#silent.keeps(node, goneMs));
    for (const node of [...ended, ...gone]) this.#mourn(node);
  }

  /** Two under one name take each other's connections for those of an earlier run, and drop them. Told once. */
  #lookForDouble(self: NodeSelf, seen: readonly NodeSeen[]): void {
    const isOurs = ({ id, boot }: NodeSeen): boolean => id !== self.id || boot === self.boot;
    // At the first beat it is the run before this one.
    const isDouble = this.#hasBeaten && !seen.every(isOurs);
    this.#hasBeaten = true;
    if (!isDouble || this.#isDouble) return;
    this.#isDouble = true;
    const words = 'Another Viaduct has the name of this node, as from a copy of its DATA_DIR: give it one of its own';
    this.#core().ports.log.warn({ node: self.id }, words);
  }

  /** Another node is at its address by now, and would answer. */
  #isReplaced(self: NodeSelf, node: NodeSeen): boolean {
    const there = [{ ...self, silentMs: 0 }, ...this.#seen].filter(({ silentMs }) => silentMs < node.silentMs);
    return there.some(({ address }) => addressText(address) === addressText(node.address));
  }

  /** It has stopped, has begun anew, or is silent for so long that what it had is others' now; told once. */
  #mourn({ id, boot, address }: NodeSelf): void {
    const name = nameOf({ id, boot });
    if (this.#mourned.has(name)) return;
    this.#mourned.add(name);
    const [oldest] = this.#mourned;
    if (this.#mourned.size > mostMourned && oldest !== undefined) this.#mourned.delete(oldest);
    this.#core().ports.log.warn({ node: id, address: addressText(address) }, 'A node is gone, or was started anew');
    this.#tell.gone({ id, boot, address });
  }

  isOther(node: string | undefined): node is string {
    return this.self !== undefined && node !== undefined && node !== this.self.id;
  }

  /** Whether a request can be handed to this other node. */
  isThere(node: string): boolean {
    return this.#others.has(node);
  }

  /** In its present run; `undefined`: it is not there. */
  other(node: string): NodeSeen | undefined {
    return this.#others.get(node);
  }

  /** Whether this address is the one of another node. */
  hasAddress(address: string): boolean {
    for (const node of this.#others.values()) if (node.address.host === address) return true;
    return false;
  }

  /** The node with this number in a token; `undefined`: it is not there. */
  idOf(number: number): string | undefined {
    return this.list().find(({ id }) => nodeNumber(id) === number)?.id;
  }
}
