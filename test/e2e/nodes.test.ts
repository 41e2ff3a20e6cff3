/**
 * Two Viaducts over one PostgreSQL and one rtpengine, as real processes (DESIGN §5, many nodes): calls between clients of
 * different nodes, clients that come back to the other node, and a node that is killed with -9.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Transport } from '../../src/ports.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { freePort } from '../support/process.ts';
import { startTestRtpengine, type TestRtpengine } from '../support/rtpengine.ts';
import { seen } from '../support/sdp.ts';
import { PASSWORD, type Softphone, softphoneOf, type Talk } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

interface Up {
  readonly alice: Softphone;
  readonly bob: Softphone;
  readonly talk: Talk;
}

const suite = createSuite();
const names = Array.from({ length: 30 }, (_, index) => `user${index}`);
const free = [...names];
let rtpengine: TestRtpengine;
let A: Viaduct;
let B: Viaduct;

before(async () => {
  const postgres = await startPostgresServer();
  suite.after(() => postgres.remove());
  rtpengine = await startTestRtpengine();
  suite.after(() => rtpengine.stop());
  const shared = {
    DATABASE_URL: postgres.url('postgres'),
    TOKEN_SECRET: randomBytes(32).toString('hex'),
    RTPENGINE: rtpengine.address,
    DEMO_USERS: names.map((name) => `${name}:${PASSWORD}`).join(','),
    GRACE_SECONDS: '3',
  };
  const own = async (transport: 'udp' | 'tcp') => {
    const port = await freePort('both');
    const others = ['tls', 'ws', 'wss'].map((each) => `${each}:127.0.0.1:0`).join(' ');
    const LISTEN = `udp:127.0.0.1:${port} tcp:127.0.0.1:${port} ${others}`;
    return { ...shared, LISTEN, NODE_ADDRESS: `${transport}:127.0.0.1:${port}` };
  };
  A = await startViaduct(suite, await own('tcp'));
  B = await startViaduct(suite, await own('udp'));
  // A hears of B with its next beat.
  await untilNodes(A, 2);
});

after(() => suite.end());

async function untilNodes(viaduct: Viaduct, count: number): Promise<void> {
  for (const deadlineMs = Date.now() + 30_000; (await viaduct.health()).nodes !== count; await delay(100)) {
    assert.ok(Date.now() < deadlineMs, `there are not ${count} nodes`);
  }
}

function account(): string {
  return free.shift() ?? assert.fail('too few accounts');
}

async function pair(first: Transport, second: Transport): Promise<Pick<Up, 'alice' | 'bob'>> {
  const alice = await softphoneOf(suite, A, { user: account(), transport: first, voice: 1 });
  const bob = await softphoneOf(suite, B, { user: account(), transport: second, voice: 2 });
  return { alice, bob };
}

async function callOver(first: Transport, second: Transport): Promise<Up> {
  const { alice, bob } = await pair(first, second);
  return { alice, bob, talk: await alice.call(bob) };
}

async function hearEachOther({ alice, bob }: Pick<Up, 'alice' | 'bob'>): Promise<void> {
  await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
}

/** As clients do when their connection was lost: a new one, here to that node, and REGISTER. */
async function comesBack(phone: Softphone, to: Viaduct): Promise<void> {
  await phone.connect(to);
  assert.equal((await phone.register()).status, 200);
}

async function assertIsOver({ talk }: Up): Promise<void> {
  await rtpengine.assertReleased(talk.callId);
  // Its row leaves a little later.
  const isListed = async (viaduct: Viaduct) => (await viaduct.calls()).some((one) => one.callId === talk.callId);
  for (const deadlineMs = Date.now() + 5_000; (await isListed(A)) || (await isListed(B)); await delay(50))
    assert.ok(Date.now() < deadlineMs, 'a call that is over is listed');
}

const ways: readonly (readonly [Transport, Transport])[] = [
  ['udp', 'tcp'],
  ['tcp', 'udp'],
  ['tls', 'tcp'],
];

