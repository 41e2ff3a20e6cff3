/**
 * How often each source may do something: a bucket of tokens for each, filled at a steady rate. Time is an argument.
 *
 * Bounded: the source that came first makes room, so a flood with forged addresses costs memory for so many and no more.
 */

export interface RateLimit {
  readonly perSecond: number;
  /** What may come at once. */
  readonly burst: number;
  /** Sources that are remembered. */
  readonly entries?: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

const defaultEntries = 20_000;

export class Rate {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token; `false`: there is none left. */
  allows(source: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(source) ?? this.#newBucket(source, nowMs);
    const { perSecond, burst } = this.#limit;
    // A clock that was set back must not take tokens away.
    const passedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (passedMs * perSecond) / 1000);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #newBucket(source: string, nowMs: number): Bucket {
    if (this.#buckets.size >= (this.#limit.entries ?? defaultEntries)) {
      const [first] = this.#buckets.keys();
      if (first !== undefined) this.#buckets.delete(first);
    }
    const bucket = { tokens: this.#limit.burst, atMs: nowMs };
    this.#buckets.set(source, bucket);
    return bucket;
  }
}
