/** Clients behind a connection, and calls that outlive one, or the whole process (DESIGN law 4, §5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, values } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { From, To, tagOf } from '../../src/message/headers/from-to.ts';
import { RecordRoute } from '../../src/message/headers/route.ts';
import { Reason } from '../../src/message/headers/text.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { type Call, createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, eitherOffer, phoneAnswer, phoneOffer, seen } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];
const server = 'sip:example.com';
const instance = [
  ['Contact', '<sip:a1@x1.invalid;transport=ws>;+sip.instance="<urn:uuid:a>";reg-id=1;expires=600'],
] as const;

interface Stage {
  readonly it: ProxyScene;
  /** In a browser. */
  readonly alice: Agent;
  /** With a telephone on UDP. */
  readonly bob: Agent;
}

async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = await it.registered(
      {
        name: 'alice',
        transport: 'wss',
        address: '192.0.2.1',
        port: 50_001,
        contact: 'sip:a1@x1.invalid;transport=ws',
      },
      { contact: false, headers: instance },
    );
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await script({ it, alice, bob });
  });
}

/** The browser's page is loaded again, or its network changed: a new connection, the same device. */
async function comesBack(it: ProxyScene, alice: Agent): Promise<void> {
  alice.station.close();
  await it.clock.advance(100);
  alice.request('REGISTER', server, { contact: false, headers: instance });
  await alice.receivesResponse(200, 'REGISTER');
}

const aliceCalls = ({ it, alice, bob }: Stage): Promise<Call> => it.call(alice, bob, { offer: browserOffer('alice') });

/** BYE from bob meets this status, and is not forwarded. */
async function byeMeets({ it, bob }: Stage, call: Call, status: number): Promise<void> {
  it.ladder.clear();
  bob.within(call.callee, 'BYE');
  await bob.receivesResponse(status, 'BYE');
  it.ladder.expect(`
    F1 proxy ◀BYE─ bob
    F2 proxy ─${status} BYE▶ bob
  `);
}

/** Offer and answer in the call, begun by `one`. */
async function reInvites(one: Agent, dialog: Call['caller'], other: Agent): Promise<void> {
  const body = one.name === 'alice' ? browserOffer('alice', { version: 9 }) : phoneOffer('bob', { version: 9 });
  const answer = other.name === 'alice' ? browserAnswer('alice', { version: 9 }) : phoneAnswer('bob', { version: 9 });
  const invite = one.within(dialog, 'INVITE', { body, contentType: sdpType });
  const received = await other.receivesRequest('INVITE');
  assert.ok(seen(received.body).relayed, 'the offer goes through rtpengine');
  other.respond(received, 200, { body: answer, contentType: sdpType });
  const ok = await one.receivesResponse(200, 'INVITE');
  assert.ok(seen(ok.body).relayed, 'the answer goes through rtpengine');
  one.ack(invite, ok);
  await other.receivesRequest('ACK');
}

test('law 4: a browser is reached over its connection for everything, whatever its Contact says', () =>
  stage(async ({ it, alice, bob }) => {
    const { received, caller, callee } = await it.call(bob, alice, {
      offer: phoneOffer('bob'),
      answer: browserAnswer('alice'),
    });
    assert.equal(received.uri, 'sip:a1@x1.invalid;transport=ws');
    assert.equal(values(received, RecordRoute).length, 2);
    await reInvites(bob, caller, alice);
    await it.hangUp(alice, callee, bob);
    assert.equal((await it.proxy().operations.statistics()).connections.wss, 1);
  }));

test('law 4: the socket is closed: 480 while the browser may come back, 481 after the grace time', () =>
  stage(async (scene) => {
    const { it, alice } = scene;
    const call = await aliceCalls(scene);
    alice.station.close();
    await it.clock.advance(1000);
    await byeMeets(scene, call, 480);
    assert.equal(it.database.rows.bindings().filter(({ aor }) => aor === alice.aor).length, 1);
    await it.clock.advance(10_000);
    await byeMeets(scene, call, 481);
    assert.deepEqual(
      it.database.rows.bindings().filter(({ aor }) => aor === alice.aor),
      [],
      'only it could reach her',
    );
  }));

