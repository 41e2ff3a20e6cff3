/** Failed calls outlive the process: written behind the call, without credentials, and read back as they were. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { callIdHash } from '../../src/dialog/call-id-hash.ts';
import { createProxyScene, type ProxyScene, passwordOf } from '../support/proxy-scene.ts';
import { browserOffer } from '../support/sdp.ts';

const stage = (script: (scene: ProxyScene) => Promise<void>): Promise<void> => {
  const scene = createProxyScene({ columns: ['alice', 'proxy', 'bob'], isTrusted: () => false });
  return scene.play(() => script(scene));
};

/** Alice logs in and calls, and bob is busy. */
async function busy(it: ProxyScene, callId: string, host = 1): Promise<string> {
  const alice = it.agent({ name: 'alice', address: `192.0.2.${host}`, transport: 'wss' });
  const bob = it.agent({ name: 'bob', address: `198.51.100.${host}`, transport: 'wss' });
  await it.register(alice);
  await it.register(bob);
  const sdp = { body: browserOffer('alice'), contentType: 'application/sdp' };
  const first = alice.request('INVITE', bob.aor, { ...sdp, callId });
  const challenge = await alice.receivesFinal('INVITE');
  alice.ack(first, challenge);
  const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
  bob.respond(await bob.receivesRequest('INVITE'), 486);
  await bob.receivesRequest('ACK');
  alice.ack(invite, await alice.receivesFinal('INVITE'));
  alice.station.close();
  bob.station.close();
  return callIdHash(callId);
}

describe('a failed call', () => {
  test('is explained and drawn after a restart as before it', () =>
    stage(async (it) => {
      const id = await busy(it, 'busy-call');
      await it.clock.advance(3_000);
      const before = await it.proxy().operations.explain(id);
      const ladder = await it.proxy().operations.ladder(id);
      assert.equal(before?.verdicts[0]?.code, 'busy');
      await it.restart();
      const { operations } = it.proxy();
      assert.deepEqual(await operations.explain(id), before);
      assert.deepEqual(await operations.ladder(id), ladder);
      assert.partialDeepStrictEqual(await operations.call(id), { callId: 'busy-call', state: 'failed', status: 486 });
    }));

  test('of the last seconds before a stop is written at the stop', () =>
    stage(async (it) => {
      const id = await busy(it, 'busy-call');
      await it.proxy().stop();
      await it.clock.advance(1);
      assert.equal((await it.database.failedCalls.find(id))?.status, 486);
    }));

  test('law 8: is written without what the caller logged in with', () =>
    stage(async (it) => {
      const id = await busy(it, 'busy-call');
      await it.clock.advance(3_000);
      const row = await it.database.failedCalls.find(id);
      assert.match(row?.story ?? '', /username=\\"alice\\", \(removed\)/);
      assert.doesNotMatch(row?.story ?? '', /response=|a=ice-pwd:a/);
      assert.match(row?.story ?? '', /^[\x20-\x7e]*$/);
    }));

  test('stands in the list of failed calls once, from memory or from the database, page by page', () =>
    stage(async (it) => {
      for (const [index, name] of ['one', 'two', 'three'].entries()) {
        await busy(it, name, index + 1);
        await it.clock.advance(40_000);
      }
      const names = async (): Promise<readonly string[]> => {
        const { operations } = it.proxy();
        const found: string[] = [];
        for (let after: string | undefined; ; ) {
          const { items, next } = await operations.calls({ limit: 2, state: 'failed', ...(after ? { after } : {}) });
          found.push(...items.map(({ callId }) => callId));
          if (next === undefined) return found;
          after = next;
        }
      };
      assert.deepEqual(await names(), ['three', 'two', 'one']);
      await it.restart();
      assert.deepEqual(await names(), ['three', 'two', 'one']);
      await busy(it, 'four', 4);
      assert.deepEqual(await names(), ['four', 'three', 'two', 'one']);
    }));

  test('that the database cannot take is lost, and no call waits for it', () =>
    stage(async (it) => {
      const id = await busy(it, 'busy-call');
      it.database.set({ down: true });
      await it.clock.advance(3_000);
      it.database.set({ down: false });
      assert.equal(await it.database.failedCalls.find(id), undefined);
      assert.equal((await it.proxy().operations.call(id))?.status, 486);
    }));
});
