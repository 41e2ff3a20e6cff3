/** Busy lamps, registrations, message waiting and watchers: the packages beside presence, each as its telephone sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { ContentType } from '../../src/message/headers/text.ts';
import type { SipRequest } from '../../src/message/message.ts';
import { createProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneOffer } from '../support/sdp.ts';
import { notified, stateOf, watch } from '../support/watcher.ts';

const users = ['alice', 'bob', 'carol'];
const columns = ['alice', 'proxy', 'bob', 'carol'];
const alices = { name: 'alice', address: '192.0.2.1' } as const;
const bobs = { name: 'bob', address: '192.0.2.2' } as const;
const carols = { name: 'carol', address: '192.0.2.3' } as const;

/** `r early sip:alice@example.com` for each call of the document. */
function lamps({ body }: SipRequest): readonly string[] {
  const calls = body.matchAll(/direction="(\w)\w+"><state>(\w+)<\/state>.*?<remote><identity>(.*?)<\/identity>/g);
  return [...calls].map(([, direction, state, remote]) => `${direction} ${state} ${remote}`);
}

const version = ({ body }: SipRequest): number => Number(/version="(\d+)"/.exec(body)?.[1]);

test('RFC 4235 §3.7.1: the lamp of bob: ringing, busy, free again, with the caller and without Call-ID or tags', async () => {
  const it = createProxyScene({ columns, users });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const carol = it.agent(carols);
    const { first } = await watch(carol, bob.aor, 'dialog');
    assert.deepEqual([get(first, ContentType), lamps(first), version(first)], ['application/dialog-info+xml', [], 0]);
    await it.clock.advance(1_000);
    const invite = alice.request('INVITE', bob.aor, { body: phoneOffer('alice'), contentType: sdpType });
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await alice.receivesResponse(180);
    assert.deepEqual(lamps(await notified(carol)), ['r early sip:alice@example.com']);
    bob.respond(received, 200, { body: phoneOffer('bob'), contentType: sdpType });
    const answered = await alice.receivesResponse(200);
    alice.ack(invite, answered);
    await bob.receivesRequest('ACK');
    const busy = await notified(carol);
    assert.deepEqual([lamps(busy), version(busy)], [['r confirmed sip:alice@example.com'], 2]);
    assert.doesNotMatch(busy.body, /call-id|-tag/);
    await it.clock.advance(1_000);
    await it.hangUp(alice, alice.dialog(invite, answered), bob);
    assert.deepEqual(lamps(await notified(carol)), ['r terminated sip:alice@example.com']);
  });
});

test('RFC 4235 §3.10: a call that is refused within a second is one NOTIFY; the caller has a lamp, too', async () => {
  const it = createProxyScene({ columns, users });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const carol = it.agent(carols);
    await watch(carol, alice.aor, 'dialog');
    const invite = alice.request('INVITE', bob.aor, { body: phoneOffer('alice'), contentType: sdpType });
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    bob.respond(received, 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesRequest('ACK');
    assert.deepEqual(lamps(await notified(carol)), ['i terminated sip:bob@example.com']);
    await carol.receivesNothing(20_000);
  });
});

test('after a restart the lamp of a call that goes on is still on, and goes out with its BYE', async () => {
  const it = createProxyScene({ columns, users });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const carol = it.agent(carols);
    const call = await it.call(alice, bob);
    await it.restart();
    const { first } = await watch(carol, bob.aor, 'dialog');
    assert.deepEqual(lamps(first), ['r confirmed sip:alice@example.com']);
    await it.clock.advance(1_000);
    await it.hangUp(alice, call.caller, bob);
    assert.deepEqual(lamps(await notified(carol)), ['r terminated sip:alice@example.com']);
  });
});

test('the database is away when a call ends: the lamp goes out when it is back', async () => {
  const it = createProxyScene({ columns, users });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const carol = it.agent(carols);
    const call = await it.call(alice, bob);
    assert.deepEqual(lamps((await watch(carol, bob.aor, 'dialog')).first), ['r confirmed sip:alice@example.com']);
    await it.clock.advance(2_000);
    it.database.set({ down: true });
    await it.hangUp(alice, call.caller, bob);
    await carol.receivesNothing(10_000);
    it.database.set({ down: false });
    const dark = await notified(carol, 10_000);
    assert.doesNotMatch(dark.body, /confirmed/);
  });
});

