import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operations } from '../../../src/engine/operations.ts';
import { http, operations, session, TOKEN } from '../../adapters/http/fixture.ts';

type Method = 'GET' | 'POST' | 'DELETE';

async function ask(method: Method, path: string, payload?: object, changed: Partial<Operations> = {}) {
  const app = await http({ apiToken: TOKEN, operations: { ...operations, ...changed } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await app.inject({ method, url: `/api/v1/sessions${path}`, headers, ...(payload && { payload }) });
  await app.close();
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json<unknown>() };
}

test('POST /api/v1/sessions gives a browser name, password and WebSocket; 404 where there is no account', async () => {
  const credentials = { username: session.id, password: 'once', webSocket: 'wss://192.0.2.1:8443' };
  assert.deepEqual(await ask('POST', '', { address: session.address }), {
    status: 201,
    body: { ...session, ...credentials },
  });
  assert.equal((await ask('POST', '', { address: 'nobody@example.com' })).status, 404);
});

test('a session lasts an hour, or as long as is asked, up to a day', async () => {
  const asked: number[] = [];
  const addSession = async (_address: string, seconds: number) => {
    asked.push(seconds);
    return undefined;
  };
  for (const payload of [{}, { expiresSeconds: 60 }, { expiresSeconds: 86_400 }]) {
    await ask('POST', '', { address: session.address, ...payload }, { addSession });
  }
  assert.deepEqual(asked, [3600, 60, 86_400]);
  for (const expiresSeconds of [59, 86_401, 'long']) {
    assert.equal((await ask('POST', '', { address: session.address, expiresSeconds })).status, 400);
  }
});

test('sessions are listed without their passwords, and revoked', async () => {
  assert.deepEqual((await ask('GET', '')).body, { items: [session], next: null });
  assert.equal((await ask('DELETE', `/${session.id}`)).status, 204);
  assert.equal((await ask('DELETE', `/${session.id.replace('01', '99')}`)).status, 404);
});