for (const [first, second] of ways) {
  test(`${first} at one node, ${second} at the other: they hear each other, hold from each side, BYE of the called`, async () => {
    const up = await callOver(first, second);
    const { alice, bob, talk } = up;
    await hearEachOther(up);
    await alice.change(talk.caller, bob, 'sendonly');
    await bob.change(talk.callee, alice, 'sendonly');
    await alice.change(talk.caller, bob);
    await hearEachOther(up);
    await bob.hangUp(talk.callee, alice);
    await assertIsOver(up);
  });
}

test('a browser at one node, a telephone at the other: each gets SDPs of its kind; hold from each side, BYE of the caller', async () => {
  const up = await callOver('wss', 'udp');
  const { alice, bob, talk } = up;
  assert.deepEqual(
    [seen(talk.received.body).protocol, seen(talk.answered.body).protocol],
    ['RTP/AVP', 'UDP/TLS/RTP/SAVPF'],
  );
  const { offered, answered } = await bob.change(talk.callee, alice, 'sendonly');
  assert.deepEqual([seen(offered).protocol, seen(answered).protocol], ['UDP/TLS/RTP/SAVPF', 'RTP/AVP']);
  await alice.change(talk.caller, bob, 'sendonly');
  await alice.hangUp(talk.caller, bob);
  await assertIsOver(up);
});

test('a telephone calls a browser at the other node', async () => {
  const up = await callOver('tcp', 'ws');
  const { alice, bob, talk } = up;
  assert.deepEqual(
    [seen(talk.received.body).protocol, seen(talk.answered.body).protocol],
    ['UDP/TLS/RTP/SAVPF', 'RTP/AVP'],
  );
  await bob.hangUp(talk.callee, alice);
  await assertIsOver(up);
});

test('both come back to the other node in their call: they hear each other, hold, and the caller hangs up', async () => {
  const up = await callOver('tcp', 'tcp');
  const { alice, bob, talk } = up;
  await comesBack(bob, A);
  await bob.change(talk.callee, alice, 'sendonly');
  await comesBack(alice, B);
  await bob.change(talk.callee, alice);
  await hearEachOther(up);
  await alice.hangUp(talk.caller, bob);
  await assertIsOver(up);
});

test('law 4: a device that is gone from its node is 480 to a caller at the other', async () => {
  const { alice, bob } = await pair('udp', 'ws');
  bob.disconnect();
  await delay(200);
  const invite = await alice.invite(bob.aor, alice.offer());
  const refused = await alice.agent.receivesResponse(480, 'INVITE');
  alice.agent.ack(invite, refused);
});

test('statistics and doctor of each node show both', async () => {
  for (const viaduct of [A, B]) {
    const { nodes } = await viaduct.stats();
    assert.deepEqual(
      nodes.map(({ isSelf }) => isSelf),
      [true, false],
    );
    assert.equal(new Set(nodes.map(({ address }) => address)).size, 2);
    const found = JSON.stringify(await (await viaduct.get('/api/v1/doctor')).json());
    assert.match(found, /1 other node is there/);
  }
});

/** To its REST. */
async function asks(viaduct: Viaduct, method: string, path: string, body?: object): Promise<number> {
  const { host, port } = viaduct.run().http;
  const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`http://${host}:${port}/api/v1/rtpengine${path}`, { method, ...json });
  await response.text();
  return response.status;
}

