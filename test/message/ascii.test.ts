import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equalsIgnoreCase, lower, trim } from '../../src/message/ascii.ts';

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

test('trim takes SP, HTAB, CR and LF and leaves 0xA0, the second byte of "à"', () => {
  assert.equal(trim(` \t\r\nvoil${utf8('à')} \r\n`), `voil${utf8('à')}`);
  assert.equal(trim('\xa0x\xa0'), '\xa0x\xa0');
  assert.equal(trim(' \t '), '');
});

test('lower folds A to Z and no byte of UTF-8', () => {
  assert.equal(lower(`ÀB${utf8('É')}Z`), `Àb${utf8('É')}z`);
  assert.equal(lower('already-lower'), 'already-lower');
});

test('equalsIgnoreCase compares ASCII letters without case and all other bytes as they are', () => {
  assert.ok(equalsIgnoreCase('WebSocket', 'websocket'));
  assert.ok(!equalsIgnoreCase('\xc0', '\xe0'));
  assert.ok(!equalsIgnoreCase('a', 'aa'));
});
