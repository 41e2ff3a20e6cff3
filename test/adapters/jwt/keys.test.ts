/** The keys of an identity server: they change, its answers are what they are, and it may be away. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readKeyText } from '../../../src/adapters/jwt/key-text.ts';
import { Keys } from '../../../src/adapters/jwt/keys.ts';
import { createClock } from '../../support/clock.ts';
import { jwks, openIdentityServer, type SigningKey, signingKey } from '../../support/identity.ts';

const [first, second] = await Promise.all([signingKey('first'), signingKey('second')]);

interface Office {
  readonly clock: ReturnType<typeof createClock>;
  readonly keys: Keys;
  readonly log: readonly string[];
  readonly asked: () => number;
  answer: () => Promise<string>;
}

function create(t: TestContext): Office {
  const clock = createClock();
  const log: string[] = [];
  const note = (fields: object, text: string): void => void log.push(`${text} ${JSON.stringify(fields)}`);
  let asked = 0;
  const read = (): Promise<string> => {
    asked += 1;
    return office.answer();
  };
  const keys = new Keys({ read, clock, log: { debug: note, info: note, warn: note, error: note } });
  t.after(() => keys.close());
  const office: Office = { clock, keys, log, asked: () => asked, answer: async () => jwks(first) };
  return office;
}

async function has({ keys }: Office, { alg, kid }: SigningKey): Promise<boolean> {
  const token = { payload: '', signature: '' };
  return Promise.resolve(keys.find({ alg, kid }, token)).then(
    () => true,
    () => false,
  );
}

test('a key that is not known has them read again: the identity server may have changed its keys', async (t) => {
  const office = create(t);
  await office.keys.start();
  office.answer = async () => jwks(first, second);
  await office.clock.advance(30_000);
  assert.equal(await has(office, second), true);
  assert.equal(office.asked(), 2);
});

test('whatever keys strangers name, they are read once in half a minute, and once at a time', async (t) => {
  const office = create(t);
  await office.keys.start();
  for (let round = 0; round < 100; round++) await has(office, { ...second, kid: `made up ${round}` });
  assert.equal(office.asked(), 1);
  await office.clock.advance(30_000);
  await Promise.all(Array.from({ length: 100 }, (_, round) => has(office, { ...second, kid: `made up ${round}` })));
  assert.equal(office.asked(), 2);
});

test('every ten minutes they are read: a key that was withdrawn is no longer taken', async (t) => {
  const office = create(t);
  await office.keys.start();
  office.answer = async () => jwks(second);
  await office.clock.advance(600_000);
  assert.deepEqual([await has(office, first), await has(office, second)], [false, true]);
});

test('an identity server that is away changes nothing; it is told once, asked every half minute, and told again', async (t) => {
  const office = create(t);
  await office.keys.start();
  office.answer = async () => Promise.reject(new Error('connect ECONNREFUSED'));
  await office.clock.advance(660_000);
  assert.equal(await has(office, first), true);
  assert.equal(office.asked(), 4);
  assert.deepEqual(office.keys.state, { known: 1, failed: 'connect ECONNREFUSED' });
  assert.deepEqual(office.log, [
    'The keys of JWT_KEYS cannot be read; those that are known stay {"error":"connect ECONNREFUSED","known":1}',
  ]);
  office.answer = async () => jwks(first);
  await office.clock.advance(30_000);
  assert.equal(office.log.at(-1), 'The keys of JWT_KEYS can be read again {}');
  assert.deepEqual(office.keys.state, { known: 1, failed: undefined });
});

test('what is no set of public keys is named: no JSON, no JWKS, none that can sign, a private one, too many', async (t) => {
  const office = create(t);
  const privateKey = { ...first.shown, d: 'AAAA' };
  const cases: readonly (readonly [string, RegExp])[] = [
    ['<html>', /^it is no JSON$/],
    ['[]', /^it is no JWKS/],
    ['{"keys": {}}', /^it is no JWKS/],
    ['{"keys": [null, 1, {"kty": "oct", "k": "AAAA"}]}', /^it holds no key of type RSA, EC or OKP$/],
    [JSON.stringify({ keys: [privateKey] }), /^it holds a private key/],
    [JSON.stringify({ keys: Array(101).fill(first.shown) }), /^it holds more than 100 keys$/],
  ];
  for (const [text, reason] of cases) {
    office.answer = async () => text;
    await assert.rejects(office.keys.start(), ({ message }: Error) => reason.test(message), text.slice(0, 40));
  }
});

test('closed while they are read, they are not read again', async (t) => {
  const office = create(t);
  const starting = office.keys.start();
  office.keys.close();
  await starting;
  await office.clock.advance(3_600_000);
  assert.equal(office.asked(), 1);
});

test('keys are read from a file, or over HTTP: no redirect, no error page, no more than 256 KiB', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'viaduct-keys-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'jwks.json');
  writeFileSync(file, jwks(first));
  assert.equal(await readKeyText(file), jwks(first));
  await assert.rejects(readKeyText(join(dir, 'none')), /ENOENT/);
  writeFileSync(file, ' '.repeat(300_000));
  await assert.rejects(readKeyText(file), /larger than 262144 bytes/);

  const server = await openIdentityServer(t, first);
  assert.equal(await readKeyText(server.url), jwks(first));
  server.answer = { status: 503, body: 'down' };
  await assert.rejects(readKeyText(server.url), /it answers 503/);
  server.answer = { status: 302, body: '', location: server.url };
  await assert.rejects(readKeyText(server.url), /redirect/);
  server.answer = { status: 200, body: ' '.repeat(300_000) };
  await assert.rejects(readKeyText(server.url), /larger than 262144 bytes/);
  await assert.rejects(readKeyText('http://127.0.0.1:9/'), /bad port|ECONNREFUSED/);
});
