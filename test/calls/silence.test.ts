/** Law 3: two telephones that are both gone say no BYE; what rtpengine sees of their media ends the call. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Reason } from '../../src/message/headers/text.ts';
import type { Direction } from '../../src/sdp/describe.ts';
import type { Agent } from '../support/agent.ts';
import { type Call, createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const minuteMs = 60_000;

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly call: Call;
}

async function stage(script: (stage: Stage) => Promise<void>, mediaIdleMs = 10 * minuteMs): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], mediaIdleMs });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await script({ it, alice, bob, call: await it.call(alice, bob) });
  });
}

const inProgress = async ({ it }: Stage): Promise<number> =>
  (await it.proxy().operations.statistics()).calls.inProgress;

/** Both get BYE with the reason. */
async function bothAreHungUp({ it, alice, bob }: Stage): Promise<void> {
  for (const party of [alice, bob]) {
    const bye = await party.receivesRequest('BYE');
    assert.match(get(bye, Reason) ?? '', /^SIP;cause=408;text="No media/);
    party.respond(bye, 200);
  }
  assert.deepEqual(it.media.calls(), []);
}

async function hold({ alice, bob, call }: Stage, answered: Direction = 'recvonly'): Promise<void> {
  const offer = { body: phoneOffer('alice', { direction: 'sendonly', version: 2 }), contentType: sdpType };
  alice.within(call.caller, 'UPDATE', offer);
  const answer = { body: phoneAnswer('bob', { direction: answered, version: 2 }), contentType: sdpType };
  bob.respond(await bob.receivesRequest('UPDATE'), 200, answer);
  await alice.receivesResponse(200, 'UPDATE');
}

test('no packet from either side for ten minutes: both get BYE with the reason, and rtpengine lets go', () =>
  stage(async (scene) => {
    const { it } = scene;
    it.media.set({ lastPacketMs: it.clock.nowMs() });
    await it.clock.advance(9 * minuteMs);
    assert.equal(await inProgress(scene), 1);
    await it.clock.advance(4 * minuteMs);
    await bothAreHungUp(scene);
  }));

test('while packets come the call goes on', () =>
  stage(async (scene) => {
    const { it, alice, bob, call } = scene;
    await it.clock.advance(60 * minuteMs);
    await it.hangUp(alice, call.caller, bob);
  }));

test('a call on hold may be silent, also when rtpengine has dropped its session', () =>
  stage(async (scene) => {
    const { it, alice, bob, call } = scene;
    await hold(scene);
    it.media.set({ lastPacketMs: it.clock.nowMs() });
    await it.clock.advance(60 * minuteMs);
    it.media.restart();
    await it.clock.advance(60 * minuteMs);
    await it.hangUp(bob, call.callee, alice);
  }));

test('a telephone that answers sendonly with sendrecv is on hold all the same, though for rtpengine media flows', () =>
  stage(async (scene) => {
    const { it, alice, bob, call } = scene;
    await hold(scene, 'sendrecv');
    it.media.set({ lastPacketMs: it.clock.nowMs() });
    await it.clock.advance(60 * minuteMs);
    await it.hangUp(bob, call.callee, alice);
  }));

test('rtpengine was restarted: the session is gone, and ten minutes after that was seen the call is ended', () =>
  stage(async (scene) => {
    const { it } = scene;
    it.media.restart();
    await it.clock.advance(12 * minuteMs);
    assert.equal(await inProgress(scene), 1);
    await it.clock.advance(3 * minuteMs);
    await bothAreHungUp(scene);
  }));

test('a node that does not answer says nothing about its calls', () =>
  stage(async ({ it, alice, bob, call }) => {
    it.media.set({ nodes: { m1: 'silent' } });
    await it.clock.advance(60 * minuteMs);
    it.media.set({ nodes: { m1: 'up' } });
    await it.hangUp(alice, call.caller, bob);
  }));

test('MEDIA_IDLE_SECONDS=0: nobody looks', () =>
  stage(async ({ it, alice, bob, call }) => {
    it.media.set({ lastPacketMs: it.clock.nowMs() });
    await it.clock.advance(60 * minuteMs);
    await it.hangUp(alice, call.caller, bob);
  }, 0));
