/**
 * RFC 5627 over many nodes (DESIGN §5): a GRUU leads to its device at whatever node that is connected, in dialogs as well.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import type { Agent } from '../support/agent.ts';
import { type Device, device } from '../support/gruu-devices.ts';
import { createNodesScene, type NodesScene, type NodesSceneOptions } from '../support/nodes-scene.ts';
import { type Call, call, hangUp, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneOffer } from '../support/sdp.ts';
import { basics, notified, pidf, publish, published, watch } from '../support/watcher.ts';

const columns = ['alice', 'A', 'B', 'C', 'web', 'desk'];
const bob = 'sip:bob@example.com';
const webs = { name: 'web', aor: bob, transport: 'ws', address: '192.0.2.3' } as const;
const desks = { name: 'desk', aor: bob, transport: 'tcp', address: '192.0.2.2', port: 40_002 } as const;
const offer = { body: phoneOffer('alice'), contentType: sdpType };
const sdps = { offer: phoneOffer('alice'), answer: browserAnswer('web') };

interface Stage {
  readonly it: NodesScene;
  /** With a telephone, at A. */
  readonly alice: Agent;
  /** In a browser of bob's, at B. */
  readonly web: Device;
  /** The telephone of bob, at A. */
  readonly desk: Device;
}

function stage(script: (stage: Stage) => Promise<void>, options: Partial<NodesSceneOptions> = {}): Promise<void> {
  const it = createNodesScene({ columns, nodes: ['A', 'B', 'C'], ...options });
  return it.play(async () => {
    const alice = await it.A.registered({ name: 'alice', address: '192.0.2.1', transport: 'tcp', port: 40_001 });
    const web = await device(it.B, { ...webs, port: 40_003 }, 'e');
    const desk = await device(it.A, desks, 'd');
    it.ladder.clear();
    await script({ it, alice, web, desk });
  });
}

/** The page is loaded at another node: it has another Contact there, and says so in REGISTER alone. */
async function comesBack({ agent }: Device, node: NodesScene['A'], port: number): Promise<Device> {
  agent.station.close();
  return device(node, { ...webs, port, contact: `sip:fresh-${port}@y.invalid;transport=ws` }, 'e', {
    callId: `back-${port}`,
  });
}

async function infoReaches(by: Agent, dialog: Call['caller'], { agent, contact }: Device): Promise<void> {
  by.within(dialog, 'INFO');
  const info = await agent.receivesRequest('INFO');
  assert.equal(info.uri, contact, 'it knows itself by its contact');
  agent.respond(info, 200);
  await by.receivesResponse(200, 'INFO');
}

