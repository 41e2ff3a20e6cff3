/**
 * DESIGN law 2 with a real rtpengine: a call that an outside proxy sends back to us, to a party of another kind than that
 * proxy. Each hears the other's tone, and nothing is left when it ends.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, afterEach, before, test } from 'node:test';
import { type Chromium, type PhonePage, startChromium } from '../support/chromium.ts';
import type { Scope } from '../support/process.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';

const suite = createSuite();
let office: Office;
let chromium: Chromium;

before(async () => {
  office = await openOffice(suite, { TRUSTED: '127.0.0.1' });
  chromium = await startChromium(suite, PAGE_HZ);
  const port = await openEdge(suite, office.domain);
  for (const name of ['alice', 'bob']) await alias(`to-${name}`, `sip:${name}@127.0.0.1:${port}`);
});

after(() => suite.end());

afterEach(async () => {
  for (const context of chromium.browser.contexts()) await context.close();
  await office.assertMediaReleased();
});

/** It sends each call back to where it came from, for the account in our domain, and stays out of it from then on. */
async function openEdge(scope: Scope, domain: string): Promise<number> {
  const socket = createSocket('udp4');
  scope.after(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.on('message', (bytes, { port: from }) => {
    const text = bytes.toString('latin1');
    const passed = text.startsWith('SIP/2.0 ') ? withoutOwnVia(text) : forDomain(text, domain, port);
    if (!text.startsWith('SIP/2.0 100 ')) socket.send(Buffer.from(passed, 'latin1'), from, '127.0.0.1');
  });
  return port;
}

function withoutOwnVia(response: string): string {
  return response.replace(/^Via: [^\r\n]*\r\n/im, '');
}

function forDomain(request: string, domain: string, port: number): string {
  // Of the branch before it, so that a CANCEL and a repetition go the same way.
  const [branch = ''] = /z9hG4bK[^;,\s]*/.exec(request) ?? [];
  const own = `z9hG4bK${createHash('sha256').update(branch).digest('hex').slice(0, 16)}`;
  const via = `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${own}\r\n`;
  return request.replace(/^(\w+ sip:\w+@)\S+ SIP\/2\.0\r\n/, `$1${domain} SIP/2.0\r\n${via}`);
}

async function alias(pattern: string, target: string): Promise<void> {
  const answer = await fetch(`${office.http}/api/v1/aliases/${pattern}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ target }),
  });
  assert.ok(answer.ok, await answer.text());
}

async function alice(): Promise<PhonePage> {
  const page = await chromium.openPhone(`${office.http}/phone`);
  await page.signIn('alice', office.password);
  await page.expectLine('registered');
  return page;
}

for (const ends of ['the page', 'the softphone'] as const) {
  test(`a softphone calls the page by way of a proxy outside, each hears the other, ${ends} hangs up`, async (t) => {
    const page = await alice();
    const bob = await office.softphone(t, { toneHz: PHONE_HZ });
    await bob.dial(`sip:to-alice@${office.domain}`);
    await page.expectCall('incoming');
    await page.press('answer');
    await bob.expect('CALL_ESTABLISHED');
    await page.expectCall('talking');
    await assertHear(page, bob);
    if (ends === 'the page') await page.press('end');
    else await bob.hangUp();
    await page.expectCall('ended');
    if (ends === 'the page') await bob.expect('CALL_CLOSED');
  });
}

test('the page calls a softphone by way of a proxy outside, each hears the other', async (t) => {
  const page = await alice();
  const bob = await office.softphone(t, { toneHz: PHONE_HZ });
  await page.dial('to-bob');
  await bob.expect('CALL_INCOMING');
  await page.expectCall('ringing');
  await bob.answer();
  await page.expectCall('talking');
  await assertHear(page, bob);
  await bob.hangUp();
  await page.expectCall('ended');
});
