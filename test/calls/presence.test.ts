/** Presence between a watcher (alice), us and whom she watches (bob): RFC 3903, 3856, 6665. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { Expires, MinExpires } from '../../src/message/headers/numbers.ts';
import { ContentType, textHeader } from '../../src/message/headers/text.ts';
import type { Subscription } from '../../src/ports.ts';
import { createProxyScene } from '../support/proxy-scene.ts';
import { basics, notified, pidf, publish, published, stateOf, watch } from '../support/watcher.ts';

const columns = ['alice', 'proxy', 'bob'];
const alices = { name: 'alice', address: '192.0.2.1' } as const;
const bobs = { name: 'bob', address: '192.0.2.2' } as const;
const inBrowser = { transport: 'wss', port: 40_001 } as const;

test('RFC 3856 §8: bob publishes, alice watches, and hears of each change', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    publish(bob, { body: pidf(bob.aor, 'open', 'here') });
    const etag = await published(bob);
    const { first } = await watch(alice, bob.aor);
    assert.deepEqual([stateOf(first), ...basics(first)], ['active', 'open']);
    assert.match(first.body, /<note>here<\/note>/);
    assert.equal(get(first, ContentType), 'application/pidf+xml');
    await it.clock.advance(5_000);
    publish(bob, { ifMatch: etag, body: pidf(bob.aor, 'closed') });
    await published(bob);
    assert.deepEqual(basics(await notified(alice)), ['closed']);
    it.ladder.expect(`
      F1 proxy ◀PUBLISH─ bob
      F2 proxy ─200 PUBLISH▶ bob
      F3 alice ─SUBSCRIBE▶ proxy
      F4 alice ◀200 SUBSCRIBE─ proxy
      F5 alice ◀NOTIFY─ proxy
      F6 alice ─200 NOTIFY▶ proxy
      F7 proxy ◀PUBLISH─ bob
      F8 proxy ─200 PUBLISH▶ bob
      F9 alice ◀NOTIFY─ proxy
      F10 alice ─200 NOTIFY▶ proxy
    `);
  });
});

test('RFC 6665 §4.2.2, law 4: the NOTIFY reaches a browser over its own connection, in its dialog', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ ...alices, ...inBrowser });
    const { dialog, first, accepted } = await watch(alice, 'sip:bob@example.com');
    assert.equal(first.uri, alice.contact);
    assert.equal(get(first, CSeq)?.number, 1);
    assert.deepEqual(get(accepted, Contact)?.uri, get(first, Contact)?.uri);
    assert.deepEqual(basics(first), ['closed']);
    assert.match(dialog.target, /^sip:192\.0\.2\.100:8443;transport=ws$/);
  });
});

test('RFC 3856 §6.10: changes within five seconds become one NOTIFY with the last state', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    await watch(alice, bob.aor);
    let ifMatch: string | undefined;
    for (const note of ['one', 'two', 'three']) {
      publish(bob, { ...(ifMatch === undefined ? {} : { ifMatch }), body: pidf(bob.aor, 'open', note) });
      ifMatch = await published(bob);
    }
    await alice.receivesNothing(4_000);
    assert.match((await notified(alice)).body, /three/);
    await alice.receivesNothing(20_000);
  });
});

test('RFC 6665 §4.2.2: the next NOTIFY waits for the answer to the one before; another watcher does not', async () => {
  const it = createProxyScene({ columns: ['alice', 'carol', 'proxy', 'bob'], users: ['alice', 'bob', 'carol'] });
  await it.play(async () => {
    const alice = it.agent(alices);
    const carol = it.agent({ name: 'carol', address: '192.0.2.3' });
    const bob = it.agent(bobs);
    await watch(alice, bob.aor);
    await watch(carol, bob.aor);
    await it.clock.advance(6_000);
    publish(bob, { body: pidf(bob.aor, 'open') });
    const etag = await published(bob);
    const unanswered = await alice.receivesRequest('NOTIFY');
    assert.deepEqual(basics(await notified(carol)), ['open']);
    await it.clock.advance(6_000);
    publish(bob, { ifMatch: etag, body: pidf(bob.aor, 'closed') });
    await published(bob);
    assert.deepEqual(basics(await notified(carol)), ['closed']);
    alice.inbox.splice(0);
    alice.respond(unanswered, 200);
    const next = await notified(alice, 10_000);
    assert.deepEqual(basics(next), ['closed']);
    assert.equal(get(next, CSeq)?.number, 3);
  });
});

test('RFC 6665 §4.2.2: a watcher that never answers loses its subscription, and delays nobody', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    await watch(alice, bob.aor);
    await it.clock.advance(6_000);
    publish(bob, { body: pidf(bob.aor, 'open') });
    await published(bob);
    await alice.receivesRequest('NOTIFY');
    await it.clock.advance(33_000);
    assert.deepEqual(it.database.rows.subscriptions(), []);
  });
});

test('RFC 6665 §4.1.3: a 481 to a NOTIFY ends the subscription', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    await watch(alice, bob.aor);
    await it.clock.advance(6_000);
    publish(bob, { body: pidf(bob.aor, 'open') });
    await published(bob);
    alice.respond(await alice.receivesRequest('NOTIFY'), 481);
    await it.clock.advance(1_000);
    assert.deepEqual(it.database.rows.subscriptions(), []);
  });
});

test('RFC 6665 §4.1.2.2, §4.1.2.3: a refresh is answered with a NOTIFY at once, `Expires: 0` with the last one', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const { dialog } = await watch(alice, 'sip:bob@example.com');
    const resubscribe = (expires: string) =>
      alice.within(dialog, 'SUBSCRIBE', {
        headers: [
          ['Event', 'presence'],
          ['Expires', expires],
        ],
      });
    resubscribe('300');
    assert.equal(get(await alice.receivesResponse(200, 'SUBSCRIBE'), Expires), 300);
    assert.equal(stateOf(await notified(alice)), 'active');
    resubscribe('0');
    await alice.receivesResponse(200, 'SUBSCRIBE');
    assert.equal(stateOf(await notified(alice)), 'terminated;reason=timeout');
    await it.clock.advance(100);
    assert.deepEqual(it.database.rows.subscriptions(), []);
    resubscribe('300');
    await alice.receivesResponse(481, 'SUBSCRIBE');
  });
});

test('RFC 6665 §4.2.2: a subscription that nobody refreshes ends with the reason `timeout`', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    await watch(alice, 'sip:bob@example.com', 'presence', 60);
    assert.equal(stateOf(await notified(alice, 65_000)), 'terminated;reason=timeout');
    await it.clock.advance(100);
    assert.deepEqual(it.database.rows.subscriptions(), []);
  });
});

test('RFC 6665 §4.4.3: `Expires: 0` outside a dialog is one look, and leaves nothing', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const { first } = await watch(alice, 'sip:bob@example.com', 'presence', 0);
    assert.equal(stateOf(first), 'terminated;reason=timeout');
    assert.deepEqual(basics(first), ['closed']);
    assert.deepEqual(it.database.rows.subscriptions(), []);
  });
});

test('RFC 3856 §7.1: where nothing is published, the registrations speak: open with the first contact, closed with the last', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const { first } = await watch(alice, 'sip:bob@example.com');
    assert.deepEqual(basics(first), ['closed']);
    await it.clock.advance(5_000);
    const bob = await it.registered(bobs, { headers: [['Expires', '60']] });
    assert.deepEqual(basics(await notified(alice)), ['open']);
    // Nobody refreshes it.
    assert.deepEqual(basics(await notified(alice, 70_000)), ['closed']);
    assert.equal(bob.inbox.length, 0);
  });
});

test('law 4: the connection of bob closes: after the grace time alice sees him gone', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered({ ...bobs, ...inBrowser });
    assert.deepEqual(basics((await watch(alice, bob.aor)).first), ['open']);
    bob.station.close();
    await alice.receivesNothing(9_000);
    assert.deepEqual(basics(await notified(alice)), ['closed']);
  });
});

test('RFC 3903 §4.3 to §4.5: refresh keeps the document, modify replaces it, `Expires: 0` removes it; each has a new tag', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = it.agent(bobs);
    const bodies = () => it.database.rows.publications().map(({ body }) => /<note>(.*?)</.exec(body)?.[1]);
    publish(bob, { body: pidf(bob.aor, 'open', 'one') });
    const first = await published(bob);
    publish(bob, { ifMatch: first });
    const second = await published(bob);
    assert.notEqual(second, first);
    assert.deepEqual(bodies(), ['one']);
    publish(bob, { ifMatch: second, body: pidf(bob.aor, 'open', 'two') });
    const third = await published(bob);
    assert.deepEqual(bodies(), ['two']);
    publish(bob, { ifMatch: first, body: pidf(bob.aor, 'open', 'late') });
    await bob.receivesResponse(412, 'PUBLISH');
    publish(bob, { ifMatch: third, expires: 0 });
    await published(bob);
    assert.deepEqual(bodies(), []);
  });
});

test('RFC 3903 §6: 489, 423 with Min-Expires, 415, 400; nothing is stored', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = it.agent(bobs);
    const body = pidf(bob.aor, 'open');
    publish(bob, { event: 'dialog', body });
    const badEvent = await bob.receivesResponse(489, 'PUBLISH');
    assert.equal(get(badEvent, textHeader('Allow-Events')), 'presence');
    publish(bob, { expires: 1, body });
    assert.equal(get(await bob.receivesResponse(423, 'PUBLISH'), MinExpires), 60);
    publish(bob, { body, contentType: 'text/plain' });
    await bob.receivesResponse(415, 'PUBLISH');
    publish(bob);
    await bob.receivesResponse(400, 'PUBLISH');
    publish(bob, { body: '<presence' });
    await bob.receivesResponse(400, 'PUBLISH');
    assert.deepEqual(it.database.rows.publications(), []);
  });
});

test('RFC 6665 §4.2.1: 404, 489 with Allow-Events, 423 with Min-Expires, 406; no subscription is kept', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const ask = (to: string, ...headers: readonly (readonly [string, string])[]) =>
      alice.request('SUBSCRIBE', to, { headers });
    ask('sip:nobody@example.com', ['Event', 'presence']);
    await alice.receivesResponse(404, 'SUBSCRIBE');
    ask('sip:bob@example.com', ['Event', 'conference']);
    const served = get(await alice.receivesResponse(489, 'SUBSCRIBE'), textHeader('Allow-Events'));
    assert.equal(served, 'presence, presence.winfo, dialog, reg, message-summary');
    ask('sip:bob@example.com', ['Event', 'presence'], ['Expires', '5']);
    assert.equal(get(await alice.receivesResponse(423, 'SUBSCRIBE'), MinExpires), 60);
    ask('sip:bob@example.com', ['Event', 'presence'], ['Accept', 'application/sdp']);
    await alice.receivesResponse(406, 'SUBSCRIBE');
    assert.deepEqual(it.database.rows.subscriptions(), []);
  });
});

test('law 10: a SUBSCRIBE with a To tag that we never gave is 481, whoever sends it', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const mallory = it.agent({ name: 'mallory', address: '192.0.2.66' });
    const { dialog, accepted } = await watch(alice, 'sip:bob@example.com');
    const end = [
      ['Event', 'presence'],
      ['Expires', '0'],
    ] as const;
    mallory.within({ ...dialog, callId: 'another' }, 'SUBSCRIBE', { headers: end });
    await mallory.receivesResponse(481, 'SUBSCRIBE');
    mallory.within({ ...dialog, remote: { uri: dialog.remote.uri, tag: 'guessed' } }, 'SUBSCRIBE', { headers: end });
    await mallory.receivesResponse(481, 'SUBSCRIBE');
    assert.ok(get(accepted, Contact));
    assert.equal(it.database.rows.subscriptions().length, 1);
  });
});

test('RFC 3903 §6 step 5: a publication that nobody refreshes ends, and its watchers hear of it', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    publish(bob, { body: pidf(bob.aor, 'open'), expires: 60 });
    await published(bob);
    await watch(alice, bob.aor);
    assert.deepEqual(basics(await notified(alice, 70_000)), ['closed']);
    assert.deepEqual(it.database.rows.publications(), []);
  });
});

test('law 9: an account has so many publications and no more', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = it.agent(bobs);
    for (let count = 0; count < 20; count++) {
      publish(bob, { body: pidf(bob.aor, 'open') });
      await published(bob);
    }
    publish(bob, { body: pidf(bob.aor, 'open') });
    await bob.receivesResponse(403, 'PUBLISH');
    assert.equal(it.database.rows.publications().length, 20);
  });
});

test('the database is away when a NOTIFY is due: it is sent when it is back', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    await watch(alice, bob.aor);
    publish(bob, { body: pidf(bob.aor, 'open') });
    await published(bob);
    // The pace holds it back until then.
    it.database.set({ down: true });
    await alice.receivesNothing(12_000);
    it.database.set({ down: false });
    assert.deepEqual(basics(await notified(alice, 10_000)), ['open']);
  });
});

test('RFC 3903 §4.1, RFC 3863: what two devices publish is one document, ids made unique', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    const desk = it.agent({ name: 'bob', address: '192.0.2.3' });
    publish(bob, { body: pidf(bob.aor, 'open', 'mobile') });
    await published(bob);
    publish(desk, { body: pidf(bob.aor, 'closed', 'desk') });
    await published(desk);
    const { first } = await watch(alice, bob.aor);
    assert.deepEqual([...basics(first)].sort(), ['closed', 'open']);
    assert.deepEqual(
      [...first.body.matchAll(/tuple id="([^"]+)"/g)].map(([, id]) => id),
      ['t1', 't1-2'],
    );
  });
});

test('law 10: neither SUBSCRIBE nor PUBLISH without a login, and PUBLISH only for oneself', async () => {
  const it = createProxyScene({ columns, isTrusted: () => false });
  await it.play(async () => {
    const alice = it.agent(alices);
    const headers = [['Event', 'presence']] as const;
    const subscribe = alice.request('SUBSCRIBE', 'sip:bob@example.com', { headers });
    alice.login(subscribe, await alice.receivesResponse(407, 'SUBSCRIBE'), 'alice', 'secret-alice');
    await alice.receivesResponse(200, 'SUBSCRIBE');
    await notified(alice);
    const other = alice.request('PUBLISH', 'sip:bob@example.com', {
      headers,
      body: pidf('sip:bob@example.com', 'open'),
      contentType: 'application/pidf+xml',
    });
    alice.login(other, await alice.receivesResponse(407, 'PUBLISH'), 'alice', 'secret-alice');
    await alice.receivesResponse(403, 'PUBLISH');
    assert.deepEqual(it.database.rows.publications(), []);
  });
});

test('law 5: a PUBLISH or SUBSCRIBE that could not be committed is answered 503, never 200', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = it.agent(bobs);
    it.database.set({ down: true });
    publish(bob, { body: pidf(bob.aor, 'open') });
    await bob.receivesResponse(503, 'PUBLISH');
    bob.request('SUBSCRIBE', 'sip:alice@example.com', { headers: [['Event', 'presence']] });
    await bob.receivesResponse(503, 'SUBSCRIBE');
  });
});

test('after a restart a subscription goes on: the next NOTIFY has the next CSeq, in the same dialog', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    const { first, dialog } = await watch(alice, bob.aor);
    await it.restart();
    publish(bob, { body: pidf(bob.aor, 'open') });
    await published(bob);
    const next = await notified(alice);
    assert.equal(get(next, CSeq)?.number, (get(first, CSeq)?.number ?? 0) + 1);
    assert.deepEqual(basics(next), ['open']);
    alice.within(dialog, 'SUBSCRIBE', { headers: [['Event', 'presence']] });
    await alice.receivesResponse(200, 'SUBSCRIBE');
    await notified(alice);
    // Those of before the restart are told anew.
    await notified(alice, 15_000);
  });
});

test('after a restart watchers are told anew, when browsers have had the time to come back: bob was never gone', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = await it.registered({ ...bobs, ...inBrowser });
    assert.deepEqual(basics((await watch(alice, bob.aor)).first), ['open']);
    await it.restart();
    const again = await it.registered({ ...bobs, ...inBrowser, port: 40_002 });
    const told = [await notified(alice), await notified(alice, 15_000)];
    assert.deepEqual(told.flatMap(basics), ['open', 'open']);
    await alice.receivesNothing(10_000);
    assert.equal(again.inbox.length, 0);
  });
});

test('after a restart no more than a thousand watchers are told in a second, so that calls have their time, too', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const all = 6_000;
    // Nobody is there: each is told once, in vain, and forgotten.
    for (let at = 0; at < all; at += 1) await it.database.presence.subscribe(absent(at));
    const told = (): number => all - it.database.rows.subscriptions().length;
    await it.restart();
    await it.clock.advance(14_000);
    assert.ok(told() >= 5_000 && told() <= 5_500, `${told()} in the first seconds`);
    await it.clock.advance(5_000);
    assert.equal(told(), all);
  });
});

/** One of twenty watchers of somebody, at an address that no name server knows. */
function absent(at: number): Subscription {
  const [local, remote] = [`sip:user${Math.floor(at / 20)}@example.com`, 'sip:alice@example.com'];
  return {
    ...{ id: `s${at}`, event: 'presence', eventId: undefined, resource: local, watcher: remote, state: 'active' },
    ...{ reason: undefined, createdAtMs: 0, expiresAtMs: Date.UTC(2100, 0, 1), callId: `c${at}`, remoteTag: 'a' },
    ...{ localUri: local, remoteUri: remote, remoteTarget: 'sip:alice@nowhere.invalid', routeSet: [], remoteCseq: 1 },
    ...{ cseq: 0, version: -1, flowId: undefined, listener: 0, node: 'n1', boot: 'b00700' },
  };
}

