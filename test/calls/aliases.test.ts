/** Aliases and dial rules: where a request goes for a name that is no account (routes/location.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProxyScene, type ProxyScene, passwordOf } from '../support/proxy-scene.ts';

const columns = ['alice', 'proxy', 'bob'];
const alices = { name: 'alice', address: '192.0.2.1' } as const;
const bobs = { name: 'bob', address: '192.0.2.2' } as const;

async function rules(it: ProxyScene, ...pairs: readonly (readonly [pattern: string, target: string])[]): Promise<void> {
  for (const [pattern, target] of pairs) await it.proxy().operations.setAlias(pattern, target);
}

test('a number that stands for an account rings its devices, by one name after the other', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const [alice, bob] = [await it.registered(alices), await it.registered(bobs)];
    await rules(it, ['0049*', '+49*'], ['+4930123??', 'bob'], ['+49*', 'nobody']);
    const { caller, received } = await it.call(alice, bob, { to: 'sip:00493012345@example.com' });
    assert.equal(received.uri, bob.contact);
    await it.hangUp(alice, caller, bob);
  });
});

test('the longest beginning counts, and an account before every rule', async () => {
  const it = createProxyScene({ columns, users: ['alice', 'bob', '100'] });
  await it.play(async () => {
    const [alice, bob] = [await it.registered(alices), await it.registered(bobs)];
    await rules(it, ['1*', 'alice'], ['10*', 'bob'], ['100', 'alice']);
    alice.request('MESSAGE', 'sip:101@example.com');
    bob.respond(await bob.receivesRequest('MESSAGE'), 200);
    await alice.receivesResponse(200, 'MESSAGE');
    const invite = alice.request('INVITE', 'sip:100@example.com');
    alice.ack(invite, await alice.receivesResponse(480));
  });
});

test('names that stand for each other end: 404', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = await it.registered(alices);
    await rules(it, ['1', '2'], ['2', '1']);
    const invite = alice.request('INVITE', 'sip:1@example.com');
    alice.ack(invite, await alice.receivesResponse(404));
    alice.request('MESSAGE', 'sip:1@example.com');
    await alice.receivesResponse(404, 'MESSAGE');
  });
});

test('DESIGN law 10: a rule to a trunk is for our own users; a stranger is not let out by it (403)', async () => {
  const names = { addresses: { 'trunk.example.net': ['192.0.2.2'] } };
  const it = createProxyScene({ columns, names, acceptForeign: true, isTrusted: () => false });
  await it.play(async () => {
    await rules(it, ['0*', 'sip:*@trunk.example.net']);
    const trunk = it.agent({ ...bobs, aor: 'sip:30123@trunk.example.net' });
    const alice = it.agent(alices);
    const first = alice.request('INVITE', 'sip:030123@example.com');
    const challenge = await alice.receivesResponse(407);
    alice.ack(first, challenge);
    const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
    const received = await trunk.receivesRequest('INVITE');
    assert.equal(received.uri, 'sip:30123@trunk.example.net');
    trunk.respond(received, 486);
    await trunk.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
    const stranger = it.agent({ name: 'stranger', address: '198.51.100.7', aor: 'sip:eve@example.org' });
    const toll = stranger.request('INVITE', 'sip:030123@example.com');
    stranger.ack(toll, await stranger.receivesResponse(403));
    await trunk.receivesNothing();
  });
});

test('where an account forwards to may be another name of a colleague', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const [alice, bob] = [await it.registered(alices), await it.registered(bobs)];
    await rules(it, ['desk', 'bob']);
    it.database.setCalls('alice', 'example.com', { forwardAlways: 'sip:desk@example.com' });
    const invite = alice.request('INVITE', 'sip:alice@example.com');
    bob.respond(await bob.receivesRequest('INVITE'), 486);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
  });
});
