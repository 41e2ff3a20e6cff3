import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operations, PageRequest } from '../../../src/engine/operations.ts';
import { Failure } from '../../../src/errors.ts';
import {
  call,
  http,
  operations,
  refusedSource,
  registration,
  reloadReport,
  statistics,
  TOKEN,
} from '../../adapters/http/fixture.ts';

const headers = { authorization: `Bearer ${TOKEN}` };

async function get(url: string, changed: Partial<Operations> = {}) {
  const app = await http({ apiToken: TOKEN, operations: { ...operations, ...changed } });
  const answer = await app.inject({ url, headers });
  await app.close();
  return { status: answer.statusCode, type: String(answer.headers['content-type']), body: answer.json<unknown>() };
}

test('GET /health says what it is and what is missing', async () => {
  const { status, body } = await get('/health');
  assert.equal(status, 200);
  assert.deepEqual(body, operations.health());
});

test('GET /health answers 200 when degraded too: the process still serves SIP', async () => {
  const { status, body } = await get('/health', {
    health: () => ({ ...operations.health(), status: 'degraded', media: 'none' }),
  });
  assert.equal(status, 200);
  assert.deepEqual(body, { ...operations.health(), status: 'degraded', media: 'none' });
});

test('GET /api/v1/stats has every counter, and null for what a node never told', async () => {
  const { status, body } = await get('/api/v1/stats');
  assert.equal(status, 200);
  const rtpengine = statistics.rtpengine.map((node) => ({
    ...node,
    ports: node.ports ?? null,
    lastError: node.lastError ?? null,
  }));
  const database = { ...statistics.database, lastError: null };
  assert.deepEqual(body, { ...statistics, database, rtpengine });
});

test('GET /api/v1/registrations has null for media that is not known yet, and for a device without a GRUU', async () => {
  const { body } = await get('/api/v1/registrations');
  assert.deepEqual(body, { items: [{ ...registration, media: null, publicGruu: null }], next: null });
});

const unsaid = {
  packets: null,
  bytes: null,
  mos: null,
  jitterMs: null,
  lossPercent: null,
  lost: null,
  roundTripMs: null,
};

test('GET /api/v1/calls has null for what has not happened yet', async () => {
  const { body } = await get('/api/v1/calls');
  const unknown = {
    requestUri: null,
    endedAt: null,
    endedBy: null,
    status: null,
    code: null,
    reason: null,
    mediaFault: null,
    recording: null,
    node: null,
    legs: call.legs.map(({ role, profile = null, noQuality }) => ({ role, profile, ...unsaid, noQuality })),
  };
  const open = { ...call, answeredAt: null, calleeMedia: null, rtpengine: null, ...unknown };
  assert.deepEqual(body, { items: [open], next: null, complete: true });
});

test('limit and after reach the operation as numbers and text; 100 is the default', async () => {
  const asked: PageRequest[] = [];
  const registrations = async (page: PageRequest) => {
    asked.push({ ...page });
    return { items: [], next: 'sip:c@example.com' };
  };
  const { body } = await get('/api/v1/registrations?limit=7&after=sip%3Ab%40example.com', { registrations });
  await get('/api/v1/registrations', { registrations });
  assert.deepEqual(asked, [{ limit: 7, after: 'sip:b@example.com' }, { limit: 100 }]);
  assert.deepEqual(body, { items: [], next: 'sip:c@example.com' });
});

for (const query of ['limit=0', 'limit=1001', 'limit=many', 'limit=1.5', 'after=', `after=${'a'.repeat(501)}`]) {
  test(`400 as problem+json for ?${query.slice(0, 20)}, naming the parameter`, async () => {
    const { status, type, body } = await get(`/api/v1/calls?${query}`);
    assert.equal(status, 400);
    assert.match(type, /^application\/problem\+json/);
    assert.partialDeepStrictEqual(body, { type: 'about:blank', title: 'Bad Request', status: 400 });
    assert.match(JSON.stringify(body), /querystring\/(limit|after)/);
  });
}

const lists = ['limit', 'after'];
const calls = [...lists, 'state', 'account', 'since', 'until'];
for (const [path, known] of [
  ['/api/v1/calls', calls],
  ['/api/v1/registrations', lists],
  ['/api/v1/subscribers', lists],
  ['/api/v1/aliases', lists],
  ['/api/v1/sessions', lists],
  ['/api/v1/refusals', lists],
  ['/api/v1/presence/subscriptions', lists],
  ['/api/v1/calls/abc', []],
  ['/api/v1/stats', []],
  ['/api/v1/doctor', []],
  ['/api/v1/events', []],
  ['/metrics', []],
  ['/health', []],
] as const) {
  test(`400 for a query parameter that ${path} does not know, with those that it knows`, async () => {
    const { status, type, body } = await get(`${path}?stat=failed`);
    assert.equal(status, 400);
    assert.match(type, /^application\/problem\+json/);
    const there = known.length === 0 ? 'takes none' : `knows ${known.join(', ')}`;
    const text = JSON.stringify(body);
    assert.ok(text.includes('There is no query parameter \\"stat\\" here'), text);
    assert.ok(text.includes(there), text);
  });
}

