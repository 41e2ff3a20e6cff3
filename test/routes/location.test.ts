import assert from 'node:assert/strict';
import { test } from 'node:test';
import { location } from '../../routes/location.ts';
import { Failure } from '../../src/errors.ts';
import {
  type Answers,
  alice,
  createFakeProxy,
  inWords,
  type RequestParts,
  requestOf,
  ringsOnly,
  type Service,
} from '../support/fake-proxy.ts';

async function check(
  parts: RequestParts,
  answers: Partial<Answers>,
  verdict: string,
  asked: readonly Service[],
): Promise<void> {
  const proxy = createFakeProxy(answers);
  assert.equal(inWords(await location(requestOf(parts), proxy)), verdict);
  assert.deepEqual(proxy.asked, asked);
}

const devices = [{ uri: 'sip:bob@192.0.2.2' }, { uri: 'sip:x@y.invalid;transport=ws', flowId: 'c00b007-1' }];

test('RFC 3261 §16.5: an address of another domain is its own only target, and our database is not asked', () =>
  check({ uri: 'sip:dave@example.org;user=phone' }, {}, 'relay sip:dave@example.org;user=phone', []));

test('RFC 3261 §16.5: all devices of an address of ours ring', () =>
  check({}, { targets: devices }, 'relay sip:bob@192.0.2.2 sip:x@y.invalid;transport=ws', ['lookup', 'calls']));

test('RFC 3261 §16.6: flow, Path and media of each target go along with it', async () => {
  const target = { uri: 'sip:bob@192.0.2.2', flowId: 'f', route: ['<sip:edge;lr>'], media: 'webrtc' as const };
  const verdict = await location(requestOf(), createFakeProxy({ targets: [target] }));
  assert.deepEqual(verdict, { kind: 'relay', targets: [target], ringMs: undefined });
});

test('DESIGN §5: what was asked beside the login is not asked again', async () => {
  const request = requestOf({ user: alice });
  request.notes.targets = Promise.resolve(devices);
  request.notes.calls = Promise.resolve(ringsOnly);
  const proxy = createFakeProxy();
  assert.equal(inWords(await location(request, proxy)), 'relay sip:bob@192.0.2.2 sip:x@y.invalid;transport=ws');
  assert.deepEqual(proxy.asked, ['admitsCallee']);
});

test('an account without a device is 480, for everybody', async () => {
  await check({}, { known: true }, 'reply 480 not-registered', ['lookup', 'calls']);
  await check({ user: alice }, { known: true }, 'reply 480 not-registered', ['lookup', 'calls']);
  await check({ trusted: true }, { known: true }, 'reply 480 not-registered', ['lookup', 'calls']);
});

test('no such account: 404 to one who logged in or is trusted', async () => {
  await check({ user: alice }, {}, 'reply 404 not-found', ['lookup', 'calls']);
  await check({ trusted: true }, {}, 'reply 404 not-found', ['lookup', 'calls']);
});

test('no such account: 480 to a stranger, as for one that exists: he must not learn which do', () =>
  check({}, {}, 'reply 480 not-registered', ['lookup', 'calls']));

test('law 5: a database that is down is no empty location service', async () => {
  const proxy = createFakeProxy({ targets: new Failure('database-down') });
  await assert.rejects(location(requestOf(), proxy), { code: 'database-down' });
});

test('any other request than a call goes to all devices, whatever the account wants for its calls', async () => {
  const answers = { targets: devices, calls: { 'sip:bob@example.com': { doNotDisturb: true } } };
  const relayed = 'relay sip:bob@192.0.2.2 sip:x@y.invalid;transport=ws';
  await check({ method: 'OPTIONS' }, answers, relayed, ['lookup']);
  await check({ method: 'OPTIONS' }, { known: true }, 'reply 480 not-registered', ['lookup', 'calls']);
});
