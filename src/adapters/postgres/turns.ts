/** One at a time of a kind, in the order in which they came; of other kinds as many as there are. */

export interface Turns {
  /** As `work` ends, when those of this key before it have ended. */
  take<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
  /** Works that wait for one before them. */
  waiting(): number;
  /** Resolves when nobody has a turn or waits for one. */
  idle(): Promise<void>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  let waiting = 0;

  async function take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = last.get(key);
    const turn = before === undefined ? work() : afterThat(before, work);
    last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (last.get(key) === turn) last.delete(key);
    }
  }

  async function afterThat<Result>(before: Promise<unknown>, work: () => Promise<Result>): Promise<Result> {
    waiting += 1;
    await before.catch(() => undefined);
    waiting -= 1;
    return work();
  }

  async function idle(): Promise<void> {
    while (last.size > 0) await Promise.allSettled(last.values());
  }

  return { take, waiting: () => waiting, idle };
}
