/** Web Push against a push service on loopback that checks who signs and reads what it gets. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newVapidKey, vapidKeys } from '../../../src/adapters/push/vapid.ts';
import { type OpenWebPush, openWebPush, type WebPushOptions } from '../../../src/adapters/push/web-push.ts';
import { systemClock } from '../../../src/adapters/system.ts';
import type { Log } from '../../../src/ports.ts';
import { type LocalPushService, startPushService } from '../../support/push-service.ts';

interface Stage {
  readonly service: LocalPushService;
  readonly push: OpenWebPush;
  readonly logged: string[];
}

const message = { text: '{"from":"Jürgen"}', ttlSeconds: 30 };

async function stage(test: TestContext, more: Partial<WebPushOptions> = {}): Promise<Stage> {
  const service = await startPushService(test);
  const logged: string[] = [];
  const note = (fields: object, text: string): void => void logged.push(`${JSON.stringify(fields)} ${text}`);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const own = { key: newVapidKey(), subject: 'mailto:postmaster@example.com', services: [service.host] };
  const push = openWebPush({ ...own, clock: systemClock, log, ca: service.ca, ...more });
  test.after(() => push.close());
  return { service, push, logged };
}

test('RFC 8030 §5, 8291, 8292: a push is signed, read by its client alone, urgent, and gone with the call', async (t) => {
  const { service, push } = await stage(t);
  assert.equal(await push.send(service.subscribe(push.vapidKey), message), 'accepted');
  const [received] = service.received;
  assert.equal(received?.text, message.text);
  assert.equal(received?.headers.ttl, '30');
  assert.equal(received?.headers.urgency, 'high');
  assert.equal(received?.headers['content-encoding'], 'aes128gcm');
});

test('RFC 8599 §14: a client without keys is woken by a push without content', async (t) => {
  const { service, push } = await stage(t);
  const { endpoint } = service.subscribe(push.vapidKey);
  assert.equal(await push.send({ endpoint, keys: undefined }, message), 'accepted');
  assert.equal(service.received[0]?.text, undefined);
});

test('RFC 8292 §4.2: a subscription for the key of somebody else is refused (403), and the log says by whom', async (t) => {
  const { service, push, logged } = await stage(t);
  const other = service.subscribe(vapidKeys(newVapidKey()).publicKey);
  assert.equal(await push.send(other, message), 'failed');
  assert.equal(logged.length, 1);
  assert.match(logged[0] ?? '', new RegExp(`"service":"${service.host}","status":403`));
});

test('law 8: no line of the log has the path of an endpoint, nor a key', async (t) => {
  const { service, push, logged } = await stage(t);
  const subscription = service.subscribe(push.vapidKey);
  for (const status of [400, 403, 413]) {
    service.answers = [{ status }];
    assert.equal(await push.send(subscription, message), 'failed');
  }
  const { pathname } = new URL(subscription.endpoint);
  assert.equal(logged.length, 3);
  for (const secret of [pathname, subscription.keys?.p256dh ?? '', subscription.keys?.auth ?? '']) {
    assert.ok(!logged.some((line) => line.includes(secret)));
  }
});

test('RFC 8030 §7.3: 404 and 410 say that the client is subscribed no more', async (t) => {
  const { service, push } = await stage(t);
  const subscription = service.subscribe(push.vapidKey);
  for (const status of [404, 410]) {
    service.answers = [{ status }];
    assert.equal(await push.send(subscription, message), 'gone');
  }
});

test('RFC 8030 §8.4: 429 with a short Retry-After is tried once more, one with a long one is not', async (t) => {
  const { service, push } = await stage(t);
  const subscription = service.subscribe(push.vapidKey);
  service.answers = [{ status: 429, headers: { 'retry-after': '0' } }];
  assert.equal(await push.send(subscription, message), 'accepted');
  service.answers = [{ status: 429, headers: { 'retry-after': '600' } }];
  assert.equal(await push.send(subscription, message), 'failed');
  service.answers = [
    { status: 503, headers: { 'retry-after': '0' } },
    { status: 503, headers: { 'retry-after': '0' } },
  ];
  assert.equal(await push.send(subscription, message), 'failed');
});

test('a push service that says nothing is given up after the time it has', async (t) => {
  const { service, push } = await stage(t, { timeoutMs: 100 });
  service.answers = ['silent'];
  assert.equal(await push.send(service.subscribe(push.vapidKey), message), 'failed');
});

test('a push service that nobody can reach, or whose certificate nobody vouches for, is a failure like others', async (t) => {
  const { service, push } = await stage(t, { services: ['127.0.0.1:1'] });
  assert.equal(await push.send({ endpoint: 'https://127.0.0.1:1/a', keys: undefined }, message), 'failed');
  const distrusting = await stage(t, { ca: '', services: [service.host] });
  const subscription = service.subscribe(distrusting.push.vapidKey);
  assert.equal(await distrusting.push.send(subscription, message), 'failed');
});

test('law 10: only services that the settings name, over HTTPS: an endpoint is what a stranger has written', async (t) => {
  const { push } = await stage(t, { services: ['fcm.example.com', '*.push.example.net'] });
  const accepts = (endpoint: string): boolean => push.accepts({ endpoint, keys: undefined });
  for (const endpoint of [
    'https://fcm.example.com/x',
    'https://a.push.example.net/x',
    'https://a.b.push.example.net/',
  ]) {
    assert.ok(accepts(endpoint), endpoint);
  }
  for (const endpoint of [
    'http://fcm.example.com/x',
    'https://fcm.example.com:8443/x',
    'https://fcm.example.com.evil.example/x',
    'https://evilpush.example.net/x',
    'https://push.example.net/x',
    'https://user@fcm.example.com/x',
    'https://127.0.0.1/x',
    'nonsense',
  ]) {
    assert.ok(!accepts(endpoint), endpoint);
    assert.equal(await push.send({ endpoint, keys: undefined }, message), 'failed');
  }
});

test('keys of a client that are none: the push fails, and nothing else', async (t) => {
  const { service, push } = await stage(t);
  const { endpoint } = service.subscribe(push.vapidKey);
  const keys = { p256dh: 'A'.repeat(87), auth: 'a'.repeat(22) };
  assert.equal(await push.send({ endpoint, keys }, message), 'failed');
});
