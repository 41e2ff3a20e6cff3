/** Which way a request goes, and which go nowhere (RFC 3261 §16.3 to §16.6, RFC 5393, RFC 5658; DESIGN law 10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepend, removeFirst, withUri } from '../../src/message/edit.ts';
import { get, values } from '../../src/message/header.ts';
import { MaxBreadth, MaxForwards } from '../../src/message/headers/numbers.ts';
import { Unsupported } from '../../src/message/headers/options.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Warning } from '../../src/message/headers/text.ts';
import { Via } from '../../src/message/headers/via.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import {
  createProxyScene,
  type ProxyScene,
  type ProxySceneOptions,
  passwordOf,
  sdpType,
} from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'edge', 'bob'];
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;
const answer = { body: phoneAnswer('bob'), contentType: sdpType } as const;
const here = '<sip:192.0.2.100:5060;lr>';
const alices = { name: 'alice', address: '192.0.2.1' } as const;
const bobs = { name: 'bob', address: '192.0.2.2' } as const;

async function stage(
  script: (it: ProxyScene) => Promise<void>,
  options: Partial<ProxySceneOptions> = {},
): Promise<void> {
  const it = createProxyScene({ columns, ...options });
  await it.play(() => script(it));
}

/** The INVITE is refused with this status, before it reaches anybody. */
async function refused(alice: Agent, invite: SipRequest, status: number): Promise<string> {
  const final = await alice.receivesFinal('INVITE');
  assert.equal(final.status, status);
  alice.ack(invite, final);
  return get(final, Warning) ?? '';
}

// --- loose and strict routing ----------------------------------------------------------------------------------------

test('RFC 3261 §16.4: a preloaded Route that names us is taken off, and bob does not see it', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    alice.request('MESSAGE', bob.aor, { route: [here] });
    const received = await bob.receivesRequest('MESSAGE');
    assert.deepEqual(values(received, Route), []);
    bob.respond(received, 200);
    await alice.receivesResponse(200);
  }));

test('RFC 3261 §16.6 step 4: one Record-Route where both sides use one listener, with a token of at most 80 characters', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const { received, answered, caller } = await it.call(alice, bob);
    const [route = '', ...others] = values(received, RecordRoute);
    assert.deepEqual(others, []);
    assert.match(route, /^<sip:[\w-]{20,80}@192\.0\.2\.100:5060;lr>$/);
    assert.deepEqual(values(answered, RecordRoute), [route]);
    await it.hangUp(alice, caller, bob);
  }));

test('RFC 5658: two Record-Routes when the transports differ, each side with the one it can reach', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered({ ...bobs, transport: 'tcp', port: 41_000 });
    const { received, caller, callee } = await it.call(alice, bob);
    const routes = values(received, RecordRoute);
    assert.equal(routes.length, 2);
    assert.match(routes[0] ?? '', /;transport=tcp;lr>$/);
    assert.match(routes[1] ?? '', /:5060;lr>$/);
    const ack = it.ladder.passages.filter(({ to, text }) => to === 'bob' && text.startsWith('ACK'));
    assert.equal(ack.length, 1);
    assert.ok(!ack[0]?.text.includes('\r\nRoute:'), 'both Route values of ours are one visit');
    const again = alice.within(caller, 'INVITE', { ...offer });
    bob.respond(await bob.receivesRequest('INVITE'), 200, answer);
    alice.ack(again, await alice.receivesResponse(200));
    await bob.receivesRequest('ACK');
    await it.hangUp(bob, callee, alice);
  }));

for (const [kind, edgeRoute] of [
  ['loose', '<sip:192.0.2.9:5060;lr>'],
  ['strict', '<sip:192.0.2.9:5060>'],
] as const) {
  test(`RFC 3261 §16.12: a ${kind} router behind us stays in the dialog`, () =>
    stage(async (it) => {
      const alice = it.agent(alices);
      // It speaks for bob, who is behind it.
      const edge = await it.registered({ name: 'edge', aor: 'sip:bob@example.com', address: '192.0.2.9' });
      const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
      const received = await edge.receivesRequest('INVITE');
      const routes = [edgeRoute, ...values(received, RecordRoute)];
      const headers = [
        ...routes.map((route) => ['Record-Route', route] as const),
        ['Contact', '<sip:bob@10.0.0.2>'] as const,
      ];
      edge.respond(received, 200, { ...answer, headers, recordRoute: false, contact: false });
      const ok = await alice.receivesResponse(200);
      alice.ack(invite, ok);
      const dialog = alice.dialog(invite, ok);
      assert.equal(dialog.target, 'sip:bob@10.0.0.2');
      alice.within(dialog, 'BYE');
      const bye = await edge.receivesRequest('BYE');
      for (const request of [await edge.receivesRequest('ACK'), bye]) {
        // RFC 3261 §16.6 step 6: a strict router wants its own address as Request-URI, and bob's as the last Route.
        const [uri, route] =
          kind === 'loose' ? ['sip:bob@10.0.0.2', edgeRoute] : ['sip:192.0.2.9:5060', '<sip:bob@10.0.0.2>'];
        assert.equal(request.uri, uri);
        assert.deepEqual(values(request, Route), [route]);
      }
      edge.respond(bye, 200);
      await alice.receivesResponse(200, 'BYE');
    }));
}

