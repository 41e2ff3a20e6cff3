/**
 * The console in a headless Chromium: over invented numbers that change while it looks, and over a real Viaduct with a
 * real call. `test/web/` has its words without a browser.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { inventedExplanation } from './console-ladder.ts';
import { busyWorld, openConsoleSite, quietWorld, type World } from './console-site.ts';
import { FAINT_TEXTS } from './contrast.ts';
import { PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { openOffice } from './office.ts';

const suite = createSuite();
let chromium: Chromium;

before(async () => {
  chromium = await startChromium(suite, PAGE_HZ);
});

after(() => suite.end());

afterEach(async () => {
  for (const context of chromium.browser.contexts()) await context.close();
});

interface Look {
  readonly width?: number;
  readonly dark?: boolean;
}

/** Fails at the end of the test when the page complained, of our Content-Security-Policy for example. */
async function look(url: string, { width = 1280, dark = false }: Look = {}): Promise<Page> {
  const context: BrowserContext = await chromium.browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'warning' || message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  return page;
}

const complaints: string[] = [];

afterEach(() => assert.deepEqual(complaints.splice(0), []));

const busy = (): World => busyWorld(Date.now(), 1);
const tile = (page: Page, name: string) => page.locator(`[data-name="${name}"] .value`);
const views = [
  '',
  'calls',
  'calls/call-0',
  'registrations',
  'subscribers',
  'rtpengine',
  'presence',
  'refusals',
  'doctor',
];

test('the overview shows the numbers of the proxy, and new ones by itself', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(site.url);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.equal(
    await tile(page, 'registrations').textContent(),
    String(busy().statistics.registrations.bindings).replace('1', '1,'),
  );
  site.show({ statistics: { ...busy().statistics, calls: { inProgress: 4711, ringing: 0, answered: 3, failed: 1 } } });
  await tile(page, 'calls').getByText('4,711').waitFor();
  await tile(page, 'answer-rate').getByText('75 %').waitFor();
});

test('a first run says what to do: server, domain, account, and a link that signs in to the phone', async (t) => {
  const site = await openConsoleSite(t);
  const page = await look(site.url);
  const card = page.getByRole('region', { name: 'Make a first call' });
  for (const text of ['127.0.0.1:5060', 'example.com', 'hatter-9021']) await card.getByText(text).waitFor();
  assert.equal(
    await card.getByRole('link', { name: 'Open the phone' }).getAttribute('href'),
    '/phone#user=alice&password=wander-4471',
  );
  await page.getByText('It is quiet').waitFor();
  await card.getByRole('button', { name: 'Close these steps' }).click();
  await page.reload();
  await page.getByRole('button', { name: 'How to connect a phone' }).click();
  await card.waitFor();
});

test('what is wrong is said first, with its cure', async (t) => {
  const quiet = quietWorld();
  const database = { state: 'down', waiting: 0, lastError: 'PostgreSQL says: it is full.' } as const;
  const statistics = { ...quiet.statistics, rtpengine: [], database };
  const site = await openConsoleSite(t, {
    world: { health: { ...quiet.health, status: 'degraded', database: 'down', media: 'none' }, statistics },
  });
  const page = await look(site.url);
  await page.getByRole('alert').filter({ hasText: 'it is full.' }).waitFor();
  await page.getByRole('alert').filter({ hasText: 'RTPENGINE' }).waitFor();
  await page.getByText('Degraded').waitFor();
  // Nobody knows who is registered: 0 would be a lie.
  await tile(page, 'registrations').getByText('–', { exact: true }).waitFor();
});

test('when Viaduct stops answering, the last numbers stay and the page says so', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(site.url);
  await tile(page, 'calls').waitFor();
  await site.stop();
  await page.getByText('Viaduct does not answer').waitFor();
  assert.ok(await tile(page, 'calls').isVisible());
  await site.start();
  await page.getByText('Viaduct does not answer').waitFor({ state: 'hidden' });
  // The browser itself reports what it could not fetch.
  assert.ok(complaints.splice(0).every((text) => text.includes('net::ERR_')));
});

