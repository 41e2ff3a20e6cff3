/** Logins by tokens of an identity server (RFC 8898): a browser calls with what JsSIP sends, until its token ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from '../../src/message/edit.ts';
import { get } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { Reason, Warning } from '../../src/message/headers/text.ts';
import { param } from '../../src/message/params.ts';
import type { RefusedToken, TokenVerifier, VerifiedToken } from '../../src/ports.ts';
import type { Agent, RequestOptions } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const server = 'sip:example.com';
const startMs = Date.UTC(2026, 0, 1);
const browser = { name: 'alice', transport: 'wss', address: '192.0.2.1', port: 40_000, listener: 1 } as const;

/** A token says whose it is and how many seconds it lasts: `eyJ.alice.600`. */
const tokens: TokenVerifier = {
  issuer: 'https://id.example.com/',
  verify: async (token): Promise<VerifiedToken | RefusedToken> => {
    const [, account = '', seconds] = token.split('.');
    if (seconds === undefined) return { fault: 'token-signature', detail: '' };
    return { account, untilMs: startMs + Number(seconds) * 1000 };
  },
};

/** As JsSIP has it in every request that it sends. */
const bringing = (token: string, more: RequestOptions = {}): RequestOptions => ({
  ...more,
  headers: [...(more.headers ?? []), ['Authorization', `Bearer ${token}`]],
});
const aliceToken = 'eyJ.alice.600';
const hour = { headers: [['Expires', '3600']] } as const;

function stage(script: (it: ProxyScene, alice: Agent, bob: Agent) => Promise<void>): Promise<void> {
  const listen = ['udp:192.0.2.100:5060', 'wss:192.0.2.100:8443'];
  const isTrusted = (address: string): boolean => address === '192.0.2.2';
  const protection = { banMs: 600_000, messagesPerSecond: 0, connectionsPerSecond: 0, requestsPerSecond: 0 };
  const it = createProxyScene({
    columns: ['alice', 'proxy', 'bob'],
    ...{ listen, isTrusted, tokens, startMs },
    protection: { ...protection, dropScanners: false },
  });
  return it.play(async () =>
    script(it, it.agent(browser), await it.registered({ name: 'bob', address: '192.0.2.2' }, hour)),
  );
}

async function register(alice: Agent, token: string): Promise<number> {
  alice.request('REGISTER', server, bringing(token, hour));
  return (await alice.receivesFinal('REGISTER')).status;
}

/** Alice calls bob, each of her requests with her token. */
async function call(alice: Agent, bob: Agent) {
  const offer = { body: phoneOffer('alice'), contentType: sdpType };
  const invite = alice.request('INVITE', bob.aor, bringing(aliceToken, offer));
  const received = await bob.receivesRequest('INVITE');
  bob.respond(received, 200, { body: phoneAnswer('bob'), headers: [['Content-Type', sdpType]] });
  const answered = await alice.receivesResponse(200);
  alice.ack(invite, answered, bringing(aliceToken));
  const ack = await bob.receivesRequest('ACK');
  return { received, ack, dialog: alice.dialog(invite, answered) };
}

const bindings = (it: ProxyScene): readonly string[] => it.database.rows.bindings().map(({ aor }) => aor);

test('JsSIP registers and calls by its token; bob, the story and the log never see it', () =>
  stage(async (it, alice, bob) => {
    alice.request('REGISTER', server, bringing(aliceToken, hour));
    const registered = await alice.receivesFinal('REGISTER');
    assert.equal(registered.status, 200);
    assert.match(param(get(registered, Contact)?.params ?? [], 'expires') ?? '', /^59\d$/, 'as long as the token');
    const { received, ack, dialog } = await call(alice, bob);
    alice.within(dialog, 'BYE', bringing(aliceToken));
    const bye = await bob.receivesRequest('BYE');
    bob.respond(bye, 200);
    await alice.receivesResponse(200, 'BYE');
    for (const message of [received, ack, bye]) assert.doesNotMatch(serialize(message), /eyJ|Bearer|Authorization/i);
    const { operations } = it.proxy();
    const [known] = (await operations.calls({ limit: 1 })).items;
    const told = JSON.stringify([await operations.ladder(known?.id ?? ''), it.log]);
    assert.match(told, /Authorization: Bearer \(removed\)/);
    assert.doesNotMatch(told, /eyJ/);
  }));

test('RFC 8898 §2.3: Proxy-Authorization does as well, and other methods than INVITE', () =>
  stage(async (_it, alice, bob) => {
    alice.request('MESSAGE', bob.aor, { body: 'hello', headers: [['Proxy-Authorization', `Bearer ${aliceToken}`]] });
    const message = await bob.receivesRequest('MESSAGE');
    assert.doesNotMatch(serialize(message), /eyJ/);
    bob.respond(message, 200);
    assert.equal((await alice.receivesFinal('MESSAGE')).status, 200);
  }));

