/** RFC 3261 §26.2.2, RFC 5630: what is asked for by a sips: URI goes over TLS, or nowhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Warning } from '../../src/message/headers/text.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneOffer } from '../support/sdp.ts';

const aor = 'sip:bob@example.com';
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;

async function stage(script: (it: ProxyScene, alice: Agent) => Promise<void>): Promise<void> {
  const names = { addresses: { 'vm.example.net': ['203.0.113.9'] } };
  const users = ['alice', 'bob', 'carol'];
  const it = createProxyScene({ columns: ['alice', 'proxy', 'desk', 'cell'], users, names });
  await it.play(async () => script(it, await it.registered({ name: 'alice', address: '192.0.2.1' })));
}

async function refusesAll(alice: Agent, phones: readonly Agent[], invite: ReturnType<Agent['request']>): Promise<void> {
  for (const phone of phones) {
    phone.respond(await phone.receivesRequest('INVITE'), 486);
    await phone.receivesRequest('ACK');
  }
  alice.ack(invite, await alice.receivesResponse(486));
}

for (const transport of ['tls', 'wss'] as const) {
  test(`the device on ${transport} rings, the one on UDP does not; by sip: both do`, () =>
    stage(async (it, alice) => {
      const desk = await it.registered({ name: 'desk', aor, transport, address: '192.0.2.2' });
      const cell = await it.registered({ name: 'cell', aor, address: '192.0.2.3' });
      const invite = alice.request('INVITE', 'sips:bob@example.com', offer);
      await refusesAll(alice, [desk], invite);
      await cell.receivesNothing(0);
      await refusesAll(alice, [desk, cell], alice.request('INVITE', aor, { ...offer, callId: 'by-sip' }));
    }));
}

for (const transport of ['udp', 'tcp', 'ws'] as const) {
  test(`RFC 5630 §5.3: the only device is on ${transport}: 480 with Warning 380, and the log says why`, () =>
    stage(async (it, alice) => {
      const desk = await it.registered({ name: 'desk', aor, transport, address: '192.0.2.2' });
      const invite = alice.request('INVITE', 'sips:bob@example.com', offer);
      const refused = await alice.receivesResponse(480);
      alice.ack(invite, refused);
      assert.match(get(refused, Warning) ?? '', /^380 \S+ "A sips: address/);
      alice.request('MESSAGE', 'sips:bob@example.com', { body: 'hello', contentType: 'text/plain' });
      await alice.receivesResponse(480, 'MESSAGE');
      await desk.receivesNothing(0);
    }));
}

test('an account without any device answers as by sip:', () =>
  stage(async (_, alice) => {
    const invite = alice.request('INVITE', 'sips:bob@example.com', offer);
    const refused = await alice.receivesResponse(480);
    alice.ack(invite, refused);
    assert.match(get(refused, Warning) ?? '', /^399 .*no device of it is registered/);
  }));

test('an alias leads no sips: call into the clear', () =>
  stage(async (it, alice) => {
    const desk = await it.registered({ name: 'desk', aor, address: '192.0.2.2' });
    await it.proxy().operations.setAlias('100', 'bob');
    const invite = alice.request('INVITE', 'sips:100@example.com', offer);
    const refused = await alice.receivesResponse(480);
    alice.ack(invite, refused);
    assert.match(get(refused, Warning) ?? '', /^380 /);
    await desk.receivesNothing(0);
  }));

test('bob forwards to a device on UDP: his sips: calls do not go there, and what his telephone said stands', () =>
  stage(async (it, alice) => {
    const desk = await it.registered({ name: 'desk', aor, transport: 'tls', address: '192.0.2.2' });
    const cell = await it.registered({ name: 'cell', aor: 'sip:carol@example.com', address: '192.0.2.3' });
    it.database.setCalls('bob', 'example.com', { forwardBusy: 'sip:carol@example.com' });
    await refusesAll(alice, [desk], alice.request('INVITE', 'sips:bob@example.com', offer));
    await cell.receivesNothing(0);
  }));

test('bob forwards to another domain: his sips: calls go there over TLS', () =>
  stage(async (it, alice) => {
    const cell = it.agent({ name: 'cell', transport: 'tls', address: '203.0.113.9', port: 5061, dialable: true });
    it.database.setCalls('bob', 'example.com', { forwardAlways: 'sip:bob@vm.example.net' });
    const invite = alice.request('INVITE', 'sips:bob@example.com', offer);
    const received = await cell.receivesRequest('INVITE');
    assert.equal(received.uri, 'sips:bob@vm.example.net');
    cell.respond(received, 480);
    await cell.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(480));
  }));