test('RFC 3856 §6.6.2: block refuses (403), polite-block shows nobody, confirm lets wait until a rule allows', async () => {
  const it = createProxyScene({ columns, presence: 'confirm' });
  await it.play(async () => {
    const alice = it.agent(alices);
    const bob = it.agent(bobs);
    publish(bob, { body: pidf(bob.aor, 'open', 'private') });
    await published(bob);
    const { first } = await watch(alice, bob.aor);
    assert.deepEqual([stateOf(first), first.body], ['pending', '']);
    const { operations } = it.proxy();
    await operations.setWatcherRule({ presentity: bob.aor, watcher: alice.aor, policy: 'allow' });
    const allowed = await notified(alice, 10_000);
    assert.deepEqual([stateOf(allowed), ...basics(allowed)], ['active', 'open']);
    await operations.setWatcherRule({ presentity: bob.aor, watcher: alice.aor, policy: 'polite-block' });
    const polite = await notified(alice, 10_000);
    assert.deepEqual([stateOf(polite), ...basics(polite)], ['active', 'closed']);
    assert.doesNotMatch(polite.body, /private/);
    await operations.setWatcherRule({ presentity: bob.aor, watcher: alice.aor, policy: 'block' });
    const rejected = await notified(alice, 10_000);
    assert.deepEqual([stateOf(rejected), rejected.body], ['terminated;reason=rejected', '']);
    alice.request('SUBSCRIBE', bob.aor, { headers: [['Event', 'presence']] });
    await alice.receivesResponse(403, 'SUBSCRIBE');
  });
});
