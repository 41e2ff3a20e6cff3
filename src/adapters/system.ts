/** Time and chance of this machine, and how busy this process is (`ports.ts` Clock, Random, Load). */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock, Load, Random } from '../ports.ts';

/** `Date.now()` may be set back; the time since the start of the process may not. */
const startMs = Date.now() - performance.now();

export const systemClock: Clock = {
  nowMs: () => Math.floor(startMs + performance.now()),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Random bytes are drawn in bulk: a call to the system for each branch parameter would cost more than the branch. */
const poolBytes = 4096;

export function createRandom(): Random {
  let pool = randomBytes(poolBytes);
  let used = 0;
  const take = (count: number): Buffer => {
    if (used + count > pool.length) {
      pool = randomBytes(Math.max(poolBytes, count));
      used = 0;
    }
    used += count;
    return pool.subarray(used - count, used);
  };
  return { hex: (bytes) => take(bytes).toString('hex'), fraction: () => take(4).readUInt32BE() / 0x1_0000_0000 };
}

/**
 * Not the delay of timers: datagrams wait in the buffer of the kernel, a few of them are read in each turn, and no timer
 * is ever late.
 */
export function createLoad(): Load {
  let last = performance.eventLoopUtilization();
  return {
    utilization: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
  };
}
