/** What an operator sees of a running Viaduct: Prometheus' metrics, the log and its level, and Homer's copies. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Collector, openCollector } from '../support/hep.ts';
import { readPrometheus } from '../support/prometheus.ts';
import { PASSWORD, type Softphone, softphoneOf } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const suite = createSuite();
let viaduct: Viaduct;
let homer: Collector;
let alice: Softphone;
let bob: Softphone;
let callId: string;

before(async () => {
  homer = await openCollector(suite);
  const users = ['alice', 'bob'].map((user) => `${user}:${PASSWORD}`).join(',');
  viaduct = await startViaduct(suite, { DEMO_USERS: users, HEP: `udp:127.0.0.1:${homer.port}` });
  alice = await softphoneOf(suite, viaduct, { user: 'alice', transport: 'udp', voice: 1 });
  bob = await softphoneOf(suite, viaduct, { user: 'bob', transport: 'tcp', voice: 2 });
  const talk = await alice.call(bob);
  callId = talk.callId;
  await alice.hangUp(talk.caller, bob);
});

after(async () => {
  await viaduct?.stop();
  await suite.end();
});

test('/metrics is what Prometheus reads, with times of ng commands and of the database, and the process', async () => {
  await viaduct.get('/api/v1/nothing');
  const response = await viaduct.get('/metrics');
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const families = readPrometheus(await response.text());
  const sum = (name: string, labels: Readonly<Record<string, string>> = {}): number =>
    [...families.values()]
      .flatMap(({ samples }) => samples.get(name) ?? [])
      .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      .reduce((total, { value }) => total + value, 0);
  assert.equal(sum('viaduct_calls_answered_total'), 1);
  assert.equal(sum('viaduct_registrations'), 2);
  assert.equal(sum('viaduct_connections', { transport: 'tcp' }), 1);
  assert.ok(sum('viaduct_ng_duration_seconds_count', { command: 'offer' }) >= 1);
  assert.ok(sum('viaduct_database_duration_seconds_count', { operation: 'location.change' }) >= 2);
  assert.equal(sum('viaduct_http_responses_total', { status: '404' }), 1);
  assert.ok(sum('process_resident_memory_bytes') > 1e7);
});

test('the log has one line for the call, with its Call-ID', () => {
  const lines = viaduct
    .output()
    .split('\n')
    .filter((line) => line.includes('"msg":"Call '));
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0] ?? '', /"msg":"Call ended"/);
  assert.ok(lines[0]?.includes(callId));
});

test('the log level changes at run time, by PUT', async () => {
  const http = `http://127.0.0.1:${viaduct.run().http.port}/api/v1/log-level`;
  const put = (level: string): Promise<Response> =>
    fetch(http, { method: 'PUT', body: JSON.stringify({ level }), headers: { 'content-type': 'application/json' } });
  assert.equal((await put('debug')).status, 200);
  const before = viaduct.output().length;
  assert.equal((await alice.register()).status, 200);
  await viaduct.until('a message is logged', () => /"level":"debug"/.test(viaduct.output().slice(before)));
  assert.deepEqual(await (await put('info')).json(), { level: 'info' });
});

test('HEP: Homer gets every message with its addresses, and no password', async () => {
  const login = await homer.expect(/^REGISTER [\s\S]*\nAuthorization: /i);
  assert.match(login.payload, /Authorization: .*removed/i);
  assert.doesNotMatch(login.payload, /response=/i);
  assert.deepEqual([login.family, login.protocol, login.protocolType], ['IPv4', 17, 1]);
  assert.equal(login.destination, `127.0.0.1 ${viaduct.port('udp')}`);
  const invite = await homer.expect(new RegExp(`^INVITE [\\s\\S]*Call-ID: ${callId}`, 'i'));
  assert.ok(Math.abs(invite.atMs - Date.now()) < 60_000, `${invite.atMs}`);
  const toBob = homer.packets.filter(({ payload, protocol }) => payload.startsWith('INVITE ') && protocol === 6);
  assert.equal(toBob[0]?.source, `127.0.0.1 ${viaduct.port('tcp')}`);
  await homer.expect(/^SIP\/2\.0 407 /);
  await homer.expect(/^BYE /);
});
