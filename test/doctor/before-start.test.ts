/** What the doctor says while no Viaduct runs, from the settings alone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readSettings } from '../../src/config.ts';
import { beforeStart } from '../../src/doctor/before-start.ts';
import { silentLog, startTestRtpengine } from '../support/rtpengine.ts';

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : assert.fail('no port');
}

async function look(t: TestContext, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'viaduct-doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const settings = readSettings({ LISTEN: 'udp:127.0.0.1:5060', ...env }, { folder, asRoot: false });
  const found = await beforeStart(settings, silentLog);
  for (const { level, cure } of found) assert.ok(level === 'ok' || cure.length > 5, 'each has its cure');
  return found.map(({ level, check }) => `${level} ${check}`);
}

test('a database, an rtpengine and a tls.cfg that cannot be used are errors, before anything is started', async (t) => {
  const port = await closedPort();
  const found = await look(t, {
    DATABASE_URL: `postgres://user:pass@127.0.0.1:${port}/viaduct`,
    RTPENGINE: `udp:127.0.0.1:${port}`,
    TLS_CFG: 'missing.cfg',
  });
  const errors = found.filter((one) => one.startsWith('error'));
  assert.deepEqual(errors, ['error tls', 'error database', 'error rtpengine']);
});

test('an rtpengine of the settings is tried with a canary, and holds nothing of it', async (t) => {
  const rtpengine = await startTestRtpengine();
  t.after(() => rtpengine.stop());
  const found = await look(t, { RTPENGINE: rtpengine.address });
  assert.deepEqual(
    found.filter((one) => !one.startsWith('notice')),
    ['ok listeners', 'ok rtpengine', 'ok rtpengine', 'ok rtpengine', 'ok recording'],
  );
  await rtpengine.assertReleased('viaduct-doctor');
});