describe('with API_TOKEN', () => {
  const apiToken = 'open-sesame';

  test('it asks for the token, says when it is wrong, keeps it for this tab, and forgets it', async (t) => {
    const site = await openConsoleSite(t, { apiToken, world: busy() });
    const page = await look(site.url);
    await page.locator('#token:focus').waitFor();
    const { x, width } = (await page.locator('form').boundingBox()) ?? assert.fail('no form');
    assert.equal(Math.round(x + width / 2), 640, 'it stands in the middle');
    await page.keyboard.type('a wrong one');
    await page.keyboard.press('Enter');
    await page.getByText('This is not the token of this server.').waitFor();
    await page.locator('#token:focus').fill(apiToken);
    await page.keyboard.press('Enter');
    await tile(page, 'calls').waitFor();
    await page.reload();
    await tile(page, 'calls').waitFor();
    assert.equal(
      await page.evaluate('localStorage.length === 0 || !JSON.stringify({...localStorage}).includes("sesame")'),
      true,
    );
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('#token').waitFor();
    assert.equal(await page.evaluate('JSON.stringify({...sessionStorage})'), '{}');
    assert.ok(complaints.splice(0).every((text) => text.includes('401')));
  });
});

test('a hostile name is text, wherever it is shown', async (t) => {
  const hostile = 'sip:%3Cimg%20src=x%20onerror=alert(1)%3E"><script>alert(1)</script>@example.com';
  const world = busy();
  const [call] = world.calls;
  const [registration] = world.registrations;
  assert.ok(call !== undefined && registration !== undefined);
  const site = await openConsoleSite(t, {
    world: {
      ...world,
      calls: [{ ...call, from: hostile }],
      registrations: [{ ...registration, aor: hostile, userAgent: '<b onclick=alert(1)>x</b>', contact: hostile }],
      statistics: { ...world.statistics, refusals: { '<img src=x onerror=alert(1)>': 1 } },
    },
  });
  const page = await look(site.url);
  page.on('dialog', () => complaints.push('a script of a caller ran'));
  for (const view of views) {
    await page.goto(`${site.url}/#/${view}`);
    await page.locator('h1').waitFor();
    await page.waitForTimeout(150);
    assert.equal(await page.locator('main :is(script, [onerror], [onclick], img)').count(), 0, view);
  }
  await page.goto(`${site.url}/#/calls`);
  await page.getByText('<img src=x onerror=alert(1)>').waitFor();
});

