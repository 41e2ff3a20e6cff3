/** What the page `/api` makes of an OpenAPI document: `web/reference/document.ts`, which needs no browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curlOf, fieldsOf, groupsOf, type Operation, typeOf } from '../../web/reference/document.ts';

const plain: Operation = { security: [], responses: {} };

test('addresses are grouped by the first word behind /api/v1', () => {
  const paths = { '/health': { get: plain }, '/api/v1/calls': { get: plain }, '/api/v1/calls/{id}': { get: plain } };
  const groups = groupsOf({ info: { description: '' }, paths });
  assert.deepEqual(
    groups.map(({ name, entries }) => [name, entries.map(({ anchor }) => anchor)]),
    [
      ['health', ['get-health']],
      ['calls', ['get-api-v1-calls', 'get-api-v1-calls-id-']],
    ],
  );
});

test('types in words', () => {
  assert.equal(typeOf({ type: 'string' }), 'text');
  assert.equal(typeOf({ type: 'integer', minimum: 1, maximum: 1000 }), 'integer 1 to 1000');
  assert.equal(typeOf({ type: 'string', minLength: 1, maxLength: 9 }), 'text of 1 to 9 characters');
  assert.equal(typeOf({ anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] }), 'a | null');
  assert.equal(typeOf({ type: 'array', items: { type: 'object' } }), 'list of object');
  assert.equal(typeOf({}), 'anything');
});

test('fields of objects in lists and of those that may be null', () => {
  const call = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] };
  const schema = {
    type: 'object',
    properties: { items: { type: 'array', items: call }, last: { anyOf: [call, { type: 'null' }] } },
  };
  assert.deepEqual(
    fieldsOf(schema).map(({ name, required }) => [name, required]),
    [
      ['items', false],
      ['items[].id', true],
      ['last', false],
      ['last.id', true],
    ],
  );
});

test('a command to type: method, token and body where they belong', () => {
  const requestBody = { content: { 'application/json': { schema: {}, example: { weight: 1 } } } };
  const operation: Operation = { ...plain, security: [{ token: [] }], requestBody };
  const curl = curlOf({ method: 'patch', path: '/api/v1/x', anchor: '', operation }, 'http://h');
  assert.equal(
    curl,
    `curl -X PATCH http://h/api/v1/x \\\n  -H "Authorization: Bearer $API_TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -d '{"weight":1}'`,
  );
  assert.equal(
    curlOf({ method: 'get', path: '/health', anchor: '', operation: plain }, 'http://h'),
    'curl http://h/health',
  );
});
