/** DESIGN §5: one record of each ended call, with what each side sent, who hung up, or why nothing is known. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { callIdHash } from '../../src/dialog/call-id-hash.ts';
import type { CallSummary } from '../../src/engine/operations.ts';
import { Failure } from '../../src/errors.ts';
import type { RequestOptions } from '../support/agent.ts';
import { heard } from '../support/heard-media.ts';
import { readPrometheus } from '../support/prometheus.ts';
import { createProxyScene, type ProxyScene, passwordOf, sdpType } from '../support/proxy-scene.ts';
import { phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];

function stage(script: (it: ProxyScene) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns });
  return it.play(() => script(it));
}

const mos = {
  'average MOS': { MOS: 43, jitter: 3, 'packet loss': 1, 'round-trip time': 31_000 },
  'cumulative loss': 4,
};

/** Alice calls bob for ten seconds and hangs up. */
async function talk(it: ProxyScene, callId: string): Promise<string> {
  const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
  const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
  const { caller } = await it.call(alice, bob, { callId });
  await it.clock.advance(10_000);
  await it.hangUp(alice, caller, bob);
  return callIdHash(callId);
}

async function kept(it: ProxyScene, id: string): Promise<CallSummary> {
  return (await it.proxy().operations.call(id)) ?? assert.fail('There is no such record.');
}

