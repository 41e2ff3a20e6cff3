/** OPTIONS as keep-alives (RFC 3261 §11) for telephones behind NAT over UDP: who answers stays, who does not is forgotten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene } from '../support/proxy-scene.ts';

const columns = ['bob', 'proxy', 'alice'];
const keepAliveMs = 30_000;
const inside = { address: '10.0.0.2', port: 5060 };
const behindNat = {
  name: 'bob',
  address: '192.0.2.2',
  port: 40_000,
  inside,
  rport: true,
  contact: 'sip:bob@10.0.0.2:5060',
};

const bindings = (it: ProxyScene): number => it.database.rows.bindings().length;

/** Answers the OPTIONS of one interval. */
async function answers(agent: Agent, status: number): Promise<void> {
  agent.respond(await agent.receivesRequest('OPTIONS', keepAliveMs + 1000), status);
}

async function unregisters(agent: Agent): Promise<void> {
  agent.request('REGISTER', 'sip:example.com', { headers: [['Expires', '0']] });
  await agent.receivesFinal('REGISTER');
}

test('a telephone behind NAT is sent an OPTIONS over its flow in each interval; any answer shows that it is there', async () => {
  const it = createProxyScene({ columns, keepAliveMs });
  await it.play(async () => {
    const bob = await it.registered(behindNat);
    for (const status of [200, 405, 481]) await answers(bob, status);
    assert.equal(bindings(it), 1);
    await unregisters(bob);
    await bob.receivesNothing(2 * keepAliveMs);
  });
});

test('two without an answer remove the binding, and whoever calls hears 480 at once', async () => {
  const it = createProxyScene({ columns, keepAliveMs });
  await it.play(async () => {
    const bob = await it.registered(behindNat);
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    await it.clock.advance(70_000);
    assert.equal(bindings(it), 1, 'one failure is none');
    await it.clock.advance(70_000);
    assert.equal(bindings(it), 0);
    const invite = alice.request('INVITE', bob.aor);
    alice.ack(invite, await alice.receivesResponse(480));
  });
});

test('one answer between two failures: the binding stays', async () => {
  const it = createProxyScene({ columns, keepAliveMs });
  await it.play(async () => {
    const bob = await it.registered(behindNat, { headers: [['Expires', '3600']] });
    await it.clock.advance(70_000);
    bob.inbox.length = 0;
    await answers(bob, 200);
    await it.clock.advance(60_000);
    assert.equal(bindings(it), 1);
    await unregisters(bob);
  });
});

test('a telephone that is where its Contact says, and one on a connection, are not asked', async () => {
  const it = createProxyScene({ columns, keepAliveMs });
  await it.play(async () => {
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2', rport: true });
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1', transport: 'wss', port: 40_000 });
    await bob.receivesNothing(2 * keepAliveMs);
    await alice.receivesNothing(0);
  });
});

test('after a restart the bindings of before are asked, too: a flow over UDP outlives its process', async () => {
  const it = createProxyScene({ columns, keepAliveMs });
  await it.play(async () => {
    const bob = await it.registered(behindNat);
    await it.restart();
    await answers(bob, 200);
    await unregisters(bob);
  });
});

test('one that registers again while it is being forgotten stays: its newer CSeq counts (RFC 3261 §10.3 step 7)', async () => {
  const it = createProxyScene({ columns, keepAliveMs });
  await it.play(async () => {
    const bob = await it.registered(behindNat, { callId: 'r1', cseq: 1 });
    const [held] = it.database.rows.bindings();
    assert.ok(held !== undefined);
    bob.request('REGISTER', 'sip:example.com', { callId: 'r1', cseq: 2, headers: [['Expires', '600']] });
    await bob.receivesResponse(200);
    const { aor, key, callId, cseq } = held;
    const late = await it.database.location.change({ aor, callId, cseq: cseq + 1, save: [], remove: [key] });
    assert.equal(late.outcome, 'out-of-order');
    await unregisters(bob);
  });
});
