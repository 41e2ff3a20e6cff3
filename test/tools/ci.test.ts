/** `.ci/run` with an npm that says what it is told to: which outcome of the two test commands lets a change in. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';

const SCRIPT = join(import.meta.dirname, '../../.ci/run');

/** Each `npm run` prints the next of these and ends with its code. */
interface Run {
  readonly prints: string;
  readonly code: number;
}

const green: Run = { prints: '✔ test/a.test.ts: 1 of 1 passed, 0.1 s\n# tests 1\n# fail 0\n', code: 0 };

function red(...files: readonly string[]): Run {
  const lines = files.map((file) => `✖ it rings (${file}:7)\n    no tone\n✖ ${file}: 1 of 2 passed, 0.1 s\n`);
  return { prints: `${lines.join('')}# tests 2\n# fail 1\n`, code: 1 };
}

function ci(t: TestContext, ...runs: readonly Run[]) {
  const folder = mkdtempSync(join(tmpdir(), 'viaduct-ci-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['.ci', 'bin']) mkdirSync(join(folder, name));
  copyFileSync(SCRIPT, join(folder, '.ci/run'));
  for (const [at, { prints, code }] of runs.entries()) {
    writeFileSync(join(folder, `${at}.out`), prints);
    writeFileSync(join(folder, `${at}.code`), String(code));
  }
  const npm = join(folder, 'bin/npm');
  writeFileSync(
    npm,
    '#!/bin/sh\nat="$(cat calls 2>/dev/null | wc -l)"\necho "$*" >>calls\ncat "$at.out"\nexit "$(cat "$at.code")"\n',
  );
  chmodSync(npm, 0o755);
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync('bash', [join(folder, '.ci/run')], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
  return { status, stdout, stderr, calls };
}

describe('.ci/run', () => {
  test('runs both test commands of the README, and ends with the summary of the larger', (t) => {
    const { status, stdout, calls } = ci(t, green, green);
    assert.equal(status, 0);
    assert.deepEqual(calls, ['run test:browser', 'run test']);
    assert.match(stdout, /# fail 0\n$/);
  });

  test('gives a file that failed one second try, and says at the end what failed at first', (t) => {
    const { status, stdout, calls } = ci(t, red('test/browser/b.test.ts'), green, green);
    assert.equal(status, 0);
    assert.deepEqual(calls, ['run test:browser', 'run test:browser -- test/browser/b.test.ts', 'run test']);
    assert.match(stdout, /At its first try npm run test:browser ended so:\n✖ it rings.*\n.*no tone/);
    assert.match(stdout, /The last run ended so:\n# tests 1\n# fail 0\n$/);
  });

  test('fails with what failed twice, and runs the rest all the same', (t) => {
    const { status, stderr, calls } = ci(t, red('test/browser/b.test.ts'), red('test/browser/b.test.ts'), green);
    assert.equal(status, 1);
    assert.equal(calls.length, 3);
    assert.match(stderr, /^failed: npm run test:browser$/m);
  });

  test('gives no second try to more than three files, or to a run that was cut short or never began', (t) => {
    const many = red('test/a.test.ts', 'test/b.test.ts', 'test/c.test.ts', 'test/d.test.ts');
    const cut: Run = { prints: '✖ test/browser/b.test.ts: 1 of 2 passed, 0.1 s\n', code: 124 };
    const { status, stderr, calls } = ci(t, cut, many);
    assert.equal(status, 1);
    assert.deepEqual(calls, ['run test:browser', 'run test']);
    assert.match(stderr, /^failed: npm run test:browser and npm test$/m);
  });
});