test('law 4: a dialog that is no call waits as well: 480 within the grace time of its socket, however late that closes', () =>
  stage(async ({ it, alice, bob }) => {
    await it.clock.advance(60_000);
    alice.request('REFER', bob.aor, {
      contact: true,
      headers: [['Refer-To', '<sip:carol@example.com>']],
    });
    const received = await bob.receivesRequest('REFER');
    const dialog = bob.dialog(received, bob.respond(received, 202, { contact: true, recordRoute: true }));
    await alice.receivesResponse(202);
    alice.station.close();
    const notifies = (): void => void bob.within(dialog, 'NOTIFY', { headers: [['Event', 'refer']] });
    await it.clock.advance(100);
    notifies();
    await bob.receivesResponse(480, 'NOTIFY');
    await it.clock.advance(11_000);
    notifies();
    await bob.receivesResponse(481, 'NOTIFY');
  }));

test('law 4: a new call to a browser whose socket is closed meets 480 at once', () =>
  stage(async ({ it, alice, bob }) => {
    alice.station.close();
    await it.clock.advance(100);
    const invite = bob.request('INVITE', alice.aor, { body: phoneOffer('bob'), contentType: sdpType });
    bob.ack(invite, await bob.receivesResponse(480));
  }));

test('law 4: the socket closes while alice is called: the branch ends, and bob is told', () =>
  stage(async ({ it, alice, bob }) => {
    const invite = bob.request('INVITE', alice.aor, { body: phoneOffer('bob'), contentType: sdpType });
    alice.respond(await alice.receivesRequest('INVITE'), 180);
    await bob.receivesResponse(180);
    alice.station.close();
    const final = await bob.receivesFinal('INVITE');
    assert.ok(final.status >= 480 && final.status < 600, String(final.status));
    bob.ack(invite, final);
    assert.equal(it.media.told.at(-1)?.command.command, 'delete');
  }));

test('DESIGN §5: alice comes back with the same instance: her call follows her to the new connection', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    const call = await aliceCalls(scene);
    await comesBack(it, alice);
    // The record has moved with the REGISTER: the database is not asked.
    it.database.set({ down: true });
    await reInvites(bob, call.callee, alice);
    it.database.set({ down: false });
    await reInvites(alice, call.caller, bob);
    // The bindings of the connection that was closed go after the grace time; the new one stays.
    await it.clock.advance(15_000);
    assert.equal(it.database.rows.bindings().filter(({ aor }) => aor === alice.aor).length, 1);
    await it.hangUp(bob, call.callee, alice);
  }));

/** What she is asked when she comes back: the next number of bob is his own. */
async function isAsked({ it, alice }: Stage, call: Call): Promise<SipRequest> {
  await comesBack(it, alice);
  const asked = await alice.receivesRequest('INFO');
  assert.deepEqual([tagOf(get(asked, From)), tagOf(get(asked, To))], [call.caller.remote.tag, call.caller.local.tag]);
  assert.equal(get(asked, CSeq)?.number, call.callee.cseq);
  return asked;
}

test('RFC 3261 §12.2.2: she comes back without the call, her page was loaded anew: 481, and bob is hung up at once', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    alice.respond(await isAsked(scene, await aliceCalls(scene)), 481);
    const bye = await bob.receivesRequest('BYE', 1_000);
    bob.respond(bye, 200);
    assert.match(get(bye, Reason) ?? '', /^SIP;cause=481;text="The device of one side came back without the call/);
    alice.respond(await alice.receivesRequest('BYE'), 481);
    assert.deepEqual([it.media.calls(), it.database.rows.dialogs()], [[], []]);
  }));

