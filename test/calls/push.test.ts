/** Calls for a device that sleeps (RFC 8599 with Web Push): the INVITE is held, and leaves when the device has come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, values } from '../../src/message/header.ts';
import { textHeader } from '../../src/message/headers/text.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { createPushFake, type PushFake } from '../support/push-fake.ts';
import { browserAnswer, phoneAnswer, phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly push: PushFake;
  /** With a telephone on UDP. */
  readonly alice: Agent;
  /** His browser is closed. */
  readonly bob: Agent;
}

const server = 'sip:example.com';
const endpoint = 'https://push.example.net/send/bobs-secret';
const keys = { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) };
const wakeable = `pn-provider=webpush;pn-prid=https%3A%2F%2Fpush.example.net/send/bobs-secret;pn-param=${keys.p256dh}.${keys.auth}`;
const contactOf = (name: string): string =>
  `<sip:${name}@x.invalid;transport=ws;${wakeable}>;+sip.instance="<urn:uuid:b>";reg-id=1;expires=600`;
const page = (name: string) => ({ contact: false, headers: [['Contact', contactOf(name)]] }) as const;

async function stage(script: (stage: Stage) => Promise<void>, graceMs = 0): Promise<void> {
  const push = createPushFake();
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob', 'desk'], push, graceMs });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const browser = { name: 'bob', transport: 'wss', address: '192.0.2.2', port: 50_001 } as const;
    const bob = await it.registered(browser, page('b1'));
    bob.station.close();
    await it.clock.advance(1_000);
    it.ladder.clear();
    await script({ it, push, alice, bob });
  });
}

const bindings = ({ it }: Stage) => it.database.rows.bindings().filter(({ aor }) => aor === 'sip:bob@example.com');

function aliceCalls({ alice, bob }: Stage): SipRequest {
  const from = { contentType: sdpType, body: phoneOffer('alice') };
  return alice.request('INVITE', bob.aor, from);
}

/** He has opened the notification: his page registers. */
async function bobWakes({ bob }: Stage): Promise<void> {
  bob.request('REGISTER', server, page('b2'));
  await bob.receivesResponse(200, 'REGISTER');
}

async function bobAnswers({ it, alice, bob }: Stage, invite: SipRequest): Promise<void> {
  const received = await bob.receivesRequest('INVITE');
  const ok = bob.respond(received, 200, { contentType: sdpType, body: browserAnswer('bob') });
  alice.ack(invite, await alice.receivesResponse(200));
  await bob.receivesRequest('ACK');
  await it.hangUp(bob, bob.dialog(received, ok), alice);
}