test('RFC 3261 §16.4: a strict router before us puts our address into the Request-URI; the real one is restored', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const { caller } = await it.call(alice, bob);
    const [own = ''] = caller.route;
    const strict = { ...caller, target: own.slice(1, -1), route: [`<${caller.target}>`] };
    alice.within(strict, 'BYE');
    const bye = await bob.receivesRequest('BYE');
    assert.equal(bye.uri, bob.contact);
    assert.deepEqual(values(bye, Route), []);
    bob.respond(bye, 200);
    await alice.receivesResponse(200, 'BYE');
  }));

// --- tokens ----------------------------------------------------------------------------------------------------------

test('DESIGN law 10: a forged token, a token of another call and none at all: 481, and nobody hears of it', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const { caller } = await it.call(alice, bob);
    const [own = ''] = caller.route;
    const forged = own.replace(/sip:.{4}/, 'sip:AAAA');
    const [mallory] = [it.agent({ name: 'mallory', address: '203.0.113.66' })];
    for (const [route, callId] of [
      [[forged], caller.callId],
      [[own], 'another-call'],
      [[here], 'no-call'],
    ] as const) {
      mallory.request('BYE', bob.contact, { route, callId, fromTag: 'x', toTag: 'y', cseq: 99 });
      await mallory.receivesResponse(481, 'BYE');
    }
    // With the right tags, as somebody who listened knows them.
    const tags = { callId: caller.callId, fromTag: caller.local.tag ?? '', toTag: caller.remote.tag ?? '' };
    mallory.request('BYE', bob.contact, { route: [here], ...tags, cseq: 99 });
    await mallory.receivesResponse(481, 'BYE');
    await bob.receivesNothing(0);
    assert.equal(it.media.calls().length, 1);
    assert.equal(it.database.rows.dialogs().length, 1);
    await it.hangUp(alice, caller, bob);
  }));

test('DESIGN law 10: an ACK with a forged token is dropped without a word', () =>
  stage(async (it) => {
    const bob = await it.registered(bobs);
    const mallory = it.agent({ name: 'mallory', address: '203.0.113.66' });
    mallory.request('ACK', bob.contact, { route: ['<sip:AQAAAAAAAAAAAAAAAAAA@192.0.2.100:5060;lr>'], toTag: 'y' });
    await mallory.receivesNothing(5000);
    await bob.receivesNothing(0);
  }));

test('DESIGN law 10: a To tag of its own invention does not carry an INVITE past the routes', () =>
  stage(async (it) => {
    const bob = await it.registered(bobs);
    const mallory = it.agent({ name: 'mallory', address: '203.0.113.66' });
    const invite = mallory.request('INVITE', bob.aor, { ...offer, toTag: 'y' });
    await refused(mallory, invite, 481);
    await bob.receivesNothing(0);
  }));

// --- §16.3 -----------------------------------------------------------------------------------------------------------

test('RFC 3261 §16.3 step 3: Max-Forwards 0 is refused with 483; 1 goes on as 0', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    await refused(alice, alice.request('INVITE', bob.aor, { ...offer, maxForwards: 0 }), 483);
    alice.request('MESSAGE', bob.aor, { maxForwards: 1 });
    const received = await bob.receivesRequest('MESSAGE');
    assert.equal(get(received, MaxForwards), 0);
    bob.respond(received, 200);
    await alice.receivesResponse(200);
  }));

test('RFC 5393 §4.2: a request that comes back as it left is a loop: 482', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const edge = await it.registered({ name: 'edge', aor: 'sip:bob@example.com', address: '192.0.2.9' });
    const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
    const received = await edge.receivesRequest('INVITE');
    // Changed back to what it was, as two proxies do that each think the other one is right.
    const returned = edge.forward(withUri(received, 'sip:bob@example.com'));
    const loop = await edge.receivesFinal('INVITE');
    assert.equal(loop.status, 482);
    edge.ack(returned, loop);
    edge.respond(received, 482);
    await edge.receivesRequest('ACK');
    await refused(alice, invite, 482);
  }));

