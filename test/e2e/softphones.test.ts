/**
 * Calls between scripted softphones through a running Viaduct: over the connections that they keep, held and resumed by
 * either side, refused and given up; and what a browser and a telephone get to see of each other's SDP.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Transport } from '../../src/ports.ts';
import type { Scope } from '../support/process.ts';
import { seen } from '../support/sdp.ts';
import { assertNothingIsLeft } from '../support/sipp-calls.ts';
import { PASSWORD, type Softphone, sdpType, softphoneOf, type Talk } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const suite = createSuite();
let viaduct: Viaduct;
/** Two for each test: what others registered before would ring along. */
const names = Array.from({ length: 60 }, (_, index) => `user${index}`);
const free = [...names];

before(async () => {
  viaduct = await startViaduct(suite, { DEMO_USERS: names.map((name) => `${name}:${PASSWORD}`).join(',') });
});

after(async () => {
  try {
    await viaduct?.stop();
  } finally {
    await suite.end();
  }
});

async function pair(scope: Scope, first: Transport, second: Transport): Promise<readonly [Softphone, Softphone]> {
  const open = (transport: Transport, voice: number): Promise<Softphone> =>
    softphoneOf(scope, viaduct, { user: free.shift() ?? 'nobody', transport, voice });
  return Promise.all([open(first, 1), open(second, 2)]);
}

async function hearEachOther(alice: Softphone, bob: Softphone): Promise<void> {
  await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
}

async function hangUp(talk: Talk, by: Softphone, other: Softphone): Promise<void> {
  await by.hangUp(by.aor === talk.caller.local.uri ? talk.caller : talk.callee, other);
  await assertNothingIsLeft(viaduct, talk.callId);
}

const dtlsOrIce = /^a=(ice-|candidate|fingerprint|setup|crypto|rtcp-mux|group)/m;

function assertForPhone(sdp: string): void {
  assert.equal(seen(sdp).protocol, 'RTP/AVP');
  assert.doesNotMatch(sdp, dtlsOrIce);
  assert.match(sdp, /^c=IN IP4 127\.[0-9.]+\r$/m, 'media goes to the relay');
}

/** What a browser refuses to do without (RFC 8827, RFC 8834). */
function assertForBrowser(sdp: string, setup: 'passive' | 'actpass'): void {
  const { protocol, ice, rtcpMux, setup: role } = seen(sdp);
  assert.deepEqual(
    { protocol, ice, rtcpMux, role },
    { protocol: 'UDP/TLS/RTP/SAVPF', ice: true, rtcpMux: true, role: setup },
  );
  assert.match(sdp, /^a=fingerprint:sha-(256|1) /m);
  assert.match(sdp, /^a=ice-pwd:/m);
  assert.match(sdp, /^a=candidate:.* 127\.[0-9.]+ \d+ typ host/m);
  assert.doesNotMatch(sdp, /^a=crypto/m, 'SDES keys have no place in a browser');
}

