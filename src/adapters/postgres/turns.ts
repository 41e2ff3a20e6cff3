/** One at a time of a kind, in the order in which they came; of other kinds as many as there are. */

export interface Turns {
  /** As `work` ends, when those of this key before it have ended. */
  take<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
  /** Resolves when nobody has a turn or waits for one. */
  idle(): Promise<void>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();

  async function take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = last.get(key);
    const turn = before === undefined ? work() : before.then(work, work);
    last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (last.get(key) === turn) last.delete(key);
    }
  }

  async function idle(): Promise<void> {
    while (last.size > 0) await Promise.allSettled(last.values());
  }

  return { take, idle };
}
