/** How many rows there are, for the statistics: exact while they are few, and asked for seldom when they are many. */
import type { Clock } from '../../ports.ts';

const exactUpTo = 10_000;
const leastAgeMs = 30_000;
/** Counting takes a thousandth of the time at most: a million rows are counted some times in an hour. */
const restsPerMs = 1_000;
const allRows = 2_000_000_000;

/** Whoever looks at the statistics each second must not have a million rows counted each time. */
export function createCount(countTo: (most: number) => Promise<number>, clock: Clock): () => Promise<number> {
  let known = { count: 0, untilMs: Number.NEGATIVE_INFINITY };
  return async () => {
    if (clock.nowMs() < known.untilMs) return known.count;
    const few = await countTo(exactUpTo + 1);
    if (few <= exactUpTo) return few;
    const fromMs = clock.nowMs();
    const count = await countTo(allRows);
    const tookMs = clock.nowMs() - fromMs;
    known = { count, untilMs: clock.nowMs() + Math.max(leastAgeMs, restsPerMs * tookMs) };
    return count;
  };
}
