/** SIGTERM in the middle of a call: the process stays until the call has ended, or until it is told again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { isAlive } from '../support/process.ts';
import { PASSWORD, softphoneOf } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const suite = createSuite();
after(() => suite.end());

async function up() {
  const viaduct = await startViaduct(suite, { DEMO_USERS: `alice:${PASSWORD},bob:${PASSWORD}`, DRAIN_SECONDS: '30' });
  const [alice, bob] = await Promise.all(
    ['alice', 'bob'].map((user, voice) => softphoneOf(suite, viaduct, { user, transport: 'tcp', voice })),
  );
  assert.ok(alice !== undefined && bob !== undefined);
  const talk = await alice.call(bob);
  return { viaduct, pid: viaduct.run().pid, alice, bob, talk };
}

async function ended(viaduct: Viaduct, pid: number): Promise<void> {
  for (const deadlineMs = Date.now() + 10_000; await isAlive(pid); await delay(50)) {
    assert.ok(Date.now() < deadlineMs, `it runs on\n${viaduct.output()}`);
  }
}

test('after SIGTERM /health says draining with 503, the call goes on, and its end is the end of the process', async () => {
  const { viaduct, pid, alice, bob, talk } = await up();
  const browser = new WebSocket(`ws://127.0.0.1:${viaduct.port('ws')}`, 'sip');
  suite.after(() => browser.terminate());
  await once(browser, 'open');
  const closed = once(browser, 'close');
  process.kill(pid, 'SIGTERM');
  await delay(500);
  const health = await viaduct.get('/health');
  assert.equal(health.status, 503);
  assert.match(await health.text(), /"status":"draining"/);
  assert.equal((await alice.register()).status, 503);
  await alice.hangUp(talk.caller, bob);
  // RFC 6455 §7.4.1: going away, so a client connects again, elsewhere or later.
  assert.equal((await closed)[0], 1001);
  await ended(viaduct, pid);
});

test('a second SIGTERM does not wait for the call: its rtpengine stops, too, so both sides are told', async () => {
  const { viaduct, pid, alice, bob } = await up();
  process.kill(pid, 'SIGTERM');
  await delay(500);
  assert.ok(await isAlive(pid));
  process.kill(pid, 'SIGTERM');
  await Promise.all([alice.agent.receivesRequest('BYE'), bob.agent.receivesRequest('BYE')]);
  await ended(viaduct, pid);
});
