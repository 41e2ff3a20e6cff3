/** What a real call between a browser and a softphone says of itself: ICE, DTLS and packets as rtpengine has them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Value } from 'typebox/value';
import { CallsBody, ExplanationBody } from '../../routes/http/schemas.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';

const suite = createSuite();
let office: Office;
let chromium: Chromium;

before(async () => {
  office = await openOffice(suite);
  chromium = await startChromium(suite, PAGE_HZ);
});
after(() => suite.end());

async function explained() {
  const read = async (path: string): Promise<unknown> => (await fetch(`${office.http}/api/v1/${path}`)).json();
  const calls = await read('calls?limit=1');
  assert.ok(Value.Check(CallsBody, calls));
  const body = await read(`calls/${calls.items[0]?.id}/explain`);
  assert.ok(Value.Check(ExplanationBody, body), JSON.stringify(body));
  return body;
}

test('up: the browser by ICE and DTLS, the softphone plain; over: both were heard', async (t) => {
  const page = await chromium.openPhone(`${office.http}/phone`);
  await page.signIn('alice', office.password);
  await page.expectLine('registered');
  const bob = await office.softphone(t, { transport: 'udp', toneHz: PHONE_HZ });
  await page.dial('bob');
  await bob.expect('CALL_INCOMING');
  await bob.answer();
  await page.expectCall('talking');
  await assertHear(page, bob);
  await delay(2_000);
  const up = await explained();
  t.diagnostic(
    JSON.stringify({ ...up, exchanges: [], legs: up.legs.map(({ sdpFrom, sdpTo, ...leg }) => leg) }, null, 1),
  );
  const [caller, callee] = up.legs;
  assert.partialDeepStrictEqual(caller, { profile: 'webrtc', media: { ice: 'done', dtls: 'done', srtp: 'DTLS-SRTP' } });
  assert.partialDeepStrictEqual(callee, { profile: 'rtp', media: { ice: 'off', dtls: 'off', srtp: 'off' } });
  for (const leg of up.legs) assert.ok((leg.media?.packets ?? 0) > 20, leg.party.name);
  assert.deepEqual(
    up.verdicts.filter(({ level }) => level !== 'notice').map(({ code }) => code),
    ['heard-both-ways'],
  );
  await page.press('end');
  await bob.expect('CALL_CLOSED');
  const over = await explained();
  assert.equal(over.call.endedBy, 'caller');
  assert.equal(over.verdicts.at(-1)?.code, 'heard-both-ways');
  await office.assertMediaReleased();
});

/** What it sends names another certificate than the one it has. */
const WRONG_FINGERPRINT = `{
  const { get } = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, 'localDescription');
  Object.defineProperty(RTCPeerConnection.prototype, 'localDescription', {
    get() {
      const own = get.call(this);
      return own && { type: own.type, sdp: own.sdp.replaceAll(/(a=fingerprint:\\S+ ).{5}/g, '$100:00') };
    },
  });
}`;

test('a browser whose certificate is not the one that its SDP names: DTLS never completes, and the watch says so', async (t) => {
  const page = await chromium.openPhone(`${office.http}/phone`);
  await page.page.evaluate(WRONG_FINGERPRINT);
  await page.signIn('alice', office.password);
  await page.expectLine('registered');
  const bob = await office.softphone(t, { transport: 'udp', toneHz: PHONE_HZ });
  await page.dial('bob');
  await bob.expect('CALL_INCOMING');
  await bob.answer();
  for (let tries = 0; ; tries++) {
    const { call, legs } = await explained();
    const state = JSON.stringify([call, legs.map(({ media }) => media)], null, 1);
    assert.ok(tries < 40, state);
    if (call.mediaFault === null) {
      await delay(250);
      continue;
    }
    t.diagnostic(state);
    assert.equal(call.mediaFault.code, 'dtls-unfinished', state);
    assert.match(call.mediaFault.says, /^The DTLS handshake with caller alice .* never finished/);
    break;
  }
  await page.press('end').catch(() => undefined);
  await page.page.close();
});
