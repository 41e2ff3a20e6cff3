import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaNodes } from '../../../src/engine/operations.ts';
import { Failure } from '../../../src/errors.ts';
import type { MediaNode } from '../../../src/ports.ts';
import { http, mediaNodes, statistics, TOKEN } from '../../adapters/http/fixture.ts';

const [node] = statistics.rtpengine;
assert.ok(node !== undefined);
const shown = { ...node, ports: node.ports ?? null, lastError: node.lastError ?? null };

async function ask(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
  nodes?: Partial<MediaNodes>,
) {
  const app = await http({ apiToken: TOKEN, rtpengine: { ...mediaNodes, ...nodes } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const url = `/api/v1/rtpengine${path}`;
  const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
  await app.close();
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json<unknown>() };
}

test('GET /api/v1/rtpengine lists the nodes as the statistics do', async () => {
  const { status, body } = await ask('GET', '');
  assert.equal(status, 200);
  assert.partialDeepStrictEqual(body, { items: [shown] });
});

test('POST adds a node, of weight 1 when nothing is said; 409 for one that is there, 422 for what is no address', async () => {
  const asked: (readonly [string, number])[] = [];
  const addNode = (address: string, weight: number): MediaNode => {
    asked.push([address, weight]);
    return node;
  };
  assert.deepEqual(await ask('POST', '', { address: 'udp:10.0.0.7:22222' }, { addNode }), { status: 201, body: shown });
  await ask('POST', '', { address: 'udp:10.0.0.7:22222', weight: 3 }, { addNode });
  assert.deepEqual(asked, [
    ['udp:10.0.0.7:22222', 1],
    ['udp:10.0.0.7:22222', 3],
  ]);
  assert.equal((await ask('POST', '', { address: 'udp:10.0.0.7:22222' })).status, 409);
  const refuses = (): never => {
    throw new Failure('setting-invalid', 'no address');
  };
  assert.equal((await ask('POST', '', { address: 'x' }, { addNode: refuses })).status, 422);
  for (const bad of [{}, { address: 'x', weight: -1 }]) {
    assert.equal((await ask('POST', '', bad)).status, 400);
  }
});

test('PATCH drains a node or changes its weight; 404 for one that is not there', async () => {
  const asked: object[] = [];
  const changeNode = (id: string, change: object): MediaNode => {
    asked.push({ id, ...change });
    return { ...node, state: 'draining' };
  };
  const drained = await ask('PATCH', '/n1', { draining: true }, { changeNode });
  assert.deepEqual(drained, { status: 200, body: { ...shown, state: 'draining' } });
  await ask('PATCH', '/n1', { weight: 0 }, { changeNode });
  assert.deepEqual(asked, [
    { id: 'n1', draining: true },
    { id: 'n1', weight: 0 },
  ]);
  assert.equal((await ask('PATCH', '/nobody', { weight: 1 })).status, 404);
});

test('DELETE takes a node out; 409 with the number of calls while it has any, 404 when it is not there', async () => {
  const removed: string[] = [];
  const removeNode = (id: string): boolean => removed.push(id) > 0;
  assert.equal((await ask('DELETE', '/n2', undefined, { removeNode })).status, 204);
  const busy = await ask('DELETE', '/n1', undefined, { removeNode });
  assert.equal(busy.status, 409);
  assert.match(JSON.stringify(busy.body), /2 calls/);
  assert.deepEqual(removed, ['n2']);
  assert.equal((await ask('DELETE', '/nobody')).status, 404);
});
