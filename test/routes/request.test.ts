import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { request } from '../../routes/request.ts';
import { refuse, reply } from '../../src/engine/api.ts';
import { Failure } from '../../src/errors.ts';
import {
  type Answers,
  bob,
  createFakeProxy,
  inWords,
  type RequestParts,
  requestOf,
  type Service,
} from '../support/fake-proxy.ts';

interface Ending {
  readonly route: string;
  readonly parts?: RequestParts;
  readonly answers?: Partial<Answers>;
  readonly verdict: string;
  /** Who was asked up to the verdict; nobody behind it. */
  readonly asked: readonly Service[];
}

const first: readonly Service[] = ['mustUseFlow', 'check'];
/** The devices are looked up beside the account, and what the called account wants for its calls. */
const loggedIn: readonly Service[] = [...first, 'login', 'lookup', 'calls', 'identity'];
const withoutCall = loggedIn.filter((service) => service !== 'calls');

/** In the order of the chain: each row has a verdict where the rows above it have none. */
const endings: readonly Ending[] = [
  {
    route: 'reqinit refuses',
    answers: { check: refuse('loop-detected', 482), follow: bob, targets: [bob] },
    verdict: 'reply 482 loop-detected',
    asked: first,
  },
  {
    route: 'reqinit answers OPTIONS to the server',
    parts: { method: 'OPTIONS', uri: 'sip:example.com' },
    answers: { login: reply(407) },
    verdict: 'reply 200',
    asked: first,
  },
  {
    route: 'nodes sends it over the flow that another node names, without a login',
    answers: { flowFor: { flowId: 'c0a1b2c-1', isOpen: true }, follow: bob, login: reply(407) },
    verdict: 'relay sip:bob@example.com',
    asked: first,
  },
  {
    route: 'nodes: 430 to that node when the flow is gone (RFC 5626 §5.3)',
    answers: { flowFor: { flowId: 'c0a1b2c-1', isOpen: false }, follow: bob, login: reply(407) },
    verdict: 'reply 430 flow-gone',
    asked: first,
  },
  {
    route: 'withindlg follows a dialog, without a login',
    parts: { method: 'BYE', toTag: 'bob-tag' },
    answers: { follow: bob, login: reply(407) },
    verdict: `relay ${bob.uri}`,
    asked: [...first, 'follow'],
  },
  {
    route: 'withindlg refuses: a REGISTER with a To tag does not come to the registrar',
    parts: { method: 'REGISTER', toTag: 'bob-tag' },
    verdict: 'reply 481 no-dialog',
    asked: [...first, 'follow'],
  },
  {
    route: 'auth challenges',
    answers: { login: reply(407), targets: [bob] },
    verdict: 'reply 407',
    asked: [...first, 'login'],
  },
  {
    route: 'auth refuses an identity',
    answers: { identity: refuse('wrong-identity', 403), targets: [bob] },
    verdict: 'reply 403 wrong-identity',
    asked: loggedIn,
  },
  {
    route: 'the caller has as many calls as he may have, and nobody is searched',
    answers: { targets: [bob], admitsCaller: false },
    verdict: 'reply 503 caller-call-limit',
    asked: [...loggedIn, 'admitsCaller'],
  },
  {
    route: 'replaces finds the device whose call is to be replaced, as a caller may who has logged in',
    parts: { headers: [['Replaces', 'call-2;to-tag=1;from-tag=2']] },
    answers: { replaced: bob, targets: [] },
    verdict: `relay ${bob.uri}`,
    asked: [...loggedIn, 'replaced'],
  },
  {
    route: 'replaces: its device has lost its connection',
    parts: { headers: [['Replaces', 'call-2;to-tag=1;from-tag=2']] },
    answers: { replaced: refuse('flow-gone', 480), targets: [bob] },
    verdict: 'reply 480 flow-gone',
    asked: [...loggedIn, 'replaced'],
  },
  {
    route: 'replaces leaves a sips: address to the devices that may be called by it (RFC 5630)',
    parts: { uri: 'sips:bob@example.com', headers: [['Replaces', 'call-2;to-tag=1;from-tag=2']] },
    answers: { replaced: bob, targets: [] },
    verdict: 'reply 404 not-found',
    asked: [...loggedIn, 'admitsCaller'],
  },
  {
    route: 'presence answers, behind the login',
    parts: { method: 'PUBLISH' },
    answers: { targets: [bob] },
    verdict: 'reply 200',
    asked: [...withoutCall, 'publish'],
  },
  {
    route: 'registrar answers, and nobody is called',
    parts: { method: 'REGISTER', uri: 'sip:example.com', to: 'sip:alice@example.com' },
    answers: { targets: [bob] },
    verdict: 'reply 200',
    asked: [...first, 'login', 'identity', 'register'],
  },
  {
    route: 'location finds the devices',
    answers: { targets: [bob] },
    verdict: `relay ${bob.uri}`,
    asked: [...loggedIn, 'admitsCaller'],
  },
  {
    route: 'location finds nobody',
    verdict: 'reply 404 not-found',
    asked: [...loggedIn, 'admitsCaller'],
  },
];

for (const { route, parts = {}, answers = {}, verdict, asked } of endings) {
  test(`the first route with a verdict ends the chain, and none behind it is asked: ${route}`, async () => {
    const proxy = createFakeProxy(answers);
    assert.equal(inWords(await request(requestOf(parts), proxy)), verdict);
    assert.deepEqual(proxy.asked, asked);
  });
}

test('law 4: before any route decides it is noted whether the sender is reached over its flow', async () => {
  for (const mustUseFlow of [true, false]) {
    const one = requestOf({ reachByFlow: !mustUseFlow });
    await request(one, createFakeProxy({ mustUseFlow, check: refuse('malformed', 400) }));
    assert.equal(one.notes.reachByFlow, mustUseFlow);
  }
});

test('a service that fails ends the chain with its failure, not with the next route', async () => {
  const proxy = createFakeProxy({ login: new Failure('database-down') });
  await assert.rejects(request(requestOf(), proxy), { code: 'database-down' });
  assert.deepEqual(proxy.asked, [...first, 'login']);
});

test('the chain is a page that is read at one glance, with some routes of your own: under 60 lines', () => {
  const text = readFileSync(join(import.meta.dirname, '../../routes/request.ts'), 'utf8');
  assert.ok(text.split('\n').length < 60);
});
