/**
 * Many nodes over one database (DESIGN §5): whoever is connected to one is called from another. The node where a call
 * began has its record and its media; the others hand its requests on.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { all, get } from '../../src/message/header.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { textHeader } from '../../src/message/headers/text.ts';
import type { SipMessage } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createNodesScene, type NodesScene, type NodesSceneOptions } from '../support/nodes-scene.ts';
import { type Call, call, hangUp, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer, sdesOffer, seen } from '../support/sdp.ts';

const columns = ['alice', 'A', 'B', 'bob', 'mallory'];

interface Stage {
  readonly it: NodesScene;
  /** In a browser, at A. */
  readonly alice: Agent;
  /** With a telephone on TCP, at B. */
  readonly bob: Agent;
}

function stage(script: (stage: Stage) => Promise<void>, options: Partial<NodesSceneOptions> = {}): Promise<void> {
  const it = createNodesScene({ columns, ...options });
  return it.play(async () => {
    const alice = await it.A.registered({ name: 'alice', address: '192.0.2.1', transport: 'ws' });
    const bob = await it.B.registered({ name: 'bob', address: '192.0.2.2', transport: 'tcp', port: 40_000 });
    await script({ it, alice, bob });
  });
}

const aliceCalls = ({ alice, bob }: Stage): Promise<Call> => call(alice, bob, { offer: browserOffer('alice') });

/** A re-INVITE of one side, and what each side gets. */
async function holds(by: Agent, dialog: Call['caller'], other: Agent, offer: string, answer: string) {
  const invite = by.within(dialog, 'INVITE', { body: offer, contentType: sdpType });
  const received = await other.receivesRequest('INVITE');
  other.respond(received, 200, { body: answer, contentType: sdpType });
  const answered = await by.receivesResponse(200, 'INVITE');
  by.ack(invite, answered);
  await other.receivesRequest('ACK');
  return { offered: seen(received.body), answered: seen(answered.body) };
}

