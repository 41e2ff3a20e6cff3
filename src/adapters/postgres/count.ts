/** How many rows there are, for the statistics: exact while they are few, and asked for seldom when they are many. */
import type { Clock } from '../../ports.ts';

const exactUpTo = 10_000;
const mostAgeMs = 30_000;
const allRows = 2_000_000_000;

/** Whoever looks at the statistics each second must not have a million rows counted each time. */
export function createCount(countTo: (most: number) => Promise<number>, clock: Clock): () => Promise<number> {
  let known = { count: 0, atMs: Number.NEGATIVE_INFINITY };
  return async () => {
    if (clock.nowMs() - known.atMs < mostAgeMs) return known.count;
    const few = await countTo(exactUpTo + 1);
    if (few <= exactUpTo) return few;
    known = { count: await countTo(allRows), atMs: clock.nowMs() };
    return known.count;
  };
}
