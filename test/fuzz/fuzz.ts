/**
 * Fuzzing of every parser of what comes from outside: `npm run fuzz`, also with `-- --seconds 600 --seed 7 --target uri`.
 *
 * Ends with the first text that breaks one, printed so that it can become a test; exit 1.
 */
import { parseArgs } from 'node:util';
import { mutated } from '../support/mutations.ts';
import { createRandom } from '../support/random.ts';
import { feed, type Target, targets } from './targets.ts';

/** A parser that takes longer over one text can be made to block the event loop (law 11). */
const slowMs = 250;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    target: { type: 'string' },
  },
});
const seed = Number(values.seed);
const chosen = targets.filter(({ name }) => values.target === undefined || values.target === name);

if (chosen.length === 0 || !(Number(values.seconds) > 0) || !Number.isInteger(seed)) {
  const names = targets.map(({ name }) => name).join(', ');
  console.error(`usage: npm run fuzz -- [--seconds 60] [--seed 7] [--target NAME]\nTargets: ${names}`);
  process.exit(2);
}

const random = createRandom(seed);
const counts = new Map<string, number>();
console.log(`seed ${seed}: ${values.seconds} s over ${chosen.map(({ name }) => name).join(', ')}`);
for (const endMs = Date.now() + Number(values.seconds) * 1_000; Date.now() < endMs; )
  for (const one of chosen) round(one);
for (const [name, count] of counts) console.log(`${name.padEnd(10)} ${count} texts`);

function round(target: Target): void {
  for (let left = 200; left > 0; left -= 1) {
    const text = mutated(target.seeds[random.integer(0, target.seeds.length - 1)] ?? '', random);
    // A busy machine is slow once, with any text.
    const tookMs = timeOf(target, text);
    if (tookMs > slowMs && timeOf(target, text) > slowMs) fail(target, text, `took ${Math.round(tookMs)} ms`);
  }
  counts.set(target.name, (counts.get(target.name) ?? 0) + 200);
}

function timeOf(target: Target, text: string): number {
  const beganMs = performance.now();
  try {
    feed(target, text);
  } catch (thrown) {
    fail(target, text, thrown);
  }
  return performance.now() - beganMs;
}

function fail({ name }: Target, text: string, why: unknown): never {
  console.error(`${name} breaks on\n${JSON.stringify(text)}\n`, why);
  process.exit(1);
}