describe('a caller at one node, the called at another', () => {
  test('RFC 3327: the INVITE goes by way of the node that has the flow; so does all that follows, and BYE of the caller', () =>
    stage(async (on) => {
      const { it, alice, bob } = on;
      const talk = await aliceCalls(on);
      await hangUp(alice, talk.caller, bob);
      it.ladder.expect(`
        F1 alice ─INVITE▶ A
        F2 alice ◀100─ A
        F3 A ─INVITE▶ B
        F4 A ◀100─ B
        F5 B ─INVITE▶ bob
        F6 B ◀180─ bob
        F7 A ◀180─ B
        F8 alice ◀180─ A
        F9 B ◀200─ bob
        F10 A ◀200─ B
        F11 alice ◀200─ A
        F12 alice ─ACK▶ A
        F13 A ─ACK▶ B
        F14 B ─ACK▶ bob
        F15 alice ─BYE▶ A
        F16 A ─BYE▶ B
        F17 B ─BYE▶ bob
        F18 B ◀200 BYE─ bob
        F19 A ◀200 BYE─ B
        F20 alice ◀200 BYE─ A
      `);
    }));

  test('BYE of the called goes by way of the node that has the call', () =>
    stage(async (on) => {
      const { it, alice, bob } = on;
      const talk = await aliceCalls(on);
      it.ladder.clear();
      await hangUp(bob, talk.callee, alice);
      it.ladder.expect(`
        F1 B ◀BYE─ bob
        F2 A ◀BYE─ B
        F3 alice ◀BYE─ A
        F4 alice ─200 BYE▶ A
        F5 A ─200 BYE▶ B
        F6 B ─200 BYE▶ bob
      `);
    }));

  for (const transport of ['tcp', 'udp'] as const) {
    test(`nodes that speak ${transport} to each other: hold and resume from each side, each with SDPs of its kind`, () =>
      stage(
        async (on) => {
          const { alice, bob } = on;
          const talk = await aliceCalls(on);
          const { caller, callee } = talk;
          assert.equal(seen(talk.received.body).protocol, 'RTP/AVP');
          assert.equal(seen(talk.answered.body).protocol, 'UDP/TLS/RTP/SAVPF');
          for (const direction of ['sendonly', 'sendrecv'] as const) {
            const byAlice = browserOffer('alice', { direction });
            const one = await holds(alice, caller, bob, byAlice, phoneAnswer('bob'));
            assert.deepEqual([one.offered.protocol, one.offered.direction], ['RTP/AVP', direction]);
            const other = await holds(bob, callee, alice, phoneOffer('bob', { direction }), browserAnswer('alice'));
            assert.deepEqual([other.offered.protocol, other.offered.direction], ['UDP/TLS/RTP/SAVPF', direction]);
            assert.equal(other.answered.protocol, 'RTP/AVP');
          }
          await hangUp(alice, caller, bob);
        },
        { transport },
      ));
  }

  test('one node has the record of the call and its media, which passes rtpengine once', () =>
    stage(async (on) => {
      const { it, alice, bob } = on;
      const talk = await aliceCalls(on);
      const inProgress = async () =>
        Promise.all([it.A, it.B].map(async (node) => (await node.proxy().operations.statistics()).calls.inProgress));
      assert.deepEqual(await inProgress(), [1, 0]);
      assert.deepEqual(
        it.database.rows.dialogs().map(({ node, callee }) => [node, callee.node]),
        [['n-A', 'n-B']],
      );
      const listed = async (): Promise<readonly number[]> => {
        const lists = await Promise.all([it.A, it.B].map((node) => node.proxy().operations.calls({ limit: 10 })));
        return lists.map(({ items }) => items.length);
      };
      assert.deepEqual(await listed(), [1, 1]);
      await hangUp(bob, talk.callee, alice);
      assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'answer', 'delete']);
      // Its one record is in the database, for all of them.
      assert.deepEqual(await listed(), [1, 1]);
    }));

  test('what comes right behind a BYE, while its row is still there, does not bring the call back', () =>
    stage(async (on) => {
      const { it, alice, bob } = on;
      const talk = await aliceCalls(on);
      await it.clock.advance(1_000);
      it.database.set({ latencyMs: 400 });
      await hangUp(bob, talk.callee, alice);
      // What was asked before is still on its way.
      it.database.set({ latencyMs: 0 });
      assert.equal(it.database.rows.dialogs().length, 1);
      alice.within(talk.caller, 'INFO');
      bob.respond(await bob.receivesRequest('INFO'), 481);
      await alice.receivesResponse(481, 'INFO');
      const { calls } = await it.A.proxy().operations.statistics();
      assert.equal(calls.inProgress, 0);
    }));

  test('RFC 3261 §9: CANCEL before the answer', () =>
    stage(async ({ it, alice, bob }) => {
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      const received = await bob.receivesRequest('INVITE');
      bob.respond(received, 180);
      await alice.receivesResponse(180);
      alice.cancel(invite);
      await alice.receivesResponse(200, 'CANCEL');
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(received, 487);
      await bob.receivesRequest('ACK');
      alice.ack(invite, await alice.receivesResponse(487, 'INVITE'));
      assert.deepEqual(it.media.calls(), []);
    }));

  test('a browser at the other node that refuses the SDP is not asked for one that no browser takes', () => {
    const it = createNodesScene({ columns });
    return it.play(async () => {
      const alice = await it.A.registered({ name: 'alice', address: '192.0.2.1', transport: 'tcp', port: 40_000 });
      const bob = await it.B.registered({ name: 'bob', address: '192.0.2.2', transport: 'ws' });
      const invite = alice.request('INVITE', bob.aor, { body: phoneOffer('alice'), contentType: sdpType });
      const received = await bob.receivesRequest('INVITE');
      assert.equal(seen(received.body).protocol, 'UDP/TLS/RTP/SAVPF');
      bob.respond(received, 488);
      await bob.receivesRequest('ACK');
      alice.ack(invite, await alice.receivesResponse(488));
    });
  });

  test('DESIGN §4: a telephone at the other node that refuses its SDP is asked once more, with the other kind', () =>
    stage(async ({ alice, bob }) => {
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      const first = await bob.receivesRequest('INVITE');
      bob.respond(first, 488);
      await bob.receivesRequest('ACK');
      const second = await bob.receivesRequest('INVITE');
      assert.deepEqual([seen(first.body).protocol, seen(second.body).protocol], ['RTP/AVP', 'RTP/SAVP']);
      assert.deepEqual(all(second, Route), []);
      const ok = bob.respond(second, 200, { body: sdesOffer('bob'), contentType: sdpType });
      alice.ack(invite, await alice.receivesResponse(200));
      await bob.receivesRequest('ACK');
      await hangUp(bob, bob.dialog(second, ok), alice);
    }));

  test('RFC 8643: a telephone over TLS at the other node is offered either, and what it took the next time', () =>
    stage(
      async ({ it, alice }) => {
        const place = { name: 'bob', address: '192.0.2.4', transport: 'tls', port: 40_004 } as const;
        const phone = await it.B.registered({ ...place, aor: 'sip:carol@example.com' });
        const has = ({ body }: SipMessage): readonly unknown[] => [seen(body).protocol, /^a=crypto:/m.test(body)];
        for (const wanted of [
          ['RTP/AVP', true],
          ['RTP/AVP', false],
        ]) {
          const talk = await call(alice, phone, { offer: browserOffer('alice'), answer: phoneAnswer('carol') });
          assert.deepEqual(has(talk.received), wanted);
          await hangUp(alice, talk.caller, phone);
        }
      },
      { users: ['alice', 'bob', 'carol'] },
    ));

  test('law 1: a 2xx whose media fails is acknowledged and hung up by way of its node', () =>
    stage(async ({ it, alice, bob }) => {
      it.media.set({ refuse: ({ command }) => (command === 'answer' ? 'media-refused' : undefined) });
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      bob.respond(await bob.receivesRequest('INVITE'), 200, { body: phoneAnswer('bob'), contentType: sdpType });
      await bob.receivesRequest('ACK');
      bob.respond(await bob.receivesRequest('BYE'), 200);
      alice.ack(invite, await alice.receivesFinal('INVITE'));
    }));

  test('MESSAGE reaches a device at another node', () =>
    stage(async ({ alice, bob }) => {
      alice.request('MESSAGE', bob.aor, { body: 'hello', contentType: 'text/plain' });
      bob.respond(await bob.receivesRequest('MESSAGE'), 200);
      await alice.receivesResponse(200, 'MESSAGE');
    }));

  test('SUBSCRIBE of one user agent to another: its dialog follows the same way', () =>
    stage(async ({ alice, bob }) => {
      const refer = alice.request('REFER', bob.aor, { headers: [['Refer-To', '<sip:carol@example.com>']] });
      const received = await bob.receivesRequest('REFER');
      const accepted = bob.respond(received, 202, { contact: true, recordRoute: true });
      const caller = alice.dialog(refer, await alice.receivesResponse(202, 'REFER'));
      const callee = bob.dialog(received, accepted);
      bob.within({ ...callee, target: alice.contact }, 'NOTIFY', { headers: [['Event', 'refer']] });
      alice.respond(await alice.receivesRequest('NOTIFY'), 200);
      await bob.receivesResponse(200, 'NOTIFY');
      alice.within(caller, 'INFO');
      bob.respond(await bob.receivesRequest('INFO'), 200);
      await alice.receivesResponse(200, 'INFO');
    }));

  test('law 7: what nobody had to change arrives as it left; nothing of what nodes tell each other leaves them', () =>
    stage(async (on) => {
      const { received, answered, caller } = await aliceCalls(on);
      assert.deepEqual(all(received, Route), []);
      const hosts = (message: SipMessage) => all(message, RecordRoute).map(({ uri }) => /@([^;]+)/.exec(uri)?.[1]);
      // Each node by the name that its own client reaches it by, nearest first.
      assert.deepEqual(hosts(received), ['192.0.2.102:5060', '192.0.2.101:5060', '192.0.2.101:8080']);
      assert.deepEqual(hosts(answered), hosts(received));
      await hangUp(on.alice, caller, on.bob);
    }));
});

