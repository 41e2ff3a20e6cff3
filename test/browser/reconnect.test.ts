/**
 * The phone page loses its WebSocket, in each state that a call may be in: it says so, comes back within the grace time
 * (DESIGN §2, law 4), and does what it could not do meanwhile. And what it says about the quality of a call.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Baresip } from '../support/baresip.ts';
import { type Chromium, type PhonePage, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, assertSilence, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';
import { openWire, type Wire } from './wire.ts';

const suite = createSuite();
let office: Office;
let chromium: Chromium;
let wire: Wire;

before(async () => {
  office = await openOffice(suite);
  chromium = await startChromium(suite, PAGE_HZ);
  wire = await openWire(suite, Number(new URL(office.ws).port));
});

after(() => suite.end());

afterEach(async () => {
  wire.mend();
  for (const context of chromium.browser.contexts()) await context.close();
  await office.assertMediaReleased();
});

async function alice(microphone: true | 'silent' = true): Promise<PhonePage> {
  const wsUrl = `ws://127.0.0.1:${wire.port}`;
  const page = await chromium.openPhone(`${office.http}/phone`, { microphone, wsUrl });
  await page.signIn('alice', office.password);
  await page.expectLine('registered');
  return page;
}

async function talking(page: PhonePage, bob: Baresip): Promise<void> {
  await page.dial('bob');
  await bob.expect('CALL_INCOMING');
  await bob.answer();
  await page.expectCall('talking');
}

test('in a call the WebSocket is lost: the page says so, it returns, both hear each other, and hold works again', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await talking(page, bob);
  await page.expectText(/^(Good|Fair) · \d+ ms · [\d.]+ % lost$/);
  wire.cut();
  await page.expectText('The connection to the server is lost');
  await page.expectText(/The call goes on/);
  // It says that it is out of use, and a press does no harm.
  await page.page.click('#hold[aria-disabled="true"]', { force: true });
  // Soon: a busy machine must be back within the grace time, too.
  wire.mend();
  await page.expectLine('registered');
  await page.expectCall('talking');
  await page.page.locator('#call-notice').waitFor({ state: 'hidden' });
  await assertHear(page, bob);
  await page.press('hold');
  await page.expectText('On hold');
  await assertSilence(page, bob);
  await page.press('hold');
  await page.expectText('In call');
  await assertHear(page, bob);
  await bob.hangUp();
  await page.expectCall('ended');
});

/** As `window.tried`, from its next call on. */
async function remembersConnection(page: PhonePage): Promise<void> {
  await page.page.evaluate(`(() => {
    const { setLocalDescription } = RTCPeerConnection.prototype;
    RTCPeerConnection.prototype.setLocalDescription = function (...given) {
      window.tried = this;
      return setLocalDescription.apply(this, given);
    };
  })()`);
}

/** Its connection says so, until it has begun anew: nobody here can change the network of one browser. */
async function losesWay(page: PhonePage): Promise<void> {
  await page.page.evaluate(`(() => {
    const { localDescription: before } = window.tried;
    Object.defineProperty(window.tried, 'iceConnectionState', {
      configurable: true,
      get: () => (window.tried.localDescription.sdp === before.sdp ? 'disconnected' : 'checking'),
    });
    window.tried.dispatchEvent(new Event('iceconnectionstatechange'));
  })()`);
}

const credentials = async (page: PhonePage): Promise<string> =>
  page.page.evaluate<string>('/a=ice-ufrag:(\\S+)/.exec(window.tried.localDescription.sdp)[1]');

test('RFC 8445 §2.4: the way of the sound is lost, as on another network: ICE starts anew, and both hear each other', async (t) => {
  const page = await alice();
  await remembersConnection(page);
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await talking(page, bob);
  await assertHear(page, bob);
  const before = await credentials(page);
  await losesWay(page);
  await bob.expect('CALL_REMOTE_SDP');
  await bob.expect('CALL_REMOTE_SDP');
  assert.notEqual(await credentials(page), before);
  await assertHear(page, bob);
  // It says what it thinks of the sound, and that is good again.
  await page.expectText(/^(Good|Fair) · /);
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});

