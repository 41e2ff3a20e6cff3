/** RFC 3263: calls into a domain of several servers, some of which are away; and requests too large for a datagram. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Via } from '../../src/message/headers/via.ts';
import { param } from '../../src/message/params.ts';
import type { Agent } from '../support/agent.ts';
import type { Names } from '../support/names.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'first', 'second'];
const carol = 'sip:carol@elsewhere.test';
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;
const answer = { body: phoneAnswer('carol'), contentType: sdpType } as const;
const addresses = { 'one.elsewhere.test': ['192.0.2.11'], 'two.elsewhere.test': ['192.0.2.12'] };

const overUdp: Names = {
  addresses,
  srv: { '_sip._udp.elsewhere.test': ['10 0 5060 one.elsewhere.test', '20 0 5060 two.elsewhere.test'] },
};
const overTcp: Names = {
  addresses,
  srv: { '_sip._tcp.elsewhere.test': ['10 0 5060 one.elsewhere.test', '20 0 5060 two.elsewhere.test'] },
};

async function stage(names: Names, script: (it: ProxyScene, alice: Agent) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns, names });
  await it.play(() => script(it, it.agent({ name: 'alice', address: '192.0.2.1' })));
}

/** An answer and the end of the call that it makes. */
async function answers(it: ProxyScene, alice: Agent, server: Agent, invite: ReturnType<Agent['request']>) {
  const received = await server.receivesRequest('INVITE', 40_000);
  server.respond(received, 200, answer);
  const answered = await alice.receivesResponse(200, 'INVITE');
  alice.ack(invite, answered);
  await server.receivesRequest('ACK');
  await it.hangUp(alice, alice.dialog(invite, answered), server);
  return received;
}

test('RFC 3263 §4.3: a server that says 503 makes way for the next, in a transaction of its own', () =>
  stage(overUdp, async (it, alice) => {
    const first = it.agent({ name: 'first', address: '192.0.2.11' });
    const second = it.agent({ name: 'second', address: '192.0.2.12' });
    const invite = alice.request('INVITE', carol, offer);
    const asked = await first.receivesRequest('INVITE');
    first.respond(asked, 503);
    await first.receivesRequest('ACK');
    const again = await answers(it, alice, second, invite);
    const branchOf = (request: typeof again) => param(get(request, Via)?.params ?? [], 'branch');
    assert.notEqual(branchOf(again), branchOf(asked));
  }));

test('RFC 3263 §4.3: a server that says 100 before it says 503, as most do, makes way for the next as well', () =>
  stage(overUdp, async (it, alice) => {
    const first = it.agent({ name: 'first', address: '192.0.2.11' });
    const second = it.agent({ name: 'second', address: '192.0.2.12' });
    const invite = alice.request('INVITE', carol, offer);
    const asked = await first.receivesRequest('INVITE');
    first.respond(asked, 100);
    first.respond(asked, 503);
    await first.receivesRequest('ACK');
    await answers(it, alice, second, invite);
  }));

test('RFC 3263 §4.3: a server that falls after its 100, connection and all, makes way for the next', () =>
  stage(overTcp, async (it, alice) => {
    const first = it.agent({ name: 'first', transport: 'tcp', address: '192.0.2.11', dialable: true });
    const second = it.agent({ name: 'second', transport: 'tcp', address: '192.0.2.12', dialable: true });
    const invite = alice.request('INVITE', carol, offer);
    first.respond(await first.receivesRequest('INVITE'), 100);
    await it.clock.advance(100);
    first.station.close();
    await answers(it, alice, second, invite);
  }));

test('RFC 3263 §4.3: a server that says nothing makes way after 5 s, and the next call goes past it at once', () =>
  stage(overUdp, async (it, alice) => {
    const first = it.agent({ name: 'first', address: '192.0.2.11' });
    const second = it.agent({ name: 'second', address: '192.0.2.12' });
    first.station.freeze();
    const callMs = it.clock.nowMs();
    await answers(it, alice, second, alice.request('INVITE', carol, offer));
    assert.ok(it.clock.nowMs() - callMs < 5_500, 'nobody waits for timer B');
    const startMs = it.clock.nowMs();
    await answers(it, alice, second, alice.request('INVITE', carol, { ...offer, callId: 'next' }));
    assert.ok(it.clock.nowMs() - startMs < 1_000, 'the next caller does not wait');
  }));

test('RFC 3263 §4.3: of a MESSAGE the next server is asked after 5 s as well, long before timer F', () =>
  stage(overUdp, async (it, alice) => {
    const first = it.agent({ name: 'first', address: '192.0.2.11' });
    const second = it.agent({ name: 'second', address: '192.0.2.12' });
    first.station.freeze();
    const startMs = it.clock.nowMs();
    alice.request('MESSAGE', carol);
    second.respond(await second.receivesRequest('MESSAGE', 40_000), 200);
    await alice.receivesResponse(200, 'MESSAGE');
    assert.ok(it.clock.nowMs() - startMs < 5_500, 'nobody waits for timer F');
  }));

test('RFC 3263 §4.3: the next server refuses a MESSAGE; a late 200 of the first goes to nobody', () =>
  stage(overUdp, async (it, alice) => {
    const first = it.agent({ name: 'first', address: '192.0.2.11' });
    const second = it.agent({ name: 'second', address: '192.0.2.12' });
    alice.request('MESSAGE', carol);
    const asked = await first.receivesRequest('MESSAGE');
    second.respond(await second.receivesRequest('MESSAGE', 40_000), 404);
    await alice.receivesResponse(404, 'MESSAGE');
    first.respond(asked, 200);
    await alice.receivesNothing(1_000);
  }));

