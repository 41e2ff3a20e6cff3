/** What a token is worth (RFC 7519 §7.2, RFC 8725): each reason to refuse one, and each way to sign one that is taken. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { exportSPKI, importJWK } from 'jose';
import { Keys } from '../../../src/adapters/jwt/keys.ts';
import { createVerifier, type VerifierOptions } from '../../../src/adapters/jwt/verifier.ts';
import type { RefusedToken, TokenVerifier, VerifiedToken } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { AUDIENCE, forged, ISSUER, jwks, type SigningKey, signed, signingKey } from '../../support/identity.ts';

const clock = createClock();
const nowMs = clock.nowMs();
const nowSeconds = nowMs / 1000;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

async function verifierOf(keys: readonly SigningKey[], options: Partial<VerifierOptions> = {}): Promise<TokenVerifier> {
  const known = new Keys({ read: async () => jwks(...keys), clock, log: silent });
  await known.start();
  known.close();
  return createVerifier({ keys: known, issuer: ISSUER, audiences: [AUDIENCE], claim: 'sub', clock, ...options });
}

const key = await signingKey('one');
const verifier = await verifierOf([key]);

function inShort(outcome: VerifiedToken | RefusedToken): string {
  return 'fault' in outcome
    ? `${outcome.fault}: ${outcome.detail}`
    : `${outcome.account} until ${outcome.untilMs - nowMs}`;
}

const verdict = async (token: string): Promise<string> => inShort(await verifier.verify(token));

test('a token in order names its account, and holds until its exp and half a minute for the clocks', async () => {
  assert.equal(verifier.issuer, ISSUER);
  assert.equal(await verdict(await signed(key, nowMs)), 'alice until 630000');
  assert.equal(await verdict(await signed(key, nowMs, { aud: ['other', AUDIENCE] })), 'alice until 630000');
});

for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']) {
  test(`signatures by ${alg} are taken`, async () => {
    const own = await signingKey('own', alg);
    const token = await signed(own, nowMs);
    assert.match(inShort(await (await verifierOf([key, own])).verify(token)), /^alice until/);
    const broken = `${token.slice(0, -8)}${token.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'}`;
    assert.equal(inShort(await (await verifierOf([key, own])).verify(broken)), 'token-signature: Its kid is "own".');
  });
}

test('RFC 8725 §3.1: `none`, and HS256 with the public key as its secret, are refused; so is an algorithm not named', async () => {
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp: nowSeconds + 600 };
  assert.equal(await verdict(forged({ alg: 'none' }, claims)), 'token-algorithm: Its alg is "none".');
  const spki = await exportSPKI(await publicKey(key));
  for (const secret of [spki, JSON.stringify(key.shown)]) {
    const unsigned = forged({ alg: 'HS256', kid: 'one' }, claims).slice(0, -1);
    const signature = createHmac('sha256', secret).update(unsigned).digest('base64url');
    assert.equal(await verdict(`${unsigned}.${signature}`), 'token-algorithm: Its alg is "HS256".');
  }
  const es384 = await signingKey('one', 'ES384');
  assert.equal(await verdict(await signed(es384, nowMs)), 'token-algorithm: Its alg is "ES384".');
});

async function publicKey({ shown, alg }: SigningKey): Promise<Parameters<typeof exportSPKI>[0]> {
  const imported = await importJWK(shown, alg, { extractable: true });
  return imported instanceof Uint8Array ? assert.fail() : imported;
}

test('a key that is not there is refused by name', async () => {
  const stranger = await signingKey('two');
  assert.equal(await verdict(await signed(stranger, nowMs)), 'token-key: Its kid is "two".');
  // Its own key under the name of ours.
  assert.equal(await verdict(await signed({ ...stranger, kid: 'one' }, nowMs)), 'token-signature: Its kid is "one".');
});

test('RFC 7515 §4.1.4: a token that names no key is tried with each that its algorithm fits', async () => {
  const second = await signingKey('two');
  const both = await verifierOf([key, second, await signingKey('three', 'RS256')]);
  for (const by of [key, second]) {
    assert.equal(inShort(await both.verify(await signed({ ...by, kid: undefined }, nowMs))), 'alice until 630000');
  }
  const stranger = await signingKey('four');
  const unknown = await signed({ ...stranger, kid: undefined }, nowMs);
  assert.equal(inShort(await both.verify(unknown)), 'token-signature: Its kid is missing.');
  const old = await signed({ ...second, kid: undefined }, nowMs, { exp: nowSeconds - 60 });
  assert.match(inShort(await both.verify(old)), /^token-expired: /);
});

test('RFC 7518 §3.3: a key of RSA that is too short is no key', async () => {
  const { privateKey, publicKey: short } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const keys = new Keys({
    read: async () => JSON.stringify({ keys: [{ ...short.export({ format: 'jwk' }), kid: 'short' }] }),
    clock,
    log: silent,
  });
  await keys.start();
  keys.close();
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp: nowSeconds + 600 };
  const unsigned = forged({ alg: 'RS256', kid: 'short' }, claims).slice(0, -1);
  const token = `${unsigned}.${sign('sha256', Buffer.from(unsigned), privateKey).toString('base64url')}`;
  const weak = createVerifier({ keys, issuer: ISSUER, audiences: [AUDIENCE], claim: 'sub', clock });
  assert.equal(inShort(await weak.verify(token)), 'token-key: Its kid is "short". It cannot be used.');
});

test('a key that cannot be used is in nobody’s way: a token that names none is tried with the next', async () => {
  const { publicKey: short } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const good = await signingKey('good', 'RS256');
  const keys = new Keys({
    read: async () => JSON.stringify({ keys: [{ ...short.export({ format: 'jwk' }), kid: 'short' }, good.shown] }),
    clock,
    log: silent,
  });
  await keys.start();
  keys.close();
  const either = createVerifier({ keys, issuer: ISSUER, audiences: [AUDIENCE], claim: 'sub', clock });
  assert.match(inShort(await either.verify(await signed({ ...good, kid: undefined }, nowMs))), /^alice until/);
});

test('RFC 7519 §4.1: issuer, audience, nbf and exp, each with what the token says', async () => {
  const cases: readonly (readonly [object, string | RegExp])[] = [
    [{ iss: 'https://id.example.org/' }, 'token-issuer: Its iss is "https://id.example.org/".'],
    [{ iss: undefined }, 'token-claim: "iss" is missing.'],
    [{ aud: ['shop', 'mail'] }, 'token-audience: Its aud is ["shop","mail"].'],
    [{ aud: undefined }, 'token-claim: "aud" is missing.'],
    [{ nbf: nowSeconds + 31 }, 'token-early: Its nbf is 2026-01-01T00:00:31.000Z.'],
    [{ nbf: nowSeconds + 30 }, 'alice until 630000'],
    [{ exp: nowSeconds - 30 }, 'token-expired: It ended at 2025-12-31T23:59:30.000Z.'],
    [{ exp: nowSeconds - 29 }, 'alice until 1000'],
    [{ exp: undefined }, 'token-claim: "exp" is missing.'],
    [{ exp: 'tomorrow' }, 'token-claim: "exp" is invalid.'],
    [{ sub: undefined }, 'token-claim: "sub" is to name the account.'],
    [{ sub: '' }, 'token-claim: "sub" is to name the account.'],
    [{ sub: 'a'.repeat(256) }, 'token-claim: "sub" is to name the account.'],
  ];
  for (const [claims, expected] of cases) {
    assert.equal(await verdict(await signed(key, nowMs, { ...claims })), expected, JSON.stringify(claims));
  }
});

test('JWT_CLAIM names the account by another claim, which must be text', async () => {
  const byName = await verifierOf([key], { claim: 'https://example.com/sip' });
  const account = async (claim: unknown) =>
    inShort(await byName.verify(await signed(key, nowMs, { 'https://example.com/sip': claim })));
  assert.equal(await account('zoë@example.com'), 'zoë@example.com until 630000');
  assert.equal(await account(['alice']), 'token-claim: "https://example.com/sip" is to name the account.');
});

test('what is no signed token, or too long for one, is refused before anything is done with it', async () => {
  for (const text of ['', 'secret', 'a.b', 'a.b.c', 'a.b.c.d.e', `${'a'.repeat(3000)}.b.c`, forged([], {}), 'é.é.é']) {
    assert.match(await verdict(text), /^token-malformed: /, text.slice(0, 20));
  }
  const long = await signed(key, nowMs, { groups: 'g'.repeat(9000) });
  assert.equal(await verdict(long), 'token-malformed: It is longer than 8192 bytes.');
  assert.equal(await verdict(forged({ alg: 'ES256', crit: ['x'], x: 1 }, {}, 'AAAA')), 'token-malformed: ');
});

test('a detail is one line of ASCII, whatever a token says', async () => {
  const evil = forged({ alg: 'ES256', kid: `"\r\nX: ü\u2028${'k'.repeat(200)}` }, {}, 'AAAA');
  const detail = await verdict(evil);
  assert.match(detail, /^token-key: Its kid is "\\"\\r\\nX: \?\?k+\.$/);
  assert.ok(detail.length < 150);
});

test('keys that were never read, or that are out of date: nobody is blamed', async () => {
  let text = 'no JSON';
  const keys = new Keys({ read: async () => text, clock, log: silent });
  await assert.rejects(keys.start(), /it is no JSON/);
  const waiting = createVerifier({ keys, issuer: ISSUER, audiences: [AUDIENCE], claim: 'sub', clock });
  const token = await signed(key, nowMs);
  assert.equal(inShort(await waiting.verify(token)), 'token-keys-missing: ');
  text = jwks(await signingKey('old'));
  await clock.advance(30_000);
  assert.equal(inShort(await waiting.verify(token)), 'token-key: Its kid is "one".');
  text = 'no JSON';
  await clock.advance(600_000);
  assert.equal(inShort(await waiting.verify(token)), 'token-keys-missing: Its kid is "one".');
  keys.close();
});
