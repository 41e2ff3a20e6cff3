import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reqinit } from '../../routes/reqinit.ts';
import { refuse } from '../../src/engine/api.ts';
import { type Answers, createFakeProxy, inWords, type RequestParts, requestOf } from '../support/fake-proxy.ts';

function check(parts: RequestParts, answers: Partial<Answers>, verdict: string): void {
  assert.equal(inWords(reqinit(requestOf(parts), createFakeProxy(answers))), verdict);
}

const ask: RequestParts = { method: 'OPTIONS', uri: 'sip:example.com' };

test('RFC 3261 §16.3: what is wrong with the request is its answer', () => {
  check({}, { check: refuse('too-many-hops', 483) }, 'reply 483 too-many-hops');
  check(ask, { check: refuse('bad-extension', 420) }, 'reply 420 bad-extension');
});

test('RFC 3261 §16.3: a request in order goes on', () => {
  for (const method of ['INVITE', 'REGISTER', 'MESSAGE', 'BYE']) check({ method }, {}, 'not mine');
});

test('RFC 3261 §11.2: OPTIONS to the server itself is answered, without a login', () => {
  const proxy = createFakeProxy();
  const verdict = reqinit(requestOf(ask), proxy);
  assert.ok(verdict?.kind === 'reply');
  assert.equal(verdict.status, 200);
  assert.deepEqual(
    verdict.headers?.map(([name]) => name),
    ['Allow', 'Accept', 'Supported', 'Allow-Events'],
  );
  assert.deepEqual(proxy.asked, ['check']);
});

test('RFC 3261 §11.2: Allow names what we route, the methods that make a call among it', () => {
  const verdict = reqinit(requestOf(ask), createFakeProxy());
  const [, allow = ''] = (verdict?.kind === 'reply' ? verdict.headers : undefined)?.[0] ?? [];
  for (const method of ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER']) assert.ok(allow.includes(method));
});

test('RFC 3261 §11: OPTIONS to a user, to another domain or in a dialog is not ours to answer', () => {
  check({ ...ask, uri: 'sip:bob@example.com' }, {}, 'not mine');
  check({ ...ask, uri: 'sip:example.org' }, {}, 'not mine');
  check({ ...ask, toTag: 'bob-tag' }, {}, 'not mine');
});
