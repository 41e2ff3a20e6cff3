/** The watch over the media, with a real rtpengine and voices: one-way audio, a browser that ICE never reaches, hold. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Transport } from '../../src/ports.ts';
import type { Scope } from '../support/process.ts';
import { PASSWORD, type Softphone, softphoneOf, type Talk } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { type CallOf, startViaduct, type Viaduct } from '../support/viaduct-process.ts';

// At once: each of them waits for the watch.
describe('the media of real calls is watched', { concurrency: true }, () => {
  const suite = createSuite();
  const names = Array.from({ length: 8 }, (_, index) => `user${index}`);
  let running: Viaduct | undefined;
  before(async () => {
    running = await startViaduct(suite, { DEMO_USERS: names.map((name) => `${name}:${PASSWORD}`).join(',') });
  });
  after(() => suite.end());
  const viaduct = (): Viaduct => running ?? assert.fail('Viaduct did not start');

  async function pair(scope: Scope, callee: Transport): Promise<readonly [Softphone, Softphone]> {
    const open = (transport: Transport, voice: number): Promise<Softphone> =>
      softphoneOf(scope, viaduct(), { user: names.shift() ?? 'nobody', transport, voice });
    return [await open('udp', 1), await open(callee, 2)];
  }

  async function callOf({ callId }: Talk): Promise<CallOf> {
    return (await viaduct().calls()).find((call) => call.callId === callId) ?? assert.fail('the call is not there');
  }

  async function found(talk: Talk, code: string | undefined, withinMs = 10_000): Promise<CallOf> {
    for (const deadlineMs = Date.now() + withinMs; ; await delay(100)) {
      const call = await callOf(talk);
      if (call.mediaFault?.code === code) return call;
      assert.ok(Date.now() < deadlineMs, `not ${code} but ${JSON.stringify(call.mediaFault)}`);
    }
  }

  async function hangUp(talk: Talk, alice: Softphone, bob: Softphone): Promise<void> {
    await alice.hangUp(talk.caller, bob);
    for (const deadlineMs = Date.now() + 2_000; ; await delay(50)) {
      if (!(await viaduct().rtpengine().list()).includes(talk.callId)) return;
      assert.ok(Date.now() < deadlineMs, 'rtpengine has let go of the call');
    }
  }

  test('one-way audio is found within seconds, with whose it is', async (t) => {
    const [alice, bob] = await pair(t, 'udp');
    const talk = await alice.call(bob);
    bob.rtp.silence();
    const { mediaFault } = await found(talk, 'one-way');
    // A packet or two had left already, or none: either way the other side hears nothing.
    assert.match(mediaFault?.says ?? '', new RegExp(`nothing came from callee ${bob.aor.slice(4).split('@')[0]}`));
    const metrics = await (await viaduct().get('/metrics')).text();
    assert.match(metrics, /^viaduct_media_faults_total\{code="one-way"\} [12]$/m);
    assert.match(viaduct().output(), /"level":"warn".*One-way audio: nothing came from callee/);
    await hangUp(talk, alice, bob);
  });

  test('a browser that never reaches rtpengine: ICE is waiting', async (t) => {
    const [alice, bob] = await pair(t, 'wss');
    const talk = await alice.call(bob);
    const { mediaFault } = await found(talk, 'browser-never-reached-relay');
    assert.match(mediaFault?.says ?? '', /ICE is waiting/);
    await hangUp(talk, alice, bob);
  });

  test('a side that is on hold may be silent', async (t) => {
    const [alice, bob] = await pair(t, 'udp');
    const talk = await alice.call(bob);
    await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
    await alice.change(talk.caller, bob, 'sendonly');
    await delay(6_000);
    assert.equal((await callOf(talk)).mediaFault, null);
    await hangUp(talk, alice, bob);
  });
});
