/**
 * What the watchers of an address were last told of its contacts: a refresh of what they know is no news for them. And
 * when the first of these contacts ends if nobody refreshes it: the location service forgets it silently, and its
 * watchers shall hear of it.
 *
 * Bounded (law 9): what is beyond the bound counts as never told, and its end is noticed with the next refresh.
 */
import type { Binding, Cancel, Clock } from '../../ports.ts';

const most = 100_000;
/** Behind the end, so that the row does not count any more. */
const marginMs = 50;

interface Told {
  readonly keys: string;
  readonly cancel: Cancel;
}

export class ToldRegistrations {
  readonly #clock: Clock;
  readonly #ended: (aor: string) => void;
  readonly #told = new Map<string, Told>();

  constructor(clock: Clock, ended: (aor: string) => void) {
    this.#clock = clock;
    this.#ended = ended;
  }

  note(aor: string, bindings: readonly Binding[]): void {
    const known = this.#told.get(aor);
    if (known === undefined && this.#told.size >= most) return;
    known?.cancel();
    const endsAtMs = Math.min(...bindings.map(({ expiresAtMs }) => expiresAtMs));
    this.#told.set(aor, { keys: keysOf(bindings), cancel: this.#wake(aor, endsAtMs) });
  }

  /** Whether these are others than the watchers know of. */
  differs(aor: string, bindings: readonly Binding[]): boolean {
    const known = this.#told.get(aor);
    if (known === undefined) return true;
    if (known.keys !== keysOf(bindings)) return true;
    this.note(aor, bindings);
    return false;
  }

  #wake(aor: string, atMs: number): Cancel {
    if (!Number.isFinite(atMs)) return () => undefined;
    return this.#clock.after(Math.max(0, atMs - this.#clock.nowMs()) + marginMs, () => this.#ended(aor));
  }
}

function keysOf(bindings: readonly Binding[]): string {
  return (
    bindings
      // RFC 5628: with another Call-ID all temporary GRUUs that they were told of are stale.
      .map(({ key, callId, gruuCSeq }) => (gruuCSeq === undefined ? key : `${key} ${callId}`))
      .sort()
      .join('\n')
  );
}