test('RFC 3261 §16.3 step 4: a request that comes back for somebody else is a spiral, and goes on', () =>
  stage(
    async (it) => {
      const alice = it.agent(alices);
      const edge = await it.registered({ name: 'edge', aor: 'sip:bob@example.com', address: '192.0.2.9' });
      const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
      const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
      const received = await edge.receivesRequest('INVITE');
      const returned = edge.forward(withUri(received, carol.aor));
      const atCarol = await carol.receivesRequest('INVITE');
      // One way through rtpengine, not two: what it wrote is left alone when it comes by again.
      assert.equal(atCarol.body, received.body);
      carol.respond(atCarol, 486);
      await carol.receivesRequest('ACK');
      edge.ack(returned, await edge.receivesResponse(486));
      edge.respond(received, 486);
      await edge.receivesRequest('ACK');
      await refused(alice, invite, 486);
      assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'delete']);
    },
    { users: ['alice', 'bob', 'carol'] },
  ));

test('RFC 3261 §16.12: a call that passes us twice is set up, and its BYE goes the whole way', () =>
  stage(
    async (it) => {
      const alice = it.agent(alices);
      const edge = await it.registered({ name: 'edge', aor: 'sip:bob@example.com', address: '192.0.2.9' });
      const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
      const own = { display: undefined, uri: 'sip:192.0.2.9;lr', params: [] };
      const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
      const atEdge = prepend(await edge.receivesRequest('INVITE'), RecordRoute, own);
      edge.forward(withUri(atEdge, carol.aor));
      const atCarol = await carol.receivesRequest('INVITE');
      carol.respond(atCarol, 200, { body: phoneAnswer('carol'), contentType: sdpType });
      edge.send(removeFirst(await edge.receivesResponse(200), Via));
      const ok = await alice.receivesResponse(200);
      alice.ack(invite, ok);
      const dialog = alice.dialog(invite, ok);
      alice.within(dialog, 'BYE');
      for (const method of ['ACK', 'BYE']) edge.forward(removeFirst(await edge.receivesRequest(method), Route));
      await carol.receivesRequest('ACK');
      carol.respond(await carol.receivesRequest('BYE'), 200);
      edge.send(removeFirst(await edge.receivesResponse(200, 'BYE'), Via));
      await alice.receivesResponse(200, 'BYE');
      assert.deepEqual(it.media.story(), ['offer RTP/AVP', 'answer', 'delete']);
    },
    { users: ['alice', 'bob', 'carol'] },
  ));

test('RFC 3261 §16.3 step 5: an unknown option in Proxy-Require is refused with 420 and named', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const invite = alice.request('INVITE', bob.aor, { ...offer, headers: [['Proxy-Require', 'teleport']] });
    const final = await alice.receivesResponse(420);
    assert.deepEqual(values(final, Unsupported), ['teleport']);
    alice.ack(invite, final);
  }));

test('RFC 5393 §5.3.3: Max-Breadth is shared among the branches; too small for them: 440', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const desk = await it.registered({ name: 'desk', aor: 'sip:bob@example.com', address: '192.0.2.2' });
    const cell = await it.registered({ name: 'cell', aor: 'sip:bob@example.com', address: '192.0.2.3' });
    const headers = [['Max-Breadth', '1']] as const;
    await refused(alice, alice.request('INVITE', 'sip:bob@example.com', { ...offer, headers }), 440);
    const invite = alice.request('INVITE', 'sip:bob@example.com', { ...offer, headers: [['Max-Breadth', '7']] });
    const shares: number[] = [];
    for (const phone of [desk, cell]) {
      const received = await phone.receivesRequest('INVITE');
      shares.push(get(received, MaxBreadth) ?? 0);
      phone.respond(received, 486);
      await phone.receivesRequest('ACK');
    }
    assert.ok(shares.every((share) => share >= 1) && (shares[0] ?? 0) + (shares[1] ?? 0) <= 7, shares.join(' '));
    await refused(alice, invite, 486);
  }));

test('RFC 3261 §16.3 step 2: a Request-URI of another scheme is refused with 416', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    await refused(
      alice,
      alice.request('INVITE', 'mailto:bob@example.com', { ...offer, to: 'sip:bob@example.com' }),
      416,
    );
  }));

// --- who may call whom ------------------------------------------------------------------------------------------------

