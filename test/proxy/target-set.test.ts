import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inGroups } from '../../src/proxy/target-set.ts';

test('RFC 3261 §16.6: targets of equal q together, the groups in order of q; without q a target is among the first', () => {
  const targets = [{ n: 1, q: 0.5 }, { n: 2 }, { n: 3, q: 0 }, { n: 4, q: 1 }, { n: 5, q: 0.5 }];
  const groups = inGroups<{ readonly n: number; readonly q?: number }>(targets);
  assert.deepEqual(
    groups.map((group) => group.map(({ n }) => n)),
    [[2, 4], [1, 5], [3]],
  );
  assert.deepEqual(inGroups([]), []);
});