describe('the record of a call', () => {
  test('has packets, bytes and MOS of each side, the profile of each, and who hung up; a restart loses none of it', () =>
    stage(async (it) => {
      heard(it, { packets: 500 }, { packets: 480 }, { 1: mos });
      const id = await talk(it, 'a-call');
      const before = await kept(it, id);
      assert.equal(before.endedBy, 'caller');
      assert.deepEqual(before.legs, [
        {
          role: 'caller',
          profile: 'rtp',
          packets: 500,
          bytes: 86_000,
          quality: { mos: 4.3, jitterMs: 3, lossPercent: 1, roundTripMs: 31, lost: 4 },
          noQuality: undefined,
        },
        { role: 'callee', profile: 'rtp', packets: 480, bytes: 82_560, quality: undefined, noQuality: 'no-rtcp' },
      ]);
      await it.restart();
      assert.deepEqual(await kept(it, id), before);
      const { items } = await it.proxy().operations.calls({ limit: 10, state: 'ended' });
      assert.deepEqual(items, [before]);
    }));

  test('says the same of a call that is up, as rtpengine counts at this moment', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      heard(it, { packets: 70 }, { packets: 60 });
      const { caller } = await it.call(alice, bob, { callId: 'a-call' });
      const { state, legs } = await kept(it, callIdHash('a-call'));
      assert.equal(state, 'answered');
      assert.deepEqual(
        legs.map(({ packets }) => packets),
        [70, 60],
      );
      await it.hangUp(alice, caller, bob);
    }));

  test('has why there is no quality in the words that explain has', () =>
    stage(async (it) => {
      heard(it, { packets: 500 }, { packets: 0 });
      const id = await talk(it, 'a-call');
      const words = (await kept(it, id)).legs.map(({ noQuality }) => noQuality);
      assert.deepEqual(words, ['no-rtcp', 'no-media']);
      const explained = await it.proxy().operations.explain(id);
      assert.deepEqual(
        explained?.legs.map(({ noQuality }) => noQuality),
        words,
      );
    }));

  test('of a call whose rtpengine died says that it is gone', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const { caller } = await it.call(alice, bob, { callId: 'a-call' });
      it.media.restart();
      await it.hangUp(alice, caller, bob);
      const { legs } = await kept(it, callIdHash('a-call'));
      assert.deepEqual(
        legs.map(({ packets, noQuality }) => [packets, noQuality]),
        [
          [undefined, 'relay-gone'],
          [undefined, 'relay-gone'],
        ],
      );
    }));

  test('of a call that nobody took has its status, and none of one that was only asked for a password', async () => {
    const it = createProxyScene({ columns, isTrusted: () => false });
    await it.play(async () => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const offer = { body: phoneOffer('alice'), contentType: sdpType };
      const first = alice.request('INVITE', 'sip:nobody@example.com', { ...offer, callId: 'refused' });
      const challenge = await alice.receivesResponse(407);
      alice.ack(first, challenge);
      const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
      alice.ack(invite, await alice.receivesFinal('INVITE'));
      const other = alice.request('INVITE', 'sip:nobody@example.com', { ...offer, callId: 'asked' });
      alice.ack(other, await alice.receivesResponse(407));
      await it.clock.advance(3_000);
      await it.restart();
      const { items } = await it.proxy().operations.calls({ limit: 10 });
      assert.equal(items.length, 1);
      assert.partialDeepStrictEqual(items[0], { callId: 'refused', state: 'failed', status: 404, endedBy: undefined });
      assert.equal(items[0]?.legs[0]?.noQuality, 'not-answered');
    });
  });

  test('that waited for the database is tried once more at the end of the process, and said to be in danger', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const { caller } = await it.call(alice, bob, { callId: 'a-call' });
      it.database.set({ down: true });
      await it.hangUp(alice, caller, bob);
      await it.clock.advance(3_000);
      it.database.set({ down: false });
      await it.proxy().stop();
      const told = it.log.find(({ text }) => text.startsWith('Records of calls are lost'));
      assert.deepEqual([told?.level, told?.fields], ['warn', { waiting: 1 }]);
      assert.equal((await it.database.callRecords.list({ limit: 1 })).length, 1);
    }));

  test('is not kept of strangers, whatever they were refused for: they could fill the table', async () => {
    const it = createProxyScene({ columns: ['mallory', 'proxy'], isTrusted: () => false });
    await it.play(async () => {
      const mallory = it.agent({ name: 'mallory', aor: 'sip:alice@example.com', address: '203.0.113.66' });
      const refused: number[] = [];
      const invite = async (options: RequestOptions): Promise<void> => {
        const sent = mallory.request('INVITE', 'sip:bob@example.com', options);
        const response = await mallory.receivesFinal('INVITE');
        mallory.ack(sent, response);
        refused.push(response.status);
      };
      const digest = 'Digest username="alice", realm="example.com"';
      await invite({ callId: 'hops', maxForwards: 0 });
      await invite({ callId: 'extension', headers: [['Proxy-Require', 'gold']] });
      await invite({ callId: 'half', headers: [['Proxy-Authorization', digest]] });
      await invite({ callId: 'foreign', headers: [['Route', '<sip:203.0.113.1;lr>']] });
      const guess = `${digest}, nonce="n", uri="sip:bob@example.com", response="0", nc=1, cnonce="c", qop=auth`;
      for (let n = 0; n < 6; n++) await invite({ callId: `guess-${n}`, headers: [['Proxy-Authorization', guess]] });
      assert.deepEqual(refused, [483, 420, 400, 407, 407, 407, 407, 407, 407, 403]);
      await it.clock.advance(3_000);
      await it.restart();
      const { operations } = it.proxy();
      assert.deepEqual((await operations.calls({ limit: 10 })).items, []);
      assert.equal(await operations.explain(callIdHash('hops')), undefined);
    });
  });

  test('is kept whoever was called: an address that an index entry cannot hold is cut, or its row would be lost', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const long = `sip:${'9'.repeat(3_000)}@example.com`;
      alice.ack(alice.request('INVITE', long, { callId: 'long' }), await alice.receivesFinal('INVITE'));
      await it.clock.advance(3_000);
      const [row] = await it.database.callRecords.list({ limit: 1 });
      assert.equal(row?.toAor, long.slice(0, 512));
      const { items } = await it.proxy().operations.calls({ limit: 1, account: long });
      assert.equal(items.length, 1, 'and is found');
    }));

  test('RFC 3261 §8.1.1.2: has what was dialled, whatever its caller wrote into To', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const invite = alice.request('INVITE', 'sip:+0900@example.com', { to: 'sip:bob@example.com', callId: 'dear' });
      alice.ack(invite, await alice.receivesFinal('INVITE'));
      const look = async () => {
        const { operations } = it.proxy();
        const [own] = (await operations.calls({ limit: 1, account: '+0900' })).items;
        assert.deepEqual((await operations.calls({ limit: 1, account: 'bob' })).items, [], 'it was none of bob’s');
        return [own?.to, own?.requestUri];
      };
      assert.deepEqual(await look(), ['sip:bob@example.com', 'sip:+0900@example.com']);
      await it.clock.advance(3_000);
      await it.restart();
      assert.deepEqual(await look(), ['sip:bob@example.com', 'sip:+0900@example.com']);
    }));

  test('of a call with the Call-ID of one that has ended is another: neither takes the place of the other', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
      const first = await it.call(alice, bob, { callId: 'again' });
      await it.clock.advance(10_000);
      await it.hangUp(alice, first.caller, bob);
      await it.clock.advance(60_000);
      const second = await it.call(bob, carol, { callId: 'again' });
      await it.clock.advance(20_000);
      await it.hangUp(carol, second.callee, bob);
      const ladder = await it.proxy().operations.ladder(callIdHash('again'));
      assert.deepEqual(
        ladder?.parties.map(({ name }) => name),
        ['bob', 'carol'],
      );
      assert.match(ladder?.steps[0]?.label ?? '', /^INVITE/);
      await it.clock.advance(3_000);
      await it.restart();
      const { items } = await it.proxy().operations.calls({ limit: 10 });
      const seconds = ({ answeredAt = '', endedAt = '' }: CallSummary): number =>
        (Date.parse(endedAt) - Date.parse(answeredAt)) / 1000;
      assert.deepEqual(
        items.map((one) => [one.from, one.to, one.endedBy, Math.round(seconds(one))]),
        [
          ['sip:bob@example.com', 'sip:carol@example.com', 'callee', 20],
          ['sip:alice@example.com', 'sip:bob@example.com', 'caller', 10],
        ],
      );
    }));

  test('is there for a call with the Call-ID of one that is about to be forgotten', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' }, { headers: [['Expires', '7200']] });
      for (const waitMs of [0, 3_601_000]) {
        await it.clock.advance(waitMs);
        const { caller } = await it.call(alice, bob, { callId: 'old' });
        await it.hangUp(alice, caller, bob);
      }
      await it.clock.advance(3_000);
      await it.restart();
      assert.equal((await it.proxy().operations.calls({ limit: 10 })).items.length, 2);
    }));

  test('of two callers who use one Call-ID at the same time, is for each his own', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
      const first = await it.call(alice, bob, { callId: 'shared' });
      await it.clock.advance(5_000);
      const second = await it.call(bob, carol, { callId: 'shared' });
      await it.clock.advance(5_000);
      await it.hangUp(alice, first.caller, bob);
      await it.clock.advance(20_000);
      await it.hangUp(bob, second.caller, carol);
      const look = async () =>
        (await it.proxy().operations.calls({ limit: 10 })).items.map(({ from, to, answeredAt = '', endedAt = '' }) => [
          ...[from, to].map((uri) => uri.replace(/sip:|@.*/g, '')),
          Math.round((Date.parse(endedAt) - Date.parse(answeredAt)) / 1000),
        ]);
      const expected = [
        ['bob', 'carol', 25],
        ['alice', 'bob', 10],
      ];
      assert.deepEqual(await look(), expected);
      const ladder = await it.proxy().operations.ladder(callIdHash('shared'));
      assert.deepEqual(
        ladder?.parties.map(({ name }) => name),
        ['alice', 'bob'],
      );
      await it.clock.advance(3_000);
      await it.restart();
      assert.deepEqual(await look(), expected);
    }));

  test('of the second of them comes also when the first was forgotten long before', () =>
    stage(async (it) => {
      const hours: readonly [string, string] = ['Expires', '7200'];
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' }, { headers: [hours] });
      const carol = await it.registered({ name: 'carol', address: '192.0.2.3' }, { headers: [hours] });
      const first = await it.call(alice, bob, { callId: 'shared' });
      const second = await it.call(bob, carol, { callId: 'shared' });
      await it.hangUp(alice, first.caller, bob);
      await it.clock.advance(3_700_000);
      await it.hangUp(alice, (await it.call(alice, bob)).caller, bob);
      await it.hangUp(bob, second.caller, carol);
      await it.clock.advance(3_000);
      await it.restart();
      const { items } = await it.proxy().operations.calls({ limit: 10 });
      assert.deepEqual(
        items.map(({ from, state }) => [from.replace(/sip:|@.*/g, ''), state]),
        [
          ['alice', 'ended'],
          ['bob', 'ended'],
          ['alice', 'ended'],
        ],
      );
    }));

  test('of a call that went on over a restart begins with its answer', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      heard(it, { packets: 70 }, { packets: 60 });
      const { caller } = await it.call(alice, bob, { callId: 'a-call' });
      await it.clock.advance(30_000);
      await it.restart();
      await it.hangUp(alice, caller, bob);
      await it.restart();
      const { startedAt, answeredAt, endedBy, legs } = await kept(it, callIdHash('a-call'));
      assert.equal(startedAt, answeredAt);
      assert.equal(endedBy, 'caller');
      assert.deepEqual(
        legs.map(({ packets }) => packets),
        [70, 60],
      );
    }));

  test('waits while the database is down, and is written when it is back; the call waits for nothing', () =>
    stage(async (it) => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const { caller } = await it.call(alice, bob, { callId: 'a-call' });
      it.database.set({ down: true });
      await it.hangUp(alice, caller, bob);
      await it.clock.advance(60_000);
      it.database.set({ down: false });
      await it.clock.advance(3_000);
      await it.restart();
      assert.equal((await kept(it, callIdHash('a-call'))).state, 'ended');
      const lost = readPrometheus(await it.proxy().operations.metrics()).get('viaduct_call_records_lost_total');
      assert.deepEqual([...(lost?.samples.values() ?? [])].flat(), [{ labels: {}, value: 0 }]);
    }));
});

