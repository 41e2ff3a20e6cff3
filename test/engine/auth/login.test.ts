import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply, Request, User } from '../../../src/engine/api.ts';
import { Logins } from '../../../src/engine/auth/login.ts';
import { Domains } from '../../../src/engine/domains.ts';
import { responseOf } from '../../../src/engine/replies.ts';
import type { Failure } from '../../../src/errors.ts';
import { get } from '../../../src/message/header.ts';
import { Via } from '../../../src/message/headers/via.ts';
import { createClock, type VirtualClock } from '../../support/clock.ts';
import { listenerOf, type RequestParts, requestOf } from '../../support/fake-proxy.ts';
import { withCredentials } from '../../support/login.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../../support/memory-stores.ts';
import { createRandom } from '../../support/random.ts';

const [here, elsewhere] = ['192.0.2.1', '198.51.100.7'];
const alice = { username: 'alice', domain: 'example.com' };
const register: RequestParts = { method: 'REGISTER', uri: 'sip:example.com', to: 'sip:alice@example.com' };

const ignore = (): void => undefined;

interface Office {
  readonly clock: VirtualClock;
  readonly database: MemoryDatabase;
  readonly logins: Logins;
}

function create({ clock = createClock(), boot = 'b00700', secrets = ['secret'] } = {}): Office {
  const database = createMemoryDatabase(clock);
  database.addUser('alice', 'example.com', 'wonderland');
  const domains = new Domains(['example.com'], [listenerOf()]);
  const options = { owner: { node: 'n1', boot }, secrets, domains };
  return { clock, database, logins: new Logins(clock, createRandom(1), database.subscribers, options) };
}

function from(address: string, request: Request): Request {
  return { ...request, flow: { ...request.flow, remote: { address, port: 5060 } } };
}

function isReply(outcome: User | Reply): outcome is Reply {
  return 'kind' in outcome;
}

async function refused({ logins }: Office, request: Request): Promise<Reply> {
  const outcome = await logins.login(request, ignore);
  assert.ok(isReply(outcome), `${JSON.stringify(outcome)} has logged in`);
  return outcome;
}

/** The same request with the answer to this challenge. */
function answered(request: Request, challenge: Reply, password = 'wonderland', username = 'alice'): Request {
  const via = get(request.message, Via);
  assert.ok(via !== undefined);
  const refusal = responseOf(request.message, challenge, 'tag');
  return { ...request, message: withCredentials(request.message, refusal, username, password, via) };
}

/** Asks, is challenged, and answers. */
async function login(office: Office, request: Request, password?: string, username?: string): Promise<User | Reply> {
  return office.logins.login(answered(request, await refused(office, request), password, username), ignore);
}

function challengeText({ headers = [] }: Reply): string {
  return headers.map(([name, text]) => `${name}: ${text}`).join('\n');
}

/** Status and challenge, the nonce (which differs each time) left out. */
function inShort(reply: Reply): string {
  return `${reply.status} ${reply.code ?? ''} ${challengeText(reply).replace(/nonce="[^"]*"/, 'nonce')}`;
}

test('RFC 3261 §22.2, §22.3: a registrar challenges with 401, a proxy with 407, in the realm of the user’s domain', async () => {
  const office = create();
  const asRegistrar = await refused(office, requestOf(register));
  assert.equal(asRegistrar.status, 401);
  assert.match(challengeText(asRegistrar), /^WWW-Authenticate: Digest realm="example\.com", nonce="[\w-]+"/);
  const asProxy = await refused(office, requestOf({ from: 'sip:alice@Example.COM', uri: 'sip:bob@example.org' }));
  assert.equal(asProxy.status, 407);
  assert.match(challengeText(asProxy), /^Proxy-Authenticate: Digest realm="example\.com", nonce="[\w-]+"/);
  assert.doesNotMatch(challengeText(asProxy), /stale/);
});

test('RFC 8760 §2.4: an agent that reads every challenge gets SHA-256 first; the others, MD5 alone', async () => {
  const office = create();
  const algorithms = async (agent: string): Promise<readonly string[]> => {
    const challenge = await refused(office, requestOf({ headers: [['User-Agent', agent]] }));
    return [...challengeText(challenge).matchAll(/algorithm=([\w-]+)/g)].map(([, name = '']) => name);
  };
  assert.deepEqual(await algorithms('JsSIP 3.10'), ['MD5']);
  assert.deepEqual(await algorithms('Linphone/5.2.0'), ['SHA-256', 'MD5']);
});

test('RFC 3261 §22: right credentials are a login, for a REGISTER and for a call', async () => {
  const office = create();
  assert.deepEqual(await login(office, requestOf(register)), alice);
  assert.deepEqual(await login(office, requestOf()), alice);
});

test('RFC 3261 §22.3: the credentials for our realm count; those for another proxy are not looked at', async () => {
  const office = create();
  const request = requestOf();
  const other = { ...request, message: requestOf({ headers: [['Proxy-Authorization', otherRealm]] }).message };
  assert.equal((await refused(office, other)).status, 407);
  assert.deepEqual(await login(office, other), alice);
});
const otherRealm =
  'Digest username="x", realm="other", nonce="n", uri="sip:a", response="0", qop=auth, nc=1, cnonce="c"';

