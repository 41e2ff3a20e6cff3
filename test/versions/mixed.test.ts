/**
 * Rtpengines of several versions behind one Viaduct, as during an upgrade: calls land on each and are heard, and one
 * makes way for a newer one while a call is on it. As root: two of them run by chroot (support/rtpengine-releases.ts).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestRtpengine, type TestRtpengine } from '../support/rtpengine.ts';
import { releaseOf, type Suite, suites } from '../support/rtpengine-releases.ts';
import { PASSWORD, type Softphone, softphoneOf, type Talk } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const suite = createSuite();
const users = ['alice', 'bob'].map((name) => `${name}:${PASSWORD}`).join(',');
const nodes = new Map<Suite, TestRtpengine>();

before(async () => {
  for (const name of suites) {
    const { binary } = await releaseOf(name);
    const node = await startTestRtpengine({ binary });
    suite.after(() => node.stop());
    nodes.set(name, node);
  }
  assert.deepEqual(
    suites.map((name) => nodeOf(name).major),
    [10, 12, 26],
  );
});

after(() => suite.end());

const nodeOf = (name: Suite): TestRtpengine => nodes.get(name) ?? assert.fail(`no rtpengine of ${name}`);

async function pair(viaduct: Viaduct): Promise<readonly [Softphone, Softphone]> {
  return Promise.all([
    softphoneOf(suite, viaduct, { user: 'alice', transport: 'udp', voice: 1 }),
    softphoneOf(suite, viaduct, { user: 'bob', transport: 'udp', voice: 2 }),
  ]);
}

async function hearEachOther(alice: Softphone, bob: Softphone): Promise<void> {
  await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
}

async function hangUp(talk: Talk, alice: Softphone, bob: Softphone, on: Suite, usedBefore = 0): Promise<void> {
  await alice.hangUp(talk.caller, bob);
  await nodeOf(on).assertReleased(talk.callId, usedBefore);
}

/** The one that has this call. */
async function whereIs({ callId }: Talk): Promise<Suite> {
  const known = await Promise.all(
    suites.map(async (name) => ((await nodeOf(name).list()).includes(callId) ? [name] : [])),
  );
  const [on, ...others] = known.flat();
  assert.ok(on !== undefined && others.length === 0, `${callId} is on ${known.flat().join(' and ') || 'none'}`);
  return on;
}

describe('three versions of rtpengine at once', { concurrency: 1 }, () => {
  test('calls land on each of them, are heard, held and resumed, and leave nothing', async () => {
    const RTPENGINE = suites.map((name) => `${nodeOf(name).address}=1`).join(' ');
    const viaduct = await startViaduct(suite, { DEMO_USERS: users, RTPENGINE });
    const [alice, bob] = await pair(viaduct);
    const seen = new Set<Suite>();
    for (let left = 40; seen.size < suites.length && left > 0; left -= 1) {
      const talk = await alice.call(bob);
      const on = await whereIs(talk);
      await hearEachOther(alice, bob);
      if (!seen.has(on)) {
        const held = await bob.change(talk.callee, alice, 'sendonly');
        assert.match(held.offered, /^a=sendonly\r$/m);
        await bob.change(talk.callee, alice);
        await hearEachOther(alice, bob);
      }
      seen.add(on);
      await hangUp(talk, alice, bob, on);
    }
    assert.deepEqual([...seen].sort(), [...suites].sort());
    await viaduct.stop();
  });

  test('a node is drained and replaced by a newer one during a call: that call goes on, the next one is on the new node', async () => {
    const [old, young] = ['bookworm', 'sid'] as const;
    const viaduct = await startViaduct(suite, { DEMO_USERS: users, RTPENGINE: `${nodeOf(old).address}=1` });
    const [alice, bob] = await pair(viaduct);
    const first = await alice.call(bob);
    await hearEachOther(alice, bob);
    assert.equal(await whereIs(first), old);
    const used = await nodeOf(old).portsUsed();

    const asks = async (method: string, path: string, body?: object): Promise<number> => {
      const { host, port } = viaduct.run().http;
      const headers = { 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      return (await fetch(`http://${host}:${port}/api/v1${path}`, { method, ...sent })).status;
    };
    const { id } = nodeOf(old).node;
    assert.equal(await asks('POST', '/rtpengine', { address: nodeOf(young).address }), 201);
    assert.equal(await asks('PATCH', `/rtpengine/${id}`, { draining: true }), 200);
    await viaduct.until('the new node answers', ({ rtpengine }) => rtpengine.every(({ state }) => state !== 'down'));

    const second = await bob.call(alice);
    assert.equal(await whereIs(second), young);
    await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
    await bob.hangUp(second.caller, alice);
    await nodeOf(young).assertReleased(second.callId);
    assert.equal(await asks('DELETE', `/rtpengine/${id}`), 409, 'the first call is still on it');

    assert.equal(await whereIs(first), old);
    assert.equal(await nodeOf(old).portsUsed(), used);
    await alice.change(first.caller, bob, 'sendonly');
    await alice.change(first.caller, bob);
    await hearEachOther(alice, bob);
    await hangUp(first, alice, bob, old);
    assert.equal(await asks('DELETE', `/rtpengine/${id}`), 204);
    await viaduct.stop();
  });
});
