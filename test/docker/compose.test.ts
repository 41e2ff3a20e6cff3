/** `docker compose up`, and a call through it: `npm run test:docker`, where there is Docker. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Value } from 'typebox/value';
import { StatisticsBody } from '../../routes/http/schemas.ts';
import { type Baresip, startBaresip } from '../support/baresip.ts';
import { createSuite } from '../support/suite.ts';
import { secondsOf } from '../support/tone.ts';
import { type Composed, composed } from './compose.ts';

const suite = createSuite();
const PASSWORD = 'open-sesame';
const [aliceHz, bobHz] = [440, 660];
let services: Composed;

before(async () => {
  services = await composed(suite);
  await services.compose('build');
  await services.compose('up', '--detach');
});

after(() => suite.end());

async function rtpPortsInUse(): Promise<number> {
  const stats = await services.get('/api/v1/stats');
  assert.ok(Value.Check(StatisticsBody, stats), 'the statistics are as their schema says');
  return stats.rtpengine[0]?.ports?.used ?? assert.fail('rtpengine has not told its ports');
}

async function telephone(user: string, toneHz: number, answerMode: 'manual' | 'auto'): Promise<Baresip> {
  const { address, sipPort } = services;
  const options = { user, domain: address, password: PASSWORD, toneHz, answerMode, from: address };
  const phone = await startBaresip(suite, { ...options, proxy: `${address}:${sipPort}` });
  await phone.registered();
  return phone;
}

test('one `up` brings the three services, healthy in order: Viaduct waits for the two that it needs', async () => {
  for (const service of ['postgres', 'rtpengine', 'viaduct']) await services.healthy(service);
});

test('Viaduct runs as a user without rights, in at most 250 MB, and its own files are not writable', async () => {
  const script = 'id -u; touch /app/written 2>/dev/null && echo writable; readlink /proc/1/exe; command -v npm; true';
  assert.equal(await services.compose('exec', '-T', 'viaduct', 'sh', '-c', script), '1000\n/usr/local/bin/node\n');
  const images = await services.compose('images', 'viaduct');
  const megabytes = Number(/([\d.]+) ?MB/.exec(images)?.[1]);
  assert.ok(megabytes > 0 && megabytes <= 250, images);
});

test('REST asks for a token, which was made at the first start', async () => {
  const { httpPort } = services;
  assert.equal((await fetch(`http://127.0.0.1:${httpPort}/health`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${httpPort}/api/v1/stats`)).status, 401);
  assert.equal((await fetch(`http://127.0.0.1:${httpPort}/phone`)).status, 200);
  await services.get('/api/v1/stats');
});

test('a call between two telephones outside: each hears the other, and nothing is left of it', async () => {
  await services.viaduct(['user', 'add', 'alice'], PASSWORD);
  await services.viaduct(['user', 'add', 'bob'], PASSWORD);
  const [alice, bob] = [await telephone('alice', aliceHz, 'manual'), await telephone('bob', bobHz, 'auto')];
  const before = await rtpPortsInUse();
  await alice.dial('bob');
  await Promise.all([alice.expect('CALL_ESTABLISHED'), bob.expect('CALL_ESTABLISHED')]);
  const [toAlice, toBob] = await Promise.all([alice.listen(2), bob.listen(2)]);
  const heard = { alice: secondsOf(toAlice, bobHz), bob: secondsOf(toBob, aliceHz) };
  assert.ok(heard.alice >= 1 && heard.bob >= 1, `seconds of the other's tone: ${JSON.stringify(heard)}`);
  await alice.hangUp();
  await bob.expect('CALL_CLOSED');
  // rtpengine tells its ports every five seconds.
  for (const deadlineMs = Date.now() + 15_000; (await rtpPortsInUse()) > before; await delay(500)) {
    assert.ok(Date.now() < deadlineMs, 'rtpengine has not released the ports of the call');
  }
  await Promise.all([alice.stop(), bob.stop()]);
});

test('the commands that ask the running proxy work in its container', async () => {
  assert.match(await services.viaduct(['calls']), /alice.*bob/);
  assert.equal(await services.viaduct(['log-level', 'debug']), 'debug\n');
});

test('a stop is one in order: it ends by itself, before it would be killed', async () => {
  await services.compose('stop', 'viaduct');
  const log = await services.compose('logs', '--no-color', 'viaduct');
  assert.match(log, /"signal":"SIGTERM","msg":"Viaduct stops"/);
  assert.match(log, /"msg":"Viaduct has stopped"/);
  await services.compose('start', 'viaduct');
  await services.healthy('viaduct');
});

test('accounts and the token outlive the containers', async () => {
  const token = await services.compose('exec', '-T', 'viaduct', 'cat', '/var/lib/viaduct/api-token');
  await services.compose('down');
  await services.compose('up', '--detach');
  await services.healthy('viaduct');
  assert.match(await services.viaduct(['user', 'list']), /alice[\s\S]*bob/);
  assert.equal(await services.compose('exec', '-T', 'viaduct', 'cat', '/var/lib/viaduct/api-token'), token);
});