describe('telephones', () => {
  for (const [from, to] of [
    ['udp', 'udp'],
    ['udp', 'tls'],
    ['tcp', 'udp'],
    ['tls', 'tcp'],
  ] as const) {
    test(`from ${from} to ${to}, over the connection that each keeps: talk, hold, resume, hang up`, async (t) => {
      const [alice, bob] = await pair(t, from, to);
      const talk = await alice.call(bob);
      await hearEachOther(alice, bob);
      for (const [one, dialog, other] of [
        [alice, talk.caller, bob],
        [bob, talk.callee, alice],
      ] as const) {
        const held = await one.change(dialog, other, 'sendonly');
        assert.deepEqual([seen(held.offered).direction, seen(held.answered).direction], ['sendonly', 'recvonly']);
        const resumed = await one.change(dialog, other);
        assert.deepEqual([seen(resumed.offered).direction, seen(resumed.answered).direction], ['sendrecv', 'sendrecv']);
        await hearEachOther(alice, bob);
      }
      await (from === 'udp' ? hangUp(talk, bob, alice) : hangUp(talk, alice, bob));
    });
  }

  test('on hold with a=inactive nobody hears anything', async (t) => {
    const [alice, bob] = await pair(t, 'udp', 'udp');
    const talk = await alice.call(bob);
    await hearEachOther(alice, bob);
    await bob.change(talk.callee, alice, 'inactive');
    await delay(100); // what was on its way
    assert.deepEqual(await Promise.all([alice.rtp.hearsNothing(200), bob.rtp.hearsNothing(200)]), [true, true]);
    await bob.change(talk.callee, alice);
    await hearEachOther(alice, bob);
    await hangUp(talk, alice, bob);
  });

  test('a refused re-INVITE leaves the call as it was (RFC 3261 §14.1)', async (t) => {
    const [alice, bob] = await pair(t, 'udp', 'tcp');
    const talk = await alice.call(bob);
    const invite = alice.agent.within(talk.caller, 'INVITE', {
      body: alice.offer('sendonly'),
      contentType: 'application/sdp',
    });
    bob.agent.respond(await bob.agent.receivesRequest('INVITE'), 488);
    alice.agent.ack(invite, await alice.agent.receivesResponse(488));
    await hearEachOther(alice, bob);
    await hangUp(talk, bob, alice);
  });

  for (const kept of ['first', 'second'] as const) {
    test(`RFC 3261 §13.2.2.4: two telephones answer, the first is heard; the caller keeps the ${kept}, and hears that to the end`, async (t) => {
      const open = (user: string, voice: number): Promise<Softphone> =>
        softphoneOf(t, viaduct, { user, transport: 'udp', voice });
      const [name = '', ...rest] = free.splice(0, 2);
      const [alice, desk, cell] = [await open(name, 1), await open(rest.join(''), 2), await open(rest.join(''), 3)];
      const invite = await alice.invite(desk.aor, alice.offer());
      const answers = async (phone: Softphone) => {
        const received = await phone.agent.receivesRequest('INVITE');
        const ok = phone.agent.respond(received, 200, { body: phone.answer(), contentType: sdpType });
        phone.talk(received.body);
        const answered = await alice.agent.receivesResponse(200, 'INVITE');
        alice.agent.ack(invite, answered);
        await phone.agent.receivesRequest('ACK');
        return { phone, answered, dialog: phone.agent.dialog(received, ok) };
      };
      const [one, two] = [await answers(desk), await answers(cell)];
      alice.talk(one.answered.body);
      await Promise.all([alice.rtp.hear(2, 5), desk.rtp.hear(1, 5)]);
      const [keeps, other] = kept === 'first' ? [one, two] : [two, one];
      await alice.hangUp(alice.agent.dialog(invite, other.answered), other.phone);
      alice.talk(keeps.answered.body);
      const voice = kept === 'first' ? 2 : 3;
      await Promise.all([alice.rtp.hear(voice, 25), keeps.phone.rtp.hear(1, 25)]);
      await keeps.phone.hangUp(keeps.dialog, alice);
      await assertNothingIsLeft(viaduct, keeps.dialog.callId);
    });
  }

  test('a simple client that offers the very SDP it was told goes on hearing, and is heard', async (t) => {
    const [alice, bob] = await pair(t, 'udp', 'tcp');
    const talk = await alice.call(bob);
    const told = { body: talk.received.body, contentType: sdpType };
    const again = bob.agent.within(talk.callee, 'INVITE', told);
    const received = await alice.agent.receivesRequest('INVITE');
    alice.agent.respond(received, 200, { body: alice.answer(), contentType: sdpType });
    const ok = await bob.agent.receivesResponse(200, 'INVITE');
    bob.agent.ack(again, ok);
    await alice.agent.receivesRequest('ACK');
    alice.talk(received.body);
    bob.talk(ok.body);
    await delay(200); // what was on its way
    await hearEachOther(alice, bob);
    await hangUp(talk, bob, alice);
  });

  test('no answer: the telephone rings and says 480 by itself', async (t) => {
    const [alice, bob] = await pair(t, 'tcp', 'tcp');
    const invite = await alice.invite(bob.aor, alice.offer());
    const received = await bob.agent.receivesRequest('INVITE');
    bob.agent.respond(received, 180);
    await alice.agent.receivesResponse(180);
    bob.agent.respond(received, 480);
    alice.agent.ack(invite, await alice.agent.receivesResponse(480));
    await bob.agent.receivesRequest('ACK');
    await assertNothingIsLeft(viaduct, alice.agent.dialog(invite, await alice.agent.receivesResponse(100)).callId);
  });

  test('an account without a device: 480 with a Warning; no such account: 404', async (t) => {
    const [alice] = await pair(t, 'udp', 'udp');
    for (const [callee, status, warning] of [
      [free.shift() ?? '', 480, 'no device'],
      ['zorro', 404, 'no such address'],
    ] as const) {
      const invite = await alice.invite(`sip:${callee}@${viaduct.domain}`, alice.offer());
      const refused = await alice.agent.receivesFinal('INVITE');
      alice.agent.ack(invite, refused);
      assert.equal(refused.status, status);
      assert.match(refused.headers.find(({ name }) => name === 'warning')?.value ?? '', new RegExp(warning));
    }
  });

  test('/api/v1/registrations and /api/v1/calls show who is there and who talks', async (t) => {
    const [alice, bob] = await pair(t, 'tls', 'udp');
    const talk = await alice.call(bob);
    const shown = (await viaduct.registrations()).filter(({ aor }) => aor === alice.aor || aor === bob.aor);
    assert.deepEqual(
      shown.map(({ aor, contact, transport }) => [aor, contact, transport]).sort(),
      [
        [alice.aor, alice.agent.contact, 'tls'],
        [bob.aor, bob.agent.contact, 'udp'],
      ].sort(),
    );
    const [call, ...others] = await viaduct.calls();
    assert.ok(call !== undefined && others.length === 0);
    const { callId, state, from, to, callerMedia, calleeMedia, rtpengine } = call;
    const [node] = (await viaduct.stats()).rtpengine;
    assert.deepEqual(
      { callId, state, from, to, callerMedia, calleeMedia, rtpengine },
      {
        ...{ callId: talk.callId, state: 'answered', from: alice.aor, to: bob.aor },
        ...{ callerMedia: 'rtp', calleeMedia: 'rtp', rtpengine: node?.id },
      },
    );
    assert.match(call.id, /^[\w-]+$/, 'safe in a path');
    await hangUp(talk, bob, alice);
  });
});

