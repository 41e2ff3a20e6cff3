/**
 * Pages that are gone in the middle of a call: crashed, and opened again or not; and a connection that breaks while the
 * page lives. DESIGN §5: the other side waits for the grace time (10 s), and not longer.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Baresip } from '../support/baresip.ts';
import { type Chromium, type PhonePage, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, assertSilence, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';

const graceMs = 10_000;

const suite = createSuite();
let office: Office;
let chromium: Chromium;

before(async () => {
  office = await openOffice(suite);
  chromium = await startChromium(suite, PAGE_HZ);
});

after(() => suite.end());

afterEach(async () => {
  for (const context of chromium.browser.contexts()) await context.close();
  await office.assertMediaReleased();
});

async function alice(): Promise<PhonePage> {
  const page = await chromium.openPhone(`${office.http}/phone`);
  await signsIn(page);
  return page;
}

async function signsIn(page: PhonePage): Promise<void> {
  await page.signIn('alice', office.password);
  await page.expectLine('registered');
}

async function pageCalls(page: PhonePage, bob: Baresip): Promise<void> {
  await page.dial('bob');
  await bob.expect('CALL_INCOMING');
  await bob.answer();
  await page.expectCall('talking');
  await bob.expect('CALL_ESTABLISHED');
}

async function pageIsCalled(page: PhonePage, bob: Baresip): Promise<void> {
  await bob.dial(`sip:alice@${office.domain}`);
  await page.expectCall('incoming');
  await page.press('answer');
  await bob.expect('CALL_ESTABLISHED');
  await page.expectCall('talking');
}

/** Its process dies: nothing of it says goodbye. */
async function crashes({ page }: PhonePage): Promise<void> {
  const crashed = new Promise((resolve) => page.once('crash', resolve));
  const session = await page.context().newCDPSession(page);
  session.send('Page.crash').catch(() => undefined); // nobody is left to answer
  await crashed;
}

/** Another tab of the same browser: the same instance id, and no memory of the call. Returns what it receives. */
async function opensAgain({ page }: PhonePage): Promise<readonly string[]> {
  const fresh = await page.context().newPage();
  const received: string[] = [];
  fresh.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => received.push(String(payload))));
  await fresh.goto(`${office.http}/phone`);
  await fresh.fill('#name', 'alice');
  await fresh.fill('#password', office.password);
  await fresh.press('#password', 'Enter');
  for (const until = Date.now() + 2 * graceMs; Date.now() < until; await sleep(50)) {
    if ((await fresh.evaluate<string>('window.viaductPhone?.line.at')) === 'registered') return received;
  }
  return assert.fail('the page does not register again');
}

const isInfo = (text: string): boolean => text.startsWith('INFO ');

async function remembersSockets(phone: PhonePage): Promise<void> {
  await phone.page.addInitScript(REMEMBER_SOCKETS);
  await phone.page.reload();
  await signsIn(phone);
}

const REMEMBER_SOCKETS = `
  const Plain = WebSocket;
  const sockets = (window.sockets = []);
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      sockets.push(this);
    }
  };`;

/** As when its network changes: the page lives, and registers again over a new connection. */
async function breaks(phone: PhonePage): Promise<void> {
  const before = await phone.page.evaluate<number>('sockets.at(-1).close(), sockets.length');
  for (const until = Date.now() + 2 * graceMs; Date.now() < until; await sleep(50)) {
    if ((await phone.page.evaluate<number>('sockets.length')) > before) break;
  }
  await phone.expectLine('registered');
}

for (const [who, begins] of [
  ['called', pageCalls],
  ['calling', pageIsCalled],
] as const) {
  test(`its tab crashes in a call: the ${who} softphone gets BYE after the grace time, and rtpengine is freed`, async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await begins(page, bob);
    await assertHear(page, bob);
    const crashedAtMs = Date.now();
    await crashes(page);
    await bob.expect('CALL_CLOSED', 2 * graceMs + 10_000);
    assert.ok(Date.now() - crashedAtMs >= graceMs - 500, 'she may come back until then');
    await office.assertMediaReleased();
  });

  test(`it crashes and is opened again at once, without the call: the ${who} softphone gets BYE, and rtpengine is freed`, async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await begins(page, bob);
    await crashes(page);
    const received = await opensAgain(page);
    // It says 481 when it is asked: nobody waits for the grace time.
    await bob.expect('CALL_CLOSED', graceMs - 2_000);
    await office.assertMediaReleased();
    assert.ok(received.some(isInfo));
  });

  test(`it is opened in a second tab: the call with the ${who} softphone goes on in the first, and ends there`, async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await begins(page, bob);
    const received = await opensAgain(page);
    for (const until = Date.now() + 5_000; Date.now() < until && !received.some(isInfo); ) await sleep(50);
    assert.ok(received.some(isInfo), 'the second tab was asked');
    await assertHear(page, bob);
    await bob.hangUp();
    await page.expectCall('ended');
  });

  test(`its connection breaks and is made again: the ${who} softphone holds and resumes; whoever hangs up ends both`, async (t) => {
    for (const last of ['page', 'softphone'] as const) {
      const page = await alice();
      await remembersSockets(page);
      const bob = await office.softphone(t, { toneHz: PHONE_HZ });
      await begins(page, bob);
      await breaks(page);
      await assertHear(page, bob);
      await bob.hold();
      await page.expectText('You are on hold');
      // Also time for the re-INVITE to end: neither side sends a second one before that.
      await assertSilence(page, bob);
      await bob.resume();
      await page.expectText('In call');
      await page.press('hold');
      await page.expectText('On hold');
      await assertSilence(page, bob);
      await page.press('hold');
      await page.expectText('In call');
      await assertHear(page, bob);
      await (last === 'page' ? page.press('end') : bob.hangUp());
      await bob.expect('CALL_CLOSED');
      await page.expectCall('ended');
      await office.assertMediaReleased();
      await bob.stop();
      await page.page.close();
    }
  });
}