/** Her account is opened in a second tab of the same browser: the same instance, and nothing known of the call. */
async function opensSecondTab({ it }: Stage): Promise<Agent> {
  const place = { transport: 'wss', address: '192.0.2.1', port: 50_002 } as const;
  const tab = await it.registered(
    { ...place, name: 'alice', contact: 'sip:a1@x1.invalid;transport=ws' },
    { contact: false, headers: instance, callId: 'second-tab' },
  );
  tab.respond(await tab.receivesRequest('INFO'), 481);
  return tab;
}

test('a second tab of her browser registers, and knows nothing of the call: it stays with the tab that has it', () =>
  stage(async (scene) => {
    const { alice, bob, it } = scene;
    const call = await aliceCalls(scene);
    const tab = await opensSecondTab(scene);
    alice.respond(await alice.receivesRequest('INFO'), 415);
    await reInvites(bob, call.callee, alice);
    await it.hangUp(bob, call.callee, alice);
    await tab.receivesNothing(1_000);
  }));

test('nor does the tab before, which has ended its call unheard: bob is hung up', () =>
  stage(async (scene) => {
    const { alice, bob } = scene;
    await aliceCalls(scene);
    await opensSecondTab(scene);
    alice.respond(await alice.receivesRequest('INFO'), 481);
    bob.respond(await bob.receivesRequest('BYE'), 200);
  }));

test('nor does anybody answer over the connection before, which seems open: bob is hung up when that is sure', () =>
  stage(async (scene) => {
    const { alice, bob, it } = scene;
    await aliceCalls(scene);
    alice.station.freeze();
    const tab = await opensSecondTab(scene);
    bob.respond(await bob.receivesRequest('BYE', 33_000), 200);
    tab.respond(await tab.receivesRequest('BYE'), 481);
    assert.deepEqual([it.media.calls(), it.database.rows.dialogs()], [[], []]);
  }));

for (const status of [200, 405, 415, 500]) {
  test(`any other answer says that she has the call: ${status}; and she is asked once for each connection`, () =>
    stage(async (scene) => {
      const { it, alice, bob } = scene;
      const call = await aliceCalls(scene);
      alice.respond(await isAsked(scene, call), status);
      alice.inbox.length = 0;
      alice.request('REGISTER', server, { contact: false, headers: instance });
      await alice.receivesResponse(200, 'REGISTER');
      await alice.receivesNothing(1_000);
      await it.hangUp(bob, call.callee, alice);
    }));
}

test('DESIGN §5: she comes back by a request of the call before she registers: answers reach her', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    const call = await aliceCalls(scene);
    alice.station.close();
    await it.clock.advance(100);
    await reInvites(alice, call.caller, bob);
    await it.hangUp(bob, call.callee, alice);
  }));

test('law 3: she does not come back within the grace time: bob gets a BYE that says why, and her media goes', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    await aliceCalls(scene);
    alice.station.close();
    await it.clock.advance(11_000);
    const bye = await bob.receivesRequest('BYE');
    bob.respond(bye, 200);
    assert.match(get(bye, Reason) ?? '', /^SIP;cause=480;text=/);
    assert.deepEqual(it.media.calls(), []);
    assert.deepEqual(it.database.rows.dialogs(), []);
  }));

/** She registers, and is told once that her call is over. */
async function isToldOnReturn({ alice }: Pick<Stage, 'alice'>, call: Call): Promise<void> {
  alice.inbox.length = 0;
  const back = (): Promise<unknown> => {
    alice.request('REGISTER', server, { contact: false, headers: instance });
    return alice.receivesResponse(200, 'REGISTER');
  };
  await back();
  const bye = await alice.receivesRequest('BYE');
  alice.respond(bye, 200);
  assert.equal(bye.uri, 'sip:a1@x1.invalid;transport=ws');
  assert.deepEqual([tagOf(get(bye, From)), tagOf(get(bye, To))], [call.caller.remote.tag, call.caller.local.tag]);
  assert.match(get(bye, Reason) ?? '', /^SIP;cause=480;text="The call ended while/);
  await back();
  await alice.receivesNothing(1_000);
}

test('law 4: bob hangs up while her socket is closed: she is told when she is back, for her page still shows the call', () =>
  stage(async (scene) => {
    const { it, alice } = scene;
    const call = await aliceCalls(scene);
    alice.station.close();
    await it.clock.advance(1_000);
    await byeMeets(scene, call, 480);
    await it.clock.advance(2_000);
    await isToldOnReturn(scene, call);
  }));

test('law 4: she comes back after the grace time, when bob has had his BYE: so has she then', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    const call = await aliceCalls(scene);
    alice.station.close();
    bob.respond(await bob.receivesRequest('BYE', 11_000), 200);
    await it.clock.advance(60_000);
    await isToldOnReturn(scene, call);
  }));

