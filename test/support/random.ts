/**
 * Chance with a seed (`ports.ts` Random): the same seed gives the same run, so a failing one can be replayed.
 * Never for anything secret.
 */
import type { Random } from '../../src/ports.ts';

export interface SeededRandom extends Random {
  /** At least `from`, at most `to`. */
  integer(from: number, to: number): number;
  chance(probability: number): boolean;
}

export function createRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  // "splitmix32": a counter, and a mixer that lets each bit of it reach all others.
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    const once = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
    return (twice ^ (twice >>> 16)) >>> 0;
  };
  const fraction = (): number => next() / 2 ** 32;
  const byte = (): string => (next() >>> 24).toString(16).padStart(2, '0');
  return {
    fraction,
    hex: (bytes) => Array.from({ length: bytes }, byte).join(''),
    integer: (from, to) => from + Math.floor(fraction() * (to - from + 1)),
    chance: (probability) => fraction() < probability,
  };
}