for (const kind of ['publicGruu', 'temporaryGruu'] as const) {
  describe(`a device with a Contact that is its ${kind}, at another node`, () => {
    test('it alone is called by that, and reached in the dialog', () =>
      stage(async ({ alice, web, desk }) => {
        web.agent.contact = web[kind];
        const talk = await call(alice, web.agent, { to: web[kind], ...sdps });
        await infoReaches(alice, talk.caller, web);
        await desk.agent.receivesNothing(0);
        await hangUp(alice, { ...talk.caller, cseq: 3 }, web.agent);
      }));

    test('it calls, and who is called reaches it by way of the node that has the call', () =>
      stage(async ({ alice, web }) => {
        web.agent.contact = web[kind];
        const talk = await call(web.agent, alice, { offer: browserOffer('web') });
        assert.equal(get(talk.received, Contact)?.uri, web[kind]);
        await infoReaches(alice, talk.callee, web);
        await hangUp(alice, { ...talk.callee, cseq: talk.callee.cseq + 1 }, web.agent);
      }));

    test('it comes back to a third node in the middle of a call', () =>
      stage(async ({ it, alice, web }) => {
        web.agent.contact = web[kind];
        const talk = await call(alice, web.agent, { to: web[kind], ...sdps });
        const back = await comesBack(web, it.C, 40_013);
        await infoReaches(alice, talk.caller, back);
        await hangUp(alice, { ...talk.caller, cseq: 3 }, back.agent);
      }));

    test('law 1: our ACK and our BYE go to its contact, by way of its node', () =>
      stage(async ({ it, alice, web }) => {
        web.agent.contact = web[kind];
        const invite = alice.request('INVITE', web.publicGruu, offer);
        const received = await web.agent.receivesRequest('INVITE');
        it.media.set({ refuse: ({ command }) => (command === 'answer' ? 'media-refused' : undefined) });
        web.agent.respond(received, 200, { body: browserAnswer('web'), contentType: sdpType });
        assert.equal((await web.agent.receivesRequest('ACK')).uri, web.contact);
        const bye = await web.agent.receivesRequest('BYE');
        assert.equal(bye.uri, web.contact);
        web.agent.respond(bye, 200);
        alice.ack(invite, await alice.receivesFinal('INVITE'));
        it.media.set({ refuse: () => undefined });
      }));

    test('law 4: the other side is gone, and our BYE reaches it where it is by then', () =>
      stage(async ({ it, alice, web }) => {
        web.agent.contact = web[kind];
        await call(alice, web.agent, { to: web[kind], ...sdps });
        const back = await comesBack(web, it.C, 40_014);
        alice.station.close();
        const bye = await back.agent.receivesRequest('BYE', 60_000);
        assert.equal(bye.uri, back.contact);
        back.agent.respond(bye, 200);
      }));

    test('the node that has its call dies: it is reached by way of who takes over, and the call is listed there', () =>
      stage(async ({ it, alice, web }) => {
        web.agent.contact = web[kind];
        const talk = await call(alice, web.agent, { to: web[kind], ...sdps });
        it.A.kill();
        await it.clock.advance(12_000);
        const place = { name: 'alice', address: '192.0.2.1', transport: 'tcp', port: 40_021 } as const;
        const again = await it.B.registered(place);
        await infoReaches(again, talk.caller, web);
        const { items } = await it.B.proxy().operations.calls({ limit: 10, state: 'answered' });
        assert.equal(items.length, 1);
        await hangUp(again, { ...talk.caller, cseq: 3 }, web.agent);
      }));

    test('it watches, comes back to another node, and is told there before it has asked again', () =>
      stage(async ({ it, alice, web }) => {
        web.agent.contact = web[kind];
        const { first } = await watch(web.agent, alice.aor);
        assert.equal(first.uri, web.contact);
        await it.clock.advance(5_000);
        const back = await comesBack(web, it.C, 40_015);
        await it.clock.advance(1_000);
        publish(alice, { body: pidf(alice.aor, 'open') });
        await published(alice);
        const told = await notified(back.agent);
        assert.deepEqual(basics(told), ['open']);
        assert.equal(told.uri, back.contact);
      }));
  });
}

test('law 10: a GRUU of another device in a dialog gains nothing, at whatever node either is', () =>
  stage(async ({ alice, web, desk }) => {
    const talk = await call(alice, web.agent, { to: web.publicGruu, ...sdps });
    alice.within({ ...talk.caller, target: desk.publicGruu }, 'INFO');
    const info = await web.agent.receivesRequest('INFO');
    assert.equal(info.uri, desk.publicGruu);
    web.agent.respond(info, 200);
    await alice.receivesResponse(200, 'INFO');
    await hangUp(alice, { ...talk.caller, cseq: 3 }, web.agent);
    await desk.agent.receivesNothing(0);
  }));

test('480 while the node of the device is gone, and no other device rings', () =>
  stage(async ({ it, alice, web, desk }) => {
    it.B.kill();
    await it.clock.advance(12_000);
    const invite = alice.request('INVITE', web.publicGruu, offer);
    alice.ack(invite, await alice.receivesResponse(480));
    await desk.agent.receivesNothing(0);
  }));