describe('one call', () => {
  test('its ladder, each message, and what changed in its SDP', async (t) => {
    const site = await openConsoleSite(t, { world: busy() });
    const page = await look(`${site.url}/#/calls`);
    await page.getByRole('link', { name: 'alice' }).first().click();
    await page.getByRole('heading', { name: 'One call' }).waitFor();
    await page.getByRole('button', { name: 'alice to Viaduct: INVITE' }).last().click();
    const message = page.getByRole('complementary', { name: 'The chosen step' });
    await message.getByText('INVITE sip:bob@example.com SIP/2.0').waitFor();
    await page.getByText('rtpengine offer: RTP/AVP for bob').waitFor();
    await page.getByText('Both sides hear each other.').waitFor();
    await page.getByText('its own SDP offers DTLS-SRTP with ICE').waitFor();
    await page.getByRole('region', { name: 'alice' }).getByText('Round trip').waitFor();
    await page.getByText('Offer of the caller').click();
    await page.locator('[data-change="gone"]').getByText('a=ice-ufrag:8hhY').waitFor();
    await page.locator('[data-change="new"]').getByText('m=audio 23850 RTP/AVP').waitFor();
    await page.getByRole('link', { name: 'All calls' }).click();
    await page.getByRole('heading', { name: 'Calls' }).waitFor();
  });

  test('packets and MOS of each side stand in the list and on its page, also when its ladder is forgotten', async (t) => {
    const site = await openConsoleSite(t, { world: { ...busy(), ladder: undefined, explanation: undefined } });
    const page = await look(`${site.url}/#/calls`);
    await page.getByText('MOS 4.3 / 1,500 packets', { exact: true }).waitFor();
    await page.goto(`${site.url}/#/calls/call-0`);
    await page.getByText('Its ladder is not kept any more').waitFor();
    await page.getByText('MOS 4.3 (good), jitter 4 ms, 0.2 % lost, round trip 31 ms.').waitFor();
    await page.getByText('No quality is known: this side is sent no RTCP report').waitFor();
    assert.ok(complaints.splice(0).every((text) => text.includes('404')));
  });

  test('its media over time: a line for each side of whom it is known', async (t) => {
    const site = await openConsoleSite(t, { world: { ...busy(), explanation: inventedExplanation(Date.now(), 2) } });
    const page = await look(`${site.url}/#/calls/call-0`);
    const card = page.getByRole('region', { name: 'Media over time' });
    await card.getByText('The lines begin some seconds after the answer').waitFor();
    site.show({ explanation: inventedExplanation(Date.now(), 12) });
    const chart = (name: string) => card.getByRole('figure', { name: new RegExp(`^${name}`) });
    const lines = (name: string) => chart(name).locator('path.line');
    await chart('Packets a second').waitFor();
    for (const name of ['alice', 'bob']) await card.getByRole('listitem').getByText(name).waitFor();
    await lines('Jitter').first().waitFor({ state: 'attached' });
    assert.equal(await lines('Packets a second').count(), 2);
    assert.equal(await lines('Jitter').count(), 1);
    await chart('Jitter').hover();
    await chart('Jitter')
      .getByText(/^alice \d+ ms · /)
      .waitFor();
  });

  test('of one that was over when the page was opened, too, from the answer to the end', async (t) => {
    const world = { ...busy(), explanation: inventedExplanation(Date.now() - 870_000, 300) };
    const site = await openConsoleSite(t, { world });
    const page = await look(`${site.url}/#/calls/ended`);
    const chart = page.getByRole('figure', { name: 'Packets a second' });
    await chart.waitFor();
    assert.equal(await chart.locator('path.line').count(), 2);
    assert.equal(await chart.getByText('now').count(), 0);
  });

  test('by keyboard: arrows go from step to step, and the message follows', async (t) => {
    const site = await openConsoleSite(t, { world: busy() });
    const page = await look(`${site.url}/#/calls/call-0`);
    const message = page.getByRole('complementary', { name: 'The chosen step' });
    await page.locator('button.step').first().focus();
    await page.keyboard.press('Enter');
    await message.getByRole('heading', { name: 'F1 INVITE' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await message.getByRole('heading', { name: 'F2 407' }).waitFor();
    await page.keyboard.press('ArrowUp');
    await message.getByRole('heading', { name: 'F1 INVITE' }).waitFor();
  });

  test('one that is forgotten: it says so, and where the others are', async (t) => {
    const site = await openConsoleSite(t, { world: busy() });
    const page = await look(`${site.url}/#/calls/long-ago`);
    await page.getByText('This call is not known').waitFor();
    await page.getByRole('link', { name: 'See those it has' }).click();
    await page.getByRole('button', { name: 'Failed' }).click();
    await page.locator('tbody tr').nth(2).waitFor({ state: 'detached' });
    await page.getByText('480: The called account exists').waitFor();
    assert.equal(await page.locator('tbody tr').count(), 2);
    assert.ok(complaints.splice(0).every((text) => text.includes('404')));
  });
});

test('while the database is down the list of calls does not pass for all of them', async (t) => {
  const world = busy();
  const site = await openConsoleSite(t, { world: { ...world, health: { ...world.health, database: 'down' } } });
  const page = await look(`${site.url}/#/calls`);
  await page.getByText('The database is down: these are the calls of this process alone.').waitFor();
  site.show({ health: world.health });
  await page.getByText('The database is down: these').waitFor({ state: 'detached' });
});

test('an account is disabled and added; what was typed is gone afterwards', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(`${site.url}/#/subscribers`);
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') asked.push(`${request.method()} ${request.postData()}`);
  });
  await page
    .getByRole('button', { name: /^Disable/ })
    .first()
    .click();
  await page.getByLabel('Name').fill('carol');
  await page.getByLabel('Password').fill('open-sesame');
  await page.getByRole('button', { name: 'Add an account' }).click();
  await page.locator('input[type=password]').and(page.locator(':placeholder-shown, :invalid')).waitFor();
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  assert.deepEqual(asked, ['PATCH {"disabled":true}', 'POST {"address":"carol","password":"open-sesame"}']);
});

