import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hashes } from '../../../src/adapters/postgres/subscriber-store.ts';
import type { Session } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { serverKinds, sql, withDatabase } from '../../support/postgres.ts';

const domain = 'example.com';
const nowMs = Date.UTC(2026, 0, 1);
const idOf = (digit: number): string => `session-${String(digit).repeat(24)}`;

function session(digit: number, values: Partial<Session> = {}): Session {
  return { id: idOf(digit), username: 'alice', domain, createdAtMs: nowMs, expiresAtMs: nowMs + 60_000, ...values };
}

for (const kind of serverKinds) {
  describe(`sessions, ${kind}`, () => {
    test('a session is its account with hashes of its own, and no password is stored', async () => {
      const clock = createClock(nowMs);
      await withDatabase({ kind, clock }, async ({ subscribers, sessions }, connection) => {
        await subscribers.add('alice', domain, 'hers');
        assert.equal(await sessions.add(session(1), 'hidden'), true);
        const found = await sessions.find(idOf(1));
        assert.deepEqual([found?.username, found?.session], ['alice', idOf(1)]);
        assert.deepEqual([found?.ha1Md5, found?.ha1Sha256], hashes(idOf(1), domain, 'hidden'));
        assert.doesNotMatch(JSON.stringify(await sql(connection, 'SELECT * FROM session')), /hidden/);
      });
    });

    test('it ends when it expires, is removed, or its account is shut or removed', async () => {
      const clock = createClock(nowMs);
      await withDatabase({ kind, clock }, async ({ subscribers, sessions }) => {
        await subscribers.add('alice', domain, 'x');
        await subscribers.add('bob', domain, 'x');
        for (const one of [
          session(1),
          session(2),
          session(3, { expiresAtMs: nowMs }),
          session(4, { username: 'bob' }),
        ]) {
          assert.equal(await sessions.add(one, 'x'), true);
        }
        assert.equal(await sessions.add(session(5, { username: 'carol' }), 'x'), false);
        const all = [1, 2, 3, 4, 5].map(idOf);
        assert.deepEqual((await sessions.alive(all)).toSorted(), [1, 2, 4].map(idOf));
        assert.equal(await sessions.remove(idOf(2)), true);
        assert.equal(await sessions.remove(idOf(2)), false);
        await subscribers.setDisabled('alice', domain, true);
        assert.deepEqual(await sessions.alive(all), [idOf(4)]);
        assert.equal(await sessions.find(idOf(1)), undefined);
        await subscribers.remove('bob', domain);
        await subscribers.add('bob', domain, 'x');
        assert.deepEqual(await sessions.alive(all), []);
      });
    });

    test('those that hold are listed by page; expired ones are swept', async () => {
      const clock = createClock(nowMs);
      await withDatabase({ kind, clock }, async ({ subscribers, sessions }, connection) => {
        await subscribers.add('alice', domain, 'x');
        for (const one of [session(2), session(1), session(3, { expiresAtMs: nowMs })]) await sessions.add(one, 'x');
        assert.deepEqual(await sessions.page(1), [session(1)]);
        assert.deepEqual(await sessions.page(2, idOf(1)), [session(2)]);
        assert.equal(await sessions.sweep(), 1);
        assert.equal((await sql(connection, 'SELECT id FROM session')).length, 2);
      });
    });
  });
}