test('what was heard has stopped, as when a router has given another port: ICE starts anew, and both hear each other', async (t) => {
  const page = await alice();
  await remembersConnection(page);
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await talking(page, bob);
  await page.expectText(/^(Good|Fair) · /);
  const before = await credentials(page);
  // For its counters only: they stand still until it has begun anew.
  await page.page.evaluate(`(() => {
    const { tried } = window;
    const { getStats } = tried;
    const sdp = tried.localDescription.sdp;
    const stopped = getStats.call(tried);
    tried.getStats = () => (tried.localDescription.sdp === sdp ? stopped : getStats.call(tried));
  })()`);
  await page.expectText('No sound gets through, either way');
  await page.expectText(/^(Good|Fair) · /);
  assert.notEqual(await credentials(page), before);
  await assertHear(page, bob);
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});

test('the page hangs up while the WebSocket is lost: its BYE follows when it is back', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await talking(page, bob);
  wire.cut();
  await page.expectLine('failed');
  await page.press('end');
  await page.expectCall('ended');
  assert.ok(!bob.events.includes('CALL_CLOSED'));
  wire.mend();
  await page.expectLine('registered');
  await bob.expect('CALL_CLOSED');
});

test('RFC 7118 §6: the connection is dead, and the browser does not notice: the page does, and can be called again', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  wire.lose();
  // As when another network is there; else the page asks every fifteen seconds.
  await page.page.evaluate(`dispatchEvent(new Event('online'))`);
  await page.expectLine('failed');
  await page.expectLine('registered');
  await bob.dial(`sip:alice@${office.domain}`);
  await page.expectCall('incoming');
  await page.press('answer');
  await page.expectCall('talking');
  await assertHear(page, bob);
  await bob.hangUp();
  await page.expectCall('ended');
});

test('hold is pressed over a dead connection: the call goes on, and hold works when there is another one', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await talking(page, bob);
  wire.lose();
  await page.press('hold');
  await page.expectLine('failed');
  await page.expectLine('registered');
  await page.expectCall('talking');
  await assertHear(page, bob);
  await page.press('hold');
  await page.expectText('On hold');
  await bob.hangUp();
  await page.expectCall('ended');
});

test('the page hangs up over a dead connection: it is heard when there is another one', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await talking(page, bob);
  wire.lose();
  await page.press('end');
  await page.expectCall('ended', 1_000);
  await bob.expect('CALL_CLOSED');
});

test('the WebSocket is lost while it rings at bob: his phone stops, and is called again by itself', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await page.dial('bob');
  await bob.expect('CALL_INCOMING');
  await page.expectCall('ringing');
  wire.cut();
  await page.expectText('The connection to the server is gone');
  await bob.expect('CALL_CLOSED');
  wire.mend();
  await bob.expect('CALL_INCOMING');
  await bob.answer();
  await page.expectCall('talking');
  await assertHear(page, bob);
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});

test('the WebSocket is lost while bob calls: the page rings no ghost, says who called, and calls back', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await bob.dial(`sip:alice@${office.domain}`);
  await page.expectCall('incoming');
  wire.cut();
  await page.expectText('bob was calling');
  await bob.expect('CALL_CLOSED');
  wire.mend();
  await page.expectLine('registered');
  await page.press('again');
  await bob.expect('CALL_INCOMING');
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});

test('a certificate that is not trusted, on a hand-held screen: where to accept it, and each button still in sight', async () => {
  // Nobody answers there, which a page cannot tell from a certificate that the browser refuses.
  const wsUrl = 'wss://127.0.0.1:44443';
  const page = await chromium.openPhone(`${office.http}/phone`, { width: 360, height: 740, wsUrl });
  await page.signIn('alice', office.password);
  await page.expectText('The browser does not trust the server’s certificate');
  await page.expectText('Open https://127.0.0.1:44443/phone');
  const lowest = await page.page.evaluate<number>(`Math.max(
    ...[...document.querySelectorAll('button')].map((button) => button.getBoundingClientRect().bottom))`);
  assert.ok(lowest <= 740, `a button ends at ${lowest} px`);
  const named = await page.page.getByRole('button', { name: /./ }).count();
  assert.equal(named, await page.page.locator('button:visible').count(), 'each button has a name');
});

test('a microphone that gives digital silence: after some seconds "We do not hear you", with the probable cause', async (t) => {
  const page = await alice('silent');
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await talking(page, bob);
  await page.expectText('We do not hear you');
  await page.expectText(/muted in the system settings/);
  await page.press('mute');
  await page.page.locator('#call-notice').waitFor({ state: 'hidden' });
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});
