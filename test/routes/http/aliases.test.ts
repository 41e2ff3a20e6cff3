import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operations } from '../../../src/engine/operations.ts';
import { alias, http, operations, TOKEN } from '../../adapters/http/fixture.ts';

type Method = 'GET' | 'PUT' | 'DELETE';

async function ask(method: Method, path: string, payload?: object, changed: Partial<Operations> = {}) {
  const app = await http({ apiToken: TOKEN, operations: { ...operations, ...changed } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await app.inject({ method, url: `/api/v1/aliases${path}`, headers, ...(payload && { payload }) });
  await app.close();
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json<unknown>() };
}

test('aliases are listed, set and removed; one that is not there is 404', async () => {
  assert.deepEqual(await ask('GET', ''), { status: 200, body: { items: [alias], next: null } });
  assert.deepEqual(await ask('PUT', '/0049*', { target: '+49*' }), { status: 200, body: alias });
  assert.equal((await ask('DELETE', '/0049*@example.com')).status, 204);
  assert.equal((await ask('DELETE', '/0048*@example.com')).status, 404);
  assert.equal((await ask('PUT', '/0049*', {})).status, 400);
});

test('a pattern comes through its path as it is, also with a question mark', async () => {
  const asked: string[] = [];
  const setAlias = async (pattern: string, target: string) => {
    asked.push(`${pattern} ${target}`);
    return alias;
  };
  await ask('PUT', `/${encodeURIComponent('+4930123??@example.com')}`, { target: 'alice' }, { setAlias });
  assert.deepEqual(asked, ['+4930123??@example.com alice']);
});
