/**
 * Which flows closed with dialogs on them, and until when those wait for their client (law 4). What was open before the
 * start closed with it.
 */
import type { Clock } from '../../ports.ts';

export class ClosedFlows {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #atMs = new Map<string, number>();
  readonly #startedAtMs: number;

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#startedAtMs = clock.nowMs();
  }

  /** It has closed now; `over`: its client has not come back in time, as far as the time is concerned. */
  note(flowId: string, over: () => void = () => undefined): void {
    this.#atMs.set(flowId, this.#clock.nowMs());
    this.#clock.after(this.#graceMs, () => {
      this.#atMs.delete(flowId);
      over();
    });
  }

  has(flowId: string): boolean {
    return this.#atMs.has(flowId);
  }

  /** Of one that is not open: whether its client may still come back. */
  isAwaited(flowId: string): boolean {
    const since = this.#atMs.get(flowId) ?? this.#startedAtMs;
    return this.#clock.nowMs() - since < this.#graceMs;
  }
}
