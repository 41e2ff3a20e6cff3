import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLevelCommand } from '../../src/cli/log-level.ts';
import { askRunning } from '../../src/cli/running.ts';
import { listening, TOKEN } from '../adapters/http/fixture.ts';

/** What it printed, with its exit code. */
async function run(port: number, level?: string) {
  let text = '';
  const code = await logLevelCommand(askRunning(`http://127.0.0.1:${port}`, TOKEN), level, (more) => {
    text += more;
  });
  return { code, text };
}

test('viaduct log-level shows how much the running proxy logs, and changes it', () =>
  listening({ apiToken: TOKEN }, async (port) => {
    assert.deepEqual(await run(port), { code: 0, text: 'info\n' });
    assert.deepEqual(await run(port, 'debug'), { code: 0, text: 'debug\n' });
    assert.deepEqual(await run(port), { code: 0, text: 'debug\n' });
  }));

test('a level that does not exist changes nothing and is answered with those that do', () =>
  listening({ apiToken: TOKEN }, async (port) => {
    await assert.rejects(run(port, 'loud'), /^Error: There is no level "loud": write one of trace, .*, silent\.$/);
    assert.deepEqual(await run(port), { code: 0, text: 'info\n' });
  }));

test('without the right token nothing is shown or changed', () =>
  listening({ apiToken: TOKEN }, async (port) => {
    const stranger = askRunning(`http://127.0.0.1:${port}`, 'guessed');
    await assert.rejects(logLevelCommand(stranger, 'silent', assert.fail), { code: 'api-refused' });
    assert.deepEqual(await run(port), { code: 0, text: 'info\n' });
  }));

test('PUT /api/v1/log-level refuses what is no level, with 400', () =>
  listening({ apiToken: TOKEN }, async (port) => {
    const running = askRunning(`http://127.0.0.1:${port}`, TOKEN);
    for (const body of [{ level: 'loud' }, {}, { level: 7 }]) {
      await assert.rejects(running.put('/api/v1/log-level', body), { code: 'api-refused', message: /400/ });
    }
  }));