test('RFC 4320 §4.2: nobody answers the BYE of bob, for her network is gone: she is told when she is back', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    const call = await aliceCalls(scene);
    alice.station.freeze();
    bob.within(call.callee, 'BYE');
    await bob.receivesNothing(33_000);
    alice.station.close();
    alice.station.thaw();
    await it.clock.advance(60_000);
    await isToldOnReturn(scene, call);
  }));

test('law 4: her network has changed, bob hangs up, and she is back before his BYE is given up: she is told at once', () =>
  stage(async ({ it, alice, bob }) => {
    const call = await aliceCalls({ it, alice, bob });
    alice.station.freeze();
    bob.within(call.callee, 'BYE');
    await it.clock.advance(10_000);
    const place = { transport: 'wss', address: '198.51.100.1', port: 50_002 } as const;
    const again = await it.registered(
      { ...place, name: 'alice', contact: 'sip:a1@x1.invalid;transport=ws' },
      { contact: false, headers: instance, callId: 'again' },
    );
    const bye = await again.receivesRequest('BYE', 1_000);
    again.respond(bye, 200);
    assert.equal(tagOf(get(bye, To)), call.caller.local.tag);
    alice.station.close();
    alice.station.thaw();
    await it.clock.advance(40_000);
    await again.receivesNothing(1_000);
    assert.deepEqual(it.database.rows.dialogs(), []);
  }));

test('law 9: who comes back after an hour is told nothing any more', () =>
  stage(async (scene) => {
    const { it, alice } = scene;
    const call = await aliceCalls(scene);
    alice.station.close();
    await it.clock.advance(1_000);
    await byeMeets(scene, call, 480);
    await it.clock.advance(3_601_000);
    alice.inbox.length = 0;
    alice.request('REGISTER', server, { contact: false, headers: instance });
    await alice.receivesResponse(200, 'REGISTER');
    await alice.receivesNothing(1_000);
  }));

test('law 4: she has the grace time to come back also a minute after the start, when the calls of before it are given up', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    await it.clock.advance(57_000);
    const call = await aliceCalls(scene);
    alice.station.close();
    await it.clock.advance(8_000);
    alice.request('REGISTER', server, { contact: false, headers: instance });
    await alice.receivesResponse(200, 'REGISTER');
    await reInvites(alice, call.caller, bob);
    await it.hangUp(bob, call.callee, alice);
  }));

