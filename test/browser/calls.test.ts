/**
 * Real calls between the phone page in a headless Chromium and softphones, through a started Viaduct and its rtpengine.
 * A call counts only when each side hears the other's tone; after each test rtpengine holds no call and no port.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Baresip } from '../support/baresip.ts';
import { type Chromium, type PhonePage, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { FAINT_TEXTS } from './contrast.ts';
import { assertHear, assertSilence, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';

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

/** From now on, as an application that wants no narrow band. */
const OPUS_ALONE = `for (const name of ['createOffer', 'createAnswer']) {
  const create = RTCPeerConnection.prototype[name];
  RTCPeerConnection.prototype[name] = function (...options) {
    const { codecs } = RTCRtpReceiver.getCapabilities('audio');
    const wanted = codecs.filter(({ mimeType }) => /opus|telephone-event/.test(mimeType));
    for (const transceiver of this.getTransceivers()) transceiver.setCodecPreferences(wanted);
    return create.apply(this, options);
  };
}`;

/** From now on, as after a change of networks (RFC 8445 §9). */
const RESTARTING_ICE = `{
  const create = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = function (options) {
    return create.call(this, { ...options, iceRestart: true });
  };
}`;

async function alice(): Promise<PhonePage> {
  const page = await chromium.openPhone(`${office.http}/phone`);
  await page.signIn('alice', office.password);
  await page.expectLine('registered');
  return page;
}

async function answered(page: PhonePage, bob: Baresip): Promise<void> {
  await page.dial('bob');
  await bob.expect('CALL_INCOMING');
  await page.expectCall('ringing');
  await bob.answer();
  await page.expectCall('talking');
  await assertHear(page, bob);
}

async function takes(page: PhonePage, bob: Baresip): Promise<void> {
  await bob.dial(`sip:alice@${office.domain}`);
  await page.expectCall('incoming');
  await page.press('answer');
  await page.expectCall('talking');
  await assertHear(page, bob);
}

for (const transport of ['udp', 'tcp', 'tls'] as const) {
  test(`the page calls a softphone on ${transport}, each hears the other, the page hangs up`, async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { transport, toneHz: PHONE_HZ });
    await answered(page, bob);
    await page.press('end');
    await bob.expect('CALL_CLOSED');
    await page.expectCall('ended');
    assert.deepEqual(page.complaints(), []);
  });

  test(`a softphone on ${transport} calls the page, each hears the other, the softphone hangs up`, async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { transport, toneHz: PHONE_HZ });
    await bob.dial(`sip:alice@${office.domain}`);
    await page.expectCall('incoming');
    await page.expectText('is calling you');
    await bob.expect('CALL_RINGING');
    await page.press('answer');
    await bob.expect('CALL_ESTABLISHED');
    await page.expectCall('talking');
    await assertHear(page, bob);
    await bob.hangUp();
    await page.expectCall('ended');
    await page.expectText(/Call ended/);
  });
}

describe('hold', () => {
  test('the page holds and resumes: silence both ways, then both tones again', async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await answered(page, bob);
    await page.press('hold');
    await page.expectText('On hold');
    await assertSilence(page, bob);
    await page.press('hold');
    await page.expectText('In call');
    await assertHear(page, bob);
    await bob.hangUp();
    await page.expectCall('ended');
  });

  test('the softphone holds and resumes: the page says so, and then hears again', async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await answered(page, bob);
    await bob.hold();
    await page.expectText('You are on hold');
    await assertSilence(page, bob);
    await bob.resume();
    await page.expectText('In call');
    await assertHear(page, bob);
    await page.press('end');
    await bob.expect('CALL_CLOSED');
  });
});

test('mute: the softphone hears nothing, the page still hears', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await answered(page, bob);
  await page.press('mute');
  await page.expectText('Microphone off');
  await assertHear(page, bob, { phoneHears: false });
  await page.press('mute');
  await assertHear(page, bob);
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});

test('RFC 4733: keys pressed in a call arrive at the softphone as telephone-event', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await answered(page, bob);
  await page.press('keypad');
  for (const key of '5#') {
    await page.page.click(`#tone-pad [data-key="${key}"]`);
    const event = await bob.expect('CALL_DTMF_START');
    assert.equal(event.param, key);
  }
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});

test('a key pressed before DTLS is done waits for it: it would reach nobody', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await answered(page, bob);
  // Of a connection that is there the page believes it is not.
  await page.page.evaluate(`
    window.sentWhile = [];
    const { prototype } = RTCPeerConnection;
    const state = Object.getOwnPropertyDescriptor(prototype, 'connectionState');
    Object.defineProperty(prototype, 'connectionState', { configurable: true, get: () => 'connecting' });
    window.connect = () => {
      Object.defineProperty(prototype, 'connectionState', state);
      window.sentWhile.push('connected');
      window.connection.dispatchEvent(new Event('connectionstatechange'));
    };
    const listen = prototype.addEventListener;
    prototype.addEventListener = function (...args) { window.connection = this; return listen.apply(this, args); };
    const insert = RTCDTMFSender.prototype.insertDTMF;
    RTCDTMFSender.prototype.insertDTMF = function (...args) { window.sentWhile.push(args[0]); return insert.apply(this, args); };
  `);
  await page.press('keypad');
  for (const key of '5#') await page.page.click(`#tone-pad [data-key="${key}"]`);
  await page.page.evaluate('connect()');
  for (const key of '5#') assert.equal((await bob.expect('CALL_DTMF_START')).param, key);
  assert.equal(await page.page.evaluate('sentWhile[0]'), 'connected');
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});

