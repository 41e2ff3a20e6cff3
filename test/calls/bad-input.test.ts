/** Wrong passwords, broken messages, and neighbours that are down: what each meets, and that it passes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createResponse } from '../../src/message/build.ts';
import { serialize } from '../../src/message/edit.ts';
import { get } from '../../src/message/header.ts';
import { WWWAuthenticate } from '../../src/message/headers/digest.ts';
import { RetryAfter } from '../../src/message/headers/numbers.ts';
import { Warning } from '../../src/message/headers/text.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import { param, unquote } from '../../src/message/params.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, passwordOf, sdpType } from '../support/proxy-scene.ts';
import { phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];
const server = 'sip:example.com';
const alices = { name: 'alice', address: '192.0.2.1' } as const;
const bobs = { name: 'bob', address: '192.0.2.2' } as const;

async function strangers(script: (it: ProxyScene) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns, isTrusted: () => false });
  await it.play(() => script(it));
}

async function friends(script: (it: ProxyScene, alice: Agent, bob: Agent) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = await it.registered(bobs);
    await script(it, it.agent(alices), bob);
  });
}

/** One try to register; the status it ends with. */
async function tries(agent: Agent, user: string, password: string): Promise<SipResponse> {
  const first = agent.request('REGISTER', server);
  agent.login(first, await agent.receivesResponse(401), user, password);
  return agent.receivesFinal('REGISTER');
}

const challengeOf = (response: SipResponse, name: string): string =>
  unquote(param(get(response, WWWAuthenticate)?.params ?? [], name) ?? '');

async function dropped(it: ProxyScene): Promise<Readonly<Record<string, number>>> {
  return (await it.proxy().operations.statistics()).messages.dropped;
}

// --- passwords -------------------------------------------------------------------------------------------------------

test('five failures of one user from one address: 403 for that address, for a minute; elsewhere bob may log in', () =>
  strangers(async (it) => {
    const mallory = it.agent({ ...bobs, address: '203.0.113.66' });
    for (let time = 0; time < 5; time++) assert.equal((await tries(mallory, 'bob', 'guess')).status, 401);
    assert.equal((await tries(mallory, 'bob', passwordOf('bob'))).status, 403, 'even with the right one');
    assert.equal((await tries(it.agent(bobs), 'bob', passwordOf('bob'))).status, 200);
    assert.equal((await tries(mallory, 'alice', 'guess')).status, 401, 'another user from there is not blocked');
    await it.clock.advance(61_000);
    assert.equal((await tries(mallory, 'bob', passwordOf('bob'))).status, 200);
  }));

test('an unknown user is challenged again like a wrong password', () =>
  strangers(async (it) => {
    const mallory = it.agent({ name: 'nobody', address: '203.0.113.66' });
    const refusals = [await tries(mallory, 'nobody', 'guess'), await tries(mallory, 'bob', 'guess')];
    assert.deepEqual(
      refusals.map((refusal) => [refusal.status, get(refusal, Warning)]),
      Array(2).fill([401, '399 viaduct "User name or password is wrong."']),
    );
    assert.equal((await it.proxy().operations.statistics()).refusals['login-failed'], 2);
  }));

/** The credentials of a request once more, as somebody who listened would send them. */
function repeated(request: SipRequest): string {
  return serialize(request)
    .replace(/branch=z9hG4bK[^;\r\n]*/, 'branch=z9hG4bK-replayed')
    .replace(/CSeq: (\d+)/, (_, number) => `CSeq: ${Number(number) + 1}`);
}

test('RFC 7616 §3.4: credentials that were used are refused, with stale=true so that a client tries again', () =>
  strangers(async (it) => {
    const bob = it.agent(bobs);
    const first = bob.request('REGISTER', server);
    const login = bob.login(first, await bob.receivesResponse(401), 'bob', passwordOf('bob'));
    await bob.receivesResponse(200);
    bob.send(repeated(login));
    const refused = await bob.receivesResponse(401);
    assert.equal(challengeOf(refused, 'stale'), 'true');
  }));

test('RFC 7616 §3.3: a nonce that is too old, or of before the restart: stale=true, and the new one is taken', () =>
  strangers(async (it) => {
    const bob = it.agent(bobs);
    for (const ageing of [() => it.clock.advance(301_000), () => it.restart()]) {
      const first = bob.request('REGISTER', server);
      const challenge = await bob.receivesResponse(401);
      await ageing();
      const second = bob.login(first, challenge, 'bob', passwordOf('bob'));
      const stale = await bob.receivesResponse(401);
      assert.equal(challengeOf(stale, 'stale'), 'true');
      bob.login(second, stale, 'bob', passwordOf('bob'));
      assert.equal((await bob.receivesFinal('REGISTER')).status, 200);
    }
  }));