describe('a flow that is gone (RFC 5626 §5.3, law 4)', () => {
  test('430 is spoken between nodes; the caller hears 480', () =>
    stage(async ({ it, alice, bob }) => {
      bob.station.close();
      await it.clock.advance(100);
      it.ladder.clear();
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      alice.ack(invite, await alice.receivesResponse(480));
      it.ladder.expect(`
        F1 alice ─INVITE▶ A
        F2 alice ◀100─ A
        F3 A ─INVITE▶ B
        F4 A ◀430─ B
        F5 A ─ACK▶ B
        F6 alice ◀480─ A
        F7 alice ─ACK▶ A
      `);
    }));

  test('the next flow of the device is tried, be it at the first node', () => {
    const it = createNodesScene({ columns });
    return it.play(async () => {
      const alice = await it.A.registered({ name: 'alice', address: '192.0.2.1', transport: 'ws' });
      const flow = { name: 'bob', address: '192.0.2.2', transport: 'tcp', port: 40_000 } as const;
      const device = (regId: number, contact: string) =>
        ({
          contact: false,
          headers: [['Contact', `<${contact}>;+sip.instance="<urn:uuid:b>";reg-id=${regId}`]],
        }) as const;
      const first = it.A.agent(flow);
      await it.A.register(first, device(1, first.contact));
      const second = it.B.agent({ ...flow, port: 40_001 });
      await it.B.register(second, device(2, second.contact));
      second.station.close();
      await it.clock.advance(100);
      const talk = await call(alice, first, { offer: browserOffer('alice') });
      await hangUp(alice, talk.caller, first);
    });
  });

  test('a device that closes its connection while it is asked: the next flow, or 480', () =>
    stage(async ({ alice, bob }) => {
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      await bob.receivesRequest('INVITE');
      bob.station.close();
      alice.ack(invite, await alice.receivesResponse(480));
    }));

  test('a device that says nothing, not even 100, is not waited for', () =>
    stage(async ({ it, alice, bob }) => {
      const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      const received = await bob.receivesRequest('INVITE');
      alice.ack(invite, await alice.receivesResponse(408, 'INVITE', 6_000));
      // He was asleep, and picks up now: he is told that it is over.
      bob.respond(received, 200, { body: phoneAnswer('bob'), contentType: sdpType });
      await bob.receivesRequest('ACK');
      bob.respond(await bob.receivesRequest('BYE'), 200);
      assert.deepEqual(it.media.calls(), []);
    }));
});