describe('browsers and telephones', () => {
  for (const web of ['ws', 'wss'] as const) {
    test(`RFC 7118: a browser on ${web} calls a telephone; each gets an SDP of its own kind`, async (t) => {
      const [alice, bob] = await pair(t, web, 'udp');
      const talk = await alice.call(bob);
      assertForPhone(talk.received.body);
      assertForBrowser(talk.answered.body, 'passive');
      const { callerMedia, calleeMedia } = (await viaduct.calls())[0] ?? {};
      assert.deepEqual([callerMedia, calleeMedia], ['webrtc', 'rtp']);
      await hangUp(talk, alice, bob);
    });

    test(`RFC 7118: a telephone calls a browser on ${web}; each gets an SDP of its own kind`, async (t) => {
      const [alice, bob] = await pair(t, 'tcp', web);
      const talk = await alice.call(bob);
      assertForBrowser(talk.received.body, 'actpass');
      assert.match(talk.received.body, /^a=mid:/m);
      assertForPhone(talk.answered.body);
      await hangUp(talk, bob, alice);
    });
  }

  test('hold and resume, from the browser and from the telephone', async (t) => {
    const [alice, bob] = await pair(t, 'wss', 'tls');
    const talk = await alice.call(bob);
    for (const direction of ['sendonly', 'sendrecv'] as const) {
      const byBrowser = await alice.change(talk.caller, bob, direction);
      assertForPhone(byBrowser.offered);
      assertForBrowser(byBrowser.answered, 'passive');
      assert.equal(seen(byBrowser.offered).direction, direction);
      const byPhone = await bob.change(talk.callee, alice, direction);
      assertForBrowser(byPhone.offered, 'actpass');
      assertForPhone(byPhone.answered);
      assert.equal(seen(byPhone.offered).direction, direction);
    }
    await hangUp(talk, bob, alice);
  });

  test('RFC 8840: candidates that a browser sends over INFO reach rtpengine, which checks them', async (t) => {
    const [alice, bob] = await pair(t, 'wss', 'udp');
    const socket = createSocket('udp4');
    t.after(() => void socket.close());
    const checked = once(socket, 'message');
    await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
    const offer = alice
      .offer()
      .replace(/^a=candidate:.*\r\n/gm, '')
      .replace(/^c=IN IP4 .*\r$/gm, 'c=IN IP4 0.0.0.0\r');
    const invite = await alice.invite(bob.aor, offer);
    const received = await bob.agent.receivesRequest('INVITE');
    bob.agent.respond(received, 200, { body: bob.answer(), contentType: sdpType });
    const answered = await alice.agent.receivesResponse(200, 'INVITE');
    alice.agent.ack(invite, answered);
    await bob.agent.receivesRequest('ACK');
    const dialog = alice.agent.dialog(invite, answered);
    const known = offer.split('\r\n').filter((line) => /^a=(?:ice-ufrag|ice-pwd):/.test(line));
    const medium = offer.split('\r\n').filter((line) => /^(?:m=|a=mid:)/.test(line));
    const candidate = `a=candidate:1 1 udp 2130706431 127.0.0.1 ${socket.address().port} typ host`;
    alice.agent.within(dialog, 'INFO', {
      body: [...known, ...medium, candidate, 'a=end-of-candidates', ''].join('\r\n'),
      contentType: 'application/trickle-ice-sdpfrag',
      headers: [['Info-Package', 'trickle-ice']],
    });
    await alice.agent.receivesResponse(200, 'INFO');
    const [check] = await checked;
    assert.ok(Buffer.isBuffer(check));
    assert.equal(check.readUInt16BE(0), 1, 'RFC 8489 §5: a Binding request');
    await alice.hangUp(dialog, bob);
    await assertNothingIsLeft(viaduct, dialog.callId);
  });

  test('a browser calls a browser: both get DTLS and ICE', async (t) => {
    const [alice, bob] = await pair(t, 'ws', 'wss');
    const talk = await alice.call(bob);
    assertForBrowser(talk.received.body, 'actpass');
    assertForBrowser(talk.answered.body, 'passive');
    await hangUp(talk, alice, bob);
  });

  test('a browser gives up while the telephone rings', async (t) => {
    const [alice, bob] = await pair(t, 'wss', 'udp');
    const invite = await alice.invite(bob.aor, alice.offer());
    const received = await bob.agent.receivesRequest('INVITE');
    bob.agent.respond(received, 180);
    const ringing = await alice.agent.receivesResponse(180);
    alice.agent.cancel(invite);
    const cancel = await bob.agent.receivesRequest('CANCEL');
    bob.agent.respond(cancel, 200);
    bob.agent.respond(received, 487);
    await alice.agent.receivesResponse(200, 'CANCEL');
    alice.agent.ack(invite, await alice.agent.receivesResponse(487));
    await bob.agent.receivesRequest('ACK');
    await assertNothingIsLeft(viaduct, alice.agent.dialog(invite, ringing).callId);
  });
});