const strangers = { isTrusted: () => false, names: { addresses: { 'elsewhere.test': ['192.0.2.9'] } } } as const;
const mallorys = { name: 'mallory', aor: 'sip:mallory@elsewhere.test', address: '203.0.113.66' } as const;

/** Sends an INVITE and answers the challenge. */
async function invites(alice: Agent, uri: string): Promise<SipRequest> {
  const first = alice.request('INVITE', uri, offer);
  const challenge = await alice.receivesResponse(407);
  alice.ack(first, challenge);
  return alice.login(first, challenge, 'alice', passwordOf('alice'));
}

test('RFC 3261 §25.1: a domain with the dot of the root behind it is the same domain', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const invite = alice.request('INVITE', 'sip:bob@example.com.', offer);
    bob.respond(await bob.receivesRequest('INVITE'), 486);
    await bob.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
  }));

test('RFC 3261 §26.2.2, RFC 5630: a sips: address rings devices on TLS and WSS alone; with none 480 and Warning 380', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const bob = await it.registered(bobs);
    const edge = await it.registered({
      name: 'edge',
      aor: bob.aor,
      transport: 'wss',
      address: '192.0.2.9',
      port: 40_000,
    });
    const invite = alice.request('INVITE', 'sips:bob@example.com', offer);
    edge.respond(await edge.receivesRequest('INVITE'), 486);
    await edge.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
    edge.station.close();
    await it.clock.advance(60_000);
    const again = alice.request('INVITE', 'sips:bob@example.com', { ...offer, callId: 'again' });
    assert.match(await refused(alice, again, 480), /^380 viaduct "A sips: address is reached over TLS or WSS alone/);
    await bob.receivesNothing(0);
  }));

test('RFC 3261 §16.5, RFC 5630: a sips: address that stands for another, or is forwarded to one, stays sips:', () =>
  stage(
    async (it) => {
      const alice = it.agent(alices);
      const bob = await it.registered(bobs);
      await it.proxy().operations.setAlias('1', 'bob');
      it.database.setCalls('carol', 'example.com', { forwardAlways: bob.aor });
      for (const uri of ['sips:1@example.com', 'SIPS:carol@example.com']) {
        const invite = alice.request('INVITE', uri, { ...offer, callId: uri });
        assert.match(
          await refused(alice, invite, 480),
          /^380 viaduct "A sips: address is reached over TLS or WSS alone/,
        );
      }
      alice.request('MESSAGE', 'sips:1@example.com');
      await alice.receivesResponse(480, 'MESSAGE');
      await bob.receivesNothing(0);
    },
    { users: ['alice', 'bob', 'carol'] },
  ));

test('unknown user: 404 to a caller who logged in', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const warning = await refused(alice, await invites(alice, 'sip:nobody@example.com'), 404);
    assert.match(warning, /^399 /);
  }, strangers));

test('unknown user: 480 to a stranger, who learns no names here; a user without bindings: 480', () =>
  stage(
    async (it) => {
      const mallory = it.agent(mallorys);
      await refused(mallory, mallory.request('INVITE', 'sip:nobody@example.com', offer), 480);
      await refused(mallory, mallory.request('INVITE', 'sip:bob@example.com', offer), 480);
    },
    { ...strangers, acceptForeign: true },
  ));

test('DESIGN law 10: from one foreign domain to another nothing is relayed (403)', () =>
  stage(
    async (it) => {
      const mallory = it.agent(mallorys);
      await refused(mallory, mallory.request('INVITE', 'sip:victim@other.test', offer), 403);
    },
    { ...strangers, acceptForeign: true },
  ));

test('DESIGN law 10: a foreign caller is refused (403) unless ACCEPT_FOREIGN says otherwise', async () => {
  for (const acceptForeign of [false, true]) {
    await stage(
      async (it) => {
        const mallory = it.agent(mallorys);
        const bob = await it.registered(bobs);
        const invite = mallory.request('INVITE', bob.aor, offer);
        if (acceptForeign) {
          bob.respond(await bob.receivesRequest('INVITE'), 486);
          await bob.receivesRequest('ACK');
        }
        await refused(mallory, invite, acceptForeign ? 486 : 403);
      },
      { ...strangers, acceptForeign },
    );
  }
});

