/** The OpenAPI document: every route is in it, and every schema it holds is one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { apiRoutes } from '../../../routes/http/api.ts';
import { http, mediaNodes, operations, reloadReport, TOKEN } from './fixture.ts';

const Media = Type.Object({ schema: Type.Object({}), example: Type.Unknown() });

const Operation = Type.Object({
  summary: Type.String({ minLength: 5 }),
  requestBody: Type.Optional(Type.Object({ content: Type.Record(Type.String(), Media) })),
  security: Type.Array(Type.Record(Type.String(), Type.Array(Type.String()))),
  parameters: Type.Optional(
    Type.Array(
      Type.Object({
        in: Type.Union([Type.Literal('path'), Type.Literal('query')]),
        name: Type.String(),
        required: Type.Boolean(),
        schema: Type.Object({}),
      }),
    ),
  ),
  responses: Type.Object({
    default: Type.Object({
      content: Type.Object({ 'application/problem+json': Type.Object({ schema: Type.Object({}) }) }),
    }),
  }),
});

const Document = Type.Object({
  openapi: Type.Literal('3.1.0'),
  info: Type.Object({ title: Type.String(), version: Type.String(), description: Type.String() }),
  paths: Type.Record(
    Type.String({ pattern: '^/' }),
    Type.Record(Type.String({ pattern: '^(get|put|post|patch|delete)$' }), Operation),
  ),
});

async function document() {
  const routes: string[] = [];
  const app = await http({
    apiToken: TOKEN,
    api: async (scope) => {
      scope.addHook('onRoute', ({ method, url }) => {
        for (const each of [method].flat()) if (each !== 'HEAD') routes.push(`${each.toLowerCase()} ${url}`);
      });
      await scope.register(
        apiRoutes(operations, {
          reload: async () => reloadReport,
          doctor: async () => [],
          log: { level: 'info' },
          rtpengine: mediaNodes,
        }),
      );
    },
  });
  const answer = await app.inject({ url: '/api/v1/openapi.json', headers: { authorization: `Bearer ${TOKEN}` } });
  await app.close();
  assert.equal(answer.statusCode, 200);
  return { body: answer.json<unknown>(), routes };
}

test('it is an OpenAPI 3.1 document; every operation says what it is for, and the form of its errors', async () => {
  const { body } = await document();
  assert.deepEqual([...Value.Errors(Document, body)], []);
});

test('every route is in it, and nothing else', async () => {
  const { body, routes } = await document();
  assert.ok(Value.Check(Document, body));
  const named = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual(named.sort(), routes.map((route) => route.replace(/:(\w+)/g, '{$1}')).sort());
});

test('only /health is open to everyone', async () => {
  const { body } = await document();
  assert.ok(Value.Check(Document, body));
  const open = Object.entries(body.paths).filter(([, methods]) =>
    Object.values(methods).some(({ security }) => security.length === 0),
  );
  assert.deepEqual(
    open.map(([path]) => path),
    ['/health'],
  );
});

test('each body has an example, and each example is as its schema says', async () => {
  const { body } = await document();
  const bodies = [...bodiesOf(body, '')];
  assert.ok(bodies.length > 20);
  for (const { at, schema, example } of bodies)
    assert.ok(Value.Check(schema, example), `${at}: ${JSON.stringify(example)}`);
});

test('every list comes in pages', async () => {
  const { body } = await document();
  assert.ok(Value.Check(Document, body));
  const lists = Object.entries(body.paths).filter(([, { get }]) =>
    JSON.stringify(get?.responses ?? {}).includes('"items":{'),
  );
  assert.ok(lists.length >= 8);
  for (const [path, { get }] of lists) {
    const named = get?.parameters?.map(({ name }) => name) ?? [];
    assert.ok(path.includes('{') || (named.includes('limit') && named.includes('after')) || isNoList.has(path), path);
  }
});

/** What was examined is one answer, as numbers are. */
const isNoList: ReadonlySet<string> = new Set(['/api/v1/doctor', '/api/v1/stats']);

const WithSchema = Type.Object({ schema: Type.Object({}), example: Type.Unknown() });

/** Whatever stands below `content`. */
function* bodiesOf(
  value: unknown,
  at: string,
): Generator<{ readonly at: string; readonly schema: object; readonly example: unknown }> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (/\.content$/.test(at)) {
      assert.ok(Value.Check(WithSchema, inner), `${at}.${name} has no example`);
      yield { at: `${at}.${name}`, ...inner };
    } else yield* bodiesOf(inner, `${at}.${name}`);
  }
}
