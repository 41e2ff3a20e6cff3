import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { openDatabase } from '../../../src/adapters/postgres/database.ts';
import { Failure } from '../../../src/errors.ts';
import type { Binding, BindingChange } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { serverKinds, silentLog, sql, withDatabase } from '../../support/postgres.ts';

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@example.com';
const HOUR_MS = 3_600_000;

function binding(key: string, values: Partial<Binding> = {}): Binding {
  return {
    aor: ALICE,
    key,
    contact: `sip:${key}@192.0.2.1:5060`,
    contactParams: '',
    q: 1,
    expiresAtMs: Date.now() + HOUR_MS,
    callId: 'call-1',
    cseq: 1,
    path: [],
    flowId: undefined,
    node: 'node-1',
    boot: 'boot-1',
    transport: 'udp',
    source: '192.0.2.1:5060',
    userAgent: 'test',
    media: undefined,
    gruuCSeq: undefined,
    ...values,
  };
}

/** A REGISTER of these bindings, with the Call-ID and CSeq of the first. */
function registering(...save: readonly [Binding, ...Binding[]]): BindingChange {
  const [{ aor, callId, cseq }] = save;
  return { aor, callId, cseq, save, remove: [] };
}

const keysOf = (bindings: readonly Binding[]) => bindings.map((one) => one.key);