test('RFC 8599 §5.6.2: the INVITE waits for the REGISTER that follows the push, and leaves by the new flow', () =>
  stage(async (scene) => {
    const { it, push, alice } = scene;
    const invite = aliceCalls(scene);
    await alice.receivesResponse(182);
    await it.clock.advance(4_000);
    assert.deepEqual(push.sent, [{ to: { endpoint, keys }, message: { text: '{"from":"alice"}', ttlSeconds: 30 } }]);
    await bobWakes(scene);
    await bobAnswers(scene, invite);
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 alice ◀182─ proxy
      F4 proxy ◀REGISTER─ bob
      F5 proxy ─200 REGISTER▶ bob
      F6 proxy ─INVITE▶ bob
      F7 proxy ◀200─ bob
      F8 alice ◀200─ proxy
      F9 alice ─ACK▶ proxy
      F10 proxy ─ACK▶ bob
      F11 proxy ◀BYE─ bob
      F12 alice ◀BYE─ proxy
      F13 alice ─200 BYE▶ proxy
      F14 proxy ─200 BYE▶ bob
    `);
  }));

test('his telephone on the desk rings meanwhile, and takes the call: his browser is not asked any more', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    const desk = await it.registered({ name: 'desk', aor: bob.aor, address: '192.0.2.3' });
    const invite = aliceCalls(scene);
    const received = await desk.receivesRequest('INVITE');
    const ok = desk.respond(received, 200, { contentType: sdpType, body: phoneAnswer('desk') });
    alice.ack(invite, await alice.receivesResponse(200));
    await desk.receivesRequest('ACK');
    await bobWakes(scene);
    await bob.receivesNothing();
    await it.hangUp(desk, desk.dialog(received, ok), alice);
  }));

test('nobody opens the notification: 480 after the time that a push has, and the device stays registered', () =>
  stage(async (scene) => {
    const { it, alice } = scene;
    const invite = aliceCalls(scene);
    await it.clock.advance(29_000);
    assert.ok(!alice.inbox.some((one) => one.kind === 'response' && one.status >= 200));
    const refused = await alice.receivesResponse(480);
    assert.match(get(refused, textHeader('Warning')) ?? '', /woken by a push, and did not come/);
    alice.ack(invite, refused);
    assert.equal(bindings(scene).length, 1);
  }));

test('RFC 8030 §7.3: the subscription is gone: 480 at once, and its binding goes with it', () =>
  stage(async (scene) => {
    const { it, push, alice } = scene;
    push.answer = 'gone';
    const invite = aliceCalls(scene);
    alice.ack(invite, await alice.receivesResponse(480, 'INVITE'));
    await it.clock.advance(100);
    assert.deepEqual(bindings(scene), []);
  }));

test('the push service is away or refuses (429): 480 at once, and the next call tries again', () =>
  stage(async (scene) => {
    const { push, alice } = scene;
    push.answer = 'failed';
    const invite = aliceCalls(scene);
    alice.ack(invite, await alice.receivesResponse(480));
    push.answer = 'accepted';
    const again = aliceCalls(scene);
    await alice.receivesResponse(182);
    await bobWakes(scene);
    await bobAnswers(scene, again);
    assert.equal(push.sent.length, 2);
  }));

test('RFC 3261 §16.10: alice gives up while the push is out: bob comes, and nobody rings', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    const invite = aliceCalls(scene);
    await it.clock.advance(1_000);
    alice.cancel(invite);
    await alice.receivesResponse(200, 'CANCEL');
    alice.ack(invite, await alice.receivesResponse(487));
    await bobWakes(scene);
    await bob.receivesNothing();
  }));

test('a page that sleeps behind an open connection says nothing: it is woken after 5 s, and registers there', () =>
  stage(async (scene) => {
    const { it, push, bob } = scene;
    await bobWakes(scene);
    bob.station.freeze();
    const invite = aliceCalls(scene);
    await it.clock.advance(4_000);
    assert.deepEqual(push.sent, []);
    await it.clock.advance(2_000);
    assert.equal(push.sent.length, 1);
    bob.station.thaw();
    bob.station.close();
    await bobWakes(scene);
    await bobAnswers(scene, invite);
  }));

test('two calls at once: one push, and both leave when he comes', () =>
  stage(async (scene) => {
    const { it, push, alice, bob } = scene;
    const invites = [aliceCalls(scene), aliceCalls(scene)];
    await it.clock.advance(1_000);
    await bobWakes(scene);
    for (const _ of invites) bob.respond(await bob.receivesRequest('INVITE'), 486);
    for (const invite of invites) alice.ack(invite, await alice.receivesResponse(486));
    assert.equal(push.sent.length, 1);
    const metrics = await it.proxy().operations.metrics();
    assert.match(metrics, /^viaduct_pushes_total\{outcome="accepted"\} 1$/m);
    assert.match(metrics, /^viaduct_calls_woken_total 2$/m);
  }));

test('RFC 8599 §4.1.2: a client that asks learns that it can be woken here, and for which key it subscribes', () =>
  stage(async ({ bob, alice }) => {
    bob.request('REGISTER', server, page('b2'));
    const answer = await bob.receivesResponse(200, 'REGISTER');
    assert.deepEqual(values(answer, textHeader('Feature-Caps')), ['*;+sip.pns="webpush";+sip.vapid="BPublicKey"']);
    alice.request('REGISTER', server);
    assert.deepEqual(values(await alice.receivesResponse(200, 'REGISTER'), textHeader('Feature-Caps')), []);
  }));

test('law 10: an endpoint that is no push service is never asked: 480, as if he were not there', () =>
  stage(async (scene) => {
    const { push, alice, bob } = scene;
    const contact = contactOf('b3').replace('push.example.net', '192.0.2.9');
    bob.request('REGISTER', server, { contact: false, headers: [['Contact', contact]] });
    await bob.receivesResponse(200, 'REGISTER');
    bob.station.close();
    await scene.it.clock.advance(1_000);
    const invite = aliceCalls(scene);
    alice.ack(invite, await alice.receivesResponse(480));
    assert.deepEqual(push.sent, []);
  }));

test('law 8: neither log, nor ladder, nor list of devices shows where he is woken', () =>
  stage(async (scene) => {
    const { it, alice, push } = scene;
    push.answer = 'failed';
    const invite = aliceCalls(scene);
    alice.ack(invite, await alice.receivesResponse(480));
    const { operations } = it.proxy();
    const told = [it.log, await operations.registrations({ limit: 10 }), await operations.calls({ limit: 10 })];
    assert.doesNotMatch(JSON.stringify(told), /bobs-secret|BBBB|aaaa/);
  }));
