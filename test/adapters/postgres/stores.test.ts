import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../src/errors.ts';
import type { CallSettings, Change, DialogRecord, DialogSide, NodeSelf, OutboxEntry } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { serverKinds, sql, withDatabase } from '../../support/postgres.ts';

const hex = (algorithm: string, text: string) => createHash(algorithm).update(text, 'latin1').digest('hex');

function side(tag: string, values: Partial<DialogSide> = {}): DialogSide {
  return {
    uri: 'sip:alice@example.com',
    tag,
    remoteTarget: 'sip:alice@192.0.2.1',
    routeSet: [],
    cseq: 1,
    flowId: undefined,
    binding: undefined,
    media: 'rtp',
    listener: 0,
    ...values,
  };
}

function dialog(callId: string, values: Partial<DialogRecord> = {}): DialogRecord {
  return {
    callId,
    token: 'token-1',
    caller: side('from'),
    callee: side('to'),
    mediaNode: undefined,
    mediaName: undefined,
    answeredAtMs: Date.UTC(2026, 0, 1) + 7,
    node: 'node-1',
    ...values,
  };
}

const nothingWanted: CallSettings = {
  doNotDisturb: false,
  ringSeconds: undefined,
  mostCalls: undefined,
  forwardAlways: undefined,
  forwardBusy: undefined,
  forwardNoAnswer: undefined,
  voicemail: undefined,
};

