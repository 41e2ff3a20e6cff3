/** The style of the tree as a test (the rules: `test/support/tidy.ts`). */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { tasks } from '../tools/tasks.mjs';
import { importsOf, type Source, untidy } from './support/tidy.ts';

const projectDir = join(import.meta.dirname, '..');
const notOurs = /^(node_modules|\.git|data|dist|coverage)$/;
const isText =
  /(\.(tsx?|mjs|js|json|md|sql|css|html|yml|yaml|sh|cfg|xml|example)|(^|\/)(Dockerfile|LICENSE|run|\.npmrc|\.editorconfig))$/;

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (notOurs.test(entry.name)) continue;
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile() && isText.test(path)) yield path;
  }
}

const sources: readonly Source[] = [...filesBelow(projectDir)].map((path) => ({
  path: relative(projectDir, path),
  text: readFileSync(path, 'utf8'),
}));

test('DESIGN §3: layers import what the table allows; words, names and sizes are those of EXAMPLES', () => {
  const wrong = sources.flatMap(untidy);
  assert.ok(sources.length > 50, 'the sources were found');
  assert.equal(wrong.length, 0, `\n${wrong.join('\n')}\n`);
});

test('npm run check needs nothing that has to be installed first: no rtpengine, sipp, baresip or Chromium', () => {
  const starters = /startTestRtpengine|\/(sipp|sipp-calls|baresip|chromium|viaduct-process)\.ts'/;
  const tests = sources.filter(({ path }) => path.startsWith('test/') && path.endsWith('.test.ts'));
  const installed = tests.filter(({ path, text }) => path !== 'test/tidy.test.ts' && starters.test(text));
  const { except } = tasks.check.tests;
  const wrong = installed.filter(({ path }) => !except.some((start) => path.startsWith(start)));
  assert.ok(installed.length > 20, 'they were found');
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});

describe('each rule bites', () => {
  const cases: readonly (readonly [path: string, text: string, rule: RegExp])[] = [
    ['src/message/via.ts', "import { lower } from '../sdp/scan.ts';\n", /L0 may not import src\/sdp/],
    ['src/message/via.ts', "import type { Clock } from '../ports.ts';\n", /L0 may not import src\/ports/],
    ['src/transaction/key.ts', "import { createHash } from 'node:crypto';\n", /L1 may not import node:crypto/],
    ['src/proxy/loop.ts', "import { received } from '../nat/received.ts';\n", /L2 may not import src\/nat/],
    ['src/proxy/loop.ts', "import { Clock } from '../ports.ts';\n", /only as `import type`/],
    ['src/proxy/loop.ts', "import {\n  a,\n  b,\n} from 'fast-check';\n", /loop\.ts:4: L2 may not import fast-check/],
    ['src/engine/api.ts', "import { readFileSync } from 'node:fs';\n", /L3 may not import node:fs/],
    ['src/engine/api.ts', "export { openNetwork } from '../adapters/network/open.ts';\n", /L3 may not import src\/ad/],
    ['src/adapters/http/server.ts', "import { x } from '../network/udp.ts';\n", /L4 may not import src\/adapters\/net/],
    ['src/adapters/http/server.ts', "await import('../../proxy/loop.ts');\n", /L4 may not import src\/proxy/],
    ['routes/auth.ts', "import { get } from '../src/message/header.ts';\n", /L5 may not import src\/message/],
    ['routes/http/stats.ts', "import fastify from 'fastify';\n", /only as `import type`/],
    ['src/proxy/loop.ts', 'const now = Date.now();\n', /no clock/],
    ['src/engine/receive.ts', 'setTimeout(() => {}, 1);\n', /no clock/],
    ['src/proxy/loop.ts', 'export async function lookup() {}\n', /nothing waits/],
    ['src/message/via.ts', 'const name = text.trim();\n', /latin1/],
    ['src/main.ts', 'let x: any = 1;\n', /no `any`/],
    ['src/main.ts', 'const x = y as any;\n', /no `any`/],
    ['src/main.ts', 'const x = new Map<string, any>();\n', /no `any`/],
    ['src/main.ts', 'const x = y as unknown as Via;\n', /no cast/],
    ['test/a.test.ts', '// @ts-expect-error: the type is wrong\n', /no silenced check/],
    ['src/main.ts', "console.log('here');\n", /no console/],
    ['test/a.test.ts', "test.only('this one', () => {});\n", /no test is skipped/],
    ['test/a.test.ts', "test('later', { skip: true }, () => {});\n", /no test is skipped/],
    ['src/message/utils.ts', '\n', /a name that says nothing/],
    ['src/proxy/call-manager.ts', '\n', /a name that says nothing/],
    ['web/index.ts', '\n', /a name that says nothing/],
    ['web/console/parts.tsx', 'target.innerHTML = name;\n', /text from the network is text/],
    ['src/proxy/loop.ts', '\n'.repeat(401), /401 lines/],
    ['README.md', 'See /home/alice/viaduct.\n', /no path of one machine/],
  ];
  for (const [path, text, rule] of cases) {
    test(`${path}: ${JSON.stringify(text).slice(0, 60)}`, () => {
      const wrong = untidy({ path, text });
      assert.equal(wrong.length, 1, wrong.join('\n'));
      assert.match(wrong[0] ?? '', rule);
    });
  }
});

describe('what is right is left alone', () => {
  const cases: readonly (readonly [path: string, text: string])[] = [
    ['src/sdp/scan.ts', "import { lower } from '../message/ascii.ts';\n"],
    ['src/proxy/loop.ts', "import type { Clock } from '../ports.ts';\nimport { createHash } from 'node:crypto';\n"],
    ['src/proxy/loop.ts', "import { best } from './best-response.ts';\nimport { errors } from '../errors.ts';\n"],
    ['src/adapters/rtpengine/ng.ts', "import type { NgReply } from '../../media/commands.ts';\nimport 'bencode';\n"],
    ['routes/request.ts', "import { auth } from './auth.ts';\nimport { reply } from '../src/engine/api.ts';\n"],
    ['src/main.ts', "import { request } from '../routes/request.ts';\n"],
    ['src/main.ts', '// any: of them\nconst all = { any: 1 };\n/** @param x: any number */\n'],
  ];
  for (const [path, text] of cases) {
    test(`${path}: ${JSON.stringify(text).slice(0, 60)}`, () => assert.deepEqual(untidy({ path, text }), []));
  }
});

test('imports are found over several lines, in re-exports and in dynamic imports, with their line', () => {
  const text =
    "import a from 'a';\nimport type {\n  B,\n} from './b.ts';\nexport * from '../c.ts';\nconst d = await import('d');\n";
  assert.deepEqual(importsOf({ path: 'src/x/y.ts', text }), [
    { from: 'a', typeOnly: false, line: 1 },
    { from: 'src/x/b.ts', typeOnly: true, line: 4 },
    { from: 'src/c.ts', typeOnly: false, line: 5 },
    { from: 'd', typeOnly: false, line: 6 },
  ]);
});
