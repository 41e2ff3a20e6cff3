/**
 * Presence, busy lamps and messages through a running Viaduct with a real PostgreSQL, over kill -9: whoever watches over
 * UDP hears on in the same dialog, whoever watched over a connection goes on with the next one, and what was answered with
 * 200 or 202 is still there.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { PASSWORD, type Softphone, softphoneOf } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';
import { basics, notified, pidf, publish, published, stateOf, type Watch, watch } from '../support/watcher.ts';

const suite = createSuite();
const names = ['alice', 'bob', 'carol', 'dave', 'erin'];
let viaduct: Viaduct;
let alice: Softphone;
let bob: Softphone;
let carol: Softphone;
let etag = '';
let overTls: Watch;

before(async () => {
  const users = names.map((name) => `${name}:${PASSWORD}`).join(',');
  // Digest has tests of its own.
  viaduct = await startViaduct(suite, { DEMO_USERS: users, TRUSTED: '127.0.0.0/8', GRACE_SECONDS: '60' });
  alice = await softphoneOf(suite, viaduct, { user: 'alice', transport: 'udp' });
  bob = await softphoneOf(suite, viaduct, { user: 'bob', transport: 'udp', voice: 2 });
  carol = await softphoneOf(suite, viaduct, { user: 'carol', transport: 'tls', voice: 3 });
  publish(bob.agent, { body: pidf(bob.aor, 'open', 'before') });
  etag = await published(bob.agent);
  await watch(alice.agent, bob.aor);
  overTls = await watch(carol.agent, bob.aor);
  await watch(alice.agent, `sip:dave@${viaduct.domain}`, 'dialog');
  alice.agent.request('MESSAGE', `sip:erin@${viaduct.domain}`, { body: 'good morning', contentType: 'text/plain' });
  await alice.agent.receivesResponse(202, 'MESSAGE');
  await viaduct.kill9();
  await viaduct.restart();
});

after(() => suite.end());

test('after kill -9 a watcher over UDP is told anew: the same dialog, the next CSeq, what was published', async () => {
  const told = await notified(alice.agent, 20_000);
  const again = await notified(alice.agent, 20_000);
  for (const notify of [told, again]) {
    assert.deepEqual([stateOf(notify), get(notify, CSeq)?.number], ['active', 2]);
  }
  const presence = [told, again].find(({ body }) => body.includes('<presence'));
  assert.match(presence?.body ?? '', /<note>before<\/note>/);
});

test('after kill -9 a publication is changed under the tag of before, and its watcher hears of it', async () => {
  publish(bob.agent, { ifMatch: etag, body: pidf(bob.aor, 'closed', 'after') });
  await published(bob.agent);
  const notify = await notified(alice.agent, 10_000);
  assert.deepEqual(basics(notify), ['closed']);
  assert.equal(get(notify, CSeq)?.number, 3);
});

test('after kill -9 a watcher over TLS refreshes over its next connection, and hears the state of now', async () => {
  await carol.connect();
  carol.agent.within(overTls.dialog, 'SUBSCRIBE', { headers: [['Event', 'presence']] });
  await carol.agent.receivesResponse(200, 'SUBSCRIBE');
  assert.deepEqual(basics(await notified(carol.agent, 10_000)), ['closed']);
});

test('after kill -9 a message that was stored is delivered', async () => {
  const erin = await softphoneOf(suite, viaduct, { user: 'erin', transport: 'tcp', voice: 4 });
  const message = await erin.agent.receivesRequest('MESSAGE', 10_000);
  erin.agent.respond(message, 200);
  assert.equal(message.body, 'good morning');
});

test('the rest of REST: who watches is listed, the message lamp is set, and the log has no fault', async () => {
  const listed = await (await viaduct.get('/api/v1/presence/subscriptions')).text();
  for (const watcher of ['alice', 'carol']) assert.ok(listed.includes(`sip:${watcher}@${viaduct.domain}`), listed);
  const { first } = await watch(bob.agent, bob.aor, 'message-summary');
  assert.match(first.body, /Messages-Waiting: no/);
  const address = `http://127.0.0.1:${viaduct.run().http.port}/api/v1/mailboxes`;
  const body = JSON.stringify({ aor: bob.aor, newMessages: 2 });
  const set = await fetch(address, { method: 'PUT', headers: { 'content-type': 'application/json' }, body });
  assert.equal(set.status, 204, await set.text());
  assert.match((await notified(bob.agent, 10_000)).body, /Voice-Message: 2\/0/);
  assert.doesNotMatch(viaduct.output(), /"level":"?(error|50)/);
});