describe('the list of calls', () => {
  test('is read by account, state and time, from memory and from the database alike', () =>
    stage(async (it) => {
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const first = it.clock.nowMs();
      const one = await it.call(alice, bob, { callId: 'one' });
      await it.hangUp(alice, one.caller, bob);
      await it.clock.advance(60_000);
      const second = it.clock.nowMs();
      const carol = it.agent({ name: 'carol', address: '192.0.2.3' });
      const two = await it.call(carol, bob, { callId: 'two' });
      await it.hangUp(carol, two.caller, bob);
      const at = (ms: number): string => new Date(ms).toISOString();
      const look = async (): Promise<readonly (readonly string[])[]> => {
        const { operations } = it.proxy();
        const names = async (wanted: Partial<Parameters<typeof operations.calls>[0]>) =>
          (await operations.calls({ limit: 10, ...wanted })).items.map(({ callId }) => callId);
        return Promise.all([
          names({}),
          names({ account: 'alice@example.com' }),
          names({ account: 'bob' }),
          names({ account: 'sip:Bob@EXAMPLE.com' }),
          names({ since: at(second) }),
          names({ until: at(second) }),
          names({ since: at(first), until: at(first + 1_000), state: 'ended' }),
          names({ state: 'failed' }),
        ]);
      };
      const expected = [['two', 'one'], ['one'], ['two', 'one'], [], ['two'], ['one'], ['one'], []];
      assert.deepEqual(await look(), expected);
      await it.restart();
      assert.deepEqual(await look(), expected);
    }));

  test('says that it is not all of them while the database is down', () =>
    stage(async (it) => {
      await talk(it, 'one');
      it.database.set({ down: true });
      const { items, partial } = await it.proxy().operations.calls({ limit: 10 });
      assert.deepEqual([items.length, partial], [1, true]);
      await assert.rejects(it.proxy().operations.calls({ limit: 10, whole: true }), new Failure('database-down'));
      it.database.set({ down: false });
      assert.equal((await it.proxy().operations.calls({ limit: 10 })).partial, undefined);
    }));

  test('a place that is none is refused, and not taken for a database that is down', () =>
    stage(async (it) => {
      for (const after of ['x', '9999999999999999~x', '0998203187200000~\0', '0998203187200000~']) {
        const asked = it.proxy().operations.calls({ limit: 1, after });
        await assert.rejects(asked, new Failure('malformed', '"after" is the "next" of an answer.'));
      }
    }));

  test('an account that is no address is refused', () =>
    stage(async (it) => {
      const asked = it.proxy().operations.calls({ limit: 1, account: 'al ice@@' });
      await assert.rejects(asked, new Failure('malformed', 'An account looks like alice@example.com.'));
    }));
});
