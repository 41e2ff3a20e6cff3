import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailedLogins } from '../../src/auth/failures.ts';

function fail(logins: FailedLogins, times: readonly number[], source = '192.0.2.1', user = 'alice'): void {
  for (const time of times) logins.note(source, user, time);
}

test('DESIGN, bad input: five failures of a user from one address within 60 s block that pair', () => {
  const logins = new FailedLogins();
  fail(logins, [0, 1000, 2000, 3000]);
  assert.equal(logins.blocked('192.0.2.1', 'alice', 3000), false);
  fail(logins, [4000]);
  assert.equal(logins.blocked('192.0.2.1', 'alice', 4000), true);
});

test('DESIGN, bad input: the same user from elsewhere, and another user from there, are not blocked', () => {
  const logins = new FailedLogins();
  fail(logins, [0, 0, 0, 0, 0]);
  assert.equal(logins.blocked('192.0.2.2', 'alice', 0), false);
  assert.equal(logins.blocked('192.0.2.1', 'bob', 0), false);
});

test('DESIGN, bad input: the block ends when the first of the five is 60 s old', () => {
  const logins = new FailedLogins();
  fail(logins, [0, 1000, 2000, 3000, 4000]);
  assert.equal(logins.blocked('192.0.2.1', 'alice', 59_999), true);
  assert.equal(logins.blocked('192.0.2.1', 'alice', 60_000), false);
});

test('DESIGN, bad input: five failures spread over more than 60 s do not block', () => {
  const logins = new FailedLogins();
  fail(logins, [0, 20_000, 40_000, 60_000, 80_000]);
  assert.equal(logins.blocked('192.0.2.1', 'alice', 80_000), false);
});

test('DESIGN, bad input: a right password clears the count', () => {
  const logins = new FailedLogins();
  fail(logins, [0, 0, 0, 0]);
  logins.clear('192.0.2.1', 'alice');
  fail(logins, [1]);
  assert.equal(logins.blocked('192.0.2.1', 'alice', 1), false);
});

test('law 9: the memory is bounded; the pair that failed longest ago makes room', () => {
  const logins = new FailedLogins({ failures: 1, windowMs: 60_000, entries: 2 });
  fail(logins, [0], '192.0.2.1');
  fail(logins, [1], '192.0.2.2');
  fail(logins, [2], '192.0.2.1');
  fail(logins, [3], '192.0.2.3');
  assert.equal(logins.size, 2);
  assert.deepEqual(
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((source) => logins.blocked(source, 'alice', 3)),
    [true, false, true],
  );
});
