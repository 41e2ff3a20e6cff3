import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readSettings } from '../../src/config.ts';
import { Failure } from '../../src/errors.ts';
import type { Log } from '../../src/ports.ts';
import { Shutdown } from '../../src/start/shutdown.ts';
import { openTokens } from '../../src/start/tokens.ts';
import { AUDIENCE, ISSUER, jwks, openIdentityServer, signed, signingKey } from '../support/identity.ts';
import { newFolder } from './folder.ts';

const key = await signingKey('one');

function create(t: TestContext) {
  const folder = newFolder(t);
  const told: string[] = [];
  const note = (fields: object, text: string): void => void told.push(`${text} ${JSON.stringify(fields)}`);
  const log: Log = { debug: () => undefined, info: () => undefined, warn: note, error: note };
  const shutdown = new Shutdown(log);
  t.after(() => shutdown.run());
  const open = (env: Record<string, string>) => openTokens(readSettings(env, { folder, asRoot: false }), log, shutdown);
  return { folder, told, open };
}

const settings = (keys: string) => ({ JWT_KEYS: keys, JWT_ISSUER: ISSUER, JWT_AUDIENCE: `other ${AUDIENCE}` });

test('without JWT_KEYS nobody logs in by a token', async (t) => {
  assert.equal(await create(t).open({}), undefined);
});

test('the keys are in a file of the project folder, or behind a URL', async (t) => {
  const { folder, open } = create(t);
  writeFileSync(join(folder, 'jwks.json'), jwks(key));
  const server = await openIdentityServer(t, key);
  for (const keys of ['jwks.json', server.url]) {
    const tokens = await open(settings(keys));
    const verdict = await tokens?.verify(await signed(key, Date.now()));
    assert.ok(verdict !== undefined && 'account' in verdict, JSON.stringify(verdict));
  }
});

test('a file that is not there, or holds no keys, refuses to start, with its name and a good example', async (t) => {
  const { folder, open } = create(t);
  writeFileSync(join(folder, 'jwks.json'), '{}');
  for (const [file, reason] of [
    ['none.json', 'ENOENT'],
    ['jwks.json', 'it is no JWKS'],
  ] as const) {
    await assert.rejects(open(settings(file)), (thrown) => {
      assert.ok(thrown instanceof Failure && thrown.code === 'setting-invalid');
      assert.ok(thrown.detail.startsWith(`JWT_KEYS="${join(folder, file)}": ${reason}`), thrown.detail);
      assert.match(thrown.detail, /; for example JWT_KEYS="https:/);
      return true;
    });
  }
});

test('a server that does not answer yet is waited for: a token is refused until then, and the log says so', async (t) => {
  const { told, open } = create(t);
  const server = await openIdentityServer(t, key);
  server.answer = { status: 503, body: '' };
  const tokens = await open(settings(server.url));
  assert.match(told[0] ?? '', /^JWT_KEYS cannot be read yet: logins by token wait for it .*"it answers 503"/);
  const verdict = await tokens?.verify(await signed(key, Date.now()));
  assert.deepEqual(verdict, { fault: 'token-keys-missing', detail: '' });
});
