/**
 * DESIGN §5: Viaduct is killed with -9 in the middle of calls. Media goes on; after the next start the calls can be held,
 * resumed and hung up from either side, and rtpengine has nothing left of them.
 *
 * All calls are up before the one kill that these tests share; each test then takes one of them to its end.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Transport } from '../../src/ports.ts';
import { isAlive } from '../support/process.ts';
import { seen } from '../support/sdp.ts';
import { PASSWORD, type Softphone, softphoneOf, type Talk } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import type { Run } from '../support/viaduct.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

interface Up {
  readonly alice: Softphone;
  readonly bob: Softphone;
  readonly talk: Talk;
}

const suite = createSuite();
const names = Array.from({ length: 20 }, (_, index) => `user${index}`);
const free = [...names];
let viaduct: Viaduct;
let firstRun: Run;
let overUdp: Up;
let interrupted: Up;
let overConnections: Up;
let browserAndPhone: Up;
let lasting: Up;
/** The Call-ID of a call that rang. */
let ringing: string;

before(async () => {
  const users = names.map((name) => `${name}:${PASSWORD}`).join(',');
  viaduct = await startViaduct(suite, { DEMO_USERS: users, GRACE_SECONDS: '60' });
  overUdp = await call('udp', 'udp');
  interrupted = await call('udp', 'udp');
  overConnections = await call('tcp', 'tls');
  browserAndPhone = await call('wss', 'udp');
  lasting = await call('udp', 'tcp');
  ringing = await ring();
  firstRun = viaduct.run();
  await viaduct.kill9();
});

after(async () => {
  await suite.end();
});

async function pair(first: Transport, second: Transport): Promise<readonly [Softphone, Softphone]> {
  const open = (transport: Transport, voice: number): Promise<Softphone> =>
    softphoneOf(suite, viaduct, { user: free.shift() ?? 'nobody', transport, voice });
  return Promise.all([open(first, 1), open(second, 2)]);
}

async function call(first: Transport, second: Transport): Promise<Up> {
  const [alice, bob] = await pair(first, second);
  return { alice, bob, talk: await alice.call(bob) };
}

async function ring(): Promise<string> {
  const [alice, bob] = await pair('udp', 'udp');
  const invite = await alice.invite(bob.aor, alice.offer());
  bob.agent.respond(await bob.agent.receivesRequest('INVITE'), 180);
  return alice.agent.dialog(invite, await alice.agent.receivesResponse(180)).callId;
}

async function hearEachOther({ alice, bob }: Up): Promise<void> {
  await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
}

/** Of this call; others are still up. */
async function assertIsOver(callId: string): Promise<void> {
  const others = await viaduct.rtpengine().portsUsed();
  await viaduct.rtpengine().assertReleased(callId, others);
  assert.ok((await viaduct.calls()).every((one) => one.callId !== callId));
}

/** As clients do when their connection was lost: a new one, and REGISTER. */
async function comeBack(phone: Softphone): Promise<void> {
  await phone.connect();
  assert.equal((await phone.register()).status, 200);
}

test('while Viaduct is not there its children live on and everybody still hears', async () => {
  const { postgres = 0, rtpengine = 0 } = firstRun.children;
  assert.ok((await isAlive(postgres)) && (await isAlive(rtpengine)));
  await Promise.all([hearEachOther(overUdp), hearEachOther(overConnections)]);
});

test('the next start adopts the children, and knows the calls', async () => {
  const { alice, bob, talk } = interrupted;
  // What is sent now is lost, as it may be: a telephone sends it again until it is answered.
  const bye = alice.agent.within(talk.caller, 'BYE');
  await delay(50);
  await viaduct.restart();
  assert.notEqual(viaduct.run().pid, firstRun.pid);
  assert.deepEqual(viaduct.run().children, firstRun.children);
  const known = (await viaduct.calls()).map(({ callId }) => callId);
  const up = [overUdp, interrupted, overConnections, browserAndPhone, lasting].map((each) => each.talk.callId);
  assert.deepEqual(known.sort(), up.sort());
  alice.agent.send(bye);
  bob.agent.respond(await bob.agent.receivesRequest('BYE'), 200);
  await alice.agent.receivesResponse(200, 'BYE');
  await assertIsOver(talk.callId);
});

test('of a call that rang nothing is left in rtpengine (law 3)', () => assertIsOver(ringing));

test('over UDP: hold and resume from either side, then BYE of the callee', async () => {
  const { alice, bob, talk } = overUdp;
  for (const [one, dialog, other] of [
    [alice, talk.caller, bob],
    [bob, talk.callee, alice],
  ] as const) {
    assert.equal(seen((await one.change(dialog, other, 'sendonly')).offered).direction, 'sendonly');
    assert.equal(seen((await one.change(dialog, other)).offered).direction, 'sendrecv');
    await hearEachOther(overUdp);
  }
  await bob.hangUp(talk.callee, alice);
  await assertIsOver(talk.callId);
});

test('over TCP and TLS: both connect and register again, and are reached there', async () => {
  const { alice, bob, talk } = overConnections;
  await comeBack(alice);
  await comeBack(bob);
  await alice.change(talk.caller, bob, 'sendonly');
  await bob.change(talk.callee, alice);
  await hearEachOther(overConnections);
  await bob.hangUp(talk.callee, alice);
  await assertIsOver(talk.callId);
});

test('a browser comes back, the telephone holds the call, the browser gets an offer of its kind and hangs up', async () => {
  const { alice, bob, talk } = browserAndPhone;
  await comeBack(alice);
  const { offered, answered } = await bob.change(talk.callee, alice, 'sendonly');
  const { protocol, ice, rtcpMux, setup, direction } = seen(offered);
  assert.deepEqual(
    { protocol, ice, rtcpMux, setup, direction },
    { protocol: 'UDP/TLS/RTP/SAVPF', ice: true, rtcpMux: true, setup: 'actpass', direction: 'sendonly' },
  );
  assert.equal(seen(answered).protocol, 'RTP/AVP');
  await alice.hangUp(talk.caller, bob);
  await assertIsOver(talk.callId);
});

test('law 4: a side that did not come back yet is 480 to the other', async () => {
  const { alice, talk } = lasting;
  alice.agent.within(talk.caller, 'INFO');
  await alice.agent.receivesResponse(480, 'INFO');
});

test('killed once more: BYE still goes through; then all ports are free and nothing that was started is left', async () => {
  const { alice, bob, talk } = lasting;
  await comeBack(bob);
  await alice.change(talk.caller, bob, 'sendonly');
  await viaduct.kill9();
  await viaduct.restart();
  assert.deepEqual(viaduct.run().children, firstRun.children);
  await comeBack(bob);
  await alice.hangUp(talk.caller, bob);
  await viaduct.rtpengine().assertReleased(talk.callId);
  await viaduct.until('no call is left', ({ calls }) => calls.inProgress === 0 && calls.ringing === 0);
  await viaduct.stop();
});
