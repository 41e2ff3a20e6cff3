/** Nothing that `npm run test:versions` has started outlives it, however it ends, and however much it was let go of. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 30_000;

/** A test that lets go of a process, which nothing then connects with it, and waits. */
const lettingGo = (seconds: number): string => `
  import { spawn } from 'node:child_process';
  import { test } from 'node:test';
  test('lets go', () => {
    spawn('sh', ['-c', 'setsid sleep ${seconds} & exit'], { detached: true, stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } });
    return new Promise((resolve) => setTimeout(resolve, 600_000));
  });`;

async function runs(argument: string): Promise<boolean> {
  for (const pid of await readdir('/proc')) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (command === `sleep\0${argument}\0`) return true;
  }
  return false;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const deadlineMs = Date.now() + PATIENCE_MS; !(await isSo()); await delay(50)) {
    assert.ok(Date.now() < deadlineMs, what);
  }
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
  test(`ended by ${signal}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'viaduct-room-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const seconds = randomInt(1_000_000, 9_000_000);
    const file = join(folder, 'let-go.test.mjs');
    await writeFile(file, lettingGo(seconds));
    const given = ['test/versions/run.ts', '--test', '--suite=bookworm', file];
    const task = spawn(process.execPath, given, {
      stdio: 'ignore',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    t.after(() => void task.kill('SIGKILL'));
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    task.once('exit', () => resolve());
    await until('it was started', () => runs(String(seconds)));
    task.kill(signal);
    await ended;
    await until('it has ended', async () => !(await runs(String(seconds))));
  });
}
