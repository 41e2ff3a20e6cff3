/**
 * Nodes that lose the database or each other (DESIGN §5, many nodes): what lives goes on, and what is gone is ended and taken
 * over, whoever hears of it how.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appears, bothReach, ringing, stage, talking } from '../support/nodes-devices.ts';
import { call, hangUp } from '../support/proxy-scene.ts';
import { browserAnswer, phoneOffer } from '../support/sdp.ts';

/** A machine without power closes no connection: no node sees the other go, as over UDP. */
const unseen = { transport: 'udp', nodes: ['A', 'B'] } as const;

describe('the database is away', () => {
  for (const by of ['alice', 'bob'] as const) {
    test(`the call goes on between its nodes, and ${by} hangs up`, () =>
      stage(async ({ it, alice, bob }) => {
        const { caller, callee } = await talking({ alice, bob });
        it.database.set({ down: true });
        await it.clock.advance(20_000);
        await bothReach(alice, caller, bob, callee);
        if (by === 'alice') await hangUp(alice, caller, bob);
        else await hangUp(bob, callee, alice);
        assert.deepEqual(it.media.calls(), []);
      }));
  }
});

describe('a node has lost the database', () => {
  test('one that was only cut off from the database for a while keeps its clients and its calls', () =>
    stage(async ({ it, alice, bob }) => {
      const { caller, callee } = await talking({ alice, bob });
      it.A.cutOff(true);
      await it.clock.advance(20_000);
      it.A.cutOff(false);
      await it.clock.advance(3_000);
      await bothReach(bob, callee, alice, caller);
      await hangUp(alice, caller, bob);
      const talk = await talking({ alice: bob, bob: alice });
      await hangUp(bob, talk.caller, alice);
      assert.deepEqual(it.database.rows.dialogs(), []);
    }));

  test('who comes back to another node while his own has lost the database is not hung up', () =>
    stage(async ({ it, alice, bob }) => {
      const { caller, callee } = await talking({ alice, bob });
      it.A.cutOff(true);
      alice.station.close();
      const again = await appears('alice', it.C);
      await it.clock.advance(20_000);
      it.A.cutOff(false);
      await it.clock.advance(6_000);
      await bothReach(bob, callee, again, caller);
      await hangUp(again, caller, bob);
    }));

  test('who does not come back meanwhile is hung up when the database is there again', () =>
    stage(async ({ it, alice, bob }) => {
      const { callee } = await talking({ alice, bob });
      it.A.cutOff(true);
      alice.station.close();
      await it.clock.advance(13_000);
      bob.within(callee, 'INFO');
      await bob.receivesFinal('INFO');
      await it.clock.advance(6_000);
      it.A.cutOff(false);
      bob.respond(await bob.receivesRequest('BYE', 6_000), 200);
    }));

  test('one that has only lost the database answers others: nobody takes its calls, and its clients are reached', () =>
    stage(
      async ({ it, alice, bob }) => {
        const { caller, callee } = await talking({ alice, bob });
        const carol = await it.B.registered({ name: 'carol', address: '192.0.2.3', transport: 'tcp', port: 40_000 });
        it.A.cutOff(true);
        await it.clock.advance(150_000);
        await bothReach(bob, callee, alice, caller);
        const talk = await call(carol, alice, { offer: phoneOffer('carol'), answer: browserAnswer('alice') });
        await hangUp(carol, talk.caller, alice);
        assert.deepEqual(
          it.database.rows.dialogs().map(({ node }) => node),
          ['n-A'],
        );
        it.A.cutOff(false);
        await hangUp(alice, caller, bob);
      },
      { users: ['alice', 'bob', 'carol'] },
    ));

  test('its address is another node’s by now: that one’s answer does not stand for it', () =>
    stage(async ({ it, alice, bob }) => {
      await talking({ alice, bob });
      it.A.kill();
      await it.A.start('n-new');
      await it.clock.advance(33_000);
      const [record] = it.database.rows.dialogs();
      assert.notEqual(record?.node, 'n-A');
      bob.respond(await bob.receivesRequest('BYE', 62_000), 200);
    }));
});

test('a DATA_DIR that was copied: two processes under one name are told so, once each', () =>
  stage(async ({ it }) => {
    it.C.kill();
    await it.C.start('n-B');
    await it.clock.advance(10_000);
    for (const { log } of [it.B, it.C]) {
      const told = log.filter(({ text }) => /^Another Viaduct has the name of this node/.test(text));
      assert.deepEqual([told.length, told[0]?.level], [1, 'warn']);
    }
  }));

describe('a node has died, or stops', () => {
  test('taken over also when the database fails in that very moment', () =>
    stage(
      async ({ it, alice, bob }) => {
        await talking({ alice, bob });
        it.A.kill();
        it.database.set({ latencyMs: 50 });
        const isTaken = () => it.B.log.some(({ text }) => text.startsWith('A node is gone'));
        await it.clock.advanceUntil(isTaken, 40_000);
        it.database.set({ down: true });
        await it.clock.advance(200);
        it.database.set({ down: false, latencyMs: 0 });
        await it.clock.advance(10_000);
        assert.deepEqual(
          it.database.rows.dialogs().map(({ node }) => node),
          ['n-B'],
        );
        bob.respond(await bob.receivesRequest('BYE', 62_000), 200);
      },
      { nodes: ['A', 'B'] },
    ));

  test('what rings there for a caller at another node has nobody to answer: he hears so', () =>
    stage(async ({ it, alice, bob }) => {
      const { invite } = await ringing({ alice, bob });
      it.B.kill();
      alice.ack(invite, await alice.receivesResponse(480, 'INVITE', 40_000));
      assert.deepEqual(it.media.calls(), []);
    }, unseen));

  test('what rings elsewhere for a caller there rings no longer, and its media is deleted', () =>
    stage(async ({ it, alice, bob }) => {
      const { received } = await ringing({ alice, bob });
      it.A.kill();
      bob.respond(await bob.receivesRequest('CANCEL', 40_000), 200);
      bob.respond(received, 487);
      await bob.receivesRequest('ACK');
      await it.clock.advance(1_000);
      assert.deepEqual(it.media.calls(), []);
    }, unseen));

  test('while it waits for its calls to end, its clients are still called from other nodes', () =>
    stage(async ({ it, alice, bob }) => {
      it.B.proxy().drain();
      const { caller } = await talking({ alice, bob });
      alice.within(caller, 'INFO');
      bob.respond(await bob.receivesRequest('INFO'), 200);
      await alice.receivesResponse(200, 'INFO');
      await hangUp(alice, caller, bob);
    }));

  test('in order: what rings there for a caller at another node is cancelled, and he hears so', () =>
    stage(async ({ it, alice, bob }) => {
      const { invite, received } = await ringing({ alice, bob });
      void it.B.proxy().endCalls(false);
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(received, 487);
      alice.ack(invite, await alice.receivesResponse(487));
    }));
});
