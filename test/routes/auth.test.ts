import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auth } from '../../routes/auth.ts';
import { refuse, reply } from '../../src/engine/api.ts';
import { Failure } from '../../src/errors.ts';
import {
  type Answers,
  alice,
  createFakeProxy,
  inWords,
  type RequestParts,
  requestOf,
  type Service,
} from '../support/fake-proxy.ts';

const ours = 'sip:alice@example.com';
const foreign = 'sip:carol@example.net';

/** The verdict in words, and which services were asked for it. */
async function check(
  parts: RequestParts,
  answers: Partial<Answers>,
  verdict: string,
  asked: readonly Service[],
): Promise<void> {
  const proxy = createFakeProxy(answers);
  assert.equal(inWords(await auth(requestOf(parts), proxy)), verdict);
  assert.deepEqual(proxy.asked, asked);
}

describe('DESIGN law 10: who may send what', () => {
  test('a user of ours who has sent no credentials gets the challenge', () =>
    check({ from: ours }, { login: reply(407) }, 'reply 407', ['login']));

  test('a user of ours logs in, and may then call into our domain and out of it', async () => {
    await check({ from: ours }, {}, 'not mine', ['login', 'lookup', 'calls', 'identity']);
    await check({ from: ours, uri: foreign }, {}, 'not mine', ['login', 'identity']);
  });

  test('who logged in is noted, for the routes that follow', async () => {
    const request = requestOf({ from: ours });
    await auth(request, createFakeProxy());
    assert.deepEqual(request.notes.user, alice);
  });

  test('nobody is noted when the login failed', async () => {
    const request = requestOf({ from: ours });
    await auth(request, createFakeProxy({ login: refuse('login-blocked', 403) }));
    assert.equal(request.notes.user, undefined);
  });

  test('a user of ours under the name of another one: 403', () =>
    check({ from: ours }, { identity: refuse('wrong-identity', 403) }, 'reply 403 wrong-identity', [
      'login',
      'lookup',
      'calls',
      'identity',
    ]));

  test('a REGISTER always needs a login, also under a foreign name', async () => {
    await check({ method: 'REGISTER', from: foreign, to: ours }, { login: reply(401) }, 'reply 401', ['login']);
    await check({ method: 'REGISTER', from: foreign, to: ours }, { acceptForeign: true }, 'not mine', [
      'login',
      'identity',
    ]);
  });

  test('from one foreign domain to another nothing is relayed, ACCEPT_FOREIGN or not', async () => {
    for (const acceptForeign of [false, true]) {
      await check({ from: foreign, uri: 'sip:dave@example.org' }, { acceptForeign }, 'reply 403 no-relay', []);
    }
  });

  test('a caller of another domain is refused, unless ACCEPT_FOREIGN says otherwise', async () => {
    await check({ from: foreign }, {}, 'reply 403 foreign-caller', []);
    await check({ from: foreign }, { acceptForeign: true }, 'not mine', ['admitsForeign']);
    const tooMany = { acceptForeign: true, admitsForeign: false };
    await check({ from: foreign }, tooMany, 'reply 503 foreign-rate', ['admitsForeign']);
  });

  test('a From that cannot be read, or is no SIP address, counts as foreign', async () => {
    for (const from of ['', 'tel:+4930', 'mailto:alice@example.com']) {
      await check({ from }, {}, 'reply 403 foreign-caller', []);
      await check({ from, uri: foreign }, { acceptForeign: true }, 'reply 403 no-relay', []);
    }
  });

  test('a preloaded Route that leads out of our domain is foreign, whatever the Request-URI says', async () => {
    const route = ['<sip:elsewhere.example.org;lr>'];
    await check({ from: foreign, route }, { acceptForeign: true }, 'reply 403 no-relay', []);
    await check({ from: ours, route }, {}, 'not mine', ['login', 'lookup', 'calls', 'identity']);
  });

  test('a TRUSTED network needs no login, under any name and to anywhere', async () => {
    for (const from of [ours, foreign]) {
      for (const uri of [ours, foreign]) await check({ from, uri, trusted: true }, {}, 'not mine', []);
    }
    await check({ method: 'REGISTER', trusted: true }, {}, 'not mine', []);
  });
});

test('law 5: when the database is down nobody is let in: the failure becomes the answer', async () => {
  const proxy = createFakeProxy({ login: new Failure('database-down') });
  await assert.rejects(auth(requestOf({ from: ours }), proxy), { code: 'database-down' });
});
