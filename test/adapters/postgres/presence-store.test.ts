import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Publication, PublicationChange, StoredMessage, Subscription } from '../../../src/ports.ts';
import { serverKinds, sql, withDatabase } from '../../support/postgres.ts';

const bob = 'sip:bob@example.com';
const alice = 'sip:alice@example.com';
const soonMs = (seconds: number): number => Date.now() + seconds * 1000;

function change(values: Partial<PublicationChange> = {}): PublicationChange {
  return {
    aor: bob,
    event: 'presence',
    ifMatch: undefined,
    next: { etag: 'one', expiresAtMs: soonMs(600) },
    document: { contentType: 'application/pidf+xml', body: '<presence/>' },
    ...values,
  };
}

function subscription(id: string, values: Partial<Subscription> = {}): Subscription {
  return {
    id,
    event: 'presence',
    eventId: undefined,
    resource: bob,
    watcher: alice,
    state: 'active',
    reason: undefined,
    createdAtMs: Date.UTC(2026, 0, 1) + 7,
    expiresAtMs: soonMs(600),
    callId: `${id}@192.0.2.1`,
    remoteTag: 'a',
    localUri: bob,
    remoteUri: alice,
    remoteTarget: 'sip:alice@192.0.2.1',
    routeSet: [],
    remoteCseq: 1,
    cseq: 0,
    version: -1,
    flowId: undefined,
    listener: 0,
    node: 'n1',
    boot: 'b1',
    ...values,
  };
}

function message(id: string, values: Partial<StoredMessage> = {}): StoredMessage {
  return {
    id,
    aor: bob,
    from: `"Alice" <${alice}>`,
    contentType: 'text/plain',
    body: 'gr\xc3\xbc\xc3\x9fe \xff',
    sentAtMs: Date.UTC(2026, 0, 1) + 5,
    expiresAtMs: soonMs(600),
    ...values,
  };
}

const etags = (publications: readonly Publication[]): readonly string[] => publications.map(({ etag }) => etag);
const ids = (subscriptions: readonly Subscription[]): readonly string[] => subscriptions.map(({ id }) => id);