test('DESIGN "Bad input": a wrong password is challenged again, without stale', async () => {
  const office = create();
  const outcome = await login(office, requestOf(register), 'wrong');
  assert.ok(isReply(outcome));
  assert.equal(outcome.status, 401);
  assert.doesNotMatch(challengeText(outcome), /stale/);
});

test('DESIGN "Bad input": an unknown user is answered like a wrong password, and blocked like one', async () => {
  const [known, unknown] = [create(), create()];
  for (let attempt = 1; attempt <= 6; attempt++) {
    const wrong = await login(known, requestOf(register), 'wrong').then(asReply);
    const nobody = await login(unknown, requestOf(register), 'wrong', 'mallory').then(asReply);
    assert.equal(inShort(nobody), inShort(wrong), `attempt ${attempt}`);
  }
});

function asReply(outcome: User | Reply): Reply {
  assert.ok(isReply(outcome));
  return outcome;
}

test('DESIGN "Bad input": five failures within a minute block that user for that source only', async () => {
  const office = create();
  const [ours, theirs] = [from(here, requestOf(register)), from(elsewhere, requestOf(register))];
  for (let attempt = 1; attempt <= 5; attempt++) {
    assert.equal(asReply(await login(office, ours, 'wrong')).status, 401, `attempt ${attempt}`);
  }
  const blocked = asReply(await login(office, ours));
  assert.deepEqual([blocked.status, blocked.code], [403, 'login-blocked'], 'also with the right password');
  assert.deepEqual(await login(office, theirs), alice);
  assert.equal(
    asReply(await login(office, ours, 'wrong', 'bob')).status,
    401,
    'another user from there is not blocked',
  );
  await office.clock.advance(60_000);
  assert.deepEqual(await login(office, ours), alice);
});

test('a login clears the failures before it', async () => {
  const office = create();
  for (let round = 1; round <= 3; round++) {
    for (let attempt = 1; attempt <= 4; attempt++) await login(office, requestOf(register), 'wrong');
    assert.deepEqual(await login(office, requestOf(register)), alice, `round ${round}`);
  }
});

test('RFC 7616 §3.4: credentials that were used are not taken again; stale=true brings a client back with new ones', async () => {
  const office = create();
  const once = answered(requestOf(register), await refused(office, requestOf(register)));
  assert.deepEqual(await office.logins.login(once, ignore), alice);
  const replayed = await refused(office, once);
  assert.equal(replayed.status, 401);
  assert.match(challengeText(replayed), /stale=true/);
  assert.deepEqual(await office.logins.login(answered(requestOf(register), replayed), ignore), alice);
});

test('RFC 7616 §3.3: a nonce that is too old, or of before the restart, is stale for who knows the password', async () => {
  const office = create();
  const old = answered(requestOf(register), await refused(office, requestOf(register)));
  await office.clock.advance(300_000);
  assert.match(challengeText(await refused(office, old)), /stale=true/);
  const fresh = answered(requestOf(register), await refused(office, requestOf(register)));
  const restarted = create({ clock: office.clock, boot: 'b00701' });
  assert.match(challengeText(await refused(restarted, fresh)), /stale=true/);
});

test('RFC 7616 §3.3: a wrong password with an old nonce is wrong, not stale', async () => {
  const office = create();
  const old = answered(requestOf(register), await refused(office, requestOf(register)), 'wrong');
  await office.clock.advance(300_000);
  assert.doesNotMatch(challengeText(await refused(office, old)), /stale/);
});

test('DESIGN §6 TOKEN_SECRET: the second secret is the old one: nonces that it signed are still taken', async () => {
  const before = create({ secrets: ['old'] });
  const request = answered(requestOf(register), await refused(before, requestOf(register)));
  const after = create({ clock: before.clock, secrets: ['new', 'old'] });
  assert.deepEqual(await after.logins.login(request, ignore), alice);
});

test('RFC 3261 §22.4: credentials that lack a part, or are for another request, are a 400', async () => {
  const office = create();
  const without = requestOf({ headers: [['Proxy-Authorization', 'Digest username="alice", realm="example.com"']] });
  assert.deepEqual(await refused(office, without).then(({ status, code }) => [status, code]), [400, 'malformed']);
  const forBob = answered(requestOf(), await refused(office, requestOf()));
  const moved: Request = { ...forBob, message: { ...forBob.message, uri: 'sip:carol@example.com' } };
  assert.deepEqual(await refused(office, moved).then(({ status, code }) => [status, code]), [400, 'malformed']);
});

test('law 5: a database that is down is no wrong password', async () => {
  const office = create();
  const request = answered(requestOf(register), await refused(office, requestOf(register)));
  office.database.set({ down: true });
  await assert.rejects(office.logins.login(request, ignore), (failure: Failure) => failure.code === 'database-down');
  office.database.set({ down: false });
  assert.deepEqual(await office.logins.login(request, ignore), alice);
});

test('DESIGN law 10: a call under another name, and a registration of another address, are 403', () => {
  const { logins } = create();
  assert.equal(logins.identity(requestOf(), alice), undefined);
  const asBob = logins.identity(requestOf({ from: 'sip:bob@example.com' }), alice);
  assert.deepEqual([asBob?.status, asBob?.code], [403, 'wrong-identity']);
  const forBob = logins.identity(requestOf({ ...register, to: 'sip:bob@example.com' }), alice);
  assert.deepEqual([forBob?.status, forBob?.code], [403, 'register-other']);
});
