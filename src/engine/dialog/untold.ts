/**
 * Devices that have not heard that their call is over: their connection was gone, or nobody answered the BYE. Each is told
 * when it registers again; else its page shows a call in which nobody speaks, until its user hangs up.
 *
 * Kept in memory alone: over a restart of ours it is forgotten. Left out: the BYE (hang-up.ts).
 */
import type { SideName } from '../../dialog/record.ts';
import type { Binding, Clock, DialogRecord } from '../../ports.ts';

type BindingRef = Pick<Binding, 'aor' | 'key'>;

/** A call that is over, and the side of it that does not know. */
export interface UntoldSide {
  readonly record: DialogRecord;
  readonly side: SideName;
}

interface Waiting extends UntoldSide {
  readonly key: string;
  readonly sinceMs: number;
}

/** Accounts, and calls of each; the oldest makes room (law 9). */
const mostAccounts = 2_000;
const mostOfEach = 16;
/** In which every telephone registers again (RFC 3261 §10.2.1.1: an hour is usual). */
const keepMs = 3_600_000;

export class Untold {
  readonly #clock: Clock;
  readonly #byAor = new Map<string, readonly Waiting[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing to do for one that has no registration: it does not come back by one. */
  note(record: DialogRecord, side: SideName): void {
    const { binding } = record[side];
    if (binding === undefined) return;
    const { aor, key } = binding;
    const others = this.#byAor.get(aor) ?? [];
    const waiting = { record, side, key, sinceMs: this.#clock.nowMs() };
    this.#byAor.delete(aor);
    const [oldest] = this.#byAor.keys();
    if (this.#byAor.size >= mostAccounts && oldest !== undefined) this.#byAor.delete(oldest);
    this.#byAor.set(aor, [...others.slice(1 - mostOfEach), waiting]);
  }

  /** Whether it matters where the devices of this address are. */
  concerns(aor: string): boolean {
    return this.#byAor.has(aor);
  }

  /** What this device is to be told now that it is back; the next time it is nothing. */
  take({ aor, key }: BindingRef): readonly UntoldSide[] {
    const all = this.#byAor.get(aor);
    if (all === undefined) return [];
    const others = all.filter((one) => one.key !== key);
    if (others.length === 0) this.#byAor.delete(aor);
    else this.#byAor.set(aor, others);
    const since = this.#clock.nowMs() - keepMs;
    return all.filter((one) => one.key === key && one.sinceMs > since);
  }
}
