/**
 * What nodes tell each other (DESIGN §5, many nodes): a table that each of them reads twice in a second. Correct without
 * LISTEN; who has missed some of it, since the database was away for longer than changes are of use, is told so.
 *
 * What is told is left to be read from the tables that it is about, but for calls in progress, which have none.
 * Bounded (law 9): beyond the bound, while the database is away, the oldest is given up.
 */
import type { Cancel, Change, ChangeStore, Clock, Log } from '../../ports.ts';

const pollMs = 500;
const tellMs = 5;
const retryMs = 2_000;
const mostAtOnce = 500;
const mostWaiting = 20_000;
/** As `ChangeStore.recent` has it. */
const recentMs = 10_000;

export interface ChangesPorts {
  /** Absent: this is the only node. */
  readonly changes: ChangeStore | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Who hears of what other nodes tell. */
export interface ChangesListener {
  heard(change: Change, node: string): void;
  /** Something may have been missed. */
  missed(): void;
}

export class Changes {
  readonly #ports: ChangesPorts;
  readonly #node: string;
  readonly #listener: ChangesListener;
  #waiting: Change[] = [];
  /** When each change was heard first. */
  readonly #heard = new Map<number, number>();
  #lastPollMs: number | undefined;
  #telling: Cancel | undefined;
  #isTelling = false;
  #polling: Cancel | undefined;
  #isStopped = false;

  constructor(ports: ChangesPorts, node: string, listener: ChangesListener) {
    this.#ports = ports;
    this.#node = node;
    this.#listener = listener;
  }

  /** What was told before is in the tables that are read at the start. */
  async start(): Promise<void> {
    if (this.#ports.changes !== undefined) await this.#poll(this.#ports.changes, () => undefined);
  }

  stop(): void {
    this.#isStopped = true;
    this.#polling?.();
  }

  tell(change: Change): void {
    const { changes } = this.#ports;
    if (changes === undefined) return;
    this.#waiting.push(change);
    if (this.#waiting.length > mostWaiting) this.#waiting.shift();
    this.#sendLater(changes, tellMs);
  }

  /** One group after the other: the order of what happens to one call must be kept. */
  #sendLater(changes: ChangeStore, delayMs: number): void {
    if (this.#isTelling) return;
    this.#telling ??= this.#ports.clock.after(delayMs, () => {
      this.#telling = undefined;
      this.#isTelling = true;
      const group = this.#waiting.splice(0, mostAtOnce);
      changes.tell(this.#node, group).then(
        () => this.#sent(changes, tellMs),
        (thrown: unknown) => {
          this.#ports.log.debug({ error: String(thrown) }, 'Other nodes are told later');
          this.#waiting = [...group, ...this.#waiting].slice(-mostWaiting);
          this.#sent(changes, retryMs);
        },
      );
    });
  }

  #sent(changes: ChangeStore, delayMs: number): void {
    this.#isTelling = false;
    if (this.#waiting.length > 0) this.#sendLater(changes, delayMs);
  }

  async #poll(changes: ChangeStore, heard: ChangesListener['heard']): Promise<void> {
    const { clock, log } = this.#ports;
    const askedMs = clock.nowMs();
    try {
      for (const { id, node, change } of await changes.recent(this.#node)) {
        if (!this.#heard.has(id)) heard(change, node);
        this.#heard.set(id, askedMs);
      }
      this.#forget(askedMs);
      if (this.#lastPollMs !== undefined && askedMs - this.#lastPollMs > recentMs / 2) this.#listener.missed();
      this.#lastPollMs = askedMs;
    } catch (thrown) {
      log.debug({ error: String(thrown) }, 'What other nodes tell is not heard');
    }
    if (this.#isStopped) return;
    this.#polling = clock.after(pollMs, () => {
      void this.#poll(changes, (change, node) => this.#listener.heard(change, node));
    });
  }

  #forget(nowMs: number): void {
    for (const [id, atMs] of this.#heard) if (nowMs - atMs > recentMs) this.#heard.delete(id);
  }
}
