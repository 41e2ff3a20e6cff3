import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operations } from '../../../src/engine/operations.ts';
import { Failure } from '../../../src/errors.ts';
import { http, operations, subscriber, TOKEN } from '../../adapters/http/fixture.ts';

interface Asking {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly payload?: object;
  readonly changed?: Partial<Operations>;
}

async function ask(path: string, { method = 'GET', payload, changed = {} }: Asking = {}) {
  const app = await http({ apiToken: TOKEN, operations: { ...operations, ...changed } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await app.inject({ method, url: `/api/v1/subscribers${path}`, headers, ...(payload && { payload }) });
  await app.close();
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json<unknown>() };
}

const alice = '/alice@example.com';

test('accounts are listed by page, and read one by one', async () => {
  assert.deepEqual((await ask('')).body, { items: [subscriber], next: null });
  const next = async () => ({ items: [subscriber], next: subscriber.address });
  assert.deepEqual((await ask('?limit=1', { changed: { subscribers: next } })).body, {
    items: [subscriber],
    next: 'alice@example.com',
  });
  assert.deepEqual((await ask(alice)).body, subscriber);
  assert.equal((await ask('/nobody@example.com')).status, 404);
});

test('an account is added once: 201 and what it is, 409 for one that is there', async () => {
  const payload = { address: 'alice@example.com', password: 'secret' };
  assert.deepEqual(await ask('', { method: 'POST', payload }), { status: 201, body: subscriber });
  const addSubscriber = async () => undefined;
  assert.equal((await ask('', { method: 'POST', payload, changed: { addSubscriber } })).status, 409);
});

test('what is no account, or says more than it should, is refused and changes nothing', async () => {
  const addSubscriber = () => assert.fail('added');
  const good = { address: 'alice', password: 'x' };
  for (const payload of [{}, { address: 'alice' }, { ...good, password: '' }]) {
    assert.equal((await ask('', { method: 'POST', payload, changed: { addSubscriber } })).status, 400);
  }
  const malformed = async () => {
    throw new Failure('malformed', 'example.org is not served here.');
  };
  const { status, body } = await ask('', { method: 'POST', payload: good, changed: { addSubscriber: malformed } });
  assert.equal(status, 400);
  assert.match(JSON.stringify(body), /example.org is not served here/);
});

test('password, disable, enable and remove answer 204, and 404 where there is no such account', async () => {
  const changes = [
    { path: '/password', method: 'PUT', payload: { password: 'new' } },
    { path: '', method: 'PATCH', payload: { disabled: true } },
    { path: '', method: 'PATCH', payload: { disabled: false } },
    { path: '', method: 'DELETE' },
  ] as const;
  for (const { path, ...asking } of changes) {
    assert.equal((await ask(`${alice}${path}`, asking)).status, 204);
    assert.equal((await ask(`/nobody@example.com${path}`, asking)).status, 404);
  }
});