test('RFC 3261 §9.1: a server that speaks when the next one is asked already is cancelled', () =>
  stage(overUdp, async (it, alice) => {
    const first = it.agent({ name: 'first', address: '192.0.2.11' });
    const second = it.agent({ name: 'second', address: '192.0.2.12' });
    const invite = alice.request('INVITE', carol, offer);
    const asked = await first.receivesRequest('INVITE');
    const again = await second.receivesRequest('INVITE', 6_000);
    second.respond(again, 180);
    await alice.receivesResponse(180);
    first.respond(asked, 180);
    first.respond(await first.receivesRequest('CANCEL'), 200);
    first.respond(asked, 487);
    await first.receivesRequest('ACK');
    second.respond(again, 200, answer);
    const answered = await alice.receivesResponse(200, 'INVITE');
    alice.ack(invite, answered);
    await second.receivesRequest('ACK');
    await it.hangUp(alice, alice.dialog(invite, answered), second);
  }));

test('RFC 3263 §4.3: no server says anything: the caller hears 408 when the last has had its time', () =>
  stage(overUdp, async (it, alice) => {
    for (const [name, address] of [
      ['first', '192.0.2.11'],
      ['second', '192.0.2.12'],
    ] as const)
      it.agent({ name, address }).station.freeze();
    const invite = alice.request('INVITE', carol, offer);
    alice.ack(invite, await alice.receivesResponse(408, 'INVITE', 60_000));
  }));

test('RFC 3263 §4.3: a server that refuses the connection makes way for the next at once', () =>
  stage(overTcp, async (it, alice) => {
    it.agent({ name: 'first', transport: 'tcp', address: '192.0.2.11', dialable: false });
    const second = it.agent({ name: 'second', transport: 'tcp', address: '192.0.2.12', dialable: true });
    const startMs = it.clock.nowMs();
    await answers(it, alice, second, alice.request('INVITE', carol, offer));
    assert.ok(it.clock.nowMs() - startMs < 1_000);
  }));

test('RFC 3263 §4.3: all servers say 503: the caller gets 500, since it is not us who is overloaded (§16.7 step 6)', () =>
  stage(overUdp, async (it, alice) => {
    const servers = [
      it.agent({ name: 'first', address: '192.0.2.11' }),
      it.agent({ name: 'second', address: '192.0.2.12' }),
    ];
    const invite = alice.request('INVITE', carol, offer);
    for (const server of servers) {
      server.respond(await server.receivesRequest('INVITE'), 503);
      await server.receivesRequest('ACK');
    }
    alice.ack(invite, await alice.receivesResponse(500));
  }));

test('RFC 3263 §4.3: a server that rings is not left for another, whatever it says then', () =>
  stage(overUdp, async (it, alice) => {
    const first = it.agent({ name: 'first', address: '192.0.2.11' });
    const second = it.agent({ name: 'second', address: '192.0.2.12' });
    const invite = alice.request('INVITE', carol, offer);
    const asked = await first.receivesRequest('INVITE');
    first.respond(asked, 180);
    await alice.receivesResponse(180);
    first.respond(asked, 503);
    await first.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(500));
    await second.receivesNothing(0);
  }));

test('alice gives up while the second server is asked: it hears the CANCEL, the first one nothing more', () =>
  stage(overUdp, async (it, alice) => {
    const first = it.agent({ name: 'first', address: '192.0.2.11' });
    const second = it.agent({ name: 'second', address: '192.0.2.12' });
    const invite = alice.request('INVITE', carol, offer);
    first.respond(await first.receivesRequest('INVITE'), 503);
    await first.receivesRequest('ACK');
    const again = await second.receivesRequest('INVITE');
    second.respond(again, 180);
    await alice.receivesResponse(180);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    second.respond(await second.receivesRequest('CANCEL'), 200);
    second.respond(again, 487);
    await second.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(487));
    await first.receivesNothing(0);
  }));

const large = { ...offer, headers: [['X-Filling', 'x'.repeat(1_200)]] } as const;
const oneServer: Names = { addresses: { 'elsewhere.test': ['192.0.2.11'] } };

test('RFC 3261 §18.1.1: a request over 1300 bytes goes over TCP where nobody asked for UDP', () =>
  stage(oneServer, async (it, alice) => {
    const server = it.agent({ name: 'first', transport: 'tcp', address: '192.0.2.11', dialable: true });
    const received = await answers(it, alice, server, alice.request('INVITE', carol, large));
    assert.equal(get(received, Via)?.transport, 'TCP');
  }));

test('RFC 3261 §18.1.1: the server has no TCP: the request goes over UDP after all', () =>
  stage(oneServer, async (it, alice) => {
    const server = it.agent({ name: 'first', address: '192.0.2.11' });
    const received = await answers(it, alice, server, alice.request('INVITE', carol, large));
    assert.equal(get(received, Via)?.transport, 'UDP');
  }));

test('RFC 3261 §18.1.1: transport=udp in the URI is a word', () =>
  stage(oneServer, async (it, alice) => {
    const server = it.agent({ name: 'first', address: '192.0.2.11' });
    const received = await answers(it, alice, server, alice.request('INVITE', `${carol};transport=udp`, large));
    assert.equal(get(received, Via)?.transport, 'UDP');
  }));
