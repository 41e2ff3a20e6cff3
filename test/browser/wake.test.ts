/**
 * A closed phone page is called (RFC 8599 with Web Push): the real server, a push service on loopback that checks and
 * decrypts, and Chromium, in which two things stand for its maker's push service: what `subscribe` gives, and the
 * delivery of the push to the service worker.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import type { PushSubscription } from '../../src/ports.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type LocalPushService, startPushService } from '../support/push-service.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';

const suite = createSuite();
let office: Office;
let service: LocalPushService;
let chromium: Chromium;

before(async () => {
  service = await startPushService(suite);
  office = await openOffice(suite, { PUSH_SERVICES: service.host, NODE_EXTRA_CA_CERTS: service.caFile });
  chromium = await startChromium(suite, PAGE_HZ);
});

after(() => suite.end());

/** Chromium would ask a service of Google for it. */
function subscribeStub({ endpoint, keys }: PushSubscription): string {
  return `{
    const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)).buffer;
    const keys = ${JSON.stringify(keys)};
    PushManager.prototype.getSubscription = async () => null;
    PushManager.prototype.subscribe = async () => ({ endpoint: '${endpoint}', getKey: (name) => bytes(keys[name]) });
  }`;
}

/** The service worker of the page, as the browser numbers it. */
async function workerOf(cdp: CDPSession): Promise<string> {
  const found = new Promise<string>((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [one] = registrations;
      if (one !== undefined) resolve(one.registrationId);
    });
  });
  await cdp.send('ServiceWorker.enable');
  return found;
}

async function notifications(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>(`(async () => {
    const worker = await navigator.serviceWorker.getRegistration('/phone');
    return (await worker.getNotifications()).map(({ title }) => title);
  })()`);
}

test('RFC 8599: bob calls alice, whose page is closed: she is notified who calls, opens it, and they hear each other', async (t) => {
  const config = await (await fetch(`${office.http}/phone/config.json`)).text();
  const [, vapidKey = ''] = /"vapidKey":"([\w-]+)"/.exec(config) ?? [];
  const phone = await chromium.openPhone(`${office.http}/phone`);
  const { page } = phone;
  const { origin } = new URL(office.http);
  await page.context().grantPermissions(['notifications', 'microphone'], { origin });
  await page.addInitScript(subscribeStub(service.subscribe(vapidKey)));
  await page.reload();
  await page.check('#wake');
  await phone.signIn('alice', office.password);
  await phone.expectLine('registered');
  const cdp = await page.context().newCDPSession(page);
  const registrationId = await workerOf(cdp);
  await page.goto(`${office.http}/favicon.svg`);

  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await bob.dial(`sip:alice@${office.domain}`);
  for (const until = Date.now() + 20_000; service.received.length === 0 && Date.now() < until; ) await sleep(50);
  const [push] = service.received;
  assert.equal(push?.text, '{"from":"bob"}');
  await cdp.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: push.text });
  for (const until = Date.now() + 20_000; Date.now() < until && (await notifications(page)).length === 0; ) {
    await sleep(50);
  }
  assert.deepEqual(await notifications(page), ['bob is calling']);

  // As a click on it does.
  await page.goto(`${office.http}/phone?raw-audio`);
  await phone.expectCall('incoming');
  assert.deepEqual(await notifications(page), []);
  await phone.press('answer');
  await bob.expect('CALL_ESTABLISHED');
  await assertHear(phone, bob);
  await phone.press('end');
  await bob.expect('CALL_CLOSED');
  await page.goto('about:blank');
  await office.assertMediaReleased();
});
