/** What becomes of the devices and calls of an account that is changed over REST. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Reason } from '../../src/message/headers/text.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, passwordOf } from '../support/proxy-scene.ts';

const columns = ['alice', 'proxy', 'bob'];
const server = 'sip:example.com';
const alices = 'alice@example.com';

/** Alice on a connection, bob with a telephone; both have logged in. */
async function stage(script: (it: ProxyScene, alice: Agent, bob: Agent) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns, isTrusted: () => false });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', transport: 'tcp', address: '192.0.2.1', port: 40_000 });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await script(it, alice, bob);
  });
}

/** The status that a login ends with. */
async function login(agent: Agent, name: string, password: string): Promise<number> {
  const first = agent.request('REGISTER', server);
  agent.login(first, await agent.receivesResponse(401), name, password);
  return (await agent.receivesFinal('REGISTER')).status;
}

for (const how of ['disabled', 'removed'] as const) {
  test(`an account that is ${how} is gone at once: its call ends, its connection closes, it is not found`, () =>
    stage(async (it, alice, bob) => {
      const { operations } = it.proxy();
      const first = bob.request('INVITE', alice.aor);
      const challenge = await bob.receivesResponse(407);
      bob.ack(first, challenge);
      const invite = bob.login(first, challenge, 'bob', passwordOf('bob'));
      const received = await alice.receivesRequest('INVITE');
      alice.respond(received, 200);
      bob.ack(invite, await bob.receivesResponse(200));
      await alice.receivesRequest('ACK');
      const done =
        how === 'removed' ? operations.removeSubscriber(alices) : operations.setSubscriberDisabled(alices, true);
      assert.equal(await done, true);
      const bye = await bob.receivesRequest('BYE');
      assert.match(get(bye, Reason) ?? '', /account/);
      bob.respond(bye, 200);
      assert.equal((await operations.statistics()).connections.tcp, 0);
      assert.deepEqual(
        it.database.rows.bindings().map(({ aor }) => aor),
        ['sip:bob@example.com'],
      );
      const elsewhere = it.agent({ name: 'alice', address: '192.0.2.9' });
      assert.equal(await login(elsewhere, 'alice', passwordOf('alice')), 401);
      const account = await operations.subscriber(alices);
      assert.equal(account?.disabled, how === 'disabled' ? true : undefined);
      if (how === 'disabled') await operations.setSubscriberDisabled(alices, false);
      else await operations.addSubscriber('alice', passwordOf('alice'));
      assert.equal(await login(elsewhere, 'alice', passwordOf('alice')), 200);
    }));
}

for (const then of ['stays so', 'is enabled again']) {
  test(`a REGISTER that was let in just before its account was disabled, and is written just after, when it ${then}`, () =>
    stage(async (it, alice) => {
      const { operations } = it.proxy();
      const bindings = () => it.database.rows.bindings().filter(({ aor }) => aor === alice.aor);
      const late = bindings();
      await operations.setSubscriberDisabled(alices, true);
      await it.database.location.change({ aor: alice.aor, callId: 'late', cseq: 9, save: late, remove: [] });
      assert.equal(bindings().length, 1);
      if (then !== 'stays so') await operations.setSubscriberDisabled(alices, false);
      await it.clock.advance(1_500);
      assert.equal(bindings().length, then === 'stays so' ? 0 : 1);
    }));
}

test('a new account logs in, and a new password holds from the next login on', () =>
  stage(async (it) => {
    const { operations } = it.proxy();
    const added = await operations.addSubscriber('j\u00fcrgen', 'gr\u00fcn');
    assert.equal(added?.address, 'j\u00fcrgen@example.com');
    assert.equal(await operations.addSubscriber('j\u00fcrgen@EXAMPLE.com', 'x'), undefined);
    const phone = it.agent({ name: 'phone', aor: 'sip:j%C3%BCrgen@example.com', address: '192.0.2.9' });
    const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
    assert.equal(await login(phone, utf8('j\u00fcrgen'), utf8('gr\u00fcn')), 200);
    assert.equal(await operations.setSubscriberPassword('j\u00fcrgen@example.com', 'neu'), true);
    assert.equal(await login(phone, utf8('j\u00fcrgen'), utf8('gr\u00fcn')), 401);
    assert.equal(await login(phone, utf8('j\u00fcrgen'), 'neu'), 200);
  }));

test('accounts come by page, in the order of domain and name; what is no address, or of another domain, is refused', () =>
  stage(async (it) => {
    const { operations } = it.proxy();
    const first = await operations.subscribers({ limit: 1 });
    assert.deepEqual([first.items.map(({ address }) => address), first.next], [[alices], alices]);
    const second = await operations.subscribers({ limit: 5, after: alices });
    assert.deepEqual([second.items.map(({ address }) => address), second.next], [['bob@example.com'], undefined]);
    for (const address of ['a@example.org', '@example.com', 'a@exa mple.com', 'a\0b@example.com']) {
      await assert.rejects(operations.addSubscriber(address, 'x'), { code: 'malformed' }, address);
    }
  }));