for (const by of ['alice', 'bob'] as const) {
  test(`DESIGN §5: the proxy is killed and started again during the call; ${by} re-INVITEs and hangs up`, () =>
    stage(async (scene) => {
      const { it, alice, bob } = scene;
      const call = await aliceCalls(scene);
      await it.restart();
      alice.request('REGISTER', server, { contact: false, headers: instance });
      await alice.receivesResponse(200, 'REGISTER');
      assert.equal(it.media.calls().length, 1);
      const [one, dialog, other] = by === 'alice' ? [alice, call.caller, bob] : [bob, call.callee, alice];
      await reInvites(one, dialog, other);
      await it.hangUp(one, dialog, other);
      assert.deepEqual(it.media.calls(), [], 'the media session is ended');
      assert.deepEqual(it.database.rows.dialogs(), []);
    }));

  test(`DESIGN §5: the record is lost as well: the token alone carries ${by}'s BYE`, () =>
    stage(async (scene) => {
      const { it, alice, bob } = scene;
      const call = await aliceCalls(scene);
      for (const record of it.database.rows.dialogs()) await it.database.dialogs.remove(record);
      it.media.set({ packets: 500 });
      await it.restart();
      alice.request('REGISTER', server, { contact: false, headers: instance });
      await alice.receivesResponse(200, 'REGISTER');
      const [one, dialog, other] = by === 'alice' ? [alice, call.caller, bob] : [bob, call.callee, alice];
      assert.equal(it.media.calls().length, 1, 'it is not taken for a leftover: they hear each other');
      // Law 1: we know nothing of its media any more, so an offer is refused and not passed as it is.
      const again = bob.within(call.callee, 'INVITE', {
        body: phoneOffer('bob', { version: 2 }),
        contentType: sdpType,
      });
      bob.ack(again, await bob.receivesResponse(503));
      assert.ok(
        alice.inbox.every(({ kind }) => kind === 'response'),
        'nothing reaches her',
      );
      await it.hangUp(one, dialog, other);
      assert.deepEqual(it.media.calls(), [], 'its session is found by Call-ID and tag');
    }));
}

test('DESIGN §5: after the restart alice has not come back yet: 480, then 481', () =>
  stage(async (scene) => {
    const { it } = scene;
    const call = await aliceCalls(scene);
    await it.restart();
    await byeMeets(scene, call, 480);
    await it.clock.advance(11_000);
    await byeMeets(scene, call, 481);
  }));

test('DESIGN §5: killed between a BYE and its answer: no record is left to nobody', () =>
  stage(async (scene) => {
    const { it, alice, bob } = scene;
    const call = await aliceCalls(scene);
    alice.within(call.caller, 'BYE');
    await bob.receivesRequest('BYE');
    await it.restart();
    await it.clock.advance(1000);
    assert.deepEqual(it.database.rows.dialogs(), []);
    assert.deepEqual(it.media.calls(), []);
  }));

test('DESIGN §5: two telephones on UDP do not notice a restart', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1', rport: true });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller, callee } = await it.call(alice, bob);
    await it.restart();
    await reInvites(alice, caller, bob);
    await reInvites(bob, callee, alice);
    await it.hangUp(bob, callee, alice);
    assert.deepEqual(it.media.calls(), []);
  });
});

test('RFC 8643, DESIGN §5: who encrypts if the other can (OSRTP) is offered just that after a restart, too', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1', rport: true });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller, callee } = await it.call(alice, bob, { offer: eitherOffer('alice') });
    await it.restart();
    const body = phoneOffer('bob', { version: 2 });
    const invite = bob.within(callee, 'INVITE', { body, contentType: sdpType });
    const received = await alice.receivesRequest('INVITE');
    assert.equal(seen(received.body).protocol, 'RTP/AVP');
    assert.match(received.body, /^a=crypto:/m);
    alice.respond(received, 200, { body: eitherOffer('alice', { version: 2 }), contentType: sdpType });
    const ok = await bob.receivesResponse(200, 'INVITE');
    assert.doesNotMatch(ok.body, /^a=crypto:/m);
    bob.ack(invite, ok);
    await alice.receivesRequest('ACK');
    await it.hangUp(alice, caller, bob);
  });
});