for (const kind of serverKinds) {
  describe(`publications, ${kind}`, () => {
    test('RFC 3903 §4: refresh keeps the document under a new tag, modify replaces it, remove takes it away', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        assert.equal(await presence.publish(change()), 'stored');
        const later = soonMs(900);
        await presence.publish(
          change({ ifMatch: 'one', next: { etag: 'two', expiresAtMs: later }, document: undefined }),
        );
        const [refreshed] = await presence.publications(bob, 'presence');
        assert.deepEqual(refreshed, {
          aor: bob,
          event: 'presence',
          etag: 'two',
          contentType: 'application/pidf+xml',
          body: '<presence/>',
          expiresAtMs: later,
        });
        const document = { contentType: 'application/pidf+xml', body: '<p>\xc3\xa9</p>' };
        await presence.publish(change({ ifMatch: 'two', next: { etag: 'three', expiresAtMs: later }, document }));
        assert.equal((await presence.publications(bob, 'presence'))[0]?.body, document.body);
        await presence.publish(change({ ifMatch: 'three', next: undefined, document: undefined }));
        assert.deepEqual(await presence.publications(bob, 'presence'), []);
      });
    });

    test('RFC 3903 §6 step 4: a tag that is gone or has expired matches nothing, and nothing is written', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        assert.equal(await presence.publish(change({ ifMatch: 'never' })), 'no-match');
        await presence.publish(change({ next: { etag: 'old', expiresAtMs: Date.now() - 1 } }));
        assert.equal(await presence.publish(change({ ifMatch: 'old' })), 'no-match');
        assert.deepEqual(await presence.publications(bob, 'presence'), []);
      });
    });

    test('publications: what is asked at once keeps its order; of one tag used twice the second does not match', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        const next = (etag: string) => ({ etag, expiresAtMs: soonMs(600) });
        const outcomes = await Promise.all([
          presence.publish(change({ next: next('a') })),
          presence.publish(change({ ifMatch: 'a', next: next('b') })),
          presence.publish(change({ ifMatch: 'a', next: next('c') })),
          presence.publish(change({ aor: alice, next: next('a') })),
        ]);
        assert.deepEqual(outcomes, ['stored', 'stored', 'no-match', 'stored']);
        assert.deepEqual(etags(await presence.publications(bob, 'presence')), ['b']);
      });
    });

    test('publications: the newest comes first; expiry removes in batches and names each address once', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        await presence.publish(change({ next: { etag: 'first', expiresAtMs: soonMs(600) } }));
        await presence.publish(change({ next: { etag: 'second', expiresAtMs: soonMs(600) } }));
        assert.deepEqual(etags(await presence.publications(bob, 'presence')), ['second', 'first']);
        for (const etag of ['x', 'y', 'z'])
          await presence.publish(change({ next: { etag, expiresAtMs: Date.now() - 10 } }));
        assert.deepEqual(await presence.expirePublications(2), [{ aor: bob, event: 'presence' }]);
        assert.equal((await presence.expirePublications(2)).length, 1);
        assert.deepEqual(await presence.expirePublications(2), []);
        assert.deepEqual(etags(await presence.listPublications({ limit: 10 })), ['second', 'first']);
      });
    });
  });

  describe(`subscriptions, ${kind}`, () => {
    test('subscriptions: one comes back as it was saved', async () => {
      const whole = subscription('whole', {
        eventId: '7',
        state: 'pending',
        routeSet: ['sip:a;lr', 'sip:b;lr'],
        flowId: 'cb1-4',
        remoteTarget: 'sip:x@y.invalid;transport=ws',
      });
      await withDatabase({ kind }, async ({ presence }) => {
        assert.equal(await presence.subscribe(whole), true);
        assert.deepEqual(await presence.find('whole'), whole);
        assert.equal(await presence.find('other'), undefined);
      });
    });

    test('RFC 3261 §12.2.2: a refresh keeps CSeq and version of the NOTIFY; an older SUBSCRIBE changes nothing', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        await presence.subscribe(subscription('s'));
        const claims = await Promise.all([presence.claim('s'), presence.claim('s'), presence.claim('gone')]);
        assert.deepEqual(
          claims.map((one) => one && [one.subscription.cseq, one.subscription.version]),
          [[1, 0], [2, 1], undefined],
        );
        const expiresAtMs = soonMs(1200);
        assert.equal(
          await presence.subscribe(subscription('s', { remoteCseq: 2, expiresAtMs, flowId: 'cb1-9' })),
          true,
        );
        assert.equal(await presence.subscribe(subscription('s', { remoteCseq: 2, flowId: 'cb1-1' })), false);
        const held = await presence.find('s');
        assert.deepEqual([held?.cseq, held?.version, held?.expiresAtMs, held?.flowId], [2, 1, expiresAtMs, 'cb1-9']);
      });
    });

    test('subscriptions: a claim brings the rule for its watcher as it is now', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        await presence.subscribe(subscription('s'));
        assert.equal((await presence.claim('s'))?.policy, undefined);
        await presence.setRule({ presentity: bob, watcher: alice, policy: 'block' });
        await presence.setRule({ presentity: bob, watcher: alice, policy: 'polite-block' });
        assert.equal((await presence.claim('s'))?.policy, 'polite-block');
        assert.deepEqual(await presence.rules(bob), [{ presentity: bob, watcher: alice, policy: 'polite-block' }]);
        assert.equal(await presence.removeRule(bob, alice), true);
        assert.equal(await presence.removeRule(bob, alice), false);
        assert.equal((await presence.claim('s'))?.policy, undefined);
      });
    });

    test('subscriptions: those of a resource and package, alive; what a SUBSCRIBE must know', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        await presence.subscribe(subscription('one'));
        await presence.subscribe(subscription('lamp', { event: 'dialog' }));
        await presence.subscribe(subscription('over', { expiresAtMs: Date.now() - 1 }));
        await presence.subscribe(subscription('ended', { state: 'terminated', reason: 'rejected' }));
        const [presenceOnes, lamps] = await Promise.all([
          presence.subscribers(bob, 'presence'),
          presence.subscribers(bob, 'dialog'),
        ]);
        assert.deepEqual([ids(presenceOnes), ids(lamps)], [['one'], ['lamp']]);
        await presence.setRule({ presentity: bob, watcher: alice, policy: 'allow' });
        const standings = await Promise.all([presence.standing(bob, alice), presence.standing(alice, bob)]);
        assert.deepEqual(standings, [
          { policy: 'allow', subscriptions: 4 },
          { policy: undefined, subscriptions: 0 },
        ]);
        assert.deepEqual(ids(await presence.listSubscriptions({ limit: 10 })).toSorted(), ['ended', 'lamp', 'one']);
        assert.deepEqual(await presence.counts(), { publications: 0, subscriptions: 3 });
      });
    });

    test('subscriptions: what has ended here is owed its last NOTIFY, a rejected one at once; then it is forgotten', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        await presence.subscribe(subscription('over', { expiresAtMs: Date.now() - 5 }));
        await presence.subscribe(subscription('elsewhere', { expiresAtMs: Date.now() - 5, node: 'n2' }));
        await presence.subscribe(subscription('rejected'));
        await presence.setState('rejected', 'terminated', 'rejected');
        assert.deepEqual((await presence.ended('n1', 10)).toSorted(), ['over', 'rejected']);
        assert.equal((await presence.find('rejected'))?.reason, 'rejected');
        await presence.forget('over');
        assert.deepEqual(await presence.ended('n1', 10), ['rejected']);
      });
    });

    test('law 4: a closed connection takes its subscriptions along, an earlier run those of its connections; UDP stays', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        await presence.subscribe(subscription('closed', { flowId: 'cb1-1' }));
        await presence.subscribe(subscription('earlier', { flowId: 'cb0-1', boot: 'b0' }));
        await presence.subscribe(subscription('udp', { flowId: 'u0:192.0.2.1:5060', boot: 'b0' }));
        await presence.subscribe(subscription('open', { flowId: 'cb1-2' }));
        await presence.dropFlow('cb1-1');
        await presence.dropEarlierBoots('n1', 'b1');
        assert.deepEqual(ids(await presence.subscribers(bob, 'presence')).toSorted(), ['open', 'udp']);
        assert.deepEqual(await presence.watched('n1'), [{ resource: bob, event: 'presence' }]);
      });
    });

    test('subscriptions of a node that is gone are another’s from then on, and not while it is there', async () => {
      await withDatabase({ kind }, async ({ presence, nodes }) => {
        const self = { id: 'n1', boot: 'b1', address: { transport: 'tcp', host: '192.0.2.1', port: 5060 } } as const;
        await presence.subscribe(subscription('udp', { flowId: 'u0:192.0.2.1:5060' }));
        await nodes.beat(self);
        await presence.adopt('n1', { node: 'n2', boot: 'b2' });
        assert.equal((await presence.find('udp'))?.node, 'n1');
        await nodes.leave(self);
        await presence.adopt('n1', { node: 'n2', boot: 'b2' });
        const { node, boot } = (await presence.find('udp')) ?? {};
        assert.deepEqual([node, boot], ['n2', 'b2']);
      });
    });

    test('subscriptions: a NOTIFY changes no index (its row stays within its page)', async () => {
      await withDatabase({ kind }, async (_, connection) => {
        const [row] = await sql(
          connection,
          `SELECT count(*)::int AS columns FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
           WHERE i.indrelid = 'subscription'::regclass AND a.attname IN ('cseq', 'version')`,
        );
        assert.deepEqual(row, { columns: 0 });
      });
    });
  });

  describe(`mailboxes and messages, ${kind}`, () => {
    test('RFC 3842: counts are kept, and replaced', async () => {
      await withDatabase({ kind }, async ({ presence }) => {
        assert.equal(await presence.mailbox(bob), undefined);
        const counts = { aor: bob, newMessages: 2, oldMessages: 8, newUrgent: 0, oldUrgent: 2 };
        await presence.setMailbox({ ...counts, newMessages: 9 });
        await presence.setMailbox(counts);
        assert.deepEqual(await presence.mailbox(bob), counts);
      });
    });

    test('RFC 3428 §7: messages wait in their order, up to the bound, as they came byte for byte', async () => {
      await withDatabase({ kind }, async ({ messages }) => {
        const first = message('m1');
        const second = message('m2', { sentAtMs: first.sentAtMs + 1 });
        assert.equal(await messages.store(first, 2), 'stored');
        const outcomes = await Promise.all([messages.store(second, 2), messages.store(message('m3'), 2)]);
        assert.deepEqual(outcomes, ['stored', 'full']);
        assert.deepEqual(await messages.waitingFor(bob, 10), [first, second]);
        assert.deepEqual(await messages.recipients(10), [bob]);
        await messages.delivered('m1');
        assert.deepEqual(await messages.waitingFor(bob, 10), [second]);
      });
    });

    test('messages: one that has expired is not delivered, and swept; one refused too often is given up', async () => {
      await withDatabase({ kind }, async ({ messages }) => {
        await messages.store(message('old', { expiresAtMs: Date.now() - 1 }), 10);
        assert.deepEqual(await messages.waitingFor(bob, 10), []);
        assert.equal(await messages.sweep(), 1);
        await messages.store(message('m'), 10);
        await messages.refused('m', 2);
        assert.equal((await messages.waitingFor(bob, 10)).length, 1);
        await messages.refused('m', 2);
        assert.deepEqual(await messages.waitingFor(bob, 10), []);
      });
    });
  });
}