test('secrets are never logged', () =>
  strangers(async (it) => {
    const bob = it.agent(bobs);
    await tries(bob, 'bob', passwordOf('bob'));
    await tries(bob, 'bob', 'guess');
    const logged = JSON.stringify(it.log);
    for (const secret of [passwordOf('bob'), 'guess', 'response=']) assert.ok(!logged.includes(secret), secret);
  }));

// --- messages --------------------------------------------------------------------------------------------------------

/** Sends any text, and keeps what comes back as text. */
function scribbler(it: ProxyScene): { readonly send: (text: string) => void; readonly received: string[] } {
  const received: string[] = [];
  const address = { address: '192.0.2.77', port: 5060 };
  const station = it.network.station({
    name: 'scribbler',
    transport: 'udp',
    address,
    received: (text) => received.push(text),
  });
  return { send: station.send, received };
}

const invitation = [
  'INVITE sip:bob@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bK-1',
  'Max-Forwards: 70',
  'From: <sip:alice@example.com>;tag=a',
  'To: <sip:bob@example.com>',
  'Call-ID: scribbled',
  'CSeq: 1 INVITE',
  'Contact: <sip:alice@192.0.2.77:5060>',
  'Content-Type: application/sdp',
].join('\r\n');
const body = phoneOffer('alice');
const good = `${invitation}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test('RFC 3261 §16.3 step 1: a request that cannot be read is answered 400 when its sender is known', () =>
  friends(async (it, _, bob) => {
    const { send, received } = scribbler(it);
    for (const [from, to] of [
      [/CSeq: .*/, 'CSeq: many INVITE'],
      [/CSeq: .*/, 'CSeq: 1 OPTIONS'],
      [/Content-Length: .*/, 'Content-Length: 9999'],
      [/From: .*/, 'From: <<<'],
      [/Call-ID: .*/, 'Call-ID: one\r\nCall-ID: two'],
    ] as const) {
      send(good.replace(from, to));
      await it.clock.advance(10);
      assert.match(received.splice(0).join(), /^SIP\/2\.0 400 /, to);
    }
    await bob.receivesNothing(0);
  }));

test('garbage is dropped and counted, and nobody is answered', () =>
  friends(async (it, alice, bob) => {
    const garbage = [
      ...[
        '',
        '\r\n\r\n',
        '\0\0\0\0',
        'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
        'INVITE sip:bob@example.com SIP/2.0\r\n\r\n',
      ],
      ...['SIP/2.0 200 OK\r\n\r\n', 'x'.repeat(60_000), 'INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP ;;\r\n\r\n'],
    ];
    for (const text of garbage) alice.send(text);
    await alice.receivesNothing(5000);
    await bob.receivesNothing(0);
    const counted = Object.values(await dropped(it)).reduce((sum, count) => sum + count, 0);
    assert.ok(counted >= garbage.length - 2, `${counted} counted`);
  }));

test('a thousand mutilated INVITEs: the proxy goes on, keeps nothing, and finds no fault in itself', () =>
  friends(async (it, alice, bob) => {
    const { send } = scribbler(it);
    const { random } = it;
    bob.station.freeze();
    for (let count = 0; count < 1000; count++) {
      const at = random.integer(0, good.length - 1);
      const middle = Array.from({ length: random.integer(0, 3) }, () => String.fromCharCode(random.integer(0, 255)));
      const text = good.replace('z9hG4bK-1', `z9hG4bK-${count}`).replace('scribbled', `scribbled-${count}`);
      send(text.slice(0, at) + middle.join('') + text.slice(at + random.integer(0, 40)));
    }
    // Those that can be read are forwarded to bob, who is silent: all have ended after timer B.
    await it.clock.advance(40_000);
    bob.station.thaw();
    const { caller } = await it.call(alice, bob);
    await it.hangUp(alice, caller, bob);
  }));

test('law 9: 20,000 refusals that nobody acknowledges keep nobody else out while timer H runs', () =>
  friends(async (it, alice, bob) => {
    const received: string[] = [];
    const flooder = it.network.station({
      name: 'flooder',
      transport: 'wss',
      address: { address: '192.0.2.78', port: 50_000 },
      received: (text) => received.push(text.slice(8, 11)),
    });
    const call = good.replace('bob@', 'nobody@').replace('UDP 192.0.2.77:5060', 'WSS x.invalid');
    for (let count = 0; count < 20_100; count++) {
      flooder.send(call.replace('z9hG4bK-1', `z9hG4bK-${count}`).replace('scribbled', `scribbled-${count}`));
    }
    await it.clock.advance(100);
    assert.equal(received.length, 20_100);
    assert.equal(received.includes('503'), false);
    const { caller } = await it.call(alice, bob);
    await it.hangUp(alice, caller, bob);
  }));

test('RFC 3261 §18.2.2: a callee who writes another Via into his response sends nothing to anybody else', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob', 'victim'] });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const victim = it.agent({ name: 'victim', address: '192.0.2.66' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const invite = alice.request('INVITE', bob.aor, { body: phoneOffer('alice'), contentType: sdpType });
    const received = await bob.receivesRequest('INVITE');
    bob.send(serialize(createResponse(received, 486, { toTag: 'b' })).replaceAll('192.0.2.1:5060', '192.0.2.66:5060'));
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
    await victim.receivesNothing();
  });
});

test('RFC 3261 §8.1.1.7: a stray response goes nowhere and is counted', () =>
  friends(async (it, alice, bob) => {
    const invite = alice.request('OPTIONS', bob.aor);
    const received = await bob.receivesRequest('OPTIONS');
    bob.respond(received, 200);
    await alice.receivesResponse(200);
    await it.clock.advance(40_000);
    bob.respond(received, 200);
    bob.respond(invite, 200);
    await alice.receivesNothing(5000);
    assert.equal((await dropped(it))['stray response'], 2);
  }));

test('RFC 3261 §11.2: OPTIONS to the proxy itself is answered, without a login', () =>
  strangers(async (it) => {
    const alice = it.agent(alices);
    alice.request('OPTIONS', server);
    await alice.receivesResponse(200, 'OPTIONS');
  }));

test('an unknown method passes like any other, and is counted in one bucket', () =>
  friends(async (it, alice, bob) => {
    alice.request('XYZZY', bob.aor);
    bob.respond(await bob.receivesRequest('XYZZY'), 501);
    await alice.receivesResponse(501, 'XYZZY');
    const { requests } = (await it.proxy().operations.statistics()).messages;
    assert.equal(requests.other, 1);
  }));

// --- neighbours that are down ----------------------------------------------------------------------------------------

test('database down: 503 with Retry-After for REGISTER and INVITE; no acknowledged binding is lost, and then it works', () =>
  friends(async (it, alice, bob) => {
    it.database.set({ down: true });
    bob.request('REGISTER', server, { cseq: 2 });
    const refused = await bob.receivesResponse(503, 'REGISTER');
    assert.ok((get(refused, RetryAfter) ?? 0) > 0);
    const invite = alice.request('INVITE', bob.aor, { body: phoneOffer('alice'), contentType: sdpType });
    const final = await alice.receivesResponse(503, 'INVITE');
    assert.ok((get(final, RetryAfter) ?? 0) > 0);
    assert.match(get(final, Warning) ?? '', /database/);
    alice.ack(invite, final);
    it.database.set({ down: false });
    const { caller } = await it.call(alice, bob);
    await it.hangUp(alice, caller, bob);
  }));

test('database down during a call: it goes on, and ends', () =>
  friends(async (it, alice, bob) => {
    const { caller } = await it.call(alice, bob);
    it.database.set({ down: true });
    await it.hangUp(alice, caller, bob);
    assert.deepEqual(it.media.calls(), []);
  }));

test('database down when bob answers: the call is set up all the same', () =>
  friends(async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor);
    const received = await bob.receivesRequest('INVITE');
    it.database.set({ down: true });
    const dialog = bob.dialog(received, bob.respond(received, 200));
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, dialog, alice);
  }));

test('rtpengine down: 503 with a Warning that says so; bob does not ring; then it works', () =>
  friends(async (it, alice, bob) => {
    it.media.set({ nodes: { m1: 'silent' } });
    const invite = alice.request('INVITE', bob.aor, { body: phoneOffer('alice'), contentType: sdpType });
    const final = await alice.receivesResponse(503, 'INVITE');
    assert.match(get(final, Warning) ?? '', /rtpengine/);
    alice.ack(invite, final);
    await bob.receivesNothing(0);
    it.media.set({ nodes: { m1: 'up' } });
    const { caller } = await it.call(alice, bob);
    await it.hangUp(alice, caller, bob);
    await it.clock.advance(15_000);
    assert.deepEqual(it.database.rows.outbox(), []);
  }));
