/** `npm start` as a person meets it, with real processes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type RunningProcess } from '../support/process.ts';
import { newPlace, readRun } from '../support/viaduct.ts';

describe('npm start', () => {
  test('answers /health within 10 s on a new DATA_DIR, and Ctrl-C ends every process it started', async (t) => {
    const place = newPlace(t);
    const { run, npm, ctrlC } = await place.start({}, 10_000);
    await npm.line(new RegExp(`http://127\\.0\\.0\\.1:${run.http.port}/phone`));
    assert.deepEqual(
      run.listeners.map(({ transport, port }) => [transport, port > 0]),
      ['udp', 'tcp', 'tls', 'ws', 'wss'].map((transport) => [transport, true]),
    );
    const { postgres = 0, rtpengine = 0 } = run.children;
    for (const pid of [run.pid, postgres, rtpengine]) assert.ok(await isAlive(pid), `${pid} of run.json runs`);
    await ctrlC();
    for (const pid of [run.pid, postgres, rtpengine]) assert.equal(await isAlive(pid), false);
    assert.equal(readRun(place.dataDir), undefined);
  });

  // `exec` in the npm scripts: a shell in between would end, and leave Viaduct without a parent.
  test('SIGTERM to npm alone, as a supervisor sends it, ends every process, too', async (t) => {
    const place = newPlace(t);
    const { npm } = await place.start();
    npm.signal('SIGTERM');
    assert.equal((await npm.ended(20_000)).code, 0, npm.output());
    assert.deepEqual(place.leftovers(), []);
  });

  test('a second start finds the data of the first: accounts, passwords of the demonstration, certificate', async (t) => {
    const place = newPlace(t);
    const first = await place.start();
    await place.viaduct('user', 'add', 'carol', '--generate');
    const certificate = readFileSync(join(place.dataDir, 'tls', 'server.pem'), 'utf8');
    await first.ctrlC();
    const second = await place.start();
    assert.equal(await passwordOf(second.npm), await passwordOf(first.npm));
    assert.match(await place.viaduct('user', 'list'), /^carol /m);
    assert.equal(readFileSync(join(place.dataDir, 'tls', 'server.pem'), 'utf8'), certificate);
    await second.ctrlC();
  });

  test('after kill -9 the children live on, and the next start adopts them', async (t) => {
    const place = newPlace(t);
    const first = await place.start();
    process.kill(first.run.pid, 'SIGKILL');
    assert.notEqual((await first.npm.ended()).code, 0);
    const { postgres = 0, rtpengine = 0 } = first.run.children;
    assert.ok((await isAlive(postgres)) && (await isAlive(rtpengine)));
    const second = await place.start();
    assert.notEqual(second.run.pid, first.run.pid);
    assert.deepEqual(second.run.children, first.run.children);
    await second.ctrlC();
  });

  test('a second one on the same DATA_DIR is refused, and the first goes on', async (t) => {
    const place = newPlace(t);
    const first = await place.start();
    const second = place.npmStart();
    assert.notEqual((await second.ended()).code, 0);
    assert.match(second.output(), new RegExp(`${first.run.pid}`));
    await delay(300);
    assert.equal((await first.get('/health')).status, 200);
    await first.ctrlC();
  });
});

describe('npm start refuses, with exit code 1 and words, and leaves no process behind', () => {
  const refused = async (t: Parameters<typeof newPlace>[0], env: Record<string, string>): Promise<string> => {
    const place = newPlace(t);
    const npm = place.npmStart(env);
    assert.equal((await npm.ended(20_000)).code, 1, npm.output());
    assert.deepEqual(place.leftovers(), []);
    return npm.output();
  };

  test('a bad setting', async (t) => {
    const output = await refused(t, { LISTEN: 'upd:127.0.0.1:5060' });
    assert.match(output, /LISTEN="upd:127\.0\.0\.1:5060": .*; for example LISTEN="udp:/);
    assert.doesNotMatch(output, /at .*\.ts:\d+/, 'no stack: it is not our fault');
  });

  test('a port in use, of SIP', async (t) => {
    const port = await taken(t);
    assert.match(
      await refused(t, { LISTEN: `udp:127.0.0.1:0 tcp:127.0.0.1:${port}` }),
      new RegExp(`tcp:127\\.0\\.0\\.1:${port}`),
    );
  });

  test('a port in use, of the pages', async (t) => {
    const port = await taken(t);
    assert.match(await refused(t, { HTTP: `127.0.0.1:${port}` }), new RegExp(`HTTP.*${port}`));
  });

  test('an address that this host does not have', async (t) => {
    assert.match(await refused(t, { LISTEN: 'udp:192.0.2.1:5060' }), /udp:192\.0\.2\.1:5060/);
  });

  test('a DATA_DIR that cannot be made', async (t) => {
    const output = await refused(t, { DATA_DIR: '/proc/viaduct/data' });
    assert.match(output, /DATA_DIR cannot be used\.\s+DATA_DIR=\/proc\/viaduct\/data: .*ENOENT/);
    assert.doesNotMatch(output, /at .*\.ts:\d+/, 'no stack: it is not our fault');
  });

  test('REST off loopback without API_TOKEN', async (t) => {
    assert.match(await refused(t, { HTTP: '0.0.0.0:0' }), /API_TOKEN/);
  });
});

async function taken(t: { after(action: () => void): void }): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The banner comes when the doctor has looked, a moment after `/health`. */
async function passwordOf(npm: RunningProcess): Promise<string> {
  const [, password = ''] = await npm.line(/alice +password (\S+)/);
  return password;
}
