/** rtpengine nodes added over REST: they are there after a restart, and at other nodes of ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMediaRelay } from '../../src/adapters/rtpengine/relay.ts';
import type { AddedNodeStore } from '../../src/ports.ts';
import { type KeptNodesParts, keptNodes, loadAddedNodes } from '../../src/start/added-nodes.ts';
import { createClock } from '../support/clock.ts';
import { serverKinds, withDatabase } from '../support/postgres.ts';
import { realClock, realRandom, silentLog } from '../support/rtpengine.ts';

const address = 'udp:127.0.0.1:9';
const [kind] = serverKinds;
assert.ok(kind !== undefined);

async function withRelay<T>(body: (relay: ReturnType<typeof openMediaRelay>) => Promise<T>): Promise<T> {
  const relay = openMediaRelay({ nodes: [], clock: realClock, random: realRandom, log: silentLog });
  try {
    return await body(relay);
  } finally {
    await relay.shutdown();
  }
}

const alone: KeptNodesParts = { tell: () => undefined, callsOn: () => 0, clock: realClock, log: silentLog };

/** What a new process makes of the rows. */
const afterRestart = (store: AddedNodeStore) =>
  withRelay(async (relay) => {
    await loadAddedNodes(relay, store, silentLog);
    return relay.nodes().map((node) => ({ address: node.address, weight: node.weight }));
  });

test('added, changed and removed: the next start has it so', () =>
  withDatabase({ kind }, async ({ addedNodes }) => {
    await withRelay(async (relay) => {
      const nodes = keptNodes(relay, addedNodes, alone);
      const node = (await nodes.addNode(address, 2)) ?? assert.fail('not added');
      assert.equal(await nodes.addNode(address, 2), undefined, 'it is there already');
      assert.deepEqual(await afterRestart(addedNodes), [{ address, weight: 2 }]);
      await nodes.changeNode(node.id, { weight: 5, draining: true });
      assert.deepEqual(await afterRestart(addedNodes), [{ address, weight: 5 }]);
      assert.deepEqual(await addedNodes.list(), [{ address, weight: 5, draining: true }]);
      assert.equal(await nodes.removeNode(node.id), true);
      assert.equal(await nodes.removeNode(node.id), false);
      assert.deepEqual(await afterRestart(addedNodes), []);
    });
  }));

test('a node of RTPENGINE stays the affair of that setting', () =>
  withDatabase({ kind }, ({ addedNodes }) =>
    withRelay(async (relay) => {
      const node = relay.addNode(address, 1) ?? assert.fail('not added');
      await keptNodes(relay, addedNodes, alone).changeNode(node.id, { weight: 7 });
      assert.deepEqual(await addedNodes.list(), []);
      assert.equal(relay.nodes()[0]?.weight, 7);
    }),
  ));

test('what cannot be kept is not done; a database that fails at the start costs the start nothing', () =>
  withRelay(async (relay) => {
    const fails = (): never => {
      throw new Error('no database');
    };
    const broken: AddedNodeStore = { list: fails, add: fails, change: fails, remove: fails };
    await assert.rejects(async () => keptNodes(relay, broken, alone).addNode(address, 1), /no database/);
    assert.deepEqual(relay.nodes(), []);
    await loadAddedNodes(relay, broken, silentLog);
  }));

test('added, drained and removed at another node of ours: it is so here when it is told; calls that are on it go on first', () =>
  withDatabase({ kind }, ({ addedNodes }) =>
    withRelay((theirs) =>
      withRelay(async (ours) => {
        let calls = 1;
        const clock = createClock();
        const here = keptNodes(ours, addedNodes, { ...alone, callsOn: () => calls, clock });
        const there = keptNodes(theirs, addedNodes, { ...alone, tell: () => here.readAgain() });
        // Resolves behind what was told before.
        const settled = () => here.changeNode('none', {});
        const node = (await there.addNode(address, 2)) ?? assert.fail('not added');
        await settled();
        assert.deepEqual(
          ours.nodes().map(({ id, weight }) => [id, weight]),
          [[node.id, 2]],
        );
        await there.changeNode(node.id, { draining: true, weight: 3 });
        await settled();
        assert.equal(ours.nodes()[0]?.weight, 3);
        await there.removeNode(node.id);
        await settled();
        assert.equal(ours.nodes().length, 1, 'a call of ours is on it');
        calls = 0;
        await clock.advance(2_000);
        await settled();
        assert.deepEqual(ours.nodes(), []);
      }),
    ),
  ));

test('told often while a call of ours is on one that was removed: the table is read once in two seconds, and no more after a stop', () =>
  withDatabase({ kind }, ({ addedNodes }) =>
    withRelay(async (relay) => {
      let reads = 0;
      const list = () => {
        reads++;
        return addedNodes.list();
      };
      const clock = createClock();
      const nodes = keptNodes(relay, { ...addedNodes, list }, { ...alone, callsOn: () => 1, clock });
      await nodes.addNode(address, 1);
      await addedNodes.remove(address);
      for (let told = 0; told < 5; told++) {
        nodes.readAgain();
        await nodes.changeNode('none', {});
      }
      assert.equal(relay.nodes().length, 1);
      reads = 0;
      await clock.advance(2_000);
      await nodes.changeNode('none', {});
      assert.equal(reads, 1);
      nodes.stop();
      await clock.advance(10_000);
      nodes.readAgain();
      await nodes.changeNode('none', {});
      assert.equal(reads, 1);
    }),
  ));

test('the database is away when it is told: it is asked less and less often, and the table is read when it is back', () =>
  withDatabase({ kind }, ({ addedNodes }) =>
    withRelay(async (relay) => {
      let isDown = true;
      let asked = 0;
      const list = () => {
        asked++;
        return isDown ? Promise.reject(new Error('no database')) : addedNodes.list();
      };
      const clock = createClock();
      const nodes = keptNodes(relay, { ...addedNodes, list }, { ...alone, clock });
      await addedNodes.add(address, 3);
      nodes.readAgain();
      await nodes.changeNode('none', {});
      for (let second = 0; second < 600; second++) await clock.advance(1_000);
      assert.ok(asked > 15 && asked < 30, `asked ${asked} times in ten minutes`);
      assert.deepEqual(relay.nodes(), []);
      isDown = false;
      await clock.advance(30_000);
      await nodes.changeNode('none', {});
      assert.equal(relay.nodes()[0]?.weight, 3);
    }),
  ));
