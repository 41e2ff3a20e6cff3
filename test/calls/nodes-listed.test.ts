/** The list of calls at one of many nodes (DESIGN §5): those that are up at another one are in it, by their rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodesScene, type NodesScene } from '../support/nodes-scene.ts';
import { type Call, call, hangUp } from '../support/proxy-scene.ts';
import { browserOffer } from '../support/sdp.ts';

const columns = ['alice', 'carol', 'A', 'B', 'bob', 'dave'];
const users = ['alice', 'bob', 'carol', 'dave'];

/** Alice calls bob, and carol calls dave, each a second later, at A; the callees are at B. */
function stage(script: (it: NodesScene, talks: readonly (Call & { hangUp(): Promise<void> })[]) => Promise<void>) {
  const it = createNodesScene({ columns, users });
  return it.play(async () => {
    const talks: (Call & { hangUp(): Promise<void> })[] = [];
    for (const [name, peer, host] of [
      ['alice', 'bob', 1],
      ['carol', 'dave', 2],
    ] as const) {
      const caller = await it.A.registered({ name, address: `192.0.2.${host}`, transport: 'ws' });
      const callee = await it.B.registered({
        name: peer,
        address: `192.0.2.${host + 10}`,
        transport: 'tcp',
        port: 40_000,
      });
      await it.clock.advance(1_000);
      const talk = await call(caller, callee, { offer: browserOffer(name) });
      talks.push({ ...talk, hangUp: () => hangUp(caller, talk.caller, callee) });
    }
    await it.clock.advance(1_000);
    await script(it, talks);
  });
}

test('calls that are up at A stand in the list of B with the name of A, their parties and their media, until they end', () =>
  stage(async (it, talks) => {
    const { operations } = it.B.proxy();
    const { items, next } = await operations.calls({ limit: 10 });
    const shown = items.map(({ node, state, from, to, callerMedia, calleeMedia }) => ({
      ...{ node, state, from, to, callerMedia, calleeMedia },
    }));
    const up = { node: 'n-A', state: 'answered', callerMedia: 'webrtc', calleeMedia: 'rtp' };
    assert.deepEqual(shown, [
      { ...up, from: 'sip:carol@example.com', to: 'sip:dave@example.com' },
      { ...up, from: 'sip:alice@example.com', to: 'sip:bob@example.com' },
    ]);
    assert.equal(next, undefined);
    const [own] = (await it.A.proxy().operations.calls({ limit: 10 })).items;
    assert.deepEqual([own?.node, own?.id, own?.answeredAt], [undefined, items[0]?.id, items[0]?.answeredAt]);
    for (const talk of talks) await talk.hangUp();
    await it.clock.advance(1_000);
    const ended = (await operations.calls({ limit: 10 })).items.map(({ node, state }) => [node, state]);
    assert.deepEqual(ended, [
      [undefined, 'ended'],
      [undefined, 'ended'],
    ]);
  }));

test('the list of B by page, by account, by state and by time has those of A, each once', () =>
  stage(async (it, talks) => {
    const { operations } = it.B.proxy();
    const from = async (wanted: Partial<Parameters<typeof operations.calls>[0]>) =>
      (await operations.calls({ limit: 10, ...wanted })).items.map(
        (each) => each.from.slice('sip:'.length).split('@')[0],
      );
    const first = await operations.calls({ limit: 1 });
    const rest = await operations.calls({ limit: 1, after: first.next ?? assert.fail('no next') });
    assert.deepEqual(
      [...first.items, ...rest.items].map((each) => each.from),
      ['sip:carol@example.com', 'sip:alice@example.com'],
    );
    assert.equal(rest.next, undefined);
    assert.deepEqual(await from({ account: 'alice' }), ['alice']);
    assert.deepEqual(await from({ account: 'dave' }), ['carol']);
    assert.deepEqual(await from({ account: 'nobody' }), []);
    assert.deepEqual(await from({ state: 'answered' }), ['carol', 'alice']);
    for (const state of ['ringing', 'ended', 'failed'] as const) assert.deepEqual(await from({ state }), []);
    const { startedAt: carolsTime } = first.items[0] ?? assert.fail('no call');
    assert.deepEqual(await from({ since: carolsTime }), ['carol']);
    assert.deepEqual(await from({ until: carolsTime }), ['alice']);
    for (const talk of talks) await talk.hangUp();
  }));

test('without the database the list has the calls of this node, and says that it is not all', () =>
  stage(async (it, talks) => {
    it.B.cutOff(true);
    const { items, partial } = await it.B.proxy().operations.calls({ limit: 10 });
    assert.deepEqual([items, partial], [[], true]);
    await assert.rejects(it.B.proxy().operations.calls({ limit: 10, whole: true }), { code: 'database-down' });
    it.B.cutOff(false);
    for (const talk of talks) await talk.hangUp();
  }));
