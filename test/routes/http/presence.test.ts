import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mailbox, Operations, WatcherRule } from '../../../src/engine/operations.ts';
import { Failure } from '../../../src/errors.ts';
import { http, mailbox, operations, publication, rule, subscription, TOKEN } from '../../adapters/http/fixture.ts';

interface Asking {
  readonly method?: 'GET' | 'PUT' | 'DELETE';
  readonly payload?: object;
  readonly changed?: Partial<Operations>;
}

async function ask(path: string, { method = 'GET', payload, changed = {} }: Asking = {}) {
  const app = await http({ apiToken: TOKEN, operations: { ...operations, ...changed } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await app.inject({ method, url: `/api/v1${path}`, headers, ...(payload && { payload }) });
  await app.close();
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json<unknown>() };
}

test('GET /api/v1/presence/publications and /subscriptions: what is published, and who watches whom', async () => {
  assert.deepEqual((await ask('/presence/publications')).body, { items: [publication], next: null });
  assert.deepEqual((await ask('/presence/subscriptions')).body, { items: [subscription], next: null });
});

test('/api/v1/presence/rules: read, set and remove who may watch an account', async () => {
  const set: WatcherRule[] = [];
  const setWatcherRule = async (one: WatcherRule) => void set.push(one);
  assert.deepEqual((await ask('/presence/rules?presentity=sip:bob@example.com')).body, { items: [rule], next: null });
  assert.equal(
    (await ask('/presence/rules', { method: 'PUT', payload: rule, changed: { setWatcherRule } })).status,
    204,
  );
  assert.deepEqual(set, [rule]);
  const one = '/presence/rules?presentity=sip:bob@example.com&watcher=sip:alice@example.com';
  assert.equal((await ask(one, { method: 'DELETE' })).status, 204);
  const removeWatcherRule = async () => false;
  assert.equal((await ask(one, { method: 'DELETE', changed: { removeWatcherRule } })).status, 404);
});

test('a rule with an unknown policy or without a watcher: 400, and nothing is set', async () => {
  const setWatcherRule = () => assert.fail('set');
  for (const payload of [
    { ...rule, policy: 'maybe' },
    { presentity: rule.presentity, policy: 'allow' },
  ]) {
    assert.equal((await ask('/presence/rules', { method: 'PUT', payload, changed: { setWatcherRule } })).status, 400);
  }
});

test('an address that is none: 400', async () => {
  const watcherRules = async () => {
    throw new Failure('malformed', 'An address looks like sip:alice@example.com.');
  };
  assert.equal((await ask('/presence/rules?presentity=nonsense', { changed: { watcherRules } })).status, 400);
});

test('/api/v1/mailboxes: read and set the counts behind the lamp; counts that are not told are none', async () => {
  const set: Mailbox[] = [];
  const setMailbox = async (one: Mailbox) => void set.push(one);
  assert.deepEqual((await ask('/mailboxes?aor=sip:bob@example.com')).body, mailbox);
  const payload = { aor: 'sip:bob@example.com', newMessages: 3 };
  assert.equal((await ask('/mailboxes', { method: 'PUT', payload, changed: { setMailbox } })).status, 204);
  assert.deepEqual(set, [{ ...payload, oldMessages: 0, newUrgent: 0, oldUrgent: 0 }]);
  assert.equal((await ask('/mailboxes', { method: 'PUT', payload: { ...payload, newMessages: -1 } })).status, 400);
});
