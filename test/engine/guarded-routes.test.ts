/** What a route may not return or throw, and what the log says of it: the file, the line, what is wrong. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drop, type Routes, refuse, relay, reply } from '../../src/engine/api.ts';
import { guardedRoutes } from '../../src/engine/guarded-routes.ts';
import { createClock } from '../support/clock.ts';
import { branchOf, createFakeProxy, requestOf, responseOf } from '../support/fake-proxy.ts';

const proxy = createFakeProxy();
const asked = requestOf();

/** As JavaScript gives it, whatever its type. */
const untyped = (value: unknown) => Reflect.get<object, string>({ value }, 'value');

function routesThat(change: Partial<Routes>): Routes {
  return {
    request: async () => reply(404),
    branch: async ({ message }) => message,
    reply: async ({ response }) => response,
    failure: async () => undefined,
    ...change,
  };
}

const guard = (change: Partial<Routes>, clock = createClock()): Routes => guardedRoutes(routesThat(change), clock);

describe('what no route may return', () => {
  for (const [value, detail] of [
    [undefined, 'it returned undefined, and no verdict.'],
    [true, 'it returned true, and no verdict.'],
    [relay, 'it returned a function, and no verdict.'],
    [[reply(404)], 'it returned a list, and no verdict.'],
    [{ status: 404 }, 'it returned an object with status, and no verdict.'],
    [reply(180), 'a reply has a status from 200 to 699, not 180.'],
    [reply(42), 'a reply has a status from 200 to 699, not 42.'],
    [{ kind: 'reply', status: '404' }, 'a reply has a status from 200 to 699, not 404.'],
    [{ ...reply(404), code: 'toString' }, 'src/errors.ts has no row toString.'],
    [{ kind: 'drop', code: 'nonsense' }, 'src/errors.ts has no row nonsense.'],
    [{ kind: 'relay' }, 'a relay has a list of targets, not undefined.'],
    [{ kind: 'relay', targets: [undefined] }, 'a target has a uri, not undefined.'],
    [{ kind: 'relay', targets: ['sip:bob@example.com'] }, 'a target has a uri, not sip:bob@example.com.'],
    [{ kind: 'relay', targets: [{ uri: 'sip:b@example.com' }, { q: 1 }] }, 'a target has a uri, not an object with q.'],
  ] as const) {
    test(detail, async () => {
      const { request, failure } = guard({ request: async () => untyped(value), failure: async () => untyped(value) });
      await assert.rejects(request(asked, proxy), { code: 'route-verdict', detail: `routes/request.ts: ${detail}` });
      if (value === undefined || detail.includes('nonsense')) return;
      const inFailure = { code: 'route-verdict', detail: `routes/failure.ts: ${detail}` };
      await assert.rejects(failure(asked, responseOf(486), proxy), inFailure);
    });
  }

  test('a copy and a response are messages', async () => {
    const { branch, reply: replies } = guard({ branch: async () => untyped(undefined), reply: async () => untyped(1) });
    const inBranch = 'routes/branch.ts: it returned undefined, and no request.';
    await assert.rejects(branch(branchOf(), proxy), { code: 'route-verdict', detail: inBranch });
    const inReply = 'routes/reply.ts: it returned 1, and no response.';
    const response = replies({ branch: branchOf(), response: responseOf(200) }, proxy);
    await assert.rejects(response, { code: 'route-verdict', detail: inReply });
  });

  test('a verdict passes as it is', async () => {
    for (const verdict of [
      reply(200),
      refuse('not-found', 404),
      relay(),
      relay({ uri: 'sip:b@example.com', q: 0.5 }),
    ]) {
      assert.equal(await guard({ request: async () => verdict }).request(asked, proxy), verdict);
      assert.equal(await guard({ failure: async () => verdict }).failure(asked, responseOf(486), proxy), verdict);
    }
  });
});

test('nothing is dropped when all has failed: the caller waits for an answer', async () => {
  const { request, failure } = guard({
    request: async () => drop('no-dialog'),
    failure: async () => untyped(drop('no-dialog')),
  });
  assert.deepEqual(await request(asked, proxy), drop('no-dialog'));
  const detail = 'routes/failure.ts: a failure is never dropped.';
  await assert.rejects(failure(asked, responseOf(486), proxy), { code: 'route-verdict', detail });
});

describe('what a route throws', () => {
  for (const [stack, detail] of [
    [
      '    at hours (file:///srv/viaduct/routes/hours.ts?version=2:12:9)\n    at file:///srv/viaduct/routes/request.ts:30:1',
      'routes/hours.ts, line 12: TypeError: no',
    ],
    [
      '    at JSON.parse (<anonymous>)\n    at async file:///srv/viaduct/routes/hours.ts:7:10',
      'routes/hours.ts, line 7: TypeError: no',
    ],
  ] as const) {
    test(`is told with its file and line: ${detail}`, async () => {
      const thrown = Object.assign(new TypeError('no'), { stack: `TypeError: no\n${stack}` });
      const { request } = guard({ request: () => Promise.reject(thrown) });
      await assert.rejects(request(asked, proxy), { code: 'route-failed', detail });
    });
  }

  test('a fault of what it asked stays one of Viaduct', async () => {
    const thrown = Object.assign(new TypeError('no'), {
      stack:
        'TypeError: no\n    at lookup (file:///srv/viaduct/src/engine/services.ts:9:1)\n    at file:///srv/routes/a.ts:1:1',
    });
    await assert.rejects(guard({ request: () => Promise.reject(thrown) }).request(asked, proxy), thrown);
  });
});

test('a route that never comes to its end is given up after 30 s, and what it says then is not heard', async () => {
  const clock = createClock();
  const never = new Promise<undefined>(() => undefined);
  const { failure } = guard({ failure: () => never }, clock);
  const told = assert.rejects(failure(asked, responseOf(486), proxy), {
    code: 'route-late',
    detail: 'routes/failure.ts, 30 s',
  });
  await clock.advance(29_999);
  assert.equal(clock.pending(), 1);
  await clock.advance(1);
  await told;
  assert.equal(clock.pending(), 0);
});

test('one timer waits for all that routes are asked, and ends with them', async () => {
  const clock = createClock();
  const { request, failure } = guard({ failure: () => new Promise(() => undefined) }, clock);
  for (let times = 0; times < 3; times += 1) await request(asked, proxy);
  await clock.advance(10_000);
  const told = assert.rejects(failure(asked, responseOf(486), proxy), { code: 'route-late' });
  assert.equal(clock.pending(), 1);
  await clock.advance(29_999);
  assert.equal(clock.pending(), 1);
  await clock.advance(1);
  await told;
  assert.equal(clock.pending(), 0);
});
