/** Login by a token, as the routes ask for it: what becomes of each verdict, and what counts as an attempt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply, Request, User } from '../../../src/engine/api.ts';
import { Logins } from '../../../src/engine/auth/login.ts';
import { createTokenLogins } from '../../../src/engine/auth/token-login.ts';
import { Domains } from '../../../src/engine/domains.ts';
import type { RefusedToken, VerifiedToken } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { flowOf, listenerOf, type RequestParts, requestOf } from '../../support/fake-proxy.ts';
import { createMemoryDatabase } from '../../support/memory-stores.ts';
import { createRandom } from '../../support/random.ts';

const issuer = 'https://id.example.com/';
const untilMs = Date.UTC(2026, 0, 1, 1);
const good: VerifiedToken = { account: 'alice', untilMs };
const expired: RefusedToken = { fault: 'token-expired', detail: 'It ended.' };
const unsigned: RefusedToken = { fault: 'token-signature', detail: '' };

function create(takesTokens = true) {
  const clock = createClock();
  const database = createMemoryDatabase(clock);
  for (const name of ['alice', 'zo\xc3\xab', 'shut']) database.addUser(name, 'example.com', 'wonderland');
  void database.subscribers.setDisabled('shut', 'example.com', true);
  const domains = new Domains(['example.com', 'example.org'], [listenerOf()]);
  const watched = { failed: 0, succeeded: 0 };
  const watch = { loginFailed: () => void watched.failed++, loginSucceeded: () => void watched.succeeded++ };
  const known = new Map<string, VerifiedToken | RefusedToken>([['good', good]]);
  const verify = async (token: string) => known.get(token) ?? unsigned;
  const tokens = takesTokens ? createTokenLogins({ issuer, verify }, database.subscribers, domains) : undefined;
  const options = { owner: { node: 'n1', boot: 'b00700' }, secrets: ['secret'], domains, tokens };
  const logins = new Logins(clock, createRandom(1), database.subscribers, options, watch);
  return { clock, database, logins, known, watched };
}

type Office = ReturnType<typeof create>;

const register: RequestParts = { method: 'REGISTER', uri: 'sip:example.com', to: 'sip:alice@example.com' };

function bringing(token: string, parts: RequestParts = {}, header = 'Authorization'): Request {
  return requestOf({ flow: flowOf('wss'), ...parts, headers: [[header, `Bearer ${token}`]] });
}

async function outcomeOf({ logins }: Office, request: Request): Promise<string> {
  const outcome: User | Reply = await logins.login(request, () => undefined);
  if (!('kind' in outcome)) return `${outcome.username}@${outcome.domain} until ${outcome.untilMs}`;
  const challenges = (outcome.headers ?? []).map(([name, text]) => `${name}: ${text.replace(/ .*/, '')}`);
  return [outcome.status, outcome.code, outcome.detail, ...challenges].filter((part) => part).join(' ');
}

const alice = `alice@example.com until ${untilMs}`;

test('RFC 8898: a token logs in, in the header of a registrar, of a proxy, and in that of JsSIP for both', async () => {
  const office = create();
  assert.equal(await outcomeOf(office, bringing('good', register)), alice);
  assert.equal(await outcomeOf(office, bringing('good', {}, 'Proxy-Authorization')), alice);
  assert.equal(await outcomeOf(office, bringing('good')), alice);
  assert.deepEqual(office.watched, { failed: 0, succeeded: 3 });
});

test('where no tokens are taken, one is no credentials: the challenge is that of digest alone', async () => {
  const office = create(false);
  assert.equal(await outcomeOf(office, bringing('good', register)), '401 WWW-Authenticate: Digest');
  assert.equal(await outcomeOf(create(), requestOf(register)), '401 WWW-Authenticate: Digest', 'without one as well');
});

test('RFC 8898 §2.2: a wrong one is challenged for a token first, then for a password, with what is wrong', async () => {
  const office = create();
  const challenges = 'WWW-Authenticate: Bearer WWW-Authenticate: Digest';
  assert.equal(await outcomeOf(office, bringing('forged', register)), `401 token-signature ${challenges}`);
  office.known.set('old', expired);
  assert.equal(await outcomeOf(office, bringing('old', register)), `401 token-expired It ended. ${challenges}`);
  const asProxy = 'Proxy-Authenticate: Bearer Proxy-Authenticate: Digest';
  assert.equal(await outcomeOf(office, bringing('old')), `407 token-expired It ended. ${asProxy}`);
});

test('the account must be one of ours, and open; its name may be any that an address may have', async () => {
  const office = create();
  const named = (account: string): Promise<string> => {
    office.known.set('token', { account, untilMs });
    return outcomeOf(office, bringing('token', register));
  };
  assert.equal(await named('ALICE@EXAMPLE.COM'), '403 token-account ALICE@example.com', 'names have case');
  assert.equal(await named('sip:alice@Example.com'), alice);
  assert.equal(await named('zoë'), `zo\xc3\xab@example.com until ${untilMs}`);
  assert.equal(await named('alice@example.org'), '403 token-account alice@example.org');
  assert.equal(await named('shut'), '403 token-account shut@example.com');
  const elsewhere = '403 token-account What it names is no address of our domains.';
  for (const account of ['alice@elsewhere.net', '@example.com', 'a\r\nb', 'alice@']) {
    assert.equal(await named(account), elsewhere, account);
  }
  assert.equal(office.watched.failed, 0, 'nobody guesses who has a token that is signed');
});

test('a token that names a short-lived login is none of its account', async () => {
  const office = create();
  const name = `session-${'0'.repeat(24)}`;
  office.known.set('token', { account: name, untilMs });
  office.database.addUser(name, 'example.com', 'wonderland');
  assert.match(await outcomeOf(office, bringing('token', register)), /^403 token-account What it names is no address/);
});

test('over UDP no token is taken: it would not end with a connection', async () => {
  const office = create();
  assert.equal(await outcomeOf(office, bringing('good', { ...register, flow: flowOf('udp') })), '403 token-over-udp');
});

test('forged ones count like wrong passwords: five block that address of that source for a minute, and bans hear of each', async () => {
  const office = create();
  for (let attempt = 0; attempt < 5; attempt++) {
    assert.match(await outcomeOf(office, bringing('forged', register)), /^401 token-signature/);
  }
  assert.equal(office.watched.failed, 5);
  assert.equal(await outcomeOf(office, bringing('good', register)), '403 login-blocked');
  const elsewhere = { ...register, flow: flowOf('wss', '198.51.100.7') };
  assert.equal(await outcomeOf(office, bringing('good', elsewhere)), alice);
  await office.clock.advance(60_000);
  assert.equal(await outcomeOf(office, bringing('good', register)), alice);
});

test('who has a token that was signed guesses nothing, nor who has one of a key that we do not know or cannot fetch', async () => {
  const office = create();
  const signed = ['token-expired', 'token-early', 'token-issuer', 'token-audience', 'token-claim'] as const;
  const faults = [...signed, 'token-key', 'token-keys-missing'] as const;
  for (const fault of faults) office.known.set(fault, { fault, detail: '' });
  for (let attempt = 0; attempt < 50; attempt++) {
    for (const fault of faults) {
      const outcome = await outcomeOf(office, bringing(fault, register));
      assert.equal(outcome.split(' ')[1], fault);
    }
  }
  assert.equal(office.watched.failed, 0);
  assert.equal(await outcomeOf(office, bringing('good', register)), alice);
});
