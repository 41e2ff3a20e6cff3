/** SIP.js, which registers without instance and reg-id, in the same office: with a softphone and with our page. */
import { after, afterEach, before, test } from 'node:test';
import { type Chromium, type PhonePage, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';
import { openSipjsSite } from './sipjs-site.ts';

const suite = createSuite();
let office: Office;
let chromium: Chromium;
let site: string;

before(async () => {
  office = await openOffice(suite);
  chromium = await startChromium(suite, PAGE_HZ);
  site = await openSipjsSite(suite);
});

after(() => suite.end());

afterEach(async () => {
  for (const context of chromium.browser.contexts()) await context.close();
  await office.assertMediaReleased();
});

async function alice(): Promise<PhonePage> {
  const { domain, password, ws } = office;
  const account = new URLSearchParams({ user: 'alice', domain, password, ws });
  const page = await chromium.openPhone(`${site}/#${account}`);
  await page.expectLine('registered');
  return page;
}

test('SIP.js calls a softphone, each hears the other, SIP.js hangs up', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await page.page.evaluate('viaductPhone.dial("bob")');
  await bob.expect('CALL_INCOMING');
  await page.expectCall('ringing');
  await bob.answer();
  await page.expectCall('talking');
  await assertHear(page, bob);
  await page.page.evaluate('viaductPhone.end()');
  await bob.expect('CALL_CLOSED');
});

test('a softphone calls SIP.js, each hears the other, the softphone hangs up', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await bob.dial(`sip:alice@${office.domain}`);
  await page.expectCall('incoming');
  await page.page.evaluate('viaductPhone.answer()');
  await bob.expect('CALL_ESTABLISHED');
  await page.expectCall('talking');
  await assertHear(page, bob);
  await bob.hangUp();
  await page.expectCall('ended');
});

test('SIP.js calls our page, each hears the other, our page hangs up', async (t) => {
  const page = await alice();
  const other = await startChromium(t, PHONE_HZ);
  const bob = await other.openPhone(`${office.http}/phone`);
  await bob.signIn('bob', office.password);
  await bob.expectLine('registered');
  await page.page.evaluate('viaductPhone.dial("bob")');
  await bob.expectCall('incoming');
  await bob.press('answer');
  await page.expectCall('talking');
  await assertHear(page, bob);
  await bob.press('end');
  await page.expectCall('ended');
});
