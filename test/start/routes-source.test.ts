import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { routes } from '../../routes/routes.ts';
import { type Routes, reply } from '../../src/engine/api.ts';
import { Failure } from '../../src/errors.ts';
import { createRoutesSource } from '../../src/start/routes-source.ts';
import { createFakeProxy, requestOf } from '../support/fake-proxy.ts';
import { newFolder } from './folder.ts';

const routesFile = (status: string): string => `
import { answer } from './answer.ts';
const request = async (): Promise<object> => answer(${status});
export const routes = { request, branch: request, reply: request, failure: request };
`;
const answerFile = (word: string): string =>
  `export const answer = (status: number) => ({ kind: 'reply', status, detail: '${word}' });\n`;

const first: Routes = { ...routes, request: async () => reply(100) };

function written(t: TestContext) {
  const folder = join(newFolder(t), 'routes');
  mkdirSync(folder);
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('answer.ts', answerFile('one'));
  write('routes.ts', routesFile('200'));
  const source = createRoutesSource(first, folder);
  const verdict = async () => {
    const answer = await source.routes.request(requestOf(), createFakeProxy());
    assert.ok(answer.kind === 'reply');
    return [answer.status, answer.detail];
  };
  return { source, write, verdict };
}

test('without a change of a file nothing is loaded', async (t) => {
  const { source, verdict } = written(t);
  assert.equal(await source.fresh(), undefined);
  assert.deepEqual(await verdict(), [100, undefined]);
});

test('a changed file decides once it is taken into use, also one that routes.ts only imports, time after time', async (t) => {
  const { source, write, verdict } = written(t);
  write('routes.ts', routesFile('201'));
  const one = await source.fresh();
  assert.deepEqual(one?.files, ['routes.ts']);
  assert.deepEqual(await verdict(), [100, undefined]);
  one.use();
  assert.deepEqual(await verdict(), [201, 'one']);
  for (const word of ['two', 'three']) {
    write('answer.ts', answerFile(word));
    const next = await source.fresh();
    assert.deepEqual(next?.files, ['answer.ts']);
    next.use();
    assert.deepEqual(await verdict(), [201, word]);
    assert.equal(await source.fresh(), undefined);
  }
});

test('a file with a mistake is refused and named, the old routes stay, and the mended file is taken', async (t) => {
  const { source, write, verdict } = written(t);
  for (const [name, text, words] of [
    ['answer.ts', 'export const answer = (;', /answer\.ts/],
    [
      'answer.ts',
      '\nexport const answer = 1; throw new Error("no such thing");',
      /routes\/answer\.ts, line 2: .*no such thing/,
    ],
    ['routes.ts', 'export const route = 1;', /exports no `routes`/],
  ] as const) {
    write(name, text);
    await assert.rejects(source.fresh(), (thrown) => {
      assert.ok(thrown instanceof Failure);
      assert.equal(thrown.code, 'routes-broken');
      assert.match(thrown.message, words);
      return true;
    });
    assert.deepEqual(await verdict(), [100, undefined]);
  }
  write('answer.ts', answerFile('mended'));
  write('routes.ts', routesFile('204'));
  (await source.fresh())?.use();
  assert.deepEqual(await verdict(), [204, 'mended']);
});
