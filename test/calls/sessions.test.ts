/** Short-lived logins (src/engine/auth/sessions.ts): a browser logs in as an account without its password, until it may not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionCredentials } from '../../src/engine/operations.ts';
import { get } from '../../src/message/header.ts';
import { Reason } from '../../src/message/headers/text.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene } from '../support/proxy-scene.ts';

const columns = ['alice', 'proxy', 'bob'];
const server = 'sip:example.com';
const longer = { headers: [['Expires', '3600']] } as const;
const browser = { name: 'alice', transport: 'wss', address: '192.0.2.1', port: 40_000 } as const;

async function stage(
  script: (it: ProxyScene, bob: Agent, session: SessionCredentials) => Promise<void>,
): Promise<void> {
  const listen = ['udp:192.0.2.100:5060', 'wss:192.0.2.100:8443'];
  const it = createProxyScene({ columns, listen, isTrusted: (address) => address === '192.0.2.2' });
  await it.play(async () => {
    const session = await it.proxy().operations.addSession('alice@example.com', 600);
    assert.ok(session !== undefined);
    await script(it, await it.registered({ name: 'bob', address: '192.0.2.2' }, longer), session);
  });
}

/** The status that its login ends with. */
async function login(agent: Agent, { username, password }: SessionCredentials): Promise<number> {
  const first = agent.request('REGISTER', server);
  agent.login(first, await agent.receivesResponse(401), username, password);
  return (await agent.receivesFinal('REGISTER')).status;
}

const bindings = (it: ProxyScene): readonly string[] => it.database.rows.bindings().map(({ aor }) => aor);

/** Alice in a call, by her session. */
async function inCall(it: ProxyScene, bob: Agent, session: SessionCredentials): Promise<Agent> {
  const alice = it.agent({ ...browser, listener: 1 });
  assert.equal(await login(alice, session), 200);
  const invite = bob.request('INVITE', alice.aor);
  alice.respond(await alice.receivesRequest('INVITE'), 200);
  bob.ack(invite, await bob.receivesResponse(200));
  await alice.receivesRequest('ACK');
  return alice;
}

async function isHungUp(it: ProxyScene, bob: Agent): Promise<void> {
  const bye = await bob.receivesRequest('BYE', 16_000);
  assert.match(get(bye, Reason) ?? '', /short-lived login/);
  bob.respond(bye, 200);
  assert.deepEqual(bindings(it), ['sip:bob@example.com']);
  assert.equal((await it.proxy().operations.statistics()).connections.wss, 0);
}

test('a session registers its account, under its own name and password, and says where to connect', () =>
  stage(async (it, _bob, session) => {
    assert.equal(session.webSocket, 'wss://192.0.2.100:8443');
    assert.equal(Date.parse(session.expiresAt) - Date.parse(session.createdAt), 600_000);
    const alice = it.agent({ ...browser, listener: 1 });
    assert.equal(await login(alice, session), 200);
    assert.deepEqual(bindings(it).toSorted(), ['sip:alice@example.com', 'sip:bob@example.com']);
    assert.equal(await login(alice, { ...session, password: 'guessed' }), 401);
  }));

test('it is good for its own account only (403), and not over UDP, where no connection ends with it (401)', () =>
  stage(async (it, _bob, session) => {
    const mallory = it.agent({ ...browser, listener: 1, aor: 'sip:bob@example.com' });
    assert.equal(await login(mallory, session), 403);
    const telephone = it.agent({ name: 'alice', address: '192.0.2.7' });
    assert.equal(await login(telephone, session), 401);
  }));

test('revoked: its call ends, its connection closes, its device is forgotten, and it logs in no more', () =>
  stage(async (it, bob, session) => {
    await inCall(it, bob, session);
    assert.equal(await it.proxy().operations.endSession(session.id), true);
    await isHungUp(it, bob);
    assert.equal(await it.proxy().operations.endSession(session.id), false);
    assert.equal(await login(it.agent({ ...browser, port: 40_001, listener: 1 }), session), 401);
  }));

test('revoked on another node, or with its account: within seconds the same', () =>
  stage(async (it, bob, session) => {
    await inCall(it, bob, session);
    await it.database.sessions.remove(session.id);
    await isHungUp(it, bob);
  }));

test('expired: the same', () =>
  stage(async (it, bob, session) => {
    const alice = await inCall(it, bob, session);
    await it.clock.advance(590_000);
    await alice.receivesNothing(0);
    await isHungUp(it, bob);
  }));

test('an account that is disabled, or not there, gets none', () =>
  stage(async (it) => {
    const { operations } = it.proxy();
    await operations.setSubscriberDisabled('bob', true);
    for (const name of ['bob', 'nobody']) assert.equal(await operations.addSession(name, 600), undefined);
  }));
