/**
 * The time between the wish to stop and the stop: new calls are refused (503 with Retry-After, `/health` says
 * `draining`), those in progress may end. Over when there is none left, at the deadline, or when somebody hurries.
 */
import type { Engine } from '../engine/engine.ts';
import type { Clock, Log } from '../ports.ts';

const lookMs = 250;

export interface DrainOptions {
  readonly engine: Pick<Engine, 'drain' | 'callsInProgress'>;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Drain {
  readonly over: Promise<void>;
  /** Ends it now; `false`: it is over already. */
  hurry(): boolean;
}

export function startDrain({ engine, deadlineMs, clock, log }: DrainOptions): Drain {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const untilMs = clock.nowMs() + deadlineMs;
  let waiting = true;
  const end = (): boolean => {
    const ended = waiting;
    waiting = false;
    resolve();
    return ended;
  };
  const look = (): void => {
    const leftMs = untilMs - clock.nowMs();
    if (!waiting) return;
    if (leftMs <= 0 || engine.callsInProgress() === 0) end();
    else clock.after(Math.min(lookMs, leftMs), look);
  };
  engine.drain();
  const calls = engine.callsInProgress();
  if (calls > 0 && deadlineMs > 0) {
    log.info({ calls, seconds: deadlineMs / 1000 }, 'Waiting for calls to end; the same signal again ends the wait');
  }
  look();
  return { over, hurry: end };
}
