/**
 * Failed logins: after 5 of one user from one address within 60 s, that address waits (DESIGN, "Bad input"). The same
 * user from elsewhere is not locked out, so nobody can lock out somebody else.
 *
 * State of the engine, bounded; time is an argument. Refused attempts while blocked do not count, or a client that
 * retries by itself would never come back. Left out: the 403 itself (routes/auth.ts, `login-blocked`).
 */
import { createHash } from 'node:crypto';

export interface FailureLimits {
  readonly failures: number;
  readonly windowMs: number;
  /** Pairs of source and user that are remembered; the one that failed longest ago makes room. */
  readonly entries: number;
}

const defaults: FailureLimits = { failures: 5, windowMs: 60_000, entries: 10_000 };

export class FailedLogins {
  readonly #limits: FailureLimits;
  /** Times of the last failures, at most `failures` of them; in the order of the last one. */
  readonly #times = new Map<string, readonly number[]>();

  constructor(limits: FailureLimits = defaults) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#times.size;
  }

  /** A wrong password or an unknown user: they count alike. */
  note(sourceAddress: string, user: string, nowMs: number): void {
    const key = keyOf(sourceAddress, user);
    const times = [...this.#recent(key, nowMs), nowMs].slice(-this.#limits.failures);
    this.#times.delete(key);
    if (this.#times.size >= this.#limits.entries) this.#dropOldest();
    this.#times.set(key, times);
  }

  blocked(sourceAddress: string, user: string, nowMs: number): boolean {
    return this.#recent(keyOf(sourceAddress, user), nowMs).length >= this.#limits.failures;
  }

  /** A login succeeded. */
  clear(sourceAddress: string, user: string): void {
    this.#times.delete(keyOf(sourceAddress, user));
  }

  #recent(key: string, nowMs: number): readonly number[] {
    return (this.#times.get(key) ?? []).filter((time) => time + this.#limits.windowMs > nowMs);
  }

  #dropOldest(): void {
    const [oldest] = this.#times.keys();
    if (oldest !== undefined) this.#times.delete(oldest);
  }
}

// A user name from outside may be as long as a message: what is kept per entry has one size.
function keyOf(sourceAddress: string, user: string): string {
  return createHash('sha256').update(`${sourceAddress}\n${user}`, 'latin1').digest('base64url');
}