describe('law 10: a Route of ours gains nothing to whom it was not given', () => {
  const secretly = (it: NodesScene) => it.B.agent({ name: 'mallory', address: '203.0.113.9', transport: 'tcp' });

  test('a forged hop is nobody’s: its sender has to log in', () =>
    stage(
      async ({ it, bob }) => {
        const mallory = secretly(it);
        const forged = Buffer.from('9'.repeat(24)).toString('base64url');
        for (const user of [forged, `k${'A'.repeat(31)}`]) {
          const route = [`<sip:${user}@192.0.2.102:5060;transport=tcp;lr>`];
          mallory.request('INVITE', bob.contact, { route, fromTag: 'm', headers: [['From-Nobody', 'x']] });
          const refused = await mallory.receivesFinal('INVITE');
          assert.ok(refused.status === 407 || refused.status === 403, refused.startLine);
          mallory.inbox.splice(0);
        }
        await bob.receivesNothing(0);
      },
      { isTrusted: (address) => address !== '203.0.113.9' },
    ));

  test('a hop that was overheard is good for its call only, and for its node', () =>
    stage(
      async (on) => {
        const { it, bob } = on;
        const heard: string[] = [];
        it.A.network.watch(({ to, text }) => {
          const route = /^Route: <([^>]+)>/m.exec(text)?.[1];
          if (to === 'B' && route !== undefined) heard.push(route);
        });
        const talk = await aliceCalls(on);
        const [hop = ''] = heard;
        const mallory = secretly(it);
        mallory.request('INVITE', bob.contact, { route: [`<${hop}>`], to: bob.aor });
        const refused = await mallory.receivesFinal('INVITE');
        assert.ok(refused.status === 407 || refused.status === 403, refused.startLine);
        await hangUp(on.alice, talk.caller, bob);
        await bob.receivesNothing(0);
      },
      { isTrusted: (address) => address !== '203.0.113.9' },
    ));

  test('a To tag and a token of another call: 481 at either node', () =>
    stage(async (on) => {
      const { it, alice, bob } = on;
      const talk = await aliceCalls(on);
      const callId = get(talk.invite, CallId) ?? '';
      for (const node of [it.A, it.B]) {
        const mallory = node.agent({ name: 'mallory', address: '203.0.113.9', transport: 'tcp' });
        const dialog = { ...talk.caller, callId: `${callId}-other` };
        mallory.within(dialog, 'BYE');
        await mallory.receivesResponse(481, 'BYE');
      }
      await bob.receivesNothing(0);
      await hangUp(alice, talk.caller, bob);
    }));

  test('RFC 3325: a name that its sender only claims goes to no other node', () =>
    stage(
      async ({ it, alice, bob }) => {
        const headers = [['P-Asserted-Identity', '<sip:boss@example.com>']] as const;
        const invite = alice.request('MESSAGE', bob.aor, { headers });
        const challenge = await alice.receivesFinal('MESSAGE');
        alice.login(invite, challenge, 'alice', 'secret-alice');
        const received = await bob.receivesRequest('MESSAGE');
        assert.equal(get(received, textHeader('P-Asserted-Identity', true)), undefined);
        bob.respond(received, 200);
        await alice.receivesResponse(200, 'MESSAGE');
        assert.equal(it.B.log.filter(({ level }) => level === 'warn').length, 0);
      },
      { isTrusted: () => false },
    ));
});