for (const state of ['up', 'silent'] as const) {
  test(`DESIGN §5: killed while bob rings: rtpengine (${state} at the start) keeps nothing; calls that are up stay`, () =>
    stage(async ({ it, alice, bob }) => {
      const { callee } = await it.call(alice, bob, { offer: browserOffer('alice'), callId: 'up' });
      alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType, callId: 'ringing' });
      bob.respond(await bob.receivesRequest('INVITE'), 180);
      await alice.receivesResponse(180);
      // Somebody else's, on the same relay.
      const foreign = { command: 'offer', 'call-id': 'foreign', 'from-tag': 'x', 'via-branch': 'other/1' } as const;
      await it.media.send('m1', { ...foreign, sdp: phoneOffer('x') });
      assert.deepEqual(it.media.calls(), ['up', 'ringing', 'foreign']);
      it.media.set({ nodes: { m1: state } });
      await it.restart();
      await it.clock.advance(5000);
      it.media.set({ nodes: { m1: 'up' } });
      await it.clock.advance(20_000);
      assert.deepEqual(it.media.calls(), ['up', 'foreign']);
      await it.media.send('m1', { command: 'delete', 'call-id': 'foreign', 'delete-delay': 0 });
      alice.request('REGISTER', server, { contact: false, headers: instance });
      await alice.receivesResponse(200, 'REGISTER');
      await it.hangUp(bob, callee, alice);
    }));
}

test('law 2 and 4: TCP telephone with a Contact that cannot be dialled: everything over its connection', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', transport: 'tcp', address: '203.0.113.9', port: 41_000 });
    const { caller, callee } = await it.call(alice, bob);
    await reInvites(alice, caller, bob);
    await it.hangUp(bob, callee, alice);
    assert.equal((await it.proxy().operations.statistics()).connections.tcp, 1);
  });
});

for (const how of ['is closed, as nothing was said for two minutes', 'is lost as the proxy starts anew'])
  test(`RFC 3261 §12.2.1.1: the connection of a trunk ${how}: the call goes on, and the trunk is dialled`, async () => {
    const it = createProxyScene({ columns });
    await it.play(async () => {
      const trunk = it.agent({
        ...{ name: 'alice', aor: 'sip:alice@trunk.test', transport: 'tcp', address: '192.0.2.11', dialable: true },
        contact: 'sip:alice@192.0.2.11:5060;transport=tcp',
      });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const { callee } = await it.call(trunk, bob);
      if (how.startsWith('is lost')) await it.restart();
      else trunk.station.close();
      await it.clock.advance(300_000);
      await bob.receivesNothing(0);
      await it.hangUp(bob, callee, trunk);
    });
  });

test('law 3: a telephone of a TRUSTED network is no trunk: with its connection its call ends', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', transport: 'tcp', address: '192.0.2.1', dialable: true });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await it.call(alice, bob);
    alice.station.close();
    bob.respond(await bob.receivesRequest('BYE', 60_000), 200);
  });
});

test("law 4: the caller's connection closes while bob rings: bob is cancelled at once, and nothing is left", () =>
  stage(async ({ it, alice, bob }) => {
    alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
    const invite = await bob.receivesRequest('INVITE');
    bob.respond(invite, 180);
    await alice.receivesResponse(180);
    alice.station.close();
    bob.respond(await bob.receivesRequest('CANCEL'), 200);
    bob.respond(invite, 487);
    await bob.receivesRequest('ACK');
    assert.deepEqual(it.media.calls(), []);
  }));

test('law 3: two calls with one Call-ID keep their sessions apart over a restart, also when the first has ended before', async () => {
  const names = ['alice', 'bob', 'carol', 'dave'] as const;
  const it = createProxyScene({ columns: ['proxy', ...names], users: names });
  await it.play(async () => {
    const [alice, bob, carol, dave] = await Promise.all([
      it.registered({ name: 'alice', address: '192.0.2.1' }),
      it.registered({ name: 'bob', address: '192.0.2.2' }),
      it.registered({ name: 'carol', address: '192.0.2.3' }),
      it.registered({ name: 'dave', address: '192.0.2.4' }),
    ]);
    const first = await it.call(alice, bob, { callId: 'shared' });
    const second = await it.call(carol, dave, { callId: 'shared' });
    await it.hangUp(bob, first.callee, alice);
    // They hear each other: it is not taken for a leftover.
    it.media.set({ packets: 500 });
    await it.restart();
    await it.hangUp(carol, second.caller, dave);
    assert.deepEqual(it.media.calls(), []);
  });
});
