/** MESSAGE (RFC 3428) between alice and bob: to every device, or kept until there is one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { From } from '../../src/message/headers/from-to.ts';
import { ContentType, textHeader } from '../../src/message/headers/text.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene } from '../support/proxy-scene.ts';

const columns = ['alice', 'proxy', 'bob'];
const alices = { name: 'alice', address: '192.0.2.1' } as const;
const bobs = { name: 'bob', address: '192.0.2.2' } as const;

function say(from: Agent, body: string, headers: readonly (readonly [string, string])[] = []) {
  return from.request('MESSAGE', 'sip:bob@example.com', { body, contentType: 'text/plain;charset=utf-8', headers });
}

test('RFC 3428 §7: bob is away: 202 after the commit, and delivered in order when he registers', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    for (const text of ['one', 'two']) {
      say(alice, text);
      await alice.receivesResponse(202, 'MESSAGE');
    }
    assert.equal(it.database.rows.messages().length, 2);
    it.ladder.clear();
    const bob = it.agent(bobs);
    await it.register(bob);
    const first = await bob.receivesRequest('MESSAGE');
    bob.respond(first, 200);
    const second = await bob.receivesRequest('MESSAGE');
    bob.respond(second, 200);
    assert.deepEqual([first.body, second.body], ['one', 'two']);
    assert.equal(get(first, From)?.uri, alice.aor);
    assert.equal(get(first, ContentType), 'text/plain;charset=utf-8');
    assert.match(get(first, textHeader('Date')) ?? '', /GMT$/);
    it.ladder.expect(`
      F1 proxy ◀REGISTER─ bob
      F2 proxy ─200 REGISTER▶ bob
      F3 proxy ─MESSAGE▶ bob
      F4 proxy ◀200 MESSAGE─ bob
      F5 proxy ─MESSAGE▶ bob
      F6 proxy ◀200 MESSAGE─ bob
    `);
    await it.clock.advance(100);
    assert.deepEqual(it.database.rows.messages(), []);
  });
});

test('RFC 3428 §6: every device of bob hears it; one 200 answers for all', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const desk = await it.registered({ name: 'bob', address: '192.0.2.3' });
    say(alice, 'hello');
    bob.respond(await bob.receivesRequest('MESSAGE'), 200);
    desk.respond(await desk.receivesRequest('MESSAGE'), 200);
    await alice.receivesResponse(200, 'MESSAGE');
    assert.deepEqual(it.database.rows.messages(), []);
  });
});

test('law 4: the connection of bob is closed and his binding still there: the message is kept', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered({ ...bobs, transport: 'wss', port: 40_001 });
    bob.station.close();
    await it.clock.advance(100);
    say(alice, 'hello');
    await alice.receivesResponse(202, 'MESSAGE');
  });
});

test('a device that refuses messages: its word reaches alice, and nothing is kept', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    say(alice, 'hello');
    bob.respond(await bob.receivesRequest('MESSAGE'), 415);
    await alice.receivesResponse(415, 'MESSAGE');
    assert.deepEqual(it.database.rows.messages(), []);
  });
});

test('RFC 3994: that alice is typing is not kept; nor is what has no time to wait (`Expires: 0`)', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const composing = { body: '<isComposing/>', contentType: 'application/im-iscomposing+xml' };
    alice.request('MESSAGE', 'sip:bob@example.com', composing);
    await alice.receivesResponse(480, 'MESSAGE');
    say(alice, 'now or never', [['Expires', '0']]);
    await alice.receivesResponse(480, 'MESSAGE');
    assert.deepEqual(it.database.rows.messages(), []);
  });
});

test('RFC 3428 §8: a message whose time is over is not delivered', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    say(alice, 'lunch?', [['Expires', '60']]);
    await alice.receivesResponse(202, 'MESSAGE');
    await it.clock.advance(61_000);
    const bob = it.agent(bobs);
    await it.register(bob);
    await bob.receivesNothing(5_000);
  });
});

test('law 9: so many wait for bob that the next is refused', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    for (let count = 0; count < 100; count++) {
      say(alice, `number ${count}`);
      await alice.receivesResponse(202, 'MESSAGE');
    }
    say(alice, 'one too many');
    await alice.receivesResponse(480, 'MESSAGE');
    assert.equal(it.database.rows.messages().length, 100);
  });
});

test('law 5: a message that could not be committed is answered 503, never 202', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    it.database.set({ down: true });
    say(alice, 'hello');
    await alice.receivesResponse(503, 'MESSAGE');
  });
});

test('after a restart what waits is delivered', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    say(alice, 'hello');
    await alice.receivesResponse(202, 'MESSAGE');
    await it.restart();
    const bob = it.agent(bobs);
    await it.register(bob);
    const message = await bob.receivesRequest('MESSAGE');
    assert.equal(message.body, 'hello');
    bob.respond(message, 200);
  });
});

test('a device that does not answer keeps the message waiting for the next REGISTER; one that refuses it five times loses it', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    say(alice, 'hello');
    await alice.receivesResponse(202, 'MESSAGE');
    const bob = it.agent(bobs);
    let cseq = 1;
    const register = async (): Promise<void> => {
      bob.request('REGISTER', 'sip:example.com', { headers: [['Expires', '600']], cseq: cseq++, callId: 'bobs' });
      await bob.receivesResponse(200, 'REGISTER');
    };
    await register();
    await bob.receivesRequest('MESSAGE');
    await it.clock.advance(40_000);
    bob.inbox.splice(0);
    assert.equal(it.database.rows.messages().length, 1);
    for (let tries = 0; tries < 5; tries++) {
      await register();
      bob.respond(await bob.receivesRequest('MESSAGE'), 405);
      await it.clock.advance(100);
    }
    assert.deepEqual(it.database.rows.messages(), []);
  });
});