test('RFC 3680 §5.3: bob hears of his own contacts, and of a new device; nobody else does (403)', async () => {
  const it = createProxyScene({ columns, users });
  await it.play(async () => {
    const bob = await it.registered(bobs);
    const carol = it.agent(carols);
    const { first } = await watch(bob, bob.aor, 'reg');
    assert.match(first.body, /<registration aor="sip:bob@example.com" id="r1" state="active">/);
    assert.match(first.body, /<uri>sip:bob@192.0.2.2:5060<\/uri>/);
    await it.clock.advance(5_000);
    await it.register(it.agent({ name: 'bob', address: '192.0.2.4' }));
    const both = await notified(bob);
    assert.equal([...both.body.matchAll(/<contact /g)].length, 2);
    carol.request('SUBSCRIBE', bob.aor, { headers: [['Event', 'reg']] });
    await carol.receivesResponse(403, 'SUBSCRIBE');
  });
});

test('a REGISTER that only refreshes tells the watchers nothing', async () => {
  const it = createProxyScene({ columns, users });
  await it.play(async () => {
    const bob = await it.registered(bobs);
    const carol = it.agent(carols);
    await watch(carol, bob.aor);
    await it.clock.advance(6_000);
    bob.request('REGISTER', 'sip:example.com', { headers: [['Expires', '600']], cseq: 7 });
    await bob.receivesResponse(200, 'REGISTER');
    await carol.receivesNothing(20_000);
  });
});

test('RFC 3842 §5.2: counts set over REST light the lamp of the telephone', async () => {
  const it = createProxyScene({ columns, users });
  await it.play(async () => {
    const bob = it.agent(bobs);
    const { first } = await watch(bob, bob.aor, 'message-summary');
    assert.equal(
      first.body,
      'Messages-Waiting: no\r\nMessage-Account: sip:bob@example.com\r\nVoice-Message: 0/0 (0/0)\r\n',
    );
    await it.clock.advance(1_000);
    const counts = { newMessages: 2, oldMessages: 8, newUrgent: 0, oldUrgent: 2 };
    await it.proxy().operations.setMailbox({ aor: 'sip:bob@EXAMPLE.com', ...counts });
    const lit = await notified(bob);
    assert.match(lit.body, /^Messages-Waiting: yes\r\n/);
    assert.match(lit.body, /Voice-Message: 2\/8 \(0\/2\)\r\n$/);
    assert.equal(get(lit, ContentType), 'application/simple-message-summary');
  });
});

test('RFC 3857 §4: bob sees who watches him, comes and goes; a stranger may not', async () => {
  const it = createProxyScene({ columns, users, presence: 'confirm' });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    const { first } = await watch(bob, bob.aor, 'presence.winfo');
    assert.doesNotMatch(first.body, /<watcher /);
    await it.clock.advance(5_000);
    const { dialog } = await watch(alice, bob.aor);
    const waiting = await notified(bob, 10_000);
    assert.match(waiting.body, /<watcher status="pending"[^>]*>sip:alice@example.com<\/watcher>/);
    await it.proxy().operations.setWatcherRule({ presentity: bob.aor, watcher: alice.aor, policy: 'allow' });
    assert.equal(stateOf(await notified(alice, 10_000)), 'active');
    assert.match((await notified(bob, 10_000)).body, /status="active"/);
    alice.within(dialog, 'SUBSCRIBE', {
      headers: [
        ['Event', 'presence'],
        ['Expires', '0'],
      ],
    });
    await alice.receivesResponse(200, 'SUBSCRIBE');
    await notified(alice);
    assert.doesNotMatch((await notified(bob, 10_000)).body, /<watcher /);
    alice.request('SUBSCRIBE', bob.aor, { headers: [['Event', 'presence.winfo']] });
    await alice.receivesResponse(403, 'SUBSCRIBE');
  });
});