for (const caller of ['page', 'softphone'] as const) {
  test(`a page that speaks opus alone and a softphone with PCMU alone hear each other, also after either has held${caller === 'page' ? '' : ' with new ICE'}; the ${caller} calls`, async (t) => {
    const page = await alice();
    await page.page.evaluate(OPUS_ALONE);
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    if (caller === 'page') await answered(page, bob);
    else await takes(page, bob);
    await bob.hold();
    await page.expectText('You are on hold');
    await bob.resume();
    await page.expectText('In call');
    await assertHear(page, bob);
    if (caller === 'softphone') await page.page.evaluate(RESTARTING_ICE);
    await page.press('hold');
    await page.expectText('On hold');
    await assertSilence(page, bob);
    await page.press('hold');
    await page.expectText('In call');
    await assertHear(page, bob);
    await page.press('end');
    await bob.expect('CALL_CLOSED');
  });
}

describe('calls that do not come about', () => {
  test('the softphone rejects: the page says that bob is busy', async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await page.dial('bob');
    await bob.expect('CALL_INCOMING');
    await bob.hangUp();
    await page.expectText('bob is busy');
    await page.press('end');
    await page.expectCall('none');
  });

  test('the page declines: the softphone gets 603', async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await bob.dial(`sip:alice@${office.domain}`);
    await page.expectCall('incoming');
    await page.press('end');
    assert.match((await bob.expect('CALL_CLOSED')).param, /^603 /);
    await page.expectCall('ended');
  });

  test('the page cancels while it rings', async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await page.dial('bob');
    await bob.expect('CALL_INCOMING');
    await page.expectCall('ringing');
    await page.press('end');
    await bob.expect('CALL_CLOSED');
    await page.expectCall('ended');
  });

  test('the softphone cancels while it rings: a missed call', async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await bob.dial(`sip:alice@${office.domain}`);
    await page.expectCall('incoming');
    await bob.hangUp();
    await page.expectText('Missed call from bob');
  });

  test('nobody is signed in as bob: the page says so', async () => {
    const page = await alice();
    await page.dial('bob');
    await page.expectText('bob is not registered right now');
    await page.expectText(/^480 /);
  });

  test('an account that does not exist: the page says so', async () => {
    const page = await alice();
    await page.dial('zacharias');
    await page.expectText('zacharias was not found');
  });

  test('the microphone is refused: the page says so and what to do, and no INVITE leaves', async (t) => {
    const page = await chromium.openPhone(`${office.http}/phone`, { microphone: false });
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await page.signIn('alice', office.password);
    await page.expectLine('registered');
    await page.dial('bob');
    await page.expectText('The microphone was refused');
    assert.ok(!bob.events.includes('CALL_INCOMING'));
  });
});

test('a page over plain http from elsewhere says at once that there is no microphone, and where there is one', async () => {
  const context = await chromium.browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(`Object.defineProperty(window, 'isSecureContext', { value: false })`);
  await page.goto(`${office.http}/phone`);
  await page.getByText('The browser gives no microphone to this address').waitFor();
  assert.match((await page.locator('#sign-in-notice a').getAttribute('href')) ?? '', /^https:.*\/phone$/);
});

describe('the account', () => {
  test('a wrong password: the page says so, and the right one works after that', async () => {
    const page = await chromium.openPhone(`${office.http}/phone`);
    await page.signIn('alice', 'not-the-password');
    await page.expectText('Wrong name or password');
    await page.signIn('alice', office.password);
    await page.expectLine('registered');
  });

  test('the page remembers the name, and neither keeps nor shows the password', async () => {
    const page = await alice();
    await page.page.reload();
    // Where the name is there already, the page asks for the password.
    await page.page.locator('#password:focus').waitFor();
    assert.equal(await page.page.inputValue('#name'), 'alice');
    assert.equal(await page.page.inputValue('#password'), '');
    const kept = await page.page.evaluate<string>('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');
    assert.doesNotMatch(kept, new RegExp(office.password));
  });

  test('a reloaded page replaces its registration (RFC 5626): one device rings, once', async (t) => {
    const page = await alice();
    const count = async () => (await office.registrations(`sip:alice@${office.domain}`)).length;
    const before = await count();
    await page.page.reload();
    await page.signIn('alice', office.password);
    await page.expectLine('registered');
    // Pages of earlier tests may be within their grace time, so there may be more than one, but not one more.
    assert.ok((await count()) <= before);
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await bob.dial(`sip:alice@${office.domain}`);
    await page.expectCall('incoming');
    await page.press('answer');
    await page.expectCall('talking');
    await assertHear(page, bob);
    await bob.hangUp();
    await page.expectCall('ended');
  });

  test('a page that is closed cannot be called any more: 480', async (t) => {
    const page = await alice();
    await page.page.close();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await bob.dial(`sip:alice@${office.domain}`);
    assert.match((await bob.expect('CALL_CLOSED')).param, /^480 /);
  });
});