test('an rtpengine over REST of one node: the other uses, weighs, drains and leaves it; its own calls there go on to their end', async () => {
  const second = await startTestRtpengine();
  suite.after(() => second.stop());
  const [{ id: first } = assert.fail('no rtpengine')] = (await A.stats()).rtpengine;
  const { id } = second.node;
  const atB = (what: string, ...wanted: readonly unknown[]) =>
    B.until(what, ({ rtpengine: nodes }) => {
      const node = nodes.find((each) => each.id === id);
      return isDeepStrictEqual(node && [node.state, node.weight], wanted.length === 0 ? undefined : wanted);
    });

  assert.equal(await asks(A, 'POST', '', { address: second.address, weight: 2 }), 201);
  await atB('it is added', 'up', 2);
  assert.equal(await asks(A, 'PATCH', `/${id}`, { draining: true }), 200);
  await atB('it is drained', 'draining', 2);
  assert.equal(await asks(A, 'PATCH', `/${id}`, { draining: false, weight: 7 }), 200);
  await atB('it is back, with another weight', 'up', 7);

  // A node of RTPENGINE drains at the one that is asked only: calls of B go to the second one.
  assert.equal(await asks(B, 'PATCH', `/${first}`, { draining: true }), 200);
  const alice = await softphoneOf(suite, B, { user: account(), transport: 'tcp', voice: 1 });
  const bob = await softphoneOf(suite, B, { user: account(), transport: 'udp', voice: 2 });
  const up = { alice, bob, talk: await alice.call(bob) };
  assert.deepEqual(await second.list(), [up.talk.callId]);
  assert.equal(await asks(B, 'DELETE', `/${id}`), 409, 'a call is on it');
  assert.equal(await asks(A, 'DELETE', `/${id}`), 204);
  await atB('it is removed, and keeps a call', 'draining', 7);
  assert.equal(await asks(B, 'PATCH', `/${first}`, { draining: false }), 200);
  await hearEachOther(up);
  await alice.change(up.talk.caller, bob, 'sendonly');
  await bob.change(up.talk.callee, alice);
  await hearEachOther(up);
  await alice.hangUp(up.talk.caller, bob);
  await second.assertReleased(up.talk.callId);
  await atB('it is gone with its last call');
  assert.equal(await asks(B, 'DELETE', `/${id}`), 404);
});

test('an rtpengine that was added and removed at one node while the other did not run: it has what stands now', async () => {
  const address = 'udp:127.0.0.1:9';
  await B.stop();
  assert.equal(await asks(A, 'POST', '', { address, weight: 3 }), 201);
  await B.restart();
  const added = (await B.stats()).rtpengine.find((node) => node.address === address) ?? assert.fail('not there');
  assert.equal(added.weight, 3);
  assert.equal(await asks(B, 'DELETE', `/${added.id}`), 204);
  await A.until('it is gone there, too', ({ rtpengine: nodes }) => nodes.every((node) => node.address !== address));
  await untilNodes(A, 2);
});

test('kill -9 of the node that has a call: its client comes back to the other, the call goes on, and its media is ended', async () => {
  const up = await callOver('tcp', 'tcp');
  const { alice, bob, talk } = up;
  await A.kill9();
  await hearEachOther(up);
  await comesBack(alice, B);
  await untilNodes(B, 1);
  await alice.change(talk.caller, bob, 'sendonly');
  await bob.change(talk.callee, alice);
  await hearEachOther(up);
  await bob.hangUp(talk.callee, alice);
  await rtpengine.assertReleased(talk.callId);
  await A.restart();
  await untilNodes(B, 2);
});

test('kill -9 of the node of the called: what it had registered is 480 at once; its client comes back, and the call goes on', async () => {
  const up = await callOver('tcp', 'tcp');
  const { alice, bob, talk } = up;
  const other = await softphoneOf(suite, B, { user: account(), transport: 'ws' });
  await B.kill9();
  await untilNodes(A, 1);
  const startedMs = Date.now();
  const invite = await alice.invite(other.aor, alice.offer());
  const refused = await alice.agent.receivesResponse(480, 'INVITE');
  alice.agent.ack(invite, refused);
  assert.ok(Date.now() - startedMs < 1_000);
  await comesBack(bob, A);
  await bob.change(talk.callee, alice, 'sendonly');
  await alice.change(talk.caller, bob);
  await hearEachOther(up);
  await alice.hangUp(talk.caller, bob);
  await rtpengine.assertReleased(talk.callId);
});
