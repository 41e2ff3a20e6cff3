/** What those who watch are told, as it happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Happening } from '../../../src/engine/operations.ts';
import { createProxyScene, type ProxyScene, passwordOf } from '../../support/proxy-scene.ts';

function stage(script: (it: ProxyScene, told: Happening[]) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], isTrusted: () => false });
  return it.play(async () => {
    const told: Happening[] = [];
    const stop = it.proxy().operations.watch((happening) => told.push(happening));
    await script(it, told);
    stop();
    const before = told.length;
    await it.clock.advance(10_000);
    assert.equal(told.length, before, 'nothing is told to who is gone');
  });
}

const ofCalls = (told: readonly Happening[]): readonly string[] =>
  told.flatMap((one) => (one.type === 'call' ? [`${one.change} ${one.call.state} ${one.call.status ?? ''}`] : []));

test('a call begins, is answered and ends: each once, the challenge before it is no end', () =>
  stage(async (it, told) => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const first = alice.request('INVITE', bob.aor);
    const challenge = await alice.receivesFinal('INVITE');
    alice.ack(first, challenge);
    const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
    const received = await bob.receivesRequest('INVITE');
    const ok = bob.respond(received, 200);
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, bob.dialog(received, ok), alice);
    assert.deepEqual(ofCalls(told), ['started ringing ', 'answered answered ', 'ended ended 200']);
  }));

test('a call that fails, a device that registers, counters every two seconds, and a node whose state changed', () =>
  stage(async (it, told) => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const first = alice.request('INVITE', 'sip:bob@example.com');
    const challenge = await alice.receivesFinal('INVITE');
    alice.ack(first, challenge);
    const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
    alice.ack(invite, await alice.receivesFinal('INVITE'));
    assert.deepEqual(ofCalls(told), ['started ringing ', 'failed failed 480']);
    assert.deepEqual(
      told.filter(({ type }) => type === 'registration'),
      [{ type: 'registration', aor: 'sip:alice@example.com', source: '192.0.2.1:5060' }],
    );
    it.media.set({ nodes: { m1: 'down' } });
    await it.clock.advance(6_000);
    const nodes = told.flatMap((one) => (one.type === 'node' ? [one.node.state] : []));
    assert.deepEqual(nodes, ['up', 'down']);
    const counters = told.filter(({ type }) => type === 'counters').length;
    assert.ok(counters >= 3 && counters <= 5, `${counters} times`);
    it.media.set({ nodes: { m1: 'up' } });
  }));
