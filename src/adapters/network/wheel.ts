/**
 * One timer for all connections: a hashed timing wheel. 10,000 sockets need 10,000 deadlines that almost never fire;
 * setting and cancelling one here is a Set operation. An action comes up to one tick late.
 */
import type { Cancel } from '../../ports.ts';

interface Entry {
  rounds: number;
  readonly action: () => void;
}

const slotCount = 64;

export class Wheel {
  readonly #tickMs: number;
  readonly #slots: readonly Set<Entry>[] = Array.from({ length: slotCount }, () => new Set<Entry>());
  readonly #timer: NodeJS.Timeout;
  #ticks = 0;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  /** Ticks since the start: a cheap clock for "was anything heard since". */
  get ticks(): number {
    return this.#ticks;
  }

  ticksOf(delayMs: number): number {
    return Math.floor(delayMs / this.#tickMs) + 1;
  }

  after(delayMs: number, action: () => void): Cancel {
    const ticks = this.ticksOf(delayMs);
    const slot = this.#slot(this.#ticks + ticks);
    const entry: Entry = { rounds: Math.floor((ticks - 1) / slotCount), action };
    slot.add(entry);
    return () => slot.delete(entry);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const slot of this.#slots) slot.clear();
  }

  #tick(): void {
    this.#ticks += 1;
    const slot = this.#slot(this.#ticks);
    for (const entry of [...slot]) {
      // An action before this one in the slot may have cancelled it.
      if (!slot.has(entry)) continue;
      if (entry.rounds > 0) {
        entry.rounds -= 1;
        continue;
      }
      slot.delete(entry);
      entry.action();
    }
  }

  #slot(tick: number): Set<Entry> {
    const slot = this.#slots[tick % slotCount];
    if (slot === undefined) throw new RangeError(`no slot for tick ${tick}`);
    return slot;
  }
}
