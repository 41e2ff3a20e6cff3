/**
 * Which counts of which nonces were used (RFC 7616 §3.4 nc): the memory that refuses a replay.
 *
 * State of the engine, bounded in time and number; time is an argument. A nonce that had to make room is `forgotten`,
 * and so is every nonce not seen yet that is no younger: never is a used count taken for a fresh one.
 * Left out: whether a nonce is ours and in time (nonce.ts); ask that first.
 */
import { defaultNonceWindowMs, nonceTimeMs } from './nonce.ts';

/** Counts this far below the highest are still told apart; UDP may bring requests out of order. */
const depth = 32;

interface Seen {
  readonly highest: number;
  /** Bit n: `highest - n` was used. */
  readonly bits: number;
}

export interface NonceWindowLimits {
  readonly nonces: number;
  readonly windowMs: number;
}

export class NonceWindow {
  readonly #limits: NonceWindowLimits;
  /** In the order of their first use. */
  readonly #seen = new Map<string, Seen>();
  #forgottenUpToMs = -1;

  constructor(limits: NonceWindowLimits = { nonces: 100_000, windowMs: defaultNonceWindowMs }) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#seen.size;
  }

  use(nonce: string, count: number, nowMs: number): 'fresh' | 'replayed' | 'forgotten' {
    const seen = this.#seen.get(nonce);
    if (seen === undefined) return this.#useFirst(nonce, count, nowMs);
    const next = mark(seen, count);
    if (next === undefined) return 'replayed';
    this.#seen.set(nonce, next);
    return 'fresh';
  }

  #useFirst(nonce: string, count: number, nowMs: number): 'fresh' | 'forgotten' {
    if (nonceTimeMs(nonce) <= this.#forgottenUpToMs) return 'forgotten';
    this.#dropExpired(nowMs);
    if (this.#seen.size >= this.#limits.nonces) this.#dropOldest();
    this.#seen.set(nonce, { highest: count, bits: 1 });
    return 'fresh';
  }

  /** From the front while they are out of time; one behind a younger one waits until that goes. */
  #dropExpired(nowMs: number): void {
    for (const nonce of this.#seen.keys()) {
      if (nonceTimeMs(nonce) + this.#limits.windowMs > nowMs) return;
      this.#seen.delete(nonce);
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#seen.keys();
    if (oldest === undefined) return;
    this.#seen.delete(oldest);
    this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, nonceTimeMs(oldest));
  }
}

/** `undefined`: this count was used, or is too far below the highest to know. */
function mark(seen: Seen, count: number): Seen | undefined {
  const ahead = count - seen.highest;
  if (ahead > 0) return { highest: count, bits: ahead < depth ? (seen.bits << ahead) | 1 : 1 };
  const bit = 1 << -ahead;
  if (-ahead >= depth || (seen.bits & bit) !== 0) return undefined;
  return { highest: seen.highest, bits: seen.bits | bit };
}
