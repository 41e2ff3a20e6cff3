import assert from 'node:assert/strict';
import { test } from 'node:test';
import { challengeHeaders } from '../../src/auth/digest.ts';
import { createResponse } from '../../src/message/build.ts';
import { prepend, removeFirst, serialize } from '../../src/message/edit.ts';
import { get, values } from '../../src/message/header.ts';
import { Authorization } from '../../src/message/headers/digest.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import { parseMessage } from '../../src/message/scan.ts';
import type { Flow, NetworkEvents } from '../../src/ports.ts';
import { createScene, type Scene, type World } from './scene.ts';

/** As little of a proxy as shows that a scene works: alice's messages go to bob and bob's to alice. */
function relay({ network }: World): NetworkEvents {
  const own = { transport: 'UDP', host: '192.0.2.100', port: 5060, params: [['branch', 'z9hG4bK-relay']] } as const;
  const recordRoute = { display: undefined, uri: 'sip:192.0.2.100;lr', params: [] };
  const other = (flow: Flow): Flow | undefined =>
    network.find(flow.remote.address === '192.0.2.1' ? 'u0:192.0.2.2:5060' : 'u0:192.0.2.1:5060');
  return {
    closed: () => {},
    message: (text, flow) => {
      const message = parseMessage(text);
      const to = other(flow);
      if (message.kind === 'unparsable' || to === undefined) return;
      if (message.kind === 'request' && message.method === 'REGISTER') {
        const headers = challengeHeaders('example.com', 'n1', { challenger: 'registrar' });
        const status = get(message, Authorization) === undefined ? 401 : 200;
        network.send(flow, serialize(createResponse(message, status, { headers })));
      } else if (message.kind === 'request') {
        const routed = prepend(removeFirst(message, Route), RecordRoute, recordRoute);
        network.send(to, serialize(prepend(routed, Via, own)));
      } else network.send(to, serialize(removeFirst(message, Via)));
    },
  };
}

function scene(weather = {}): Scene<NetworkEvents> {
  return createScene({ columns: ['alice', 'proxy', 'bob'], start: relay, weather });
}

test('scene: two agents talk through a proxy, and the ladder shows what passed', async () => {
  const it = scene();
  const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
  const bob = it.agent({ name: 'bob', address: '192.0.2.2' });
  await it.play(async () => {
    const invite = alice.request('INVITE', 'sip:bob@example.com', { body: 'v=0\r\n', contentType: 'application/sdp' });
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    const ok = bob.respond(received, 200);
    await alice.receivesResponse(180);
    alice.ack(invite, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    const bye = bob.within(bob.dialog(received, ok), 'BYE');
    assert.deepEqual(values(bye, Route), ['<sip:192.0.2.100;lr>']);
    assert.equal(bye.uri, 'sip:alice@192.0.2.1:5060');
    alice.respond(await alice.receivesRequest('BYE'), 200);
    await bob.receivesResponse(200, 'BYE');
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 proxy ─INVITE▶ bob
      F3 proxy ◀180─ bob
      F4 proxy ◀200─ bob
      F5 alice ◀180─ proxy
      F6 alice ◀200─ proxy
      F7 alice ─ACK▶ proxy
      F8 proxy ─ACK▶ bob
      F9 proxy ◀BYE─ bob
      F10 alice ◀BYE─ proxy
      F11 alice ─200 BYE▶ proxy
      F12 proxy ─200 BYE▶ bob
    `);
  });
});

test('scene: an agent logs in with the next CSeq', async () => {
  const it = scene();
  const alice = it.agent({ name: 'alice', address: '192.0.2.1', rport: true });
  await it.play(async () => {
    const first = alice.request('REGISTER', 'sip:example.com', { headers: [['Expires', '600']] });
    const next = alice.login(first, await alice.receivesResponse(401), 'alice', 'secret');
    await alice.receivesResponse(200);
    const texts = next.headers.map((line) => line.raw);
    assert.ok(texts.includes('CSeq: 2 REGISTER') && texts.includes('Expires: 600'), texts.join('\n'));
    assert.ok(texts.includes('Contact: <sip:alice@192.0.2.1:5060>'));
    assert.match(
      get(next, Authorization)
        ?.params.map(([name]) => name)
        .join(' ') ?? '',
      /^username realm nonce uri response/,
    );
  });
});

test('scene: a lost message is drawn with ✗, and a script that waits in vain says what is there', async () => {
  const it = scene({ loss: 1 });
  const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
  await assert.rejects(
    it.play(async () => {
      alice.request('OPTIONS', 'sip:bob@example.com');
      await alice.receivesResponse(200, 'OPTIONS', 100);
    }),
    (error: Error) => {
      assert.equal(error.message, 'seed 1\nF1 alice ─OPTIONS✗ proxy');
      return error.cause instanceof Error && error.cause.message === 'alice waits for 200 OPTIONS and has nothing';
    },
  );
});