test('an rtpengine is drained and takes calls again, and its weight is changed', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(`${site.url}/#/rtpengine`);
  const node = page.getByRole('region', { name: 'rtpengine udp:10.0.0.5:22222' });
  await node.getByRole('button', { name: 'Drain' }).click();
  await node.getByText('It keeps its calls, and takes no new ones.').waitFor();
  await node.getByRole('button', { name: 'Take calls again' }).click();
  await node.getByText('It takes new calls.').waitFor();
  await node.getByLabel('Weight of').fill('7');
  await page.keyboard.press('Enter');
  await node.locator('dd').getByText('7', { exact: true }).waitFor();
});

test('a list that is seen at a glance has no filter', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(`${site.url}/#/presence`);
  await page.getByRole('cell', { name: 'busy lamp' }).first().waitFor();
  assert.equal(await page.getByRole('searchbox').count(), 0);
  await page.goto(`${site.url}/#/registrations`);
  await page.getByRole('searchbox').waitFor();
});

test('advice names the view that shows it, as a link', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(`${site.url}/#/refusals`);
  await page.getByRole('cell').getByRole('link', { name: 'Registrations' }).click();
  await page.getByRole('heading', { name: 'Registrations' }).waitFor();
});

test('what cannot be changed says why, in words', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(`${site.url}/#/rtpengine`);
  await page.getByRole('textbox', { name: 'Address' }).fill('udp:10.0.0.5:22222');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByText('This rtpengine is there already.').waitFor();
  assert.ok(complaints.splice(0).every((text) => text.includes('409')));
});

test('a call that another node has says which, and where to look', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(site.url);
  const detail = 'It is n2 at tcp:10.0.0.6:5060. Open the console of that node.';
  await page.route('**/api/v1/calls/there**', (route) => route.fulfill({ status: 409, json: { detail } }));
  await page.goto(`${site.url}/#/calls/there`);
  await page.getByText('Another node has this call').waitFor();
  await page.getByText('It is n2 at tcp:10.0.0.6:5060.').waitFor();
  assert.ok(complaints.splice(0).every((text) => text.includes('409')));
});

test('the doctor says what is wrong, with its cure', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(`${site.url}/#/doctor`);
  await page.getByText('The certificate ends in 9 days.').waitFor();
  await page.locator('code').getByText('npx viaduct certificate').waitFor();
  await page.getByRole('region', { name: 'What is well' }).getByText('PostgreSQL answers').waitFor();
});

test('who is banned, why and until when; a ban is lifted', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(`${site.url}/#/refusals`);
  const row = page.getByRole('row').filter({ hasText: '203.0.113.99' });
  await row.getByText('it looks like a scanner').waitFor();
  await row.getByRole('button', { name: 'Lift the ban' }).click();
  await row.waitFor({ state: 'detached' });
});

test('a view for which the server has no REST is not shown', async (t) => {
  const site = await openConsoleSite(t, { world: busy() });
  const page = await look(site.url);
  const link = page.getByRole('navigation').getByRole('link', { name: 'Presence' });
  await link.click();
  await page
    .getByRole('table', { name: 'Subscriptions' })
    .or(page.getByRole('region', { name: 'Subscriptions' }))
    .waitFor();
  await page.route('**/openapi.json', (route) => route.fulfill({ json: { paths: {} } }));
  await page.goto(site.url);
  await page.reload();
  await tile(page, 'calls').waitFor();
  assert.equal(await link.count(), 0);
});

