import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registrar } from '../../routes/registrar.ts';
import { refuse } from '../../src/engine/api.ts';
import {
  type Answers,
  createFakeProxy,
  inWords,
  type RequestParts,
  requestOf,
  type Service,
} from '../support/fake-proxy.ts';

async function check(
  parts: RequestParts,
  answers: Partial<Answers>,
  verdict: string,
  asked: readonly Service[],
): Promise<void> {
  const proxy = createFakeProxy(answers);
  assert.equal(inWords(await registrar(requestOf(parts), proxy)), verdict);
  assert.deepEqual(proxy.asked, asked);
}

const register: RequestParts = { method: 'REGISTER', uri: 'sip:example.com', to: 'sip:alice@example.com' };

test('only a REGISTER is for the registrar', async () => {
  for (const method of ['INVITE', 'PUBLISH', 'MESSAGE']) await check({ ...register, method }, {}, 'not mine', []);
});

test('RFC 3261 §10.3: a REGISTER for an address of ours is answered by the registrar', async () => {
  await check(register, {}, 'reply 200', ['register']);
  await check(register, { registered: refuse('interval-too-brief', 423) }, 'reply 423 interval-too-brief', [
    'register',
  ]);
});

test('RFC 3261 §10.3 step 5: an address of another domain is not to be found here, whatever the Request-URI says', () =>
  check({ ...register, to: 'sip:alice@example.net' }, {}, 'reply 404 not-found', []));