for (const kind of serverKinds) {
  describe(`location store, ${kind}`, () => {
    test('location: a binding comes back as it was stored, every member of it', async () => {
      const full = binding('urn:uuid:1;reg-id=1', {
        contact: 'sip:bob@10.0.0.1;transport=ws',
        contactParams: ';+sip.instance="<urn:uuid:1>";reg-id=1',
        q: 0.7,
        expiresAtMs: Date.UTC(2100, 0, 1) + 123,
        callId: 'a84b4c76e66710@pc33',
        cseq: 4_294_967_295,
        path: ['<sip:edge1.example.com;lr>', '"A, B" <sip:edge2.example.com;lr>;x="\\"{}"'],
        flowId: 'c0badcafe-17',
        transport: 'wss',
        userAgent: 'J\xc3\xbcrgens \xff Telefon, "{NULL}"',
        media: 'webrtc',
        gruuCSeq: 4_294_967_290,
      });
      await withDatabase({ kind }, async ({ location }) => {
        assert.deepEqual(await location.change(registering(full)), { outcome: 'stored', bindings: [full] });
        assert.deepEqual(await location.lookup(ALICE), [full]);
        const bare = binding('bare', { aor: BOB });
        assert.deepEqual(await location.change(registering(bare)), { outcome: 'stored', bindings: [bare] });
      });
    });

    test('law 2: what was learned of a binding stays until a REGISTER or another lesson says otherwise', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const learned = async () => (await location.lookup(ALICE)).map(({ media }) => media);
        await location.learn(ALICE, 'phone', 'sdes');
        assert.deepEqual(await learned(), [], 'it makes no binding');
        await location.change(registering(binding('phone')));
        await location.learn(ALICE, 'phone', 'sdes');
        const again = await location.change(registering(binding('phone', { cseq: 2 })));
        assert.deepEqual(
          again.bindings.map(({ media }) => media),
          ['sdes'],
        );
        await location.learn(ALICE, 'phone', 'rtp');
        assert.deepEqual(await learned(), ['rtp']);
        await location.change(registering(binding('phone', { cseq: 3, media: 'webrtc' })));
        assert.deepEqual(await learned(), ['webrtc']);
      });
    });

    test('location: those that a node reaches over UDP flows come in the order of these, in pages of whole flows', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const flow = (number: number): string => `u0:192.0.2.1:500${number}`;
        await location.change(registering(binding('b', { flowId: flow(2) }), binding('c', { flowId: flow(3) })));
        await location.change(registering(binding('a', { aor: BOB, flowId: flow(1) })));
        await location.change(registering(binding('d', { aor: 'sip:carol@example.com', flowId: flow(2) })));
        const others: readonly Partial<Binding>[] = [
          { flowId: 'cb00700-1', transport: 'ws' },
          { flowId: undefined },
          { flowId: flow(4), node: 'node-2' },
          { flowId: flow(5), expiresAtMs: Date.now() - 1 },
        ];
        for (const [index, values] of others.entries()) {
          await location.change(registering(binding(`other${index}`, { aor: `sip:${index}@example.com`, ...values })));
        }
        const first = await location.overUdp({ node: 'node-1', limit: 2 });
        assert.deepEqual(keysOf(first).toSorted(), ['a', 'b', 'd']);
        const next = await location.overUdp({ node: 'node-1', limit: 2, after: first.at(-1)?.flowId ?? '' });
        assert.deepEqual(keysOf(next), ['c']);
        assert.deepEqual(await location.overUdp({ node: 'node-1', limit: 2, after: flow(3) }), []);
      });
    });

    test('location: several bindings come highest q first, of equal q the newest first', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('old', { q: 0.5 })));
        await location.change(registering(binding('best', { q: 0.9 })));
        const { bindings } = await location.change(registering(binding('new', { q: 0.5 })));
        assert.deepEqual(keysOf(bindings), ['best', 'new', 'old']);
        await location.change(registering(binding('old', { q: 0.5, cseq: 2 })));
        assert.deepEqual(keysOf(await location.lookup(ALICE)), ['best', 'old', 'new']);
      });
    });

    describe('RFC 5627 §5.1: since which REGISTER temporary GRUUs of a device are good', () => {
      const key = (regId: number, uuid = 1): string => `<urn:uuid:${uuid}>;reg-id=${regId}`;

      test('stays over refreshes and over its flows; another Call-ID, another device and another AOR begin anew', async () => {
        await withDatabase({ kind }, async ({ location }) => {
          const stored = async (name: string, values: Partial<Binding>) => {
            const { bindings } = await location.change(registering(binding(name, values)));
            return bindings.find((one) => one.key === name)?.gruuCSeq;
          };
          assert.equal(await stored(key(1), { cseq: 4, gruuCSeq: 4 }), 4);
          assert.equal(await stored(key(1), { cseq: 5, gruuCSeq: 5 }), 4, 'refreshed');
          assert.equal(await stored(key(1), { cseq: 6 }), 4, 'they do not end because none is asked for');
          assert.equal(await stored(key(2), { cseq: 7, gruuCSeq: 7 }), 4, 'another flow of it');
          assert.equal(await stored(key(1, 2), { cseq: 8, gruuCSeq: 8 }), 8, 'another device');
          assert.equal(await stored(key(1), { aor: BOB, cseq: 9, gruuCSeq: 9 }), 9, 'another account');
          assert.equal(await stored(key(1), { callId: 'call-2', cseq: 1, gruuCSeq: 1 }), 1, 'after a reboot');
          assert.equal(await stored('phone', {}), undefined);
        });
      });

      test('ends with the registration, whether it is removed or has expired', async () => {
        await withDatabase({ kind }, async ({ location }) => {
          const again = async (cseq: number, expiresAtMs = Date.now() + HOUR_MS) =>
            (await location.change(registering(binding(key(1), { cseq, gruuCSeq: cseq, expiresAtMs })))).bindings[0]
              ?.gruuCSeq;
          assert.equal(await again(1), 1);
          await location.change({ aor: ALICE, callId: 'call-1', cseq: 2, save: [], remove: [key(1)] });
          assert.equal(await again(3, Date.now() - 1), 3, 'it has expired already');
          assert.equal(await again(4), 4);
        });
      });

      test('holds for each of a group that is written in one statement', async () => {
        await withDatabase({ kind }, async ({ location }) => {
          const aors = Array.from({ length: 20 }, (_, index) => `sip:user${index}@example.com`);
          const all = (cseq: number) =>
            Promise.all(
              aors.map(async (aor, index) => {
                const values = { aor, cseq: cseq + index, gruuCSeq: cseq + index };
                return (await location.change(registering(binding(key(1), values)))).bindings[0]?.gruuCSeq;
              }),
            );
          const first = await all(1);
          assert.deepEqual(
            first,
            aors.map((_, index) => 1 + index),
          );
          assert.deepEqual(await all(100), first);
        });
      });
    });

    test('location: a refresh and the statement that can do all leave the same behind', async () => {
      const soon = Date.now() + HOUR_MS;
      const device = (regId: number): string => `<urn:uuid:7>;reg-id=${regId}`;
      const steps: readonly Partial<Binding>[] = [
        { key: 'phone', q: 0.5, callId: 'a' },
        { key: 'over', callId: 'b', expiresAtMs: Date.now() - 1 },
        { key: device(1), callId: 'c', cseq: 4, gruuCSeq: 4 },
        { key: device(2), callId: 'c', cseq: 5, q: 0.7 },
        {
          key: 'phone',
          callId: 'a',
          cseq: 2,
          contactParams: ';x="\xc3\xa9"',
          path: ['<sip:edge.example.com;lr>', '<sip:b;lr>'],
        },
        { key: 'phone', callId: 'a', cseq: 2 },
        { key: device(2), callId: 'c', cseq: 9, gruuCSeq: 9, flowId: 'cb00700-2', transport: 'wss' },
        { key: device(1), callId: 'd', cseq: 1, q: 0.1 },
        { key: 'over', callId: 'b', cseq: 2 },
        { key: 'phone', callId: 'z', cseq: 1, userAgent: 'after a restart', media: 'rtp' },
      ];
      const after = async (closedFlows: readonly string[]) => {
        const outcomes: unknown[] = [];
        await withDatabase({ kind }, async ({ location }) => {
          const limit = { contacts: 10, whenFull: 'refuse', closedFlows } as const;
          for (const { key = '', ...values } of steps) {
            const one = registering(binding(key, { expiresAtMs: soon, ...values }));
            outcomes.push(await location.change({ ...one, limit }));
            await location.learn(ALICE, 'phone', 'sdes');
          }
          outcomes.push(await location.lookup(ALICE));
        });
        return outcomes;
      };
      // With a closed connection there are bounds to be asked.
      const [refreshed, all] = [await after([]), await after(['c0'])];
      assert.deepEqual(refreshed, all);
      assert.equal(JSON.stringify(all).match(/out-of-order/g)?.length, 1);
    });

    test('location: of one AOR a refresh and a removal are written in the order in which they came', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('phone')));
        const removal = { aor: ALICE, callId: 'call-1', cseq: 3, save: [], remove: ['phone'] };
        const refresh = registering(binding('phone', { cseq: 2 }));
        const both = await Promise.all([location.change(refresh), location.change(removal)]);
        assert.deepEqual(
          both.map(({ outcome, bindings }) => [outcome, bindings.length]),
          [
            ['stored', 1],
            ['stored', 0],
          ],
        );
        assert.deepEqual(await location.lookup(ALICE), []);
      });
    });

    test('law 9: one contact too many: refused, or in place of the oldest; a refresh or an exchange is neither', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const limit = (whenFull: 'refuse' | 'replace-oldest', ...closedFlows: string[]) => ({
          limit: { contacts: 2, whenFull, closedFlows },
        });
        for (const key of ['one', 'two'])
          await location.change(registering(binding(key, { flowId: `c00b007-${key}` })));
        const third = registering(binding('three'));
        const refused = await location.change({ ...third, ...limit('refuse') });
        assert.deepEqual([refused.outcome, keysOf(refused.bindings)], ['too-many', ['two', 'one']]);
        const refreshed = await location.change({ ...registering(binding('one', { cseq: 2 })), ...limit('refuse') });
        assert.deepEqual([refreshed.outcome, keysOf(refreshed.bindings)], ['stored', ['one', 'two']]);
        const exchanged = await location.change({ ...third, remove: ['one'], cseq: 3, ...limit('refuse') });
        assert.deepEqual([exchanged.outcome, keysOf(exchanged.bindings)], ['stored', ['three', 'two']]);
        const newest = await location.change({ ...registering(binding('four')), ...limit('replace-oldest') });
        assert.deepEqual([newest.outcome, keysOf(newest.bindings)], ['stored', ['four', 'three']]);
        assert.deepEqual(keysOf(await location.lookup(ALICE)), ['four', 'three']);
      });
    });

    test('law 9: a contact whose connection is closed does not count', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('gone', { flowId: 'c00b007-1' })));
        const limit = { contacts: 1, whenFull: 'refuse', closedFlows: ['c00b007-1'] } as const;
        const { outcome, bindings } = await location.change({ ...registering(binding('new')), limit });
        assert.deepEqual([outcome, keysOf(bindings)], ['stored', ['new', 'gone']]);
        const again = await location.change({ ...registering(binding('third')), limit });
        assert.equal(again.outcome, 'too-many');
      });
    });

    test('law 9: an AOR above a lowered limit may still refresh what it has', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const all = registering(binding('a'), binding('b'), binding('c'));
        await location.change(all);
        const limit = { contacts: 2, whenFull: 'refuse', closedFlows: [] } as const;
        assert.equal((await location.change({ ...registering(binding('a', { cseq: 2 })), limit })).outcome, 'stored');
        assert.equal((await location.change({ ...registering(binding('d', { cseq: 2 })), limit })).outcome, 'too-many');
      });
    });

    test('law 9: the limits of the AORs of one group are their own', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const limit = { contacts: 1, whenFull: 'refuse', closedFlows: [] } as const;
        await location.change(registering(binding('a')));
        const outcomes = await Promise.all([
          location.change({ ...registering(binding('b')), limit }),
          location.change({ ...registering(binding('x', { aor: BOB })), limit }),
        ]);
        assert.deepEqual(
          outcomes.map(({ outcome }) => outcome),
          ['too-many', 'stored'],
        );
      });
    });

    test("DESIGN §5: at a start the bindings of the node's earlier connections go; those that can be pushed (RFC 8599) or asked by their Path stay", async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const old = { boot: 'boot-0', flowId: 'c00b006-1' };
        await location.change(
          registering(
            binding('gone', old),
            binding('pushed', { ...old, contact: 'sip:a@1.invalid;pn-provider=webpush;PN-PRID=x' }),
            binding('path', { ...old, transport: 'tls', path: ['<sip:192.0.2.8:5061;transport=tls;lr>'] }),
            binding('udp', { ...old, flowId: 'u0:192.0.2.1:5060' }),
            binding('elsewhere', { ...old, node: 'node-2' }),
            binding('now', { flowId: 'c00b007-1' }),
          ),
        );
        await location.dropOtherBoots('node-1', 'boot-1');
        assert.deepEqual(keysOf(await location.lookup(ALICE)).toSorted(), [
          'elsewhere',
          'now',
          'path',
          'pushed',
          'udp',
        ]);
        await location.dropFlow('c00b006-1');
        await location.dropFlow('c00b007-1');
        assert.deepEqual(keysOf(await location.lookup(ALICE)).toSorted(), ['path', 'pushed', 'udp']);
      });
    });

    test('RFC 8599 §5.5: a device that no push wakes any more goes, unless it came back by another flow meanwhile', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('a', { flowId: 'c1-1' }), binding('b', { flowId: 'c1-2' })));
        await location.drop({ aor: ALICE, key: 'a', flowId: 'c1-1' });
        await location.drop({ aor: ALICE, key: 'b', flowId: 'c1-1' });
        assert.deepEqual(keysOf(await location.lookup(ALICE)), ['b']);
        await location.change(registering(binding('c', { flowId: undefined })));
        await location.drop({ aor: ALICE, key: 'c', flowId: undefined });
        assert.deepEqual(keysOf(await location.lookup(ALICE)), ['b']);
      });
    });

    test('RFC 3261 §10.3 step 7: of the same Call-ID a CSeq that is not higher changes nothing', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const stored = binding('a', { cseq: 7 });
        await location.change(registering(stored));
        for (const cseq of [7, 6]) {
          const late = binding('a', { cseq, contact: 'sip:late@192.0.2.9' });
          const outcome = await location.change(registering(late, binding('other', { cseq })));
          assert.deepEqual(outcome, { outcome: 'out-of-order', bindings: [stored] });
          assert.deepEqual(await location.lookup(ALICE), [stored]);
        }
        const newer = binding('a', { cseq: 8 });
        assert.deepEqual(await location.change(registering(newer)), { outcome: 'stored', bindings: [newer] });
      });
    });

    test('RFC 3261 §10.3 step 7: another Call-ID replaces whatever its CSeq, as after a restart of the client', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('a', { cseq: 7 })));
        const restarted = binding('a', { callId: 'call-2', cseq: 1 });
        assert.deepEqual(await location.change(registering(restarted)), { outcome: 'stored', bindings: [restarted] });
      });
    });

    test('RFC 3261 §10.3 step 7: bindings that the request does not touch do not count for its order', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('a', { cseq: 7 })));
        const { outcome, bindings } = await location.change(registering(binding('b', { cseq: 3 })));
        assert.equal(outcome, 'stored');
        assert.deepEqual(new Set(keysOf(bindings)), new Set(['a', 'b']));
      });
    });

    test('RFC 3261 §10.3: bindings are removed by key, and all of an AOR by *, each under the same order', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const [a, b, c] = [binding('a', { cseq: 5 }), binding('b', { cseq: 5 }), binding('c', { cseq: 5 })];
        await location.change(registering(a, b, c));
        await location.change(registering(binding('kept', { aor: BOB })));
        const remove = (cseq: number, keys: readonly string[] | '*') =>
          location.change({ aor: ALICE, callId: 'call-1', cseq, save: [], remove: keys });
        assert.equal((await remove(5, ['a'])).outcome, 'out-of-order');
        assert.deepEqual(keysOf((await remove(6, ['a', 'unknown'])).bindings).sort(), ['b', 'c']);
        assert.equal((await remove(5, '*')).outcome, 'out-of-order');
        assert.deepEqual(await remove(7, '*'), { outcome: 'stored', bindings: [] });
        assert.deepEqual(await location.lookup(ALICE), []);
        assert.equal((await location.lookup(BOB)).length, 1);
      });
    });

    test('location: one change may save and remove, also with *', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('a'), binding('b')));
        const moved = binding('c', { cseq: 2 });
        const change = { aor: ALICE, callId: 'call-1', cseq: 2, save: [moved], remove: ['a'] };
        assert.deepEqual(keysOf((await location.change(change)).bindings), ['c', 'b']);
        const again = binding('c', { cseq: 3 });
        const only = await location.change({ ...change, cseq: 3, save: [again], remove: '*' });
        assert.deepEqual(only, { outcome: 'stored', bindings: [again] });
      });
    });

    test('location: what has expired is not there: not found, not counted, not in the way, and swept', async () => {
      const clock = createClock(Date.now());
      const running = { nowMs: clock.nowMs, after: realAfter };
      await withDatabase({ kind, clock: running }, async ({ location }, connection) => {
        await location.change(registering(binding('brief', { expiresAtMs: clock.nowMs() + 1000, cseq: 9 })));
        await location.change(registering(binding('long', { aor: BOB })));
        await clock.advance(1000);
        assert.deepEqual(await location.lookup(ALICE), []);
        assert.equal(await location.count(), 1);
        assert.equal((await location.list({ limit: 10 })).length, 1);
        assert.equal((await sql(connection, 'SELECT * FROM location')).length, 2);
        const older = binding('brief', { cseq: 8, expiresAtMs: clock.nowMs() + 1000 });
        assert.equal((await location.change(registering(older))).outcome, 'stored');
        await clock.advance(1000);
        assert.equal(await location.sweep(), 1);
        assert.equal((await sql(connection, 'SELECT * FROM location')).length, 1);
      });
    });

    test('location: the changes of many AORs are few statements, each with its own outcome', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const aors = Array.from({ length: 300 }, (_, index) => `sip:user${index}@example.com`);
        await location.change(registering(binding('a', { aor: 'sip:user7@example.com', cseq: 5 })));
        const outcomes = await Promise.all(
          aors.map((aor) =>
            location.change(registering(binding('a', { aor, cseq: 5 }), binding('b', { aor, cseq: 5 }))),
          ),
        );
        for (const [index, { outcome, bindings }] of outcomes.entries()) {
          assert.equal(outcome, index === 7 ? 'out-of-order' : 'stored');
          assert.deepEqual(keysOf(bindings), index === 7 ? ['a'] : ['a', 'b']);
          assert.ok(bindings.every((one) => one.aor === aors[index]));
        }
        assert.equal(await location.count(), 2 * 299 + 1);
      });
    });

    test('location: 100 changes of one AOR at once all hold, in the order they were asked for', async () => {
      await withDatabase({ kind, groupMs: 1 }, async ({ location }) => {
        const outcomes = await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            location.change(registering(binding(`device-${index}`, { cseq: index + 1 }))),
          ),
        );
        outcomes.forEach(({ outcome, bindings }, index) => {
          assert.equal(outcome, 'stored');
          assert.equal(bindings.length, index + 1);
          assert.equal(bindings[0]?.key, `device-${index}`);
        });
        assert.equal((await location.lookup(ALICE)).length, 100);
      });
    });

    test('location: of two nodes that store one binding at once the higher CSeq remains, none fails', async () => {
      await withDatabase({ kind, groupMs: 0 }, async ({ location }, connection) => {
        const other = await openDatabase({ connection, log: silentLog, groupMs: 0 });
        try {
          for (let cseq = 1; cseq <= 60; cseq += 2) {
            const outcomes = await Promise.all([
              location.change(registering(binding('a', { cseq }))),
              other.location.change(registering(binding('a', { cseq: cseq + 1 }))),
            ]);
            assert.equal(outcomes[1].outcome, 'stored');
            assert.equal((await location.lookup(ALICE))[0]?.cseq, cseq + 1);
          }
        } finally {
          await other.close();
        }
      });
    });

    test('law 5: when a change resolves, another connection sees it', async () => {
      await withDatabase({ kind }, async ({ location }, connection) => {
        for (let cseq = 1; cseq <= 20; cseq++) {
          await location.change(registering(binding('a', { cseq })));
          const rows = await sql(connection, 'SELECT cseq::int FROM location');
          assert.deepEqual(rows, [{ cseq }]);
        }
      });
    });

    test('location: a row that PostgreSQL refuses hurts nobody else of its group', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const malformed = (error: unknown) => error instanceof Failure && error.code === 'malformed';
        // Longer than an index entry can be, and not compressible.
        const endless = Array.from({ length: 300 }, (_, index) =>
          createHash('sha256').update(`${index}`).digest('hex'),
        );
        const results = await Promise.allSettled([
          location.change(registering(binding('good', { aor: 'sip:a@example.com' }))),
          location.change(registering(binding(endless.join(''), { aor: ALICE }))),
          location.change(registering(binding('q', { aor: BOB, q: 7 }))),
          location.change(registering(binding('nul', { aor: 'sip:c@example.com', userAgent: 'a\0b' }))),
          location.change(registering(binding('good', { aor: 'sip:z@example.com' }))),
        ]);
        assert.deepEqual(
          results.map((result) => result.status),
          ['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'],
        );
        for (const result of results) assert.ok(result.status === 'fulfilled' || malformed(result.reason));
        assert.equal(await location.count(), 2);
      });
    });

    test('location: lookups of one turn each get their own bindings', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('a')));
        await location.change(registering(binding('b', { aor: BOB })));
        const aors = [ALICE, 'sip:nobody@example.com', BOB, ALICE];
        const found = await Promise.all(aors.map((aor) => location.lookup(aor)));
        assert.deepEqual(found.map(keysOf), [['a'], [], ['b'], ['a']]);
      });
    });

    test('location: a binding is found by the hash of AOR and key that a token carries', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const device = binding('urn:uuid:j\xc3\xbcrgen');
        await location.change(registering(device));
        const hash = createHash('sha256').update(`${ALICE}\n${device.key}`, 'latin1').digest('hex').slice(0, 10);
        const [found, missing] = await Promise.all([location.byKeyHash(hash), location.byKeyHash('0000000000')]);
        assert.deepEqual(found, device);
        assert.equal(missing, undefined);
      });
    });

    test('RFC 5626: the end of a connection removes the bindings of that flow, and only if they still name it', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        await location.change(registering(binding('gone', { flowId: 'c1-1' }), binding('udp')));
        await location.change(registering(binding('moved', { aor: BOB, flowId: 'c1-1' })));
        await location.change(registering(binding('moved', { aor: BOB, flowId: 'c1-2', cseq: 2 })));
        await Promise.all([location.dropFlow('c1-1'), location.dropFlow('c1-9')]);
        assert.deepEqual(keysOf(await location.lookup(ALICE)), ['udp']);
        assert.deepEqual(keysOf(await location.lookup(BOB)), ['moved']);
      });
    });

    test('location: the list goes through all AORs page by page, never cutting one in two', async () => {
      await withDatabase({ kind }, async ({ location }) => {
        const aors = ['sip:a@x', 'sip:b@x', 'sip:\xc3\xa9@x', 'sip:d@x', 'sip:E@x'];
        for (const aor of aors) await location.change(registering(binding('1', { aor }), binding('2', { aor })));
        const seen: string[] = [];
        for (let after = ''; ; ) {
          const page = await location.list({ limit: 3, after });
          const last = page.at(-1);
          if (last === undefined) break;
          seen.push(...page.map((one) => one.aor));
          after = last.aor;
        }
        assert.equal(seen.length, 10);
        assert.deepEqual([...new Set(seen)].sort(), [...aors].sort());
      });
    });
  });
}

function realAfter(delayMs: number, action: () => void): () => void {
  const timer = setTimeout(action, delayMs);
  return () => clearTimeout(timer);
}
