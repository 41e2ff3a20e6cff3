/** Web applications that log in with tokens of an identity server: JsSIP by `authorization_jwt`, SIP.js by extra headers. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type Chromium, type PhonePage, startChromium } from '../support/chromium.ts';
import { AUDIENCE, ISSUER, openIdentityServer, signed, signingKey } from '../support/identity.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';
import { openPageSite } from './sipjs-site.ts';

const suite = createSuite();
const key = await signingKey('one', 'RS256');
let office: Office;
let chromium: Chromium;
let jssip: string;
let sipjs: string;

before(async () => {
  const identity = await openIdentityServer(suite, key);
  const settings = {
    JWT_KEYS: identity.url,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    JWT_CLAIM: 'preferred_username',
  };
  office = await openOffice(suite, settings);
  chromium = await startChromium(suite, PAGE_HZ);
  [jssip, sipjs] = await Promise.all([openPageSite(suite, 'token-page.js'), openPageSite(suite, 'sipjs-page.js')]);
});

after(() => suite.end());

afterEach(async () => {
  for (const context of chromium.browser.contexts()) await context.close();
  await office.assertMediaReleased();
});

/** Of alice; it ends in so many seconds, the difference of clocks that is allowed included. */
function tokenFor(seconds: number): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + seconds - 30;
  return signed(key, Date.now(), { sub: '7d9f', preferred_username: 'alice', exp });
}

async function alice(site: string, token: string, line = 'registered'): Promise<PhonePage> {
  const { domain, ws } = office;
  const page = await chromium.openPhone(`${site}/#${new URLSearchParams({ user: 'alice', domain, token, ws })}`);
  await page.expectLine(line);
  return page;
}

for (const [name, site] of [
  ['JsSIP', () => jssip],
  ['SIP.js', () => sipjs],
] as const) {
  test(`${name} registers by a token, calls a softphone, is called by it, and each hears the other`, async (t) => {
    const page = await alice(site(), await tokenFor(600));
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await page.page.evaluate('void viaductPhone.dial("bob")');
    await bob.expect('CALL_INCOMING');
    await bob.answer();
    await page.expectCall('talking');
    await assertHear(page, bob);
    await page.page.evaluate('void viaductPhone.end()');
    await bob.expect('CALL_CLOSED');
    await bob.dial(`sip:alice@${office.domain}`);
    await page.expectCall('incoming');
    await page.page.evaluate('void viaductPhone.answer()');
    await bob.expect('CALL_ESTABLISHED');
    await page.expectCall('talking');
    await assertHear(page, bob);
    await bob.hangUp();
    await page.expectCall('ended');
  });

  test(`${name} with an expired token hears 401, and is not registered`, async () => {
    await alice(site(), await tokenFor(0), 'failed');
    assert.deepEqual(await office.registrations(`sip:alice@${office.domain}`), []);
  });
}

test('a call lives on with a new token, and ends with the last one', async (t) => {
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  const firstEndsMs = Date.now() + 20_000;
  const page = await alice(jssip, await tokenFor(20));
  await page.page.evaluate('void viaductPhone.dial("bob")');
  await bob.expect('CALL_INCOMING');
  await bob.answer();
  await page.expectCall('talking');
  assert.ok(Date.now() < firstEndsMs, 'this machine is too slow for a token of 20 s');
  // Some seconds after the first one.
  const moreSeconds = Math.ceil((firstEndsMs - Date.now()) / 1000) + 6;
  await page.page.evaluate(`viaductPhone.renew(${JSON.stringify(await tokenFor(moreSeconds))})`);
  await page.expectCall('ended', 60_000);
  assert.ok(Date.now() > firstEndsMs + 3_000, 'the first token did not end it');
  assert.match(String(await page.page.evaluate('viaductPhone.call.why')), /short-lived login/);
  await bob.expect('CALL_CLOSED');
  assert.deepEqual(await office.registrations(`sip:alice@${office.domain}`), []);
});
