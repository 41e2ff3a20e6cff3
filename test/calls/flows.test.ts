/** RFC 5626 §5.3: a device with two flows is asked over one of them, and over the other when the first has failed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob-1', 'bob-2'];
const offer = { body: phoneOffer('alice'), contentType: sdpType };
const answer = { body: phoneAnswer('bob'), contentType: sdpType };

interface Stage {
  readonly alice: Agent;
  /** The flows of bob's telephone; the second registered last, so it is asked first. */
  readonly first: Agent;
  readonly second: Agent;
}

async function flowsOf(it: ProxyScene): Promise<Stage> {
  const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
  const [first, second] = [1, 2].map((regId) => {
    const name = `bob-${regId}`;
    return it.agent({ name, address: '192.0.2.2', port: 40_000 + regId, transport: 'tcp', aor: 'sip:bob@example.com' });
  });
  assert.ok(first !== undefined && second !== undefined);
  for (const [index, flow] of [first, second].entries()) {
    const contact = `<${flow.contact}>;+sip.instance="<urn:uuid:b>";reg-id=${index + 1}`;
    flow.request('REGISTER', 'sip:example.com', { contact: false, headers: [['Contact', contact]] });
    await flow.receivesResponse(200);
  }
  it.ladder.clear();
  return { alice, first, second };
}

/** The call is asked for over this flow now; it is answered there and ended. */
async function answersOver(flow: Agent, invite: SipRequest, { alice }: Stage, it: ProxyScene): Promise<void> {
  const received = await flow.receivesRequest('INVITE', 40_000);
  const ok = flow.respond(received, 200, answer);
  alice.ack(invite, await alice.receivesResponse(200));
  await flow.receivesRequest('ACK');
  await it.hangUp(flow, flow.dialog(received, ok), alice);
}

test('RFC 5626 §5.3: 430 (Flow Failed) of one flow: the other is asked, and the caller hears nothing of it', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const stage = await flowsOf(it);
    const { alice, first, second } = stage;
    const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
    second.respond(await second.receivesRequest('INVITE'), 430);
    await second.receivesRequest('ACK');
    await answersOver(first, invite, stage, it);
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 proxy ─INVITE▶ bob-2
      F4 proxy ◀430─ bob-2
      F5 proxy ─ACK▶ bob-2
      F6 proxy ─INVITE▶ bob-1
      F7 proxy ◀200─ bob-1
      F8 alice ◀200─ proxy
      F9 alice ─ACK▶ proxy
      F10 proxy ─ACK▶ bob-1
      F11 proxy ◀BYE─ bob-1
      F12 alice ◀BYE─ proxy
      F13 alice ─200 BYE▶ proxy
      F14 proxy ─200 BYE▶ bob-1
    `);
  });
});

test('RFC 5626 §5.3: a flow that closes while it is being asked makes way for the other one', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const stage = await flowsOf(it);
    const invite = stage.alice.request('INVITE', 'sip:bob@example.com', offer);
    await stage.second.receivesRequest('INVITE');
    stage.second.station.close();
    await answersOver(stage.first, invite, stage, it);
  });
});

test('RFC 5626 §5.3: a flow that closes after its 100 makes way for the other one as well', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const stage = await flowsOf(it);
    const invite = stage.alice.request('INVITE', 'sip:bob@example.com', offer);
    stage.second.respond(await stage.second.receivesRequest('INVITE'), 100);
    await it.clock.advance(100);
    stage.second.station.close();
    await answersOver(stage.first, invite, stage, it);
  });
});

test('RFC 5626 §5.3: both flows close after their 100: the caller hears at once that the device is away (480), not that this proxy failed', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const { alice, first, second } = await flowsOf(it);
    const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
    for (const flow of [second, first]) {
      flow.respond(await flow.receivesRequest('INVITE'), 100);
      await it.clock.advance(100);
      flow.station.close();
    }
    const refused = await alice.receivesFinal('INVITE', 1_000);
    alice.ack(invite, refused);
    assert.equal(refused.status, 480);
  });
});

test('law 4: a device that rang is asked no second time when its flow closes: two calls would ring on one telephone', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const { alice, first, second } = await flowsOf(it);
    const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
    second.respond(await second.receivesRequest('INVITE'), 180);
    await alice.receivesResponse(180);
    second.station.close();
    const refused = await alice.receivesFinal('INVITE', 1_000);
    alice.ack(invite, refused);
    await first.receivesNothing();
  });
});

test('RFC 5626 §5.3: nobody answers over one flow: the other is asked when the first has timed out', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const { alice, first, second } = await flowsOf(it);
    alice.request('MESSAGE', 'sip:bob@example.com');
    await second.receivesRequest('MESSAGE');
    first.respond(await first.receivesRequest('MESSAGE', 40_000), 200);
    await alice.receivesResponse(200, 'MESSAGE', 40_000);
  });
});

test('RFC 5626 §5.3: any other answer is the word of the device: its other flow is not asked', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const { alice, first, second } = await flowsOf(it);
    const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
    second.respond(await second.receivesRequest('INVITE'), 486);
    await second.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
    await first.receivesNothing();
  });
});

test('430 by the last flow: the caller hears 480, for 430 is spoken between proxies only (law 4)', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const { alice, first, second } = await flowsOf(it);
    const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
    for (const flow of [second, first]) {
      flow.respond(await flow.receivesRequest('INVITE'), 430);
      await flow.receivesRequest('ACK');
    }
    alice.ack(invite, await alice.receivesResponse(480));
  });
});