test('its tab is closed in a call: the page hangs up', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await answered(page, bob);
  await page.page.close({ runBeforeUnload: true });
  await bob.expect('CALL_CLOSED');
});

test('the page from the wss port: same origin, microphone, and a call with both tones', async (t) => {
  const page = await chromium.openPhone(`${office.https}/phone`);
  await page.signIn('alice', office.password);
  await page.expectLine('registered');
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await answered(page, bob);
  await page.press('end');
  await bob.expect('CALL_CLOSED');
});

test('two pages call each other, each hears the other', async (t) => {
  const page = await alice();
  const other = await startChromium(t, PHONE_HZ);
  const bob = await other.openPhone(`${office.http}/phone`);
  await bob.signIn('bob', office.password);
  await bob.expectLine('registered');
  await bob.dial('alice');
  await page.expectCall('incoming');
  await page.press('answer');
  await bob.expectCall('talking');
  await assertHear(page, bob);
  await page.press('hold');
  await bob.expectText('You are on hold');
  await page.press('hold');
  await bob.expectText('In call');
  await assertHear(page, bob);
  await page.press('end');
  await bob.expectCall('ended');
});

test('by keyboard alone: sign in, dial, hang up', async (t) => {
  const page = await chromium.openPhone(`${office.http}/phone`);
  const { keyboard } = page.page;
  const bob = await office.softphone(t, { toneHz: PHONE_HZ, answerMode: 'auto' });
  await page.page.locator('#name:focus').waitFor();
  await keyboard.type('alice');
  await keyboard.press('Tab');
  await keyboard.type(office.password);
  await keyboard.press('Enter');
  await page.expectLine('registered');
  await page.page.locator('#target:focus').waitFor();
  await keyboard.type('bob');
  await keyboard.press('Enter');
  await page.expectCall('talking');
  await page.page.locator('#view-call:focus').waitFor();
  // Mute, keypad, hold, hang up: in the order of the page.
  for (let step = 0; step < 4; step++) await keyboard.press('Tab');
  await keyboard.press('Enter');
  await page.expectCall('ended');
  await bob.expect('CALL_CLOSED');
  await keyboard.press('Escape');
  await page.expectCall('none');
  await page.page.locator('#target:focus').waitFor();
});

test('by keyboard alone: answer, mute, hold, keypad and a tone, hang up, put away', async (t) => {
  const page = await alice();
  const { keyboard } = page.page;
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  const go = async (id: string) => {
    for (let step = 0; step < 16; step++) {
      if ((await page.page.evaluate<string>('document.activeElement.id')) === id) return keyboard.press('Enter');
      await keyboard.press('Tab');
    }
    assert.fail(`Tab does not lead to ${id}`);
  };
  await bob.dial(`sip:alice@${office.domain}`);
  await page.expectCall('incoming');
  await go('answer');
  await page.expectCall('talking');
  await go('mute');
  await page.expectText('Microphone off');
  await go('keypad');
  await keyboard.press('7');
  assert.equal((await bob.expect('CALL_DTMF_START')).param, '7');
  await go('hold');
  await page.expectText('On hold');
  await go('end');
  await page.expectCall('ended');
  await bob.expect('CALL_CLOSED');
  await go('end');
  await page.expectCall('none');
  await page.page.locator('#target:focus').waitFor();
});

for (const width of [360, 1280]) {
  for (const dark of [false, true]) {
    test(`${width} px ${dark ? 'dark' : 'light'}: nothing scrolls sideways, and text stands out, also of what failed`, async () => {
      const page = await chromium.openPhone(`${office.http}/phone`, { width, dark });
      const assertLegible = async (where: string) => {
        assert.equal(await page.page.evaluate('document.documentElement.scrollWidth'), width, where);
        assert.deepEqual(await page.page.evaluate<readonly string[]>(FAINT_TEXTS), [], where);
      };
      await page.page.locator('#name:focus').waitFor();
      await assertLegible('signing in');
      await page.signIn('alice', 'a wrong one');
      await page.expectText('Wrong name or password');
      await assertLegible('a wrong password');
      await page.signIn('alice', office.password);
      await page.expectLine('registered');
      await assertLegible('dialling');
      await page.dial('a.very.long.name.that.nobody.has.who.works.in.the.department.of.telephony');
      await page.expectCall('ended');
      await assertLegible('a call that failed');
    });
  }
}