for (const [method, path, payload, words] of [
  ['PATCH', 'rtpengine/m1', { drain: true }, 'no field "drain" here: /api/v1/rtpengine/:id knows weight, draining'],
  ['POST', 'calls/abc/recording', { action: 'start', pause: 1 }, 'no field "pause" here'],
  ['POST', 'calls/abc/playing', { action: 'start', to: 'both', file: '/x', repeat: 2 }, 'no field "repeat" here'],
  [
    'POST',
    'calls/abc/playing',
    { action: 'start', to: 'me', file: '/x' },
    'body/to must be one of caller, callee, both.',
  ],
  ['POST', 'calls/abc/playing', { action: 'start', to: 'both' }, 'either a "file" or an "audio"'],
  [
    'POST',
    'calls/abc/playing',
    { action: 'start', to: 'both', file: '/x', audio: 'AAAA' },
    'either a "file" or an "aud',
  ],
  ['POST', 'calls/abc/playing', { action: 'start', to: 'both', file: '/x', times: 0 }, 'body/times must be >= 1'],
] as const) {
  test(`400 in one sentence for ${method} ${path} ${JSON.stringify(payload)}, and nothing is done`, async () => {
    const app = await http({ apiToken: TOKEN });
    const answer = await app.inject({ method, url: `/api/v1/${path}`, payload, headers });
    assert.equal(answer.statusCode, 400);
    const { detail } = answer.json<{ detail: string }>();
    assert.ok(detail.includes(words) && detail.split('body').length <= 2, detail);
    await app.close();
  });
}

test('401 before 400: who may not ask learns nothing of what there is', async () => {
  const app = await http({ apiToken: TOKEN });
  assert.equal((await app.inject({ url: '/api/v1/calls?stat=failed' })).statusCode, 401);
  await app.close();
});

test('a change with a query parameter is refused, and nothing is done', async () => {
  let removed = 0;
  const changed = { ...operations, removeAlias: async () => ++removed > 0 };
  const app = await http({ apiToken: TOKEN, operations: changed });
  const answer = await app.inject({ method: 'DELETE', url: '/api/v1/aliases/x?force=yes', headers });
  assert.deepEqual([answer.statusCode, removed], [400, 0]);
  await app.close();
});

test('a database that is down: 503, with the row of errors.ts as type and the next step', async () => {
  const registrations = async () => {
    throw new Failure('database-down');
  };
  const { status, type, body } = await get('/api/v1/registrations', { registrations });
  assert.equal(status, 503);
  assert.match(type, /^application\/problem\+json/);
  assert.deepEqual(body, {
    type: 'urn:viaduct:error:database-down',
    title: 'The database cannot be used.',
    status: 503,
    detail: 'Calls and registrations get 503 until it can. Check PostgreSQL; Viaduct reconnects by itself.',
  });
});

test('a bug: 500 without its words, which may hold secrets', async () => {
  const calls = async () => {
    throw new Error('password=hunter2');
  };
  const { status, body } = await get('/api/v1/calls', { calls });
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(body), /hunter2/);
});

test('POST /api/v1/reload says what changed and what waits for a restart; GET does not reload', async () => {
  const app = await http({ apiToken: TOKEN });
  const answer = await app.inject({ method: 'POST', url: '/api/v1/reload', headers });
  assert.deepEqual([answer.statusCode, answer.json<unknown>()], [200, reloadReport]);
  assert.equal((await app.inject({ url: '/api/v1/reload', headers })).statusCode, 405);
  await app.close();
});

test('POST /api/v1/reload answers 422 with the line that is wrong, and what to do', async () => {
  const reload = () => Promise.reject(new Failure('tls-config', 'tls.cfg line 3: no such file'));
  const app = await http({ apiToken: TOKEN, reload });
  const answer = await app.inject({ method: 'POST', url: '/api/v1/reload', headers });
  assert.deepEqual(answer.json<unknown>(), {
    type: 'urn:viaduct:error:tls-config',
    title: 'TLS_CFG cannot be used.',
    status: 422,
    detail: 'tls.cfg line 3: no such file. Correct the named line; tls.cfg.example explains each key.',
  });
  await app.close();
});

test('GET /api/v1/refusals lists who is refused; DELETE lifts the ban of one, and knows no other', async () => {
  const { body } = await get('/api/v1/refusals');
  assert.deepEqual(body, { items: [{ ...refusedSource, until: null }], next: null });
  const lifted: string[] = [];
  const liftBan = (source: string) => lifted.push(source) > 0 && source !== '192.0.2.9';
  const app = await http({ apiToken: TOKEN, operations: { ...operations, liftBan } });
  const remove = async (source: string) =>
    (await app.inject({ method: 'DELETE', url: `/api/v1/refusals/${source}`, headers })).statusCode;
  assert.equal(await remove('192.0.2.1'), 204);
  assert.equal(await remove('2001:db8::%2F64'), 204);
  assert.equal(await remove('192.0.2.9'), 404);
  assert.equal(await remove('everybody'), 400);
  assert.deepEqual(lifted, ['192.0.2.1', '2001:db8::/64', '192.0.2.9']);
  await app.close();
});
