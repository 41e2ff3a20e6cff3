/** SIP.js and JsSIP as presence and messaging clients in Chromium, against a Viaduct as `npm start` runs it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { createSuite } from '../support/suite.ts';
import { pidf } from '../support/watcher.ts';
import { PAGE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';
import { openPageSite } from './sipjs-site.ts';

const suite = createSuite();
const WITHIN_MS = 20_000;
let office: Office;
let chromium: Chromium;
let site: string;

before(async () => {
  office = await openOffice(suite);
  chromium = await startChromium(suite, PAGE_HZ);
  site = await openPageSite(suite, 'presence-page.js');
});

after(() => suite.end());

afterEach(async () => {
  for (const context of chromium.browser.contexts()) await context.close();
  await nobodyWatches();
});

interface Notified {
  readonly state: string;
  readonly body: string;
}

interface Heard {
  readonly line?: string;
  readonly notifies: readonly Notified[];
  readonly messages: readonly string[];
  readonly statuses: readonly number[];
}

type Library = 'sipjs' | 'jssip';

interface Client {
  readonly page: Page;
  /** `publish("…")`: one of the page's functions, awaited. */
  does(call: string): Promise<void>;
  hears(what: string, isTrue: (heard: Heard) => boolean): Promise<Heard>;
}

async function client(user: string, library: Library): Promise<Client> {
  const { domain, password, ws } = office;
  const page = await (await chromium.browser.newContext()).newPage();
  await page.goto(`${site}/#${new URLSearchParams({ user, library, domain, password, ws })}`);
  return {
    page,
    does: (call) => page.evaluate(`viaductPresence.${call}.then?.(() => undefined)`),
    async hears(what, isTrue) {
      for (const until = Date.now() + WITHIN_MS; ; await sleep(50)) {
        const heard = await page.evaluate<Heard>('viaductPresence.heard');
        if (isTrue(heard)) return heard;
        if (Date.now() > until) assert.fail(`${user} does not hear ${what}: ${JSON.stringify(heard)}`);
      }
    },
  };
}

async function shows(what: 'subscriptions' | 'publications', isTrue: (list: string) => boolean): Promise<void> {
  for (const until = Date.now() + WITHIN_MS; ; await sleep(50)) {
    const page = await (await fetch(`${office.http}/api/v1/presence/${what}`)).text();
    if (isTrue(page)) return;
    if (Date.now() > until) assert.fail(`The ${what} are ${page}`);
  }
}

const isEmpty = (list: string): boolean => list.startsWith('{"items":[]');
const nobodyWatches = (): Promise<void> => shows('subscriptions', isEmpty);

const last = ({ notifies }: Heard): Notified => notifies.at(-1) ?? { state: '', body: '' };
const text = (value: string): string => JSON.stringify(value);
const pidfType = text('application/pidf+xml');
const dialogType = text('application/dialog-info+xml');

for (const library of ['sipjs', 'jssip'] as const) {
  test(`${library} watches bob, who publishes with SIP.js: each change is heard, a refresh is answered, the end is the end`, async () => {
    const alice = await client('alice', library);
    const bob = await client('bob', 'sipjs');
    const document = (basic: 'open' | 'closed', note: string) => text(pidf(`sip:bob@${office.domain}`, basic, note));
    await bob.does(`publish(${document('open', 'at my desk')})`);
    // SIP.js does not wait for the 200.
    await shows('publications', (list) => list.includes('sip:bob@'));
    await alice.does(`watch("bob", "presence", ${pidfType})`);
    // More than one may come: watchers are told anew 10 s after a start.
    const first = await alice.hears('the first', (heard) => heard.notifies.length >= 1);
    assert.match(last(first).state, /^active;expires=\d+/);
    assert.match(last(first).body, /<basic>open<\/basic>.*at my desk/);
    await bob.does(`publish(${document('closed', 'gone')})`);
    await alice.hears('that bob is gone', (heard) => /closed.*gone/.test(last(heard).body));
    const { notifies } = await alice.hears('all', () => true);
    await alice.page.evaluate('viaductPresence.refresh()');
    await alice.hears('the refresh', (heard) => heard.notifies.length > notifies.length);
    await alice.page.evaluate('viaductPresence.unwatch()');
    // SIP.js does not tell of the last NOTIFY, so the proxy is asked.
    await nobodyWatches();
    await bob.does('unpublish()');
    // What he published would be composed into what later tests see of him.
    await shows('publications', isEmpty);
  });

  test(`${library} keeps a busy lamp of bob`, async () => {
    const alice = await client('alice', library);
    await alice.does(`watch("bob", "dialog", ${dialogType})`);
    const heard = await alice.hears('the first', ({ notifies }) => notifies.length >= 1);
    assert.match(last(heard).body, /<dialog-info[^>]* state="full" entity="sip:bob@/);
  });

  test(`${library} writes to bob: kept while he is away, delivered when he registers, at once when he is there`, async () => {
    const alice = await client('alice', library);
    const bob = await client('bob', library);
    await alice.does(`say("bob", "h\u00e9llo")`);
    assert.deepEqual((await alice.hears('202', ({ statuses }) => statuses.length === 1)).statuses, [202]);
    await bob.does('register()');
    await bob.hears('the message', ({ messages }) => messages[0] === 'h\u00e9llo');
    await alice.does('say("bob", "and now")');
    assert.deepEqual((await alice.hears('200', ({ statuses }) => statuses.length === 2)).statuses, [202, 200]);
    await bob.hears('the other', ({ messages }) => messages[1] === 'and now');
  });

  test(`${library}: bob shows open when he registers and closed when his page is closed, without publishing`, async () => {
    const alice = await client('alice', library);
    const bob = await client('bob', library);
    await alice.does(`watch("bob", "presence", ${pidfType})`);
    await alice.hears('closed', (heard) => /<basic>closed/.test(last(heard).body));
    await bob.does('register()');
    await alice.hears('open', (heard) => /<basic>open/.test(last(heard).body));
    await bob.page.close();
    await alice.hears('closed again', (heard) => /<basic>closed/.test(last(heard).body));
  });
}
