/**
 * Clients that come back to another node, and nodes that die (DESIGN §5, many nodes): registrations follow, and calls go on
 * as after a restart.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, values } from '../../src/message/header.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { To, tagOf } from '../../src/message/headers/from-to.ts';
import { appears, bothReach, columns, stage, talking } from '../support/nodes-devices.ts';
import { createNodesScene, type NodesScene } from '../support/nodes-scene.ts';
import { call, hangUp, sdpType } from '../support/proxy-scene.ts';
import { browserOffer, phoneAnswer, phoneOffer } from '../support/sdp.ts';

const nodesOfBob = ({ database }: NodesScene) =>
  database.rows.bindings().flatMap(({ aor, node }) => (aor === 'sip:bob@example.com' ? [node] : []));

describe('registrations over nodes', () => {
  test('RFC 5626 §6: a device that comes back to another node replaces its binding, and is called there', () =>
    stage(async ({ it, alice, bob }) => {
      bob.station.close();
      const again = await appears('bob', it.C);
      assert.deepEqual(nodesOfBob(it), ['n-C']);
      const talk = await talking({ alice, bob: again });
      await hangUp(again, talk.callee, alice);
      // The node that he left forgets its connection, not his registration.
      await it.clock.advance(15_000);
      assert.deepEqual(nodesOfBob(it), ['n-C']);
    }));

  test('RFC 3261 §10.3: the 200 lists the contacts of all nodes', () =>
    stage(async ({ it }) => {
      const desk = it.A.agent({ name: 'desk', aor: 'sip:bob@example.com', address: '192.0.2.9', transport: 'tcp' });
      const answer = await it.A.register(desk);
      assert.equal(values(answer, Contact).length, 2);
    }));

  test('all devices of an account ring, at whatever node they are', () =>
    stage(async ({ it, alice, bob }) => {
      const desk = it.A.agent({ name: 'desk', aor: 'sip:bob@example.com', address: '192.0.2.9', transport: 'tcp' });
      await it.A.register(desk);
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      const ringing = [await bob.receivesRequest('INVITE'), await desk.receivesRequest('INVITE')] as const;
      bob.respond(ringing[0], 180);
      await alice.receivesResponse(180);
      const ok = desk.respond(ringing[1], 200, { body: phoneAnswer('desk'), contentType: sdpType });
      alice.ack(invite, await alice.receivesResponse(200));
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(ringing[0], 487);
      await bob.receivesRequest('ACK');
      await desk.receivesRequest('ACK');
      await hangUp(desk, desk.dialog(ringing[1], ok), alice);
    }));

  test('a binding of a node that is gone is no target: 480 at once', () =>
    stage(async ({ it, alice, bob }) => {
      it.B.kill();
      await it.clock.advance(13_000);
      it.ladder.clear();
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      alice.ack(invite, await alice.receivesResponse(480, 'INVITE', 100));
      it.ladder.expect(`
        F1 alice ─INVITE▶ A
        F2 alice ◀480─ A
        F3 alice ─ACK▶ A
      `);
      await it.clock.advance(20_000);
      assert.deepEqual(nodesOfBob(it), []);
    }));

  test('of a node that stops in order the others hear at once', () =>
    stage(async ({ it, alice, bob }) => {
      await it.B.stop();
      await it.clock.advance(2_500);
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      alice.ack(invite, await alice.receivesResponse(480, 'INVITE', 100));
    }));

  for (const how of ['stopped in order', 'killed'] as const)
    test(`of a node that was ${how} and starts anew nobody waits to hear: who registers there is called at once`, () =>
      stage(async ({ it, alice }) => {
        if (how === 'killed') it.B.kill();
        else await it.B.stop();
        await it.clock.advance(2_500);
        await it.B.start();
        const again = await appears('bob', it.B);
        const { caller } = await talking({ alice, bob: again });
        await hangUp(alice, caller, again);
      }));

  test('nobody counts as gone because the database was away', () =>
    stage(async ({ it, alice, bob }) => {
      it.database.set({ down: true });
      await it.clock.advance(60_000);
      it.database.set({ down: false });
      await it.clock.advance(3_000);
      const talk = await talking({ alice, bob });
      await hangUp(alice, talk.caller, bob);
      for (const { log } of [it.A, it.B, it.C]) {
        assert.deepEqual(
          log.filter(({ text }) => text.startsWith('A node is gone')),
          [],
        );
      }
    }));
});

describe('a client that comes back to another node in its call', () => {
  for (const back of ['A', 'C'] as const) {
    test(`the called comes back to ${back}: both reach each other, and he hangs up`, () =>
      stage(async ({ it, alice, bob }) => {
        const { caller, callee } = await talking({ alice, bob });
        bob.station.close();
        const again = await appears('bob', it[back]);
        await bothReach(again, callee, alice, caller);
        await hangUp(again, callee, alice);
      }));
  }

  for (const back of ['B', 'C'] as const) {
    test(`the caller comes back to ${back}: both reach each other, and the called hangs up`, () =>
      stage(async ({ it, alice, bob }) => {
        const { caller, callee } = await talking({ alice, bob });
        alice.station.close();
        const again = await appears('alice', it[back]);
        await bothReach(bob, callee, again, caller);
        await hangUp(bob, callee, again);
      }));
  }

  for (const back of ['A', 'B', 'C'] as const) {
    test(`the called comes back to ${back} without the call, which ends it: the caller is hung up at once`, () =>
      stage(async ({ alice, bob, it }) => {
        await talking({ alice, bob });
        bob.station.close();
        const again = await appears('bob', it[back]);
        again.respond(await again.receivesRequest('INFO'), 481);
        alice.respond(await alice.receivesRequest('BYE'), 200);
        again.respond(await again.receivesRequest('BYE'), 481);
      }));

    test(`a second tab of the called registers at ${back}: the call goes on in the one that has it`, () =>
      stage(async ({ alice, bob, it }) => {
        const { callee } = await talking({ alice, bob });
        const tab = await appears('bob', it[back]);
        tab.respond(await tab.receivesRequest('INFO'), 481);
        bob.respond(await bob.receivesRequest('INFO'), 415);
        alice.inbox.length = 0;
        await alice.receivesNothing(40_000);
        await hangUp(bob, callee, alice);
      }));

    test(`the caller hangs up while the called is away, who is told when he comes back to ${back}`, () =>
      stage(async ({ it, alice, bob }) => {
        const { caller, callee } = await talking({ alice, bob });
        bob.station.close();
        await it.clock.advance(1_000);
        alice.within(caller, 'BYE');
        await alice.receivesResponse(480, 'BYE');
        await it.clock.advance(2_000);
        const again = await appears('bob', it[back]);
        const bye = await again.receivesRequest('BYE');
        again.respond(bye, 200);
        assert.deepEqual([get(bye, CallId), tagOf(get(bye, To))], [callee.callId, callee.local.tag]);
      }));
  }

  test('both come back to other nodes than before; the caller speaks first', () =>
    stage(async ({ it, alice, bob }) => {
      const { caller, callee } = await talking({ alice, bob });
      alice.station.close();
      bob.station.close();
      const [alice2, bob2] = [await appears('alice', it.B), await appears('bob', it.C)];
      await bothReach(alice2, caller, bob2, callee);
      await hangUp(alice2, caller, bob2);
    }));

  test('law 4: while he is away 480; when he does not come back the call is ended', () =>
    stage(async ({ it, alice, bob }) => {
      const { caller } = await talking({ alice, bob });
      bob.station.close();
      await it.clock.advance(3_000);
      alice.within(caller, 'INFO');
      await alice.receivesResponse(480, 'INFO');
      await it.clock.advance(8_000);
      alice.respond(await alice.receivesRequest('BYE'), 200);
      assert.deepEqual(it.media.calls(), []);
    }));
});

describe('a node that dies in a call', () => {
  test('the node of the called: he comes back to another one, and the call goes on', () =>
    stage(async ({ it, alice, bob }) => {
      const { caller, callee } = await talking({ alice, bob });
      it.B.kill();
      const again = await appears('bob', it.C);
      await bothReach(again, callee, alice, caller);
      await hangUp(alice, caller, again);
    }));

  for (const noticed of [true, false]) {
    const when = noticed ? 'when that was noticed' : 'before anybody has noticed';
    test(`the node that has the call; its client is back ${when}: it goes on, and its media is ended once`, () =>
      stage(async ({ it, alice, bob }) => {
        const { caller, callee } = await talking({ alice, bob });
        it.A.kill();
        if (noticed) await it.clock.advance(13_000);
        const again = await appears('alice', it.C);
        if (!noticed) await it.clock.advance(13_000);
        await bothReach(again, caller, bob, callee);
        await hangUp(bob, callee, again);
        assert.equal(it.media.story().filter((one) => one.startsWith('delete')).length, 1);
      }));
  }

  test('it is taken over by one of the others; when its clients do not come back it is ended', () =>
    stage(async ({ it, alice, bob }) => {
      await talking({ alice, bob });
      it.A.kill();
      await it.clock.advance(33_000);
      const [record, ...others] = it.database.rows.dialogs();
      assert.ok(record?.node === 'n-B' || record?.node === 'n-C');
      assert.deepEqual(others, []);
      await it.clock.advance(62_000);
      bob.respond(await bob.receivesRequest('BYE'), 200);
      assert.deepEqual([it.media.calls(), it.database.rows.dialogs()], [[], []]);
    }));

  test('RFC 3261 §12.2.1.1: the node that a trunk has called dies: the call goes on, and who takes over dials the trunk', () => {
    const it = createNodesScene({ columns: ['trunk', 'A', 'B', 'bob'] });
    return it.play(async () => {
      const place = { aor: 'sip:alice@trunk.test', transport: 'tcp', address: '192.0.2.11', dialable: true } as const;
      const contact = 'sip:alice@192.0.2.11:5060;transport=tcp';
      const bob = await it.B.registered({ name: 'bob', address: '192.0.2.2', transport: 'tcp' });
      const { callee } = await call(it.A.agent({ ...place, name: 'trunk', contact }), bob, {
        offer: phoneOffer('alice'),
        answer: phoneAnswer('bob'),
      });
      it.A.kill();
      const trunk = it.B.agent({ ...place, name: 'trunk', contact });
      await it.clock.advance(300_000);
      await bob.receivesNothing(0);
      await hangUp(bob, callee, trunk);
    });
  });

  test('law 10: a telephone on UDP that no NAT hides is reached in its dialog at its Contact, and nobody else is', () =>
    stage(
      async ({ it, alice }) => {
        const place = { name: 'bob', address: '192.0.2.9' };
        const phone = await it.B.registered({ ...place, aor: 'sip:carol@example.com' });
        const refer = alice.request('REFER', phone.aor, { headers: [['Refer-To', '<sip:dave@example.com>']] });
        phone.respond(await phone.receivesRequest('REFER'), 202, { contact: true, recordRoute: true });
        const dialog = alice.dialog(refer, await alice.receivesResponse(202, 'REFER'));
        // Its node is gone, and so is what A knew of this dialog, but for the token.
        it.B.kill();
        it.A.kill();
        await it.A.start();
        await it.clock.advance(13_000);
        const again = await appears('alice', it.A);
        const atA = it.A.agent(place);
        again.within(dialog, 'INFO');
        atA.respond(await atA.receivesRequest('INFO'), 200);
        await again.receivesResponse(200, 'INFO');
        const victim = it.A.agent({ name: 'C', address: '192.0.2.66' });
        again.within({ ...dialog, cseq: 9, target: 'sip:victim@192.0.2.66' }, 'INFO');
        await again.receivesResponse(481, 'INFO');
        await victim.receivesNothing(0);
      },
      { users: ['alice', 'bob', 'carol'] },
    ));

  test('in order, as in an upgrade node by node: the call goes on at another one', () =>
    stage(async ({ it, alice, bob }) => {
      const { caller, callee } = await talking({ alice, bob });
      await it.A.stop();
      const again = await appears('alice', it.B);
      await it.clock.advance(3_000);
      await bothReach(again, caller, bob, callee);
      await it.A.start();
      await hangUp(bob, callee, again);
    }));

  test('restarted before anybody took its calls: they are its own again', () =>
    stage(async ({ it, alice, bob }) => {
      const { caller, callee } = await talking({ alice, bob });
      it.A.kill();
      await it.A.start();
      const again = await appears('alice', it.A);
      await bothReach(bob, callee, again, caller);
      await hangUp(again, caller, bob);
    }));

  test('what was ringing there is lost: the caller asks again, and nothing of it is left', () =>
    stage(async ({ it, alice, bob }) => {
      alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      const received = await bob.receivesRequest('INVITE');
      bob.respond(received, 180);
      it.A.kill();
      // B sees the connection of A close.
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(received, 487);
      await bob.receivesRequest('ACK');
      await it.clock.advance(40_000);
      assert.deepEqual(it.media.calls(), []);
    }));
});

describe('one node alone', () => {
  test('without NODE_ADDRESS the database is asked nothing of other nodes', () => {
    const it = createNodesScene({ columns, nodes: ['A'], isAlone: true });
    return it.play(async () => {
      const alice = await it.A.registered({ name: 'alice', address: '192.0.2.1', transport: 'tcp', port: 40_000 });
      const bob = await it.A.registered({ name: 'bob', address: '192.0.2.2', transport: 'tcp', port: 40_001 });
      const talk = await call(alice, bob, { offer: phoneOffer('alice') });
      await hangUp(alice, talk.caller, bob);
    });
  });
});
