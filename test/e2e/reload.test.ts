/** Reload of a running Viaduct: what a person does, with real processes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { newPlace } from '../support/viaduct.ts';

async function dial(t: TestContext, port: number): Promise<{ socket: TLSSocket; shown: string | undefined }> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  // It is forgotten when more has been received.
  return { socket, shown: socket.getPeerX509Certificate()?.fingerprint256 };
}

test('npx viaduct certificate, reload and SIGHUP: a new certificate is shown, open connections go on', async (t) => {
  const place = newPlace(t);
  const dir = mkdtempSync(join(tmpdir(), 'viaduct-reload-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'tls.cfg');
  const make = (...more: string[]) => place.viaduct('certificate', 'server', '127.0.0.1', '--dir', dir, ...more);
  await make();
  const good = '[server:default]\ncertificate = 127.0.0.1.pem\nprivate_key = 127.0.0.1-key.pem\n';
  writeFileSync(file, good);

  const viaduct = await place.start({ TLS_CFG: file });
  const before = await dial(t, viaduct.port('tls'));
  assert.match(await place.viaduct('reload'), /^Nothing has changed\.$/m);
  await make('--force');
  assert.match(await place.viaduct('reload'), /^Reloaded:\n {2}TLS \[server:default\]: CN=127\.0\.0\.1/m);
  const after = await dial(t, viaduct.port('tls'));
  assert.notEqual(after.shown, before.shown);

  writeFileSync(file, `${good}verify_depth = deep\n`);
  process.kill(viaduct.run.pid, 'SIGHUP');
  while (!viaduct.npm.output().includes('Not reloaded')) await delay(20);
  assert.match(viaduct.npm.output(), /tls\.cfg line 4: verify_depth must be a number from 0 to 99, not \\?"deep/);
  assert.equal((await dial(t, viaduct.port('wss'))).shown, after.shown);
  for (const { socket } of [before, after]) {
    socket.write('\r\n\r\n');
    const [answer] = await once(socket, 'data');
    assert.equal(String(answer), '\r\n');
  }
  await viaduct.ctrlC();
});

test('npx viaduct reload says so when no Viaduct runs there', async (t) => {
  await assert.rejects(newPlace(t).viaduct('reload'), /There is no run\.json in/);
});
