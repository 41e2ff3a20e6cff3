/** `npm run bench` that is stopped in the middle leaves nothing behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProcess } from '../support/process.ts';

const suite = new URL('../../bench/suite.ts', import.meta.url).href;
const program = `
  const { createBenchSuite } = await import(${JSON.stringify(suite)});
  const suite = createBenchSuite();
  suite.after(() => console.log('first'));
  suite.after(async () => console.log('last'));
  setInterval(() => undefined, 1_000);
  console.log('ready');`;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal}: what was started is stopped, the last of it first`, async (t) => {
    const bench = startProcess(t, process.execPath, ['--input-type=module', '--eval', program]);
    await bench.line(/^ready$/);
    bench.signal(signal);
    assert.equal((await bench.ended()).code, 1);
    assert.match(bench.output(), /ready\nlast\nfirst\n$/);
  });
}
