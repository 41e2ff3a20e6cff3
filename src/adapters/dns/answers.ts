/**
 * Answers of name servers, kept for a while: a name is asked for once at a time, and what was not found is forgotten soon.
 * Bounded: the oldest name makes room.
 */

export interface AnswerLimits {
  readonly names: number;
  readonly keepMs: number;
  /** A name that was not found may be there soon, or its server back. */
  readonly keepFailureMs: number;
}

interface Entry<T> {
  readonly records: Promise<readonly T[]>;
  readonly untilMs: number;
}

export class Answers<T> {
  readonly #limits: AnswerLimits;
  readonly #nowMs: () => number;
  /** Oldest first; the promise stands here from the first question on. */
  readonly #entries = new Map<string, Entry<T>>();

  constructor(limits: AnswerLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** What is known of this name; else what `ask` finds, which must not throw. */
  of(name: string, ask: (name: string) => Promise<readonly T[]>): Promise<readonly T[]> {
    const known = this.#entries.get(name);
    if (known !== undefined && known.untilMs > this.#nowMs()) return known.records;
    this.#entries.delete(name);
    this.#makeRoom();
    const records = ask(name);
    this.#entries.set(name, { records, untilMs: this.#nowMs() + this.#limits.keepMs });
    void records.then((found) => this.#shorten(name, records, found.length));
    return records;
  }

  #shorten(name: string, records: Promise<readonly T[]>, count: number): void {
    if (count > 0 || this.#entries.get(name)?.records !== records) return;
    const { keepMs, keepFailureMs } = this.#limits;
    this.#entries.set(name, { records, untilMs: this.#nowMs() + Math.min(keepFailureMs, keepMs) });
  }

  #makeRoom(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#limits.names) this.#entries.delete(oldest);
  }
}
