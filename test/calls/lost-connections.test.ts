/**
 * Connections that close in a call, in each of its states (law 4, RFC 3261 §17.1.4, §18.2.2): each side hears an end that is
 * right, and nothing is left. `play` asks for what is left.
 */
import { describe, test } from 'node:test';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];
const offer = { body: phoneOffer('alice'), contentType: sdpType };
const answer = { body: phoneAnswer('bob'), contentType: sdpType };
const trunkAor = 'sip:bob@192.0.2.11:5060;transport=tcp';

// --- servers ---------------------------------------------------------------------------------------------------------

const trunkPlace = { name: 'bob', transport: 'tcp', address: '192.0.2.11', dialable: true, aor: trunkAor } as const;

/** Alice calls a trunk that we dial, which rings and closes its connection. */
async function ringsAtTrunk(
  script: (it: ProxyScene, alice: Agent, trunk: Agent, calls: { sent: SipRequest; received: SipRequest }) => Promise<void>,
): Promise<void> {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const trunk = it.agent({ ...trunkPlace, contact: trunkAor });
    const sent = alice.request('INVITE', trunkAor, offer);
    const received = await trunk.receivesRequest('INVITE');
    trunk.respond(received, 180);
    await alice.receivesResponse(180);
    await alice.receivesResponse(100);
    trunk.station.close('nothing was said for a while');
    await it.clock.advance(30_000);
    await alice.receivesNothing(0);
    await script(it, alice, trunk, { sent, received });
  });
}

describe('a trunk that we have dialled closes its connection while it rings', () => {
  test('RFC 3261 §18.2.2: it answers over one that it opens, and the call is up', () =>
    ringsAtTrunk(async (it, alice, trunk, { sent, received }) => {
      const ok = trunk.respond(received, 200, answer);
      alice.ack(sent, await alice.receivesResponse(200));
      await trunk.receivesRequest('ACK');
      await it.hangUp(alice, alice.dialog(sent, ok), trunk);
    }));

  test('RFC 3261 §17.1.1.3: it refuses over one that it opens, and has its ACK', () =>
    ringsAtTrunk(async (_, alice, trunk, { sent, received }) => {
      trunk.respond(received, 486);
      alice.ack(sent, await alice.receivesResponse(486));
      await trunk.receivesRequest('ACK');
    }));

  test('RFC 3261 §9.1, §18.1.1: it is dialled for the CANCEL', () =>
    ringsAtTrunk(async (_, alice, trunk, { sent, received }) => {
      alice.cancel(sent);
      await alice.receivesResponse(200, 'CANCEL');
      trunk.respond(await trunk.receivesRequest('CANCEL'), 200);
      trunk.respond(received, 487);
      alice.ack(sent, await alice.receivesResponse(487));
      await trunk.receivesRequest('ACK');
    }));

  test('RFC 3261 §16.8: it says nothing more: timer C ends the call', () =>
    ringsAtTrunk(async (_, alice, trunk, { sent }) => {
      trunk.station.freeze();
      alice.ack(sent, await alice.receivesResponse(408, 'INVITE', 240_000));
    }));
});

/** A trunk calls bob, who rings, and closes its connection. */
async function trunkCalls(
  script: (it: ProxyScene, trunk: Agent, bob: Agent, calls: { sent: SipRequest; received: SipRequest }) => Promise<void>,
): Promise<void> {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const place = { transport: 'tcp', address: '192.0.2.11', dialable: true } as const;
    const trunk = it.agent({
      ...{ ...place, name: 'alice', aor: 'sip:alice@trunk.test' },
      contact: 'sip:alice@192.0.2.11:5060;transport=tcp',
    });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const sent = trunk.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await trunk.receivesResponse(180);
    trunk.station.close('nothing was said for a while');
    await it.clock.advance(30_000);
    await bob.receivesNothing(0);
    await script(it, trunk, bob, { sent, received });
  });
}

describe('a trunk that calls closes its connection while its INVITE rings', () => {
  test('RFC 3261 §18.2.2: it is dialled for the response, and the call is up and ends', () =>
    trunkCalls(async (it, trunk, bob, { sent, received }) => {
      const ok = bob.respond(received, 200, answer);
      const answered = await trunk.receivesResponse(200);
      trunk.ack(sent, answered);
      await bob.receivesRequest('ACK');
      trunk.station.close();
      await it.clock.advance(60_000);
      await it.hangUp(bob, bob.dialog(received, ok), trunk);
    }));

  test('RFC 3261 §9.2: its CANCEL comes over another one, and so go 200 and 487', () =>
    trunkCalls(async (_, trunk, bob, { sent, received }) => {
      trunk.cancel(sent);
      await trunk.receivesResponse(200, 'CANCEL');
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(received, 487);
      await bob.receivesRequest('ACK');
      trunk.ack(sent, await trunk.receivesResponse(487));
    }));

  test('RFC 3261 §18.2.2: it is gone for good: what bob answers reaches nobody, and his BYE ends the call', () =>
    trunkCalls(async (_, trunk, bob, { received }) => {
      trunk.station.freeze();
      const ok = bob.respond(received, 200, answer);
      bob.within(bob.dialog(received, ok), 'BYE');
      await bob.receivesNothing(40_000);
    }));
});