describe('by keyboard alone', () => {
  test('digits choose the view, / the filter, arrows the row, ? the list of keys', async (t) => {
    const site = await openConsoleSite(t, { world: busy() });
    const page = await look(site.url);
    await tile(page, 'calls').waitFor();
    await page.keyboard.press('2');
    await page.getByRole('heading', { name: 'Calls' }).waitFor();
    await page.locator('main:focus').waitFor();
    await page.keyboard.press('/');
    await page.locator('input[type=search]:focus').waitFor();
    await page.keyboard.type('2bob');
    await page.getByText('Nothing here matches “2bob”.').waitFor();
    await page.locator('input[type=search]').fill('carol');
    await page.getByText('2 of 10').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    assert.match(String(await page.evaluate('document.activeElement.textContent')), /grace/);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  test('the first stop is the way past the navigation', async (t) => {
    const site = await openConsoleSite(t, { world: busy() });
    const page = await look(site.url);
    await tile(page, 'calls').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the content');
    await page.keyboard.press('Enter');
    await page.locator('main:focus').waitFor();
  });
});

for (const width of [360, 768, 1280]) {
  for (const dark of [false, true]) {
    test(`${width} px ${dark ? 'dark' : 'light'}: nothing scrolls sideways, and text stands out from its ground`, async (t) => {
      const site = await openConsoleSite(t, { world: busy() });
      const page = await look(site.url, { width, dark });
      for (const view of views) {
        await page.goto(`${site.url}/#/${view}`);
        await page.locator('main > *').nth(1).waitFor();
        await page.waitForTimeout(200);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `#/${view}`);
        assert.deepEqual(await page.evaluate<readonly string[]>(FAINT_TEXTS), [], `#/${view}`);
      }
    });
  }
}

describe('the reference of REST', () => {
  test('every address of this server with its fields, an example and a command; the token is asked for here, too', async (t) => {
    const site = await openConsoleSite(t, { apiToken: 'open-sesame' });
    const page = await look(`${site.url}/api`);
    await page.locator('#token').fill('open-sesame');
    await page.keyboard.press('Enter');
    const card = page.getByRole('region', { name: 'PATCH /api/v1/rtpengine/{id}' });
    await card.getByText('Change the weight of a node, or drain it.').waitFor();
    await card.getByText(/curl -X PATCH/).waitFor();
    await card.getByText('It takes', { exact: true }).click();
    await card.getByText('integer 0 to 9999').first().waitFor();
    assert.ok(complaints.splice(0).every((text) => text.includes('401')));
  });

  for (const width of [360, 1280]) {
    test(`${width} px: nothing scrolls sideways, and text stands out`, async (t) => {
      const site = await openConsoleSite(t);
      for (const dark of [false, true]) {
        const page = await look(`${site.url}/api`, { width, dark });
        await page.getByRole('region', { name: 'GET /health' }).waitFor();
        await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
        assert.deepEqual(await page.evaluate<readonly string[]>(FAINT_TEXTS), []);
      }
    });
  }
});

test('a real call: it appears while it is spoken, and goes when it ends', async (t) => {
  const office = await openOffice(t);
  const page = await look(office.http);
  await tile(page, 'calls').getByText('0', { exact: true }).waitFor();
  await page.getByText('It is quiet').waitFor();
  const alice = await chromium.openPhone(`${office.http}/phone`);
  await alice.signIn('alice', office.password);
  await alice.expectLine('registered');
  await office.softphone(t, { toneHz: PHONE_HZ, answerMode: 'auto' });
  await alice.dial('bob');
  await alice.expectCall('talking');
  await tile(page, 'calls').getByText('1', { exact: true }).waitFor();
  await page.goto(`${office.http}/#/calls`);
  await page.locator('tbody').getByText('talking').waitFor();
  await page.locator('tbody').getByText('WebRTC').waitFor();
  await alice.press('end');
  await page.locator('tbody').getByText('ended').waitFor();
  await page.getByRole('link', { name: 'alice' }).click();
  await page.getByRole('button', { name: 'alice to Viaduct: BYE' }).click();
  await page.getByText(/^BYE sip:/).waitFor();
  await page.getByRole('region', { name: 'The verdict' }).waitFor();
  await page.getByText('Offer of the caller').click();
  await page.locator('[data-change="new"]').getByText('RTP/AVP').first().waitFor();
  await page.goto(`${office.http}/#/registrations`);
  await page.getByText('bob', { exact: true }).waitFor();
  await office.assertMediaReleased();
});
