/** Ended calls in PostgreSQL: written grouped, read back as they were, chosen by account, state and time. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallRecord } from '../../../src/ports.ts';
import { serverKinds, sql, withDatabase } from '../../support/postgres.ts';

const startMs = Date.UTC(2026, 0, 1);

const leg = { profile: 'rtp', packets: 500, bytes: 86_000, quality: undefined, noQuality: 'no-rtcp' } as const;

function record(id: string, values: Partial<CallRecord> = {}): CallRecord {
  return {
    id,
    startedAtMs: startMs,
    callId: `${id}@\xe9xample`,
    node: 'node-1',
    from: 'sip:j\xc3\xbcrgen@example.com',
    to: 'sip:bob@example.com',
    requestUri: 'sip:b\xc3\xb6b@example.com',
    fromAor: 'sip:j\xc3\xbcrgen@example.com',
    toAor: 'sip:bob@example.com',
    answeredAtMs: startMs + 2_000,
    endedAtMs: startMs + 5_000,
    state: 'ended',
    endedBy: 'caller',
    status: 200,
    code: undefined,
    detail: '',
    mediaNode: 'm1',
    mediaFault: undefined,
    recording: undefined,
    caller: {
      ...leg,
      role: 'caller',
      profile: 'webrtc',
      quality: { mos: 4.3, jitterMs: 2.5, lossPercent: 0.5, roundTripMs: 31, lost: 3 },
      noQuality: undefined,
    },
    callee: { ...leg, role: 'callee' },
    ...values,
  };
}

for (const kind of serverKinds) {
  test(`${kind}: a record comes back as it was, byte for byte, and what was not known is not`, () =>
    withDatabase({ kind }, async ({ callRecords }) => {
      const full = record('full', {
        mediaFault: { code: 'one-way', says: 'No – jürgen', nextStep: 'Look.' },
        recording: 'off',
      });
      const unanswered = { profile: undefined, packets: undefined, bytes: undefined, quality: undefined } as const;
      const bare = record('bare', {
        ...{
          requestUri: undefined,
          answeredAtMs: undefined,
          endedBy: undefined,
          status: undefined,
          mediaNode: undefined,
        },
        ...{ state: 'failed', code: 'media-down', detail: 'n\xc3\xb6' },
        caller: { role: 'caller', ...unanswered, noQuality: 'not-answered' },
        callee: { role: 'callee', ...unanswered, noQuality: 'not-answered' },
      });
      await Promise.all([callRecords.save(full), callRecords.save(bare)]);
      assert.deepEqual(await callRecords.find('full'), full);
      assert.deepEqual(await callRecords.find('bare'), bare);
      assert.equal(await callRecords.find('nobody'), undefined);
    }));

  test(`${kind}: a call that goes on replaces its record; a later one with its Call-ID has its own`, () =>
    withDatabase({ kind }, async ({ callRecords }, connection) => {
      await callRecords.save(record('one'));
      await callRecords.save(record('one', { status: 486 }));
      await callRecords.save(record('one', { startedAtMs: startMs + 60_000, status: 603 }));
      assert.equal((await callRecords.find('one'))?.status, 603);
      const rows = await sql(connection, 'SELECT status FROM call_record ORDER BY started_at');
      assert.deepEqual(rows, [{ status: 486 }, { status: 603 }]);
    }));

  test(`${kind}: are chosen by account, made or taken, by state and by time; newest first, page by page`, () =>
    withDatabase({ kind }, async ({ callRecords }) => {
      const alice = 'sip:alice@example.com';
      const bob = 'sip:bob@example.com';
      const carol = 'sip:carol@example.com';
      const call = (
        id: string,
        minute: number,
        fromAor = alice,
        toAor = bob,
        more: Partial<CallRecord> = {},
      ): CallRecord => record(id, { startedAtMs: startMs + minute * 60_000, fromAor, toAor, ...more });
      const calls = [
        call('a', 0),
        call('b', 0),
        call('c', 1, bob, carol),
        call('d', 2, carol, carol),
        call('e', 3, carol, alice, { state: 'failed' }),
      ];
      await Promise.all(calls.map((one) => callRecords.save(one)));
      const ids = async (wanted: Omit<Parameters<typeof callRecords.list>[0], 'limit'>, limit = 10) =>
        (await callRecords.list({ limit, ...wanted })).map(({ id }) => id).join('');
      assert.equal(await ids({}), 'edcab');
      assert.equal(await ids({ aor: alice }), 'eab');
      assert.equal(await ids({ aor: carol }), 'edc');
      assert.equal(await ids({ aor: carol, state: 'ended' }), 'dc');
      assert.equal(await ids({ state: 'failed' }), 'e');
      assert.equal(await ids({ sinceMs: startMs + 60_000, untilMs: startMs + 180_000 }), 'dc');
      assert.equal(await ids({ aor: bob }, 2), 'ca');
      assert.equal(await ids({ aor: bob, before: calls[0] }, 2), 'b');
      assert.equal(await ids({ before: calls[2] }), 'ab');
    }));

  test(`${kind}: a hundred calls that end at once are one statement`, () =>
    withDatabase({ kind }, async ({ callRecords }, connection) => {
      await Promise.all(Array.from({ length: 100 }, (_, index) => callRecords.save(record(`call-${index}`))));
      const [row] = await sql(
        connection,
        'SELECT count(*)::int AS rows, count(DISTINCT xmin::text)::int AS statements FROM call_record',
      );
      assert.deepEqual(row, { rows: 100, statements: 1 });
    }));

  test(`${kind}: a hundred calls that end within a second are some ten statements`, () =>
    withDatabase({ kind }, async ({ callRecords }, connection) => {
      const saved: Promise<void>[] = [];
      const beganMs = performance.now();
      for (let index = 0; index < 100; index++) {
        saved.push(callRecords.save(record(`call-${index}`)));
        await delay(10);
      }
      await Promise.all(saved);
      const [row] = await sql(connection, 'SELECT count(DISTINCT xmin::text)::int AS statements FROM call_record');
      const { statements } = row ?? assert.fail('no row');
      // On a busy machine the second takes longer.
      const most = (performance.now() - beganMs) / 100 + 1;
      assert.ok(Number(statements) <= most, `${statements} of ${most}`);
    }));

  test(`${kind}: a row that the table refuses hurts only itself`, () =>
    withDatabase({ kind }, async ({ callRecords }) => {
      const odd = record('odd', { status: 2 ** 40 });
      const [good, bad] = await Promise.allSettled([callRecords.save(record('good')), callRecords.save(odd)]);
      assert.equal(good.status, 'fulfilled');
      assert.equal(bad.status, 'rejected');
      assert.equal((await callRecords.find('good'))?.id, 'good');
    }));

  test(`${kind}: an address of 512 characters has room in the indexes, whatever they are, and one of 3,000 has none`, () =>
    withDatabase({ kind }, async ({ callRecords }) => {
      const bytes = (length: number): string =>
        Array.from(randomBytes(length), (byte) => String.fromCharCode(byte | 0x80)).join('');
      await callRecords.save(record('long', { fromAor: bytes(512), toAor: bytes(512) }));
      assert.equal((await callRecords.find('long'))?.toAor.length, 512);
      await assert.rejects(callRecords.save(record('longer', { toAor: bytes(3_000) })), { code: 'malformed' });
    }));

  test(`${kind}: is removed when its days are over, and kept where nobody says how many`, async () => {
    const old = record('old', { startedAtMs: Date.now() - 8 * 86_400_000 });
    await withDatabase({ kind }, async ({ callRecords }) => {
      await callRecords.save(old);
      assert.equal(await callRecords.sweep(), 0);
    });
    await withDatabase({ kind, recordDays: 7 }, async ({ callRecords }) => {
      await callRecords.save(old);
      await callRecords.save(record('new', { startedAtMs: Date.now() - 6 * 86_400_000 }));
      assert.equal(await callRecords.sweep(), 1);
      assert.deepEqual(
        (await callRecords.list({ limit: 10 })).map(({ id }) => id),
        ['new'],
      );
    });
  });
}
