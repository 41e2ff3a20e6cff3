/** A short run of `npm run fuzz` over each parser, by a seed that stays the same. */
import { test } from 'node:test';
import { mutated } from '../support/mutations.ts';
import { createRandom } from '../support/random.ts';
import { feed, targets } from './targets.ts';

for (const target of targets) {
  test(`${target.name}: 2,000 mutated texts are read or refused, and none breaks it`, () => {
    const random = createRandom(1);
    for (const text of target.seeds) feed(target, text);
    for (let left = 2_000; left > 0; left -= 1) {
      const text = mutated(target.seeds[random.integer(0, target.seeds.length - 1)] ?? '', random);
      try {
        feed(target, text);
      } catch (thrown) {
        throw new Error(`breaks on ${JSON.stringify(text)}`, { cause: thrown });
      }
    }
  });
}
