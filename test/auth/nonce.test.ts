import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkNonce, createNonce, nonceTimeMs } from '../../src/auth/nonce.ts';
import { NonceWindow } from '../../src/auth/nonce-window.ts';

const nowMs = 1_700_000_000_000;
const owner = { node: 'node-1', boot: 'a1b2c3' };
const random = '0123456789ab';
const nonce = createNonce('secret', nowMs, owner, random);

test('RFC 7616 §3.3: our nonce is valid in its window and stale behind it', () => {
  assert.equal(checkNonce(nonce, ['secret'], nowMs, owner), 'valid');
  assert.equal(checkNonce(nonce, ['secret'], nowMs + 299_999, owner), 'valid');
  assert.equal(checkNonce(nonce, ['secret'], nowMs + 300_000, owner), 'stale');
  assert.equal(checkNonce(nonce, ['secret'], nowMs + 1000, owner, 1000), 'stale');
  assert.equal(nonceTimeMs(nonce), nowMs);
});

test('DESIGN §5: a nonce of another node or an earlier boot is unknown, for its used counts are not known here', () => {
  assert.equal(checkNonce(nonce, ['secret'], nowMs, { ...owner, boot: 'ffffff' }), 'unknown');
  assert.equal(checkNonce(nonce, ['secret'], nowMs, { ...owner, node: 'node-2' }), 'unknown');
});

test('DESIGN §6: the old secret still counts, a foreign one does not', () => {
  assert.equal(checkNonce(nonce, ['new', 'secret'], nowMs, owner), 'valid');
  assert.equal(checkNonce(nonce, ['new'], nowMs, owner), 'unknown');
});

test('RFC 7616 §3.3: other random bytes make another nonce in the same millisecond', () => {
  assert.notEqual(createNonce('secret', nowMs, owner, 'ffffffffffff'), nonce);
});

test('law 10: a nonce with one character changed, or spelled differently, is unknown; nothing throws', () => {
  const characters = [...'ABCXYZabcxyz0189-_=+/ '];
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...characters), (at, character) => {
      const index = at % nonce.length;
      fc.pre(nonce[index] !== character);
      const changed = nonce.slice(0, index) + character + nonce.slice(index + 1);
      assert.equal(checkNonce(changed, ['secret'], nowMs, owner), 'unknown');
    }),
  );
  assert.equal(checkNonce(`${nonce}=`, ['secret'], nowMs, owner), 'unknown');
  fc.assert(fc.property(fc.string(), (text) => assert.equal(checkNonce(text, ['secret'], nowMs, owner), 'unknown')));
});

test('RFC 7616 §3.4: each count of a nonce is good once, in any order within 32', () => {
  const window = new NonceWindow();
  const uses = [1, 1, 3, 2, 2, 3, 40, 8, 9, 9, 40, 41].map((count) => window.use(nonce, count, nowMs));
  const fresh = ['fresh', 'replayed', 'fresh', 'fresh', 'replayed', 'replayed'];
  assert.deepEqual(uses, [...fresh, 'fresh', 'replayed', 'fresh', 'replayed', 'replayed', 'fresh']);
});

test('RFC 7616 §3.4: no sequence of counts lets one pass twice', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100 })), (counts) => {
      const window = new NonceWindow();
      const passed = counts.filter((count) => window.use(nonce, count, nowMs) === 'fresh');
      assert.equal(new Set(passed).size, passed.length);
    }),
  );
});

test('RFC 7616 §3.4: counts of different nonces are apart', () => {
  const window = new NonceWindow();
  assert.equal(window.use(nonce, 1, nowMs), 'fresh');
  assert.equal(window.use(createNonce('secret', nowMs, owner, 'ffffffffffff'), 1, nowMs), 'fresh');
});

test('law 9: the memory of nonces is bounded; one that made room is forgotten, never taken for fresh', () => {
  const window = new NonceWindow({ nonces: 2, windowMs: 300_000 });
  const at = (ms: number): string => createNonce('secret', nowMs + ms, owner, random);
  for (const ms of [1, 2, 3]) assert.equal(window.use(at(ms), 1, nowMs + 3), 'fresh');
  assert.equal(window.size, 2);
  assert.equal(window.use(at(1), 1, nowMs + 3), 'forgotten');
  assert.equal(window.use(at(0), 1, nowMs + 3), 'forgotten', 'older than a forgotten one: it may be one of them');
  assert.equal(window.use(at(4), 1, nowMs + 4), 'fresh');
});

test('law 9: nonces out of time leave the memory', () => {
  const window = new NonceWindow({ nonces: 100, windowMs: 1000 });
  for (let ms = 0; ms < 50; ms++) window.use(createNonce('secret', nowMs + ms, owner, random), 1, nowMs + ms);
  window.use(createNonce('secret', nowMs + 5000, owner, random), 1, nowMs + 5000);
  assert.equal(window.size, 1);
});
