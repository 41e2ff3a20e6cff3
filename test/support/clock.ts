/**
 * A clock that stands still until told to go on (`ports.ts` Clock). Three minutes of timer C take microseconds.
 *
 * `advance` runs the timers that fall due, in their order, and lets everything that awaits settle between two of them.
 * Waiting for real I/O is not its business: in a simulation there is none.
 */
import type { Cancel, Clock } from '../../src/ports.ts';

interface Timer {
  readonly dueMs: number;
  readonly number: number;
  readonly action: () => void;
}

export interface VirtualClock extends Clock {
  /** Lets `ms` pass. */
  advance(ms: number): Promise<void>;
  /** Lets time pass until `done()` is true; `false` when that has not come after `limitMs`. */
  advanceUntil(done: () => boolean, limitMs: number): Promise<boolean>;
  /** Timers that are set. At the end of a test: what was forgotten. */
  pending(): number;
}

/** Runs all that is ready to run, without letting time pass. */
export function settle(): Promise<void> {
  // An immediate comes after every microtask, and after those that they queue.
  return new Promise((resolve) => setImmediate(resolve));
}

export function createClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  const timers = new Set<Timer>();
  let nowMs = startMs;
  let count = 0;

  const after = (delayMs: number, action: () => void): Cancel => {
    const timer = { dueMs: nowMs + Math.max(0, delayMs), number: count++, action };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const advanceUntil = async (done: () => boolean, limitMs: number): Promise<boolean> => {
    const endMs = nowMs + limitMs;
    for (;;) {
      await settle();
      if (done()) return true;
      const next = first(timers);
      if (next === undefined || next.dueMs > endMs) break;
      timers.delete(next);
      nowMs = next.dueMs;
      next.action();
    }
    nowMs = endMs;
    return false;
  };
  const advance = async (ms: number): Promise<void> => {
    await advanceUntil(() => false, ms);
  };
  return { nowMs: () => nowMs, after, advance, advanceUntil, pending: () => timers.size };
}

/** The earliest; of equals the one set first. */
function first(timers: ReadonlySet<Timer>): Timer | undefined {
  let best: Timer | undefined;
  for (const timer of timers) if (best === undefined || before(timer, best)) best = timer;
  return best;
}

function before(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
}
