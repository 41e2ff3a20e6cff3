import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOurs, viaBranch } from '../../src/media/via-branch.ts';

describe('via-branch: a cluster mark and our branch', () => {
  const ours = viaBranch('vd7', 'z9hG4bKabc.1');

  it('is told apart from the branches of another cluster and of other software', () => {
    assert.equal(isOurs('vd7', ours), true);
    assert.equal(isOurs('vd', ours), false);
    assert.equal(isOurs('vd7', viaBranch('vd70', 'z9hG4bKabc.1')), false);
    assert.equal(isOurs('vd7', 'z9hG4bK-524287-1---c2f871b95bf7422b0'), false);
  });
});