for (const kind of serverKinds) {
  describe(`subscriber store, ${kind}`, () => {
    test('RFC 3261 §22, RFC 8760: an account has HA1 in MD5 and SHA-256 with its domain as realm, and no password', async () => {
      await withDatabase({ kind }, async ({ subscribers }, connection) => {
        assert.equal(await subscribers.add('alice', 'Example.COM', 'hidden'), true);
        assert.deepEqual(await subscribers.find('alice', 'example.com'), {
          username: 'alice',
          domain: 'example.com',
          ha1Md5: hex('md5', 'alice:example.com:hidden'),
          ha1Sha256: hex('sha256', 'alice:example.com:hidden'),
          calls: nothingWanted,
        });
        assert.doesNotMatch(JSON.stringify(await sql(connection, 'SELECT * FROM subscriber')), /hidden/);
      });
    });

    test('subscribers: the domain is found in any case, the name only in its own', async () => {
      await withDatabase({ kind }, async ({ subscribers }) => {
        await subscribers.add('alice', 'example.com', 'x');
        assert.equal((await subscribers.find('alice', 'EXAMPLE.com'))?.username, 'alice');
        assert.equal(await subscribers.find('Alice', 'example.com'), undefined);
        assert.equal(await subscribers.find('alice', 'example.org'), undefined);
      });
    });

    test('subscribers: the finds of one turn each get their own account', async () => {
      await withDatabase({ kind }, async ({ subscribers }) => {
        await subscribers.add('alice', 'one.example', 'x');
        await subscribers.add('alice', 'two.example', 'y');
        const wanted = [
          ['alice', 'two.example'],
          ['bob', 'one.example'],
          ['alice', 'one.example'],
          ['alice', 'two.example'],
        ] as const;
        const found = await Promise.all(wanted.map(([username, domain]) => subscribers.find(username, domain)));
        assert.deepEqual(
          found.map((one) => one?.domain),
          ['two.example', undefined, 'one.example', 'two.example'],
        );
      });
    });

    test('subscribers: adding a name twice keeps the first; a new password holds at once; removed is gone', async () => {
      await withDatabase({ kind }, async ({ subscribers }) => {
        const ha1 = async () => (await subscribers.find('bob', 'example.com'))?.ha1Md5;
        assert.equal(await subscribers.setPassword('bob', 'example.com', 'new'), false);
        await subscribers.add('bob', 'example.com', 'first');
        assert.equal(await subscribers.add('bob', 'example.com', 'second'), false);
        assert.equal(await ha1(), hex('md5', 'bob:example.com:first'));
        assert.equal(await subscribers.setPassword('bob', 'example.com', 'new'), true);
        assert.equal(await ha1(), hex('md5', 'bob:example.com:new'));
        assert.equal(await subscribers.remove('bob', 'example.com'), true);
        assert.equal(await subscribers.remove('bob', 'example.com'), false);
        assert.equal(await ha1(), undefined);
      });
    });

    test('subscribers: what an account wants for its calls is kept as it was said; at first it wants nothing', async () => {
      await withDatabase({ kind }, async ({ subscribers }) => {
        const wanted = async () => (await subscribers.find('bob', 'example.com'))?.calls;
        assert.equal(await subscribers.setCalls('bob', 'example.com', nothingWanted), false);
        await subscribers.add('bob', 'example.com', 'x');
        assert.deepEqual(await wanted(), nothingWanted);
        const all = {
          doNotDisturb: true,
          ringSeconds: 20,
          mostCalls: 2,
          forwardAlways: 'sip:carol@example.com',
          forwardBusy: 'sips:b\xc3\xbcro@example.com',
          forwardNoAnswer: 'sip:+4930123@trunk.example.net;user=phone',
          voicemail: 'sip:bob@vm.example.com:5070',
        };
        assert.equal(await subscribers.setCalls('bob', 'Example.com', all), true);
        assert.deepEqual(await wanted(), all);
        for (const wrong of [
          { ringSeconds: 181 },
          { mostCalls: 0 },
          { voicemail: 'tel:+4930123' },
          { forwardBusy: 'sip:a<b' },
        ]) {
          await assert.rejects(subscribers.setCalls('bob', 'example.com', { ...all, ...wrong }), { code: 'malformed' });
        }
        assert.deepEqual(await wanted(), all);
        await subscribers.setCalls('bob', 'example.com', nothingWanted);
        assert.deepEqual(await wanted(), nothingWanted);
      });
    });

    test('subscribers: one that is disabled is not found to log in, and stays in the list', async () => {
      await withDatabase({ kind }, async ({ subscribers }) => {
        assert.equal(await subscribers.setDisabled('alice', 'example.com', true), false);
        await subscribers.add('alice', 'example.com', 'x');
        assert.equal(await subscribers.setDisabled('alice', 'Example.com', true), true);
        assert.equal(await subscribers.find('alice', 'example.com'), undefined);
        assert.equal((await subscribers.account('alice', 'example.com'))?.disabled, true);
        await subscribers.setDisabled('alice', 'example.com', false);
        assert.equal((await subscribers.find('alice', 'example.com'))?.username, 'alice');
      });
    });

    test('subscribers: they come by page, in the order of domain and name', async () => {
      await withDatabase({ kind }, async ({ subscribers }) => {
        for (const [name, domain] of [
          ['b', 'one.example'],
          ['a', 'two.example'],
          ['a', 'one.example'],
        ] as const) {
          await subscribers.add(name, domain, 'x');
        }
        const names = async (limit: number, after?: { username: string; domain: string }) =>
          (await subscribers.page(limit, after)).map(({ username, domain }) => `${username}@${domain}`);
        assert.deepEqual(await names(2), ['a@one.example', 'b@one.example']);
        assert.deepEqual(await names(2, { username: 'b', domain: 'one.example' }), ['a@two.example']);
      });
    });

    test('subscribers: names beyond ASCII are their UTF-8 bytes in SIP and in the hash, readable in the database', async () => {
      await withDatabase({ kind }, async ({ subscribers }, connection) => {
        const name = 'j\xc3\xbcrgen';
        await subscribers.add(name, 'example.com', 'x');
        assert.equal((await subscribers.find(name, 'example.com'))?.ha1Md5, hex('md5', `${name}:example.com:x`));
        assert.deepEqual(await sql(connection, 'SELECT username FROM subscriber'), [{ username: 'jürgen' }]);
        assert.deepEqual(
          (await subscribers.list()).map((account) => account.username),
          [name],
        );
      });
    });

    test('subscribers: the row that sql/README.md shows is the one that viaduct makes', async () => {
      await withDatabase({ kind }, async ({ subscribers }, connection) => {
        await sql(
          connection,
          `INSERT INTO subscriber (username, domain, ha1_md5, ha1_sha256)
           VALUES ('alice', 'example.com', md5('alice:example.com:secret'), encode(sha256('alice:example.com:secret'), 'hex'))`,
        );
        const byHand = await subscribers.find('alice', 'example.com');
        await subscribers.setPassword('alice', 'example.com', 'secret');
        assert.deepEqual(await subscribers.find('alice', 'example.com'), byHand);
      });
    });

    test('subscribers: a name with NUL is refused before it reaches the database', async () => {
      await withDatabase({ kind }, async ({ subscribers }) => {
        await assert.rejects(
          subscribers.find('a\0b', 'example.com'),
          (error) => error instanceof Failure && error.code === 'malformed',
        );
      });
    });
  });

  describe(`nodes and what they tell each other, ${kind}`, () => {
    const node = (id: string, boot = 'b00700'): NodeSelf => ({
      id,
      boot,
      address: { transport: 'tcp', host: id === 'a' ? '10.0.0.5' : 'fd00::6', port: 5060 },
    });

    test('nodes: each beat shows all that were there before it, with how long they have been silent; who leaves is gone', async () => {
      await withDatabase({ kind }, async ({ nodes }) => {
        await nodes.beat(node('a'));
        await sleep(30);
        await nodes.beat(node('b'));
        const [first, second] = await nodes.beat(node('b'));
        assert.deepEqual({ ...first, silentMs: 0 }, { ...node('a'), silentMs: 0 });
        assert.deepEqual({ ...second, silentMs: 0 }, { ...node('b'), silentMs: 0 });
        const [silentMs = 0, lessMs = silentMs] = [first?.silentMs, second?.silentMs];
        assert.ok(silentMs >= 25 && lessMs <= silentMs - 25);
        await nodes.leave(node('a', 'another run'));
        assert.equal((await nodes.beat(node('b'))).length, 2);
        await nodes.leave(node('a'));
        assert.deepEqual(
          (await nodes.beat(node('b'))).map(({ id }) => id),
          ['b'],
        );
      });
    });

    test('changes: others read what one has told, in its order, and not its own', async () => {
      const changes: readonly Change[] = [
        { kind: 'registered', aor: 'sip:j\xc3\xbcrgen@example.com' },
        { kind: 'closed', flowId: 'c0a1b2c-1' },
        { kind: 'account-closed', aor: 'sip:bob@example.com', flowIds: ['c0a1b2c-1'] },
        { kind: 'watched', resource: 'sip:bob@example.com', event: 'presence' },
        { kind: 'stored', aor: 'sip:bob@example.com' },
        { kind: 'media-nodes' },
        {
          kind: 'call',
          aor: 'sip:bob@example.com',
          call: { id: 'i-call\ntag', direction: 'initiator', phase: 'early', remote: 'sip:alice@example.com' },
        },
      ];
      await withDatabase({ kind }, async ({ changes: store }, connection) => {
        await store.tell('a', changes);
        await store.tell('b', changes.slice(0, 1));
        const heard = await store.recent('b');
        assert.deepEqual(
          heard.map(({ change }) => change),
          changes,
        );
        assert.ok(heard.every(({ id }, index) => index === 0 || id > (heard[index - 1]?.id ?? id)));
        assert.deepEqual(
          (await store.recent('c')).map((one) => one.node),
          ['a', 'a', 'a', 'a', 'a', 'a', 'a', 'b'],
        );
        await sql(connection, `UPDATE change SET content = '{"kind":"of a later release"}' WHERE node = 'b'`);
        await sql(connection, `UPDATE change SET made_at = made_at - interval '11 seconds' WHERE node = 'a'`);
        assert.deepEqual(await store.recent('c'), []);
        await sql(connection, `UPDATE change SET made_at = made_at - interval '60 seconds' WHERE node = 'a'`);
        assert.equal(await store.sweep(), 7);
      });
    });

    test('dialogs: those of a node that is gone are taken over once, and not while it is there', async () => {
      await withDatabase({ kind }, async ({ dialogs, nodes }) => {
        const record = dialog('call', { node: 'a', callee: side('to', { flowId: 'c0a1b2c-1', node: 'c' }) });
        await dialogs.save(record);
        await nodes.beat(node('a'));
        assert.deepEqual(await dialogs.adopt('a', 'b'), []);
        await nodes.leave(node('a'));
        assert.deepEqual(await dialogs.adopt('a', 'b'), [{ ...record, node: 'b' }]);
        assert.deepEqual(await dialogs.adopt('a', 'c'), []);
        assert.deepEqual(await dialogs.load('b'), [{ ...record, node: 'b' }]);
      });
    });

    test('dialogs: one is found by its tags in either order and its token, whoever has it; its media by its name', async () => {
      await withDatabase({ kind }, async ({ dialogs }) => {
        const record = dialog('call', { node: 'a', mediaName: 'call~from' });
        await dialogs.save(record);
        assert.deepEqual(await dialogs.find('call', 'from', 'to', 'token-1'), record);
        assert.deepEqual(await dialogs.find('call', 'to', 'from', 'token-1'), record);
        assert.equal(await dialogs.find('call', 'to', 'from', 'token-2'), undefined);
        assert.equal(await dialogs.find('call', 'to', 'other', 'token-1'), undefined);
        assert.deepEqual(await dialogs.find('call', 'to', 'from'), record);
        assert.equal(await dialogs.find('call', 'to', 'other'), undefined);
        const known = await Promise.all(['call', 'call~from', 'call~'].map((name) => dialogs.hasMedia(name)));
        assert.deepEqual(known, [true, true, false]);
      });
    });
  });

  describe(`dialog store, ${kind}`, () => {
    test('dialogs: those that are up at some nodes, the newest first, by when they were answered', async () => {
      const firstMs = Date.UTC(2026, 0, 1) + 7;
      const at = (callId: string, node: string, ms: number) => dialog(callId, { node, answeredAtMs: firstMs + ms });
      const rows = [
        at('1', 'a', 0),
        at('2', 'b', 1),
        at('3', 'a', 2),
        at('4', 'a', 2),
        at('5', 'c', 3),
        at('6', 'b', 4),
      ];
      await withDatabase({ kind }, async ({ dialogs }) => {
        await Promise.all(rows.map((row) => dialogs.save(row)));
        const up = async (nodes: readonly string[], limit: number, sinceMs = 0, untilMs = Number.POSITIVE_INFINITY) => {
          const found = await dialogs.up({ nodes, limit, sinceMs, untilMs });
          return found.map(({ callId }) => callId).sort();
        };
        assert.deepEqual(await dialogs.up({ nodes: ['c'], limit: 1, sinceMs: 0, untilMs: firstMs + 4 }), [rows[4]]);
        assert.deepEqual(await up(['a', 'b'], 1), ['6']);
        assert.deepEqual(await up(['a', 'b'], 2), ['3', '4', '6'], 'both of one instant');
        assert.deepEqual(await up(['a', 'b'], 9), ['1', '2', '3', '4', '6']);
        assert.deepEqual(await up(['a', 'b'], 9, firstMs + 1, firstMs + 4), ['2', '3', '4']);
        assert.deepEqual(await up([], 9), []);
      });
    });

    test('dialogs: a record comes back as it was saved, both sides whole', async () => {
      const record = dialog('call@host', {
        caller: side('a', {
          uri: 'sip:j\xc3\xbcrgen@example.com',
          remoteTarget: 'sip:x@abc.invalid;transport=ws',
          routeSet: ['<sip:edge.example.com;lr>', '"\xff" <sip:b;lr>'],
          cseq: 4711,
          flowId: 'c1-2',
          binding: { aor: 'sip:j\xc3\xbcrgen@example.com', key: 'urn:uuid:1' },
          media: 'webrtc',
          listener: 3,
        }),
        callee: side('b', { media: 'osrtp' }),
        mediaNode: 'udp:127.0.0.1:22222',
        mediaName: 'call@host~a',
      });
      await withDatabase({ kind }, async ({ dialogs }) => {
        await dialogs.save(record);
        await dialogs.save(dialog('elsewhere', { node: 'node-2' }));
        assert.deepEqual(await dialogs.load('node-1'), [record]);
      });
    });

    test('dialogs: saving again replaces; each To tag of a fork has its own record', async () => {
      await withDatabase({ kind }, async ({ dialogs }) => {
        const first = dialog('call', { callee: side('one') });
        const second = dialog('call', { callee: side('two'), answeredAtMs: first.answeredAtMs + 1 });
        await Promise.all([dialogs.save(first), dialogs.save(second)]);
        const moved = { ...first, caller: side('from', { cseq: 9, flowId: 'c9-9' }) };
        await dialogs.save(moved);
        assert.deepEqual(await dialogs.load('node-1'), [moved, second]);
        await dialogs.remove(second);
        assert.deepEqual(await dialogs.load('node-1'), [moved]);
      });
    });

    test('DESIGN §5: a call that passes twice has a row of each pass, told apart by their tokens', async () => {
      await withDatabase({ kind }, async ({ dialogs }) => {
        const [first, second] = [dialog('call', { token: 'one' }), dialog('call', { token: 'two', answeredAtMs: 1 })];
        await Promise.all([dialogs.save(first), dialogs.save(second)]);
        assert.deepEqual(await dialogs.load('node-1'), [second, first]);
        await dialogs.remove(first);
        assert.deepEqual(await dialogs.load('node-1'), [second]);
      });
    });

    test('dialogs: save and remove asked for at once keep their order', async () => {
      await withDatabase({ kind }, async ({ dialogs }) => {
        const records = Array.from({ length: 50 }, (_, index) => dialog(`call-${index}`));
        await Promise.all(records.flatMap((record) => [dialogs.save(record), dialogs.remove(record)]));
        assert.deepEqual(await dialogs.load('node-1'), []);
        const [kept] = records;
        assert.ok(kept);
        await Promise.all([dialogs.save(kept), dialogs.remove(kept), dialogs.save(kept)]);
        assert.deepEqual(await dialogs.load('node-1'), [kept]);
      });
    });

    test('dialogs: a row that is no record of ours is left out when they are loaded', async () => {
      await withDatabase({ kind }, async ({ dialogs }, connection) => {
        await dialogs.save(dialog('good'));
        await dialogs.save(dialog('bad'));
        await sql(connection, `UPDATE dialog SET caller = '{"uri": 7}' WHERE call_id = 'bad'`);
        assert.deepEqual(
          (await dialogs.load('node-1')).map((record) => record.callId),
          ['good'],
        );
      });
    });
  });

  describe(`media outbox, ${kind}`, () => {
    const entry = (callId: string, createdAtMs = Date.now(), mediaNode = 'udp:127.0.0.1:22222'): OutboxEntry => ({
      callId,
      mediaNode,
      createdAtMs,
    });

    test('outbox: entries are pending, oldest first, until they are done', async () => {
      const now = Date.now();
      await withDatabase({ kind }, async ({ outbox }) => {
        const entries = [entry('b', now - 20), entry('a', now - 10), entry('a', now, 'udp:other')];
        await Promise.all(entries.map((one) => outbox.add(one)));
        await outbox.add(entry('b', now - 20));
        assert.deepEqual(await outbox.pending(), entries);
        await outbox.done(entry('a', now - 10));
        assert.deepEqual(await outbox.pending(), [entries[0], entries[2]]);
      });
    });

    test('outbox: a late `done` of an earlier call does not take the entry of a later one under the same Call-ID', async () => {
      const now = Date.now();
      await withDatabase({ kind }, async ({ outbox }) => {
        await outbox.add(entry('reused', now - 5000));
        await outbox.add(entry('reused', now));
        await outbox.add(entry('reused', now - 5000));
        await outbox.done(entry('reused', now - 5000));
        assert.deepEqual(await outbox.pending(), [entry('reused', now)]);
      });
    });

    test('outbox: an entry is given up after ten minutes, and swept', async () => {
      const clock = createClock(Date.now());
      const running = {
        nowMs: clock.nowMs,
        after: (delayMs: number, action: () => void) => {
          const timer = setTimeout(action, delayMs);
          return () => clearTimeout(timer);
        },
      };
      await withDatabase({ kind, clock: running }, async ({ outbox }, connection) => {
        await outbox.add(entry('old', clock.nowMs()));
        await clock.advance(10 * 60_000);
        assert.deepEqual(await outbox.pending(), []);
        assert.equal(await outbox.sweep(), 1);
        assert.deepEqual(await sql(connection, 'SELECT * FROM media_outbox'), []);
      });
    });
  });
}
