import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromDatabase, toDatabase } from '../../../src/adapters/postgres/text.ts';
import { Failure } from '../../../src/errors.ts';

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

const anyByte = fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte));
const awkward = fc.constantFrom(...['à', '€', '😀', '\u{10ff80}', '\u{10ffff}', '\u{10ff7f}', '\ufeff'].map(latin1));
const sipText = fc.array(fc.oneof(anyByte, awkward)).map((parts) => parts.join(''));

test('text: UTF-8 of a SIP message is readable in the database', () => {
  assert.equal(toDatabase(latin1('Jürgen 😀 à')), 'Jürgen 😀 à');
  assert.equal(fromDatabase('Jürgen 😀 à'), latin1('Jürgen 😀 à'));
});

test('text: bytes that are no UTF-8 are kept as private characters beside readable text', () => {
  assert.equal(toDatabase(`${latin1('à')}\xff\xc3`), 'à\u{10ffff}\u{10ffc3}');
});

test('text: every byte string comes back as it was, and PostgreSQL can hold what is between', () => {
  fc.assert(
    fc.property(sipText, (text) => {
      const stored = toDatabase(text);
      assert.equal(fromDatabase(stored), text);
      assert.ok(stored.isWellFormed());
      assert.ok(!stored.includes('\0'));
    }),
    { numRuns: 2000 },
  );
});

test('text: the private characters themselves come back too, though they stand for bytes', () => {
  const genuine = latin1('\u{10ff80}\u{10ffff}');
  assert.equal(fromDatabase(toDatabase(genuine)), genuine);
});

test('text: NUL is refused, since PostgreSQL has no place for it', () => {
  assert.throws(
    () => toDatabase('sip:a\0lice@example.com'),
    (error) => error instanceof Failure && error.code === 'malformed',
  );
});

test('text: what is no SIP text (a character above one byte) is refused, not cut', () => {
  assert.throws(() => toDatabase('€'), Failure);
});