test('DESIGN law 10: a foreign caller lets telephones ring thirty times a minute, and is told to wait then', () =>
  stage(
    async (it) => {
      const bob = await it.registered(bobs);
      const mallory = it.agent({ name: 'mallory', aor: 'sip:mallory@evil.test', address: '203.0.113.66' });
      for (let count = 0; count < 30; count++) {
        mallory.request('MESSAGE', bob.aor);
        bob.respond(await bob.receivesRequest('MESSAGE'), 200);
        await mallory.receivesResponse(200);
      }
      mallory.request('MESSAGE', bob.aor);
      const refusal = await mallory.receivesResponse(503);
      assert.match(get(refusal, Warning) ?? '', /this address/);
      await bob.receivesNothing(0);
      assert.equal((await it.proxy().operations.statistics()).refusals['foreign-rate'], 1);
      assert.ok(it.log.some(({ level, fields }) => level === 'warn' && Reflect.get(fields, 'code') === 'foreign-rate'));
    },
    { ...strangers, acceptForeign: true },
  ));

test('DESIGN law 10: alice calls into a foreign domain once she has logged in', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const edge = it.agent({ name: 'edge', address: '192.0.2.9' });
    const invite = await invites(alice, 'sip:dora@elsewhere.test');
    const received = await edge.receivesRequest('INVITE');
    assert.equal(received.uri, 'sip:dora@elsewhere.test');
    edge.respond(received, 486);
    await edge.receivesRequest('ACK');
    await refused(alice, invite, 486);
  }, strangers));

test('DESIGN law 10: alice may not call under the name of bob (403)', () =>
  stage(async (it) => {
    const alice = it.agent({ ...alices, aor: 'sip:bob@example.com' });
    const invite = await invites(alice, 'sip:carol@example.com');
    await refused(alice, invite, 403);
  }, strangers));

test('RFC 3261 §16.6 step 7: a foreign domain that has no address: 404', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    await refused(alice, await invites(alice, 'sip:dora@nowhere.test'), 404);
  }, strangers));

test('RFC 3261 §16.9: no name server answers for a foreign domain: 500 with the reason, for the number may well exist', () =>
  stage(
    async (it) => {
      const alice = it.agent(alices);
      const warning = await refused(alice, await invites(alice, 'sip:dora@far.test'), 500);
      assert.match(warning, /No name server has answered/);
    },
    { ...strangers, names: { unanswered: ['far.test'] } },
  ));

test('RFC 3261 §16.9: a next hop over TCP that refuses the connection counts as 503, which goes on as 500 with the reason', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const invite = await invites(alice, 'sip:dora@elsewhere.test;transport=tcp');
    const warning = await refused(alice, invite, 500);
    assert.match(warning, /next hop/);
  }, strangers));

test('RFC 3261 §18.1.1: a foreign next hop over TCP is dialled once, for the call and its BYE', () =>
  stage(async (it) => {
    const alice = it.agent(alices);
    const edge = it.agent({ name: 'edge', transport: 'tcp', address: '192.0.2.9', dialable: true });
    const invite = await invites(alice, 'sip:dora@elsewhere.test;transport=tcp');
    const received = await edge.receivesRequest('INVITE');
    const dialog = edge.dialog(received, edge.respond(received, 200, answer));
    alice.ack(invite, await alice.receivesResponse(200));
    await edge.receivesRequest('ACK');
    await it.hangUp(edge, dialog, alice);
    assert.equal((await it.proxy().operations.statistics()).connections.tcp, 1);
  }, strangers));

test('UDPToTCPCallerHangsUp: alice on UDP, bob on TCP, and she hangs up', () =>
  stage(async (it) => {
    const alice = it.agent({ ...alices, rport: true });
    const bob = await it.registered({ ...bobs, transport: 'tcp', port: 41_000 });
    const { caller } = await it.call(alice, bob);
    await it.hangUp(alice, caller, bob);
  }));

test('DESIGN law 10: a token of a call of my own, with the same Call-ID, does not end the call of others', () =>
  stage(
    async (it) => {
      const alice = it.agent(alices);
      const bob = await it.registered(bobs);
      const [mallory, dave] = [
        it.agent({ name: 'mallory', address: '192.0.2.7' }),
        await it.registered({ name: 'dave', address: '192.0.2.8' }),
      ];
      const { caller } = await it.call(alice, bob, { callId: 'known' });
      const own = await it.call(mallory, dave, { callId: 'known' });
      const tags = { callId: 'known', fromTag: caller.local.tag ?? '', toTag: caller.remote.tag ?? '' };
      mallory.request('BYE', bob.contact, { route: own.caller.route, ...tags, cseq: 99 });
      await mallory.receivesResponse(481, 'BYE');
      await bob.receivesNothing(0);
      assert.equal(it.media.calls().length, 2);
      await it.hangUp(alice, caller, bob);
      await it.hangUp(mallory, own.caller, dave);
    },
    { columns: ['alice', 'proxy', 'bob', 'mallory', 'dave'], users: ['alice', 'bob', 'mallory', 'dave'] },
  ));
