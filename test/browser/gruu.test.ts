/**
 * JsSIP and GRUUs (RFC 5627) in a real browser: it reads them in the 200 to its REGISTER and has one as the Contact of its
 * calls from then on. Each call is heard in both directions, and ends by a BYE of either side.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Baresip } from '../support/baresip.ts';
import { type Chromium, type PhonePage, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';
import { openPageSite } from './sipjs-site.ts';

const suite = createSuite();
let office: Office;
let chromium: Chromium;
let site: string;

before(async () => {
  // Who calls without a name is no user of ours.
  office = await openOffice(suite, { ACCEPT_FOREIGN: 'yes' });
  chromium = await startChromium(suite, PAGE_HZ);
  site = await openPageSite(suite, 'jssip-page.js');
});

after(() => suite.end());

afterEach(async () => {
  for (const context of chromium.browser.contexts()) await context.close();
  await office.assertMediaReleased();
});

interface Gruus {
  readonly publicGruu: string;
  readonly temporaryGruu: string;
  /** Of its REGISTER. */
  readonly contact: string;
}

async function alice(): Promise<PhonePage> {
  const { domain, password, ws } = office;
  const account = new URLSearchParams({ user: 'alice', domain, password, ws });
  const page = await chromium.openPhone(`${site}/#${account}`);
  await page.expectLine('registered');
  return page;
}

const gruusOf = ({ page }: PhonePage): Promise<Gruus> => page.evaluate<Gruus>('viaductPhone.gruus()');

/** The first line and the Contact of the last request with this method. */
async function onTheWire({ page }: PhonePage, sent: boolean, method: string) {
  const wire = await page.evaluate<readonly { readonly sent: boolean; readonly text: string }[]>('viaductPhone.wire');
  const text = wire.findLast((frame) => frame.sent === sent && frame.text.startsWith(`${method} `))?.text ?? '';
  const [, uri] = / (\S+) SIP/.exec(text) ?? [];
  const [, contact] = /^Contact: <([^>]+)>/m.exec(text) ?? [];
  return { uri, contact };
}

async function calls(page: PhonePage, bob: Baresip, anonymous: boolean): Promise<void> {
  await page.page.evaluate(`viaductPhone.dial('bob', ${anonymous}), undefined`);
  await bob.expect('CALL_INCOMING');
  await bob.answer();
  await page.expectCall('talking');
  await assertHear(page, bob);
}

async function isCalled(page: PhonePage, bob: Baresip, address: string): Promise<void> {
  await bob.dial(address);
  await page.expectCall('incoming');
  await page.page.evaluate('viaductPhone.answer()');
  await bob.expect('CALL_ESTABLISHED');
  await page.expectCall('talking');
  await assertHear(page, bob);
}

/** `page`, `softphone`: who says BYE. */
async function ends(page: PhonePage, bob: Baresip, by: 'page' | 'softphone'): Promise<void> {
  if (by === 'page') await page.page.evaluate('viaductPhone.end()');
  else await bob.hangUp();
  await bob.expect('CALL_CLOSED');
  await page.expectCall('ended');
  if (by === 'softphone') assert.equal((await onTheWire(page, false, 'BYE')).uri, (await gruusOf(page)).contact);
}

test('JsSIP is given a public and a temporary GRUU', async () => {
  const page = await alice();
  const { publicGruu, temporaryGruu } = await gruusOf(page);
  assert.match(publicGruu, new RegExp(`^sip:alice@${office.domain};gr=urn:uuid:[0-9a-f-]{36}$`));
  assert.match(temporaryGruu, new RegExp(`^sip:[\\w-]{80}@${office.domain};gr$`));
  assert.ok(JSON.stringify(await office.registrations(`sip:alice@${office.domain}`)).includes(publicGruu));
});

for (const by of ['page', 'softphone'] as const) {
  describe(`the ${by} hangs up`, () => {
    test('JsSIP calls, with its public GRUU as Contact', async (t) => {
      const page = await alice();
      const bob = await office.softphone(t, { toneHz: PHONE_HZ });
      await calls(page, bob, false);
      assert.equal((await onTheWire(page, true, 'INVITE')).contact, (await gruusOf(page)).publicGruu);
      await ends(page, bob, by);
    });

    test('JsSIP calls without a name, with its temporary GRUU as Contact', async (t) => {
      const page = await alice();
      const bob = await office.softphone(t, { toneHz: PHONE_HZ });
      await calls(page, bob, true);
      const { contact } = await onTheWire(page, true, 'INVITE');
      assert.equal(contact, (await gruusOf(page)).temporaryGruu);
      await ends(page, bob, by);
    });

    test('a softphone calls JsSIP by a GRUU: that page of two rings', async (t) => {
      const [other, page] = [await alice(), await alice()];
      const bob = await office.softphone(t, { toneHz: PHONE_HZ });
      const { publicGruu, temporaryGruu, contact } = await gruusOf(page);
      for (const address of [publicGruu, temporaryGruu]) {
        await isCalled(page, bob, address);
        assert.equal((await onTheWire(page, false, 'INVITE')).uri, contact);
        await ends(page, bob, by);
      }
      assert.deepEqual(await onTheWire(other, false, 'INVITE'), { uri: undefined, contact: undefined });
    });
  });
}

test('a GRUU of a page that is closed: 480 for the public one, 404 for the temporary one', async (t) => {
  const [, page] = [await alice(), await alice()];
  const { publicGruu, temporaryGruu } = await gruusOf(page);
  await page.page.close();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await bob.dial(publicGruu);
  assert.match((await bob.expect('CALL_CLOSED')).param, /^480 /);
  await bob.dial(temporaryGruu);
  assert.match((await bob.expect('CALL_CLOSED')).param, /^404 /);
});
