import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailedCall } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { serverKinds, withDatabase } from '../../support/postgres.ts';

const startMs = Date.UTC(2026, 0, 1);

function failed(id: string, values: Partial<FailedCall> = {}): FailedCall {
  return {
    id,
    callId: `${id}@\xe9xample`,
    node: 'node-1',
    from: 'sip:j\xc3\xbcrgen@example.com',
    to: 'sip:bob@example.com',
    startedAtMs: startMs,
    endedAtMs: startMs + 5_000,
    status: 486,
    code: undefined,
    story: '{"story":{},"events":[]}',
    ...values,
  };
}

for (const kind of serverKinds) {
  test(`${kind}: a failed call comes back byte for byte, and a later one with its Call-ID replaces it`, () =>
    withDatabase({ kind }, async ({ failedCalls }) => {
      await failedCalls.save(failed('one'));
      assert.deepEqual(await failedCalls.find('one'), failed('one'));
      await failedCalls.save(failed('one', { status: undefined, code: 'media-down' }));
      assert.deepEqual(await failedCalls.find('one'), failed('one', { status: undefined, code: 'media-down' }));
      assert.equal(await failedCalls.find('two'), undefined);
    }));

  test(`${kind}: a week after its end it is swept`, async () => {
    const clock = createClock(startMs);
    await withDatabase({ kind, clock }, async ({ failedCalls }) => {
      const day = 24 * 3_600_000;
      await failedCalls.save(failed('old', { endedAtMs: startMs - 8 * day }));
      await failedCalls.save(failed('new', { endedAtMs: startMs - 6 * day }));
      assert.equal(await failedCalls.sweep(), 1);
      assert.equal(await failedCalls.find('old'), undefined);
      assert.equal((await failedCalls.find('new'))?.id, 'new');
    });
  });
}
