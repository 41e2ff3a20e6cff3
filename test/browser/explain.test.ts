/** What a real call between a browser and a softphone says of itself: ICE, DTLS and packets as rtpengine has them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import { CallsBody, ExplanationBody } from '../../routes/http/schemas.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';

type Explained = Static<typeof ExplanationBody>;

/** The watch looks 4 s after the answer, and 15 s later. */
const PATIENCE_MS = 30_000;

const suite = createSuite();
let office: Office;
let chromium: Chromium;

before(async () => {
  office = await openOffice(suite);
  chromium = await startChromium(suite, PAGE_HZ);
});
after(() => suite.end());

async function explained(): Promise<Explained> {
  const read = async (path: string): Promise<unknown> => (await fetch(`${office.http}/api/v1/${path}`)).json();
  const calls = await read('calls?limit=1');
  assert.ok(Value.Check(CallsBody, calls));
  const body = await read(`calls/${calls.items[0]?.id}/explain`);
  assert.ok(Value.Check(ExplanationBody, body), JSON.stringify(body));
  return body;
}

/** Asks until it is so. */
async function until(isSo: (told: Explained) => boolean): Promise<Explained> {
  for (const deadlineMs = Date.now() + PATIENCE_MS; ; await delay(250)) {
    const told = await explained();
    if (isSo(told)) return told;
    assert.ok(Date.now() < deadlineMs, JSON.stringify([told.call, told.legs.map(({ media }) => media)], null, 1));
  }
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
  const up = await until(({ legs }) => legs.every(({ media }) => (media?.packets ?? 0) > 20));
  t.diagnostic(
    JSON.stringify({ ...up, exchanges: [], legs: up.legs.map(({ sdpFrom, sdpTo, ...leg }) => leg) }, null, 1),
  );
  const [caller, callee] = up.legs;
  assert.partialDeepStrictEqual(caller, { profile: 'webrtc', media: { ice: 'done', dtls: 'done', srtp: 'DTLS-SRTP' } });
  assert.partialDeepStrictEqual(callee, { profile: 'rtp', media: { ice: 'off', dtls: 'off', srtp: 'off' } });
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

/**
 * What it sends names another certificate than the one it has, and as its first address one that is nowhere (RFC 5737), as
 * behind NAT. On a machine with loopback alone rtpengine would send there before and after ICE, and could not tell.
 */
const WRONG_FINGERPRINT = `{
  const { get } = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, 'localDescription');
  Object.defineProperty(RTCPeerConnection.prototype, 'localDescription', {
    get() {
      const own = get.call(this);
      const sdp = own?.sdp
        .replaceAll(/(a=fingerprint:\\S+ ).{5}/g, '$100:00')
        .replaceAll(/^c=IN IP[46] \\S+/gm, 'c=IN IP4 192.0.2.1');
      return own && { type: own.type, sdp };
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
  // Before its ICE is done the look of the watch finds less.
  const { call } = await until(({ call }) => call.mediaFault?.code === 'dtls-unfinished');
  assert.match(call.mediaFault?.says ?? '', /^The DTLS handshake with caller alice .* never finished/);
  await page.press('end').catch(() => undefined);
  await page.page.close();
});
