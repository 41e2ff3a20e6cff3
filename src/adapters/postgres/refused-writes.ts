/**
 * A server that answers and takes no writes (read-only, its disk full): which statements it has refused for that, and not done
 * since. A probe finds nothing wrong with it, so what is asked of it anyway has to tell.
 */
import { errors, type Failure } from '../../errors.ts';
import type { Cancel, Clock, Log } from '../../ports.ts';

export interface RefusedWrites {
  /** The last one, while there is any. */
  latest(): Failure | undefined;
  refused(statement: string, failure: Failure): void;
  done(statement: string): void;
  stop(): void;
}

/** A statement that nobody repeats says nothing for longer. */
const forgetMs = 60_000;

export function createRefusedWrites(after: Clock['after'], log: Log): RefusedWrites {
  const refused = new Map<string, Failure>();
  let latest: Failure | undefined;
  let stopTimer: Cancel | undefined;

  function forget(): void {
    refused.clear();
    latest = undefined;
    stopTimer?.();
    stopTimer = undefined;
  }

  return {
    latest: () => latest,
    refused(statement, failure) {
      const { nextStep } = errors['database-down'];
      if (latest === undefined) log.error({ error: failure.detail, nextStep }, 'the database takes no writes');
      latest = failure;
      refused.set(statement, failure);
      stopTimer?.();
      stopTimer = after(forgetMs, forget);
    },
    done(statement) {
      if (latest === undefined || !refused.delete(statement) || refused.size > 0) return;
      log.info({}, 'the database takes writes again');
      forget();
    },
    stop: forget,
  };
}
