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
  live: boolean;
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
  const timers = createQueue();
  let nowMs = startMs;
  let count = 0;

  const after = (delayMs: number, action: () => void): Cancel => {
    const timer: Timer = { dueMs: nowMs + Math.max(0, delayMs), number: count++, action, live: true };
    timers.add(timer);
    return () => timers.cancel(timer);
  };
  const advanceUntil = async (done: () => boolean, limitMs: number): Promise<boolean> => {
    const endMs = nowMs + limitMs;
    for (;;) {
      await settle();
      if (done()) return true;
      const next = timers.first();
      if (next === undefined || next.dueMs > endMs) break;
      timers.cancel(next);
      nowMs = next.dueMs;
      next.action();
    }
    nowMs = endMs;
    return false;
  };
  const advance = async (ms: number): Promise<void> => {
    await advanceUntil(() => false, ms);
  };
  return { nowMs: () => nowMs, after, advance, advanceUntil, pending: () => timers.size() };
}

/** A binary heap: a test may set tens of thousands of timers. Cancelled ones leave when they come to the top. */
function createQueue(): {
  add(timer: Timer): void;
  cancel(timer: Timer): void;
  first(): Timer | undefined;
  size(): number;
} {
  const heap: Timer[] = [];
  let live = 0;

  const first = (): Timer | undefined => {
    while (heap[0]?.live === false) removeTop(heap);
    return heap[0];
  };
  const add = (timer: Timer): void => {
    live++;
    heap.push(timer);
    rise(heap, heap.length - 1);
  };
  const cancel = (timer: Timer): void => {
    if (timer.live) live--;
    timer.live = false;
  };
  return { add, cancel, first, size: () => live };
}

function rise(heap: Timer[], start: number): void {
  for (let at = start; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!swapped(heap, at, parent)) return;
    at = parent;
  }
}

function removeTop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  for (let at = 0; ; ) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    const child = isBefore(heap[right], heap[left]) ? right : left;
    if (!swapped(heap, child, at)) return;
    at = child;
  }
}

/** Puts `upper` below `lower` if that is due earlier. */
function swapped(heap: Timer[], lower: number, upper: number): boolean {
  const [a, b] = [heap[lower], heap[upper]];
  if (a === undefined || b === undefined || !isBefore(a, b)) return false;
  heap[lower] = b;
  heap[upper] = a;
  return true;
}

/** The earlier; of equals the one set first. */
function isBefore(a: Timer | undefined, b: Timer | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
}