test('a connection is not trusted for its REGISTER: a call without the token is challenged, as a call is that has none', () =>
  stage(async (_it, alice, bob) => {
    assert.equal(await register(alice, aliceToken), 200);
    alice.request('INVITE', bob.aor);
    assert.equal((await alice.receivesFinal('INVITE')).status, 407);
  }));

test('law 10: From and To are those of the account that the token names', () =>
  stage(async (it, _alice, bob) => {
    const mallory = it.agent({ ...browser, port: 40_001, aor: 'sip:bob@example.com' });
    mallory.request('REGISTER', server, bringing(aliceToken, hour));
    const refused = await mallory.receivesFinal('REGISTER');
    assert.equal(refused.status, 403);
    assert.match(get(refused, Warning) ?? '', /only its own address/);
    mallory.request('INVITE', bob.aor, bringing(aliceToken));
    assert.equal((await mallory.receivesFinal('INVITE')).status, 403);
  }));

async function isHungUp(it: ProxyScene, bob: Agent): Promise<void> {
  const bye = await bob.receivesRequest('BYE', 11_000);
  assert.match(get(bye, Reason) ?? '', /short-lived login/);
  bob.respond(bye, 200);
  assert.deepEqual(bindings(it), ['sip:bob@example.com']);
  assert.equal((await it.proxy().operations.statistics()).connections.wss, 0);
}

test('the token ends: so do the call and the connection, within seconds, and the binding', () =>
  stage(async (it, alice, bob) => {
    assert.equal(await register(alice, aliceToken), 200);
    await call(alice, bob);
    await it.clock.advance(595_000);
    assert.equal((await it.proxy().operations.statistics()).connections.wss, 1);
    await isHungUp(it, bob);
  }));

test('a call by a token without a registration ends with it as well', () =>
  stage(async (it, alice, bob) => {
    await call(alice, bob);
    await it.clock.advance(595_000);
    await isHungUp(it, bob);
  }));

test('a newer token in a REGISTER takes its place, and the call goes on; an older one behind it takes nothing back', () =>
  stage(async (it, alice, bob) => {
    assert.equal(await register(alice, aliceToken), 200);
    await call(alice, bob);
    await it.clock.advance(500_000);
    assert.equal(await register(alice, 'eyJ.alice.1200'), 200);
    alice.request('MESSAGE', bob.aor, bringing('eyJ.alice.700', { body: 'hello' }));
    bob.respond(await bob.receivesRequest('MESSAGE'), 200);
    await it.clock.advance(690_000);
    assert.deepEqual(bindings(it).toSorted(), ['sip:alice@example.com', 'sip:bob@example.com']);
    await isHungUp(it, bob);
  }));

test('another account on the same connection keeps nothing alive: the first token that ends, ends it', () =>
  stage(async (it, alice, bob) => {
    assert.equal(await register(alice, aliceToken), 200);
    await call(alice, bob);
    const first = alice.request('REGISTER', server, bringing('eyJ.bob.3000', hour));
    assert.equal((await alice.receivesFinal('REGISTER')).status, 403, 'it is not alice’s');
    const asBob = serialize(first).replaceAll('sip:alice@example.com', 'sip:bob@example.com');
    alice.send(asBob.replace(/branch=\S+/, 'branch=z9hG4bK-bob').replace(/Call-ID: /, '$&bob-'));
    assert.equal((await alice.receivesFinal('REGISTER')).status, 200);
    await it.clock.advance(590_000);
    const bye = await bob.receivesRequest('BYE', 11_000);
    bob.respond(bye, 200);
  }));

test('disabled, the account is logged in no more by a token that is still good', () =>
  stage(async (it, alice) => {
    await it.proxy().operations.setSubscriberDisabled('alice', true);
    assert.equal(await register(alice, aliceToken), 403);
  }));

test('who forges tokens is heard no more after thirty, for whatever accounts', () =>
  stage(async (it) => {
    for (let n = 1; n <= 30; n += 1) {
      const mallory = it.agent({
        ...browser,
        address: '203.0.113.66',
        port: 50_000 + n,
        aor: `sip:user${n}@example.com`,
      });
      mallory.request('REGISTER', server, bringing('eyJ.forged', hour));
      if (n < 30) assert.equal((await mallory.receivesFinal('REGISTER')).status, 401);
    }
    await it.clock.advance(1_000);
    const [refused] = it.proxy().operations.refusedSources();
    assert.partialDeepStrictEqual(refused, { source: '203.0.113.66', reason: 'failed-logins', over: 'everything' });
  }));
