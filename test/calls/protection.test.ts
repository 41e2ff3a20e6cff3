/** Sources that do harm meet silence, and everybody else goes on (DESIGN laws 9 and 10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProtectionOptions } from '../../src/engine/auth/protection.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, domain, type ProxyScene } from '../support/proxy-scene.ts';

const protection: ProtectionOptions = {
  banMs: 600_000,
  messagesPerSecond: 5,
  connectionsPerSecond: 5,
  requestsPerSecond: 0,
  dropScanners: true,
};

interface Stage {
  readonly it: ProxyScene;
  readonly mallory: Agent;
}

function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'mallory'], isTrusted: () => false, protection });
  return it.play(async () => {
    await script({ it, mallory: it.agent({ name: 'mallory', address: '203.0.113.66' }) });
  });
}

const aliceEnters = (it: ProxyScene) => it.registered({ name: 'alice', address: '192.0.2.1' });

test('a scanner gets no answer, not even to what it asks under another name later, until its ban is lifted', () =>
  stage(async ({ it, mallory }) => {
    mallory.request('OPTIONS', `sip:${domain}`, { headers: [['User-Agent', 'friendly-scanner']] });
    mallory.request('REGISTER', `sip:${domain}`);
    await it.clock.advance(5_000);
    assert.deepEqual(mallory.inbox, []);
    const { operations } = it.proxy();
    assert.partialDeepStrictEqual(operations.refusedSources(), [
      { source: '203.0.113.66', reason: 'scanner', count: 1 },
    ]);
    const { dropped } = (await operations.statistics()).messages;
    assert.deepEqual([dropped.scanner, dropped['message of a refused source']], [1, 1]);
    await aliceEnters(it);
    assert.equal(operations.liftBan('203.0.113.66'), true);
    mallory.request('OPTIONS', `sip:${domain}`);
    assert.equal((await mallory.receivesFinal('OPTIONS')).status, 200);
  }));

test('who guesses passwords is heard no more after thirty wrong ones, of whatever users; others log in as before', () =>
  stage(async ({ it, mallory }) => {
    for (let n = 0; n < 30; n += 1) {
      const first = mallory.request('REGISTER', `sip:${domain}`, { headers: [['Expires', '600']] });
      const challenge = await mallory.receivesFinal('REGISTER');
      assert.equal(challenge.status, 401);
      mallory.login(first, challenge, `user-${n}`, 'guessed');
      assert.equal((await mallory.receivesFinal('REGISTER')).status, 401);
      await it.clock.advance(5_000);
    }
    const heard = mallory.inbox.length;
    mallory.request('REGISTER', `sip:${domain}`);
    await it.clock.advance(40_000);
    assert.equal(mallory.inbox.length, heard);
    assert.equal(it.proxy().operations.refusedSources()[0]?.reason, 'failed-logins');
    await aliceEnters(it);
  }));

test('a user who does not exist is answered as a wrong password is, step by step: nobody learns who is here', () =>
  stage(async ({ it, mallory }) => {
    const answers: string[][] = [];
    for (const user of ['alice', 'nobody']) {
      const seen: string[] = [];
      const first = mallory.request('REGISTER', `sip:${domain}`, { headers: [['Expires', '600']] });
      const challenge = await mallory.receivesFinal('REGISTER');
      mallory.login(first, challenge, user, 'guessed');
      const refused = await mallory.receivesFinal('REGISTER');
      for (const response of [challenge, refused]) {
        seen.push(response.startLine, ...response.headers.map(({ name }) => name));
      }
      answers.push(seen);
      await it.clock.advance(5_000);
    }
    assert.deepEqual(answers[0], answers[1]);
  }));

test('a flood from one source is cut down to its rate, and does not touch another source', () =>
  stage(async ({ it, mallory }) => {
    for (let n = 0; n < 200; n += 1) mallory.request('OPTIONS', `sip:${domain}`);
    await it.clock.advance(100);
    assert.equal(mallory.inbox.length, 50);
    await aliceEnters(it);
  }));
