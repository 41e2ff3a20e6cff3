/**
 * Answers of name servers, kept for a while: a name is asked for once at a time, and what was not found is forgotten soon.
 * While no name server answers, what was last known of a name holds on (RFC 8767): trunks seldom move, and name servers
 * fail for all of them at once. Bounded: the oldest name makes room.
 */

export interface AnswerLimits {
  readonly names: number;
  readonly keepMs: number;
  /** A name that was not found may be there soon, or its server back. */
  readonly keepFailureMs: number;
  /** How old what was last known may be. */
  readonly staleMs: number;
}

/** What a name server said; `undefined`: none has answered. */
export type Answer<T> = readonly T[] | undefined;

interface Known<T> {
  readonly records: readonly T[];
  readonly atMs: number;
}

interface Entry<T> {
  readonly records: Promise<readonly T[]>;
  readonly untilMs: number;
  /** What a name server last said. */
  readonly known: Known<T> | undefined;
  readonly isUnanswered: boolean;
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
  of(name: string, ask: (name: string) => Promise<Answer<T>>): Promise<readonly T[]> {
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.untilMs > this.#nowMs()) return entry.records;
    this.#entries.delete(name);
    this.#makeRoom();
    const known = this.#stillGood(entry?.known);
    const answer = ask(name);
    const records = answer.then((found) => found ?? known?.records ?? []);
    this.#entries.set(name, { records, known, isUnanswered: false, untilMs: this.#nowMs() + this.#limits.keepMs });
    // Noted before anybody hears of it.
    void answer.then((found) => this.#note(name, records, found));
    return records;
  }

  /** No name server has answered, and nothing is known of before. */
  isUnanswered(name: string): boolean {
    return this.#entries.get(name)?.isUnanswered === true;
  }

  #stillGood(known: Known<T> | undefined): Known<T> | undefined {
    return known !== undefined && known.atMs + this.#limits.staleMs > this.#nowMs() ? known : undefined;
  }

  #note(name: string, records: Promise<readonly T[]>, found: Answer<T>): void {
    const entry = this.#entries.get(name);
    if (entry?.records !== records) return;
    const nowMs = this.#nowMs();
    const { keepMs, keepFailureMs } = this.#limits;
    const known = found === undefined ? entry.known : { records: found, atMs: nowMs };
    // With a dead name server nobody waits for it again at once, also for what is known not to be there.
    const isShort = found === undefined ? known === undefined : found.length === 0;
    this.#entries.set(name, {
      records,
      known,
      isUnanswered: known === undefined,
      untilMs: isShort ? nowMs + Math.min(keepFailureMs, keepMs) : entry.untilMs,
    });
  }

  #makeRoom(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#limits.names) this.#entries.delete(oldest);
  }
}
