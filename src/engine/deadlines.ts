/**
 * Work that is waited for no longer than so long, all of it under one timer: a timer for each question to a route would be
 * a dozen to a call, nearly all of them for nothing.
 */
import type { Clock } from '../ports.ts';

interface Held {
  readonly untilMs: number;
  readonly late: () => void;
}

export class Deadlines {
  readonly #clock: Pick<Clock, 'after' | 'nowMs'>;
  readonly #ms: number;
  /** Oldest first. */
  readonly #held = new Set<Held>();
  #isWatching = false;

  constructor(clock: Pick<Clock, 'after' | 'nowMs'>, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** What comes of `work`, or what `late` makes; the work itself goes on, and nobody hears of it. */
  hold<T>(work: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const held = { untilMs: this.#clock.nowMs() + this.#ms, late: () => reject(late()) };
      const over = (): void => void this.#held.delete(held);
      this.#held.add(held);
      if (!this.#isWatching) this.#watch(this.#ms);
      work.then(resolve, reject).then(over, over);
    });
  }

  #watch(ms: number): void {
    this.#isWatching = true;
    this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#clock.nowMs();
    for (const held of this.#held) {
      if (held.untilMs > nowMs) {
        this.#watch(held.untilMs - nowMs);
        return;
      }
      this.#held.delete(held);
      held.late();
    }
    this.#isWatching = false;
  }
}
