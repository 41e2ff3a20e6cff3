import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TlsSource } from '../../src/adapters/network/tls-source.ts';
import { readSettings } from '../../src/config.ts';
import { Failure } from '../../src/errors.ts';
import type { Log } from '../../src/ports.ts';
import { namedNodes } from '../../src/start/backends.ts';
import { createReload, type ReloadParts } from '../../src/start/reload.ts';
import { newFolder } from './folder.ts';

function tlsOf(...identities: string[]): TlsSource {
  return {
    server: () => assert.fail('no listener asks'),
    client: () => assert.fail('nobody connects'),
    check: () => undefined,
    identities,
  };
}

/** A reload of a proxy whose .env is `text`; `done` is what was taken into use, `lines` what was logged. */
function scene(t: TestContext, text: string, change: Partial<ReloadParts> = {}) {
  const folder = newFolder(t);
  const env = (lines: string): void => writeFileSync(join(folder, '.env'), lines);
  const settings = () => readSettings({}, { folder, asRoot: false });
  env(text);
  const done: string[] = [];
  const lines: string[] = [];
  const log: Log = {
    debug: () => undefined,
    info: (_about, words) => lines.push(words),
    warn: (_about, words) => lines.push(words),
    error: (_about, words) => lines.push(words),
  };
  const reload = createReload({
    settings: settings(),
    tls: tlsOf('one'),
    readSettings: settings,
    domainsOf: ({ domains }) => domains,
    tlsOf: async () => tlsOf('one'),
    nodesOf: namedNodes,
    routes: { fresh: async () => undefined },
    replaceTls: () => done.push('tls'),
    replaceDomains: (domains) => done.push(`domains ${domains}`),
    replaceNodes: (nodes) => done.push(`nodes ${nodes.map(({ address, weight }) => `${address}=${weight}`)}`),
    replaceLogLevel: (level) => done.push(`level ${level}`),
    replaceTrusted: (networks) => done.push(`trusted ${networks}`),
    replaceSettings: () => undefined,
    log,
    ...change,
  });
  return { reload, env, done, lines };
}

test('nothing has changed: it says so', async (t) => {
  const { reload, lines } = scene(t, 'DOMAINS=example.com\n');
  assert.deepEqual(await reload(), { changed: [], needsRestart: [] });
  assert.deepEqual(lines, ['Reloaded: nothing has changed']);
});

test('domains, nodes and trusted networks change at once; what waits for a restart is named, each time', async (t) => {
  const { reload, env, done } = scene(t, 'DOMAINS=example.com\nRTPENGINE=udp:127.0.0.1:2223\n');
  env(
    'DOMAINS=example.com example.org\nRTPENGINE=udp:127.0.0.1:2223=2 udp:127.0.0.2:2223\nTRUSTED=192.0.2.1\n' +
      'LISTEN=udp:127.0.0.1:5070\nLOG_LEVEL=debug\nGRACE_SECONDS=5\n',
  );
  assert.deepEqual(await reload(), {
    changed: ['DOMAINS has changed', 'RTPENGINE has changed', 'TRUSTED has changed', 'LOG_LEVEL has changed'],
    needsRestart: ['LISTEN', 'GRACE_SECONDS'],
  });
  assert.deepEqual(done, [
    'tls',
    'domains example.com,example.org',
    'nodes udp:127.0.0.1:2223=2,udp:127.0.0.2:2223=1',
    'level debug',
    'trusted 192.0.2.1',
  ]);
  assert.deepEqual(await reload(), { changed: [], needsRestart: ['LISTEN', 'GRACE_SECONDS'] });
  const again = done.filter((what) => /^(nodes|level)/.test(what));
  assert.equal(again.length, 2, 'what REST may have changed since is left alone');
});

test('from an rtpengine of our own to named ones needs a restart, and back', async (t) => {
  const { reload, env, done } = scene(t, '');
  env('RTPENGINE=udp:127.0.0.1:2223\n');
  for (let times = 0; times < 2; times += 1) assert.deepEqual((await reload()).needsRestart, ['RTPENGINE']);
  assert.ok(!done.some((what) => what.startsWith('nodes')));
});

test('a new certificate and changed routes are told, and taken into use', async (t) => {
  const used: string[] = [];
  const fresh = async () => ({ files: ['auth.ts', 'request.ts'], use: () => void used.push('routes') });
  const { reload } = scene(t, '', { tlsOf: async () => tlsOf('one', 'two'), routes: { fresh } });
  const { changed } = await reload();
  assert.deepEqual(changed, ['TLS two', 'routes: auth.ts, request.ts']);
  assert.deepEqual(used, ['routes']);
});

for (const [what, change] of [
  ['tls.cfg', { tlsOf: () => Promise.reject(new Failure('tls-config', 'tls.cfg line 3: no')) }],
  ['a section without a listener', { replaceTls: () => refuse() }],
  ['the routes', { routes: { fresh: () => Promise.reject(new Failure('routes-broken', 'auth.ts')) } }],
] as const) {
  test(`a mistake in ${what} changes nothing, and is logged with what to do`, async (t) => {
    const { reload, env, done, lines } = scene(t, 'DOMAINS=example.com\n', change);
    env('DOMAINS=example.org\n');
    await assert.rejects(reload(), Failure);
    assert.deepEqual(done, []);
    assert.match(lines.join(), /^Not reloaded, all stays: /);
  });
}

function refuse(): never {
  throw new Failure('tls-config', 'tls.cfg line 3: nothing listens there');
}

test('a bad setting changes nothing, and names itself', async (t) => {
  const { reload, env, done } = scene(t, '');
  env('RTPENGINE=nonsense\n');
  await assert.rejects(reload(), { code: 'setting-invalid' });
  assert.deepEqual(done, []);
});

test('two at once come one after the other, and a refused one does not hold up the next', async (t) => {
  const story: string[] = [];
  let count = 0;
  const { reload } = scene(t, '', {
    tlsOf: async () => {
      count += 1;
      const number = count;
      story.push(`begin ${number}`);
      await new Promise((resolve) => setImmediate(resolve));
      story.push(`end ${number}`);
      if (number === 1) throw new Failure('tls-config', 'no');
      return tlsOf('one');
    },
  });
  const [one, two] = await Promise.allSettled([reload(), reload()]);
  assert.deepEqual([one.status, two.status], ['rejected', 'fulfilled']);
  assert.deepEqual(story, ['begin 1', 'end 1', 'begin 2', 'end 2']);
});

test('whoever reads settings later, as the daily look at the certificates does, is given those in use', async (t) => {
  const inUse: (string | undefined)[] = [];
  const { reload, env } = scene(t, '', { replaceSettings: ({ tlsCfg, http }) => inUse.push(tlsCfg, `${http.port}`) });
  env('TLS_CFG=tls.cfg\nHTTP=127.0.0.1:9999\n');
  await reload();
  assert.match(inUse[0] ?? '', /tls\.cfg$/);
  assert.equal(inUse[1], '8081', 'waits for a restart');
});
