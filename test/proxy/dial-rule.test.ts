import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isTarget, parsePattern, printPattern, standsFor } from '../../src/proxy/dial-rule.ts';

function dialled(pattern: string, target: string, name: string): string | undefined {
  const parsed = parsePattern(pattern);
  assert.ok(parsed !== undefined, pattern);
  return standsFor({ domain: 'example.com', target, ...parsed }, name);
}

const rows: readonly (readonly [pattern: string, target: string, name: string, uri: string | undefined])[] = [
  ['alice.smith', 'alice', 'alice.smith', 'sip:alice@example.com'],
  ['alice.smith', 'alice', 'alice.smith2', undefined],
  ['+4930123??', 'alice', '+493012345', 'sip:alice@example.com'],
  ['+4930123??', 'alice', '+49301234', undefined],
  ['+4930123??', 'alice', '+4930123456', undefined],
  ['+4930123??', 'ext*', '+493012345', 'sip:ext45@example.com'],
  ['0049*', '+49*', '004930123', 'sip:+4930123@example.com'],
  ['0049*', '+49*', '0049', undefined],
  ['0049*', '+49*', '0049abc', undefined],
  ['0??*', 'sip:*@192.0.2.9;user=phone', '0301', 'sip:301@192.0.2.9;user=phone'],
  ['0??*', 'sip:*@192.0.2.9', '030', undefined],
  ['*97', 'voicemail', '*97', 'sip:voicemail@example.com'],
  ['fax', '*97', 'fax', 'sip:*97@example.com'],
  ['*', 'sip:*@192.0.2.9', '112', 'sip:112@192.0.2.9'],
];

for (const [pattern, target, name, uri] of rows) {
  test(`dial rule ${pattern} to ${target}: ${name} is ${uri ?? 'none of it'}`, () => {
    assert.equal(dialled(pattern, target, name), uri);
  });
}

test('what is no pattern and no target', () => {
  for (const text of ['', 'a b', 'a@b', 'a<', 'x'.repeat(65), '?'.repeat(33)])
    assert.equal(parsePattern(text), undefined, text);
  for (const text of ['', 'a b', 'sip:', 'alice@example.com', '"x"', 'sip:*@'])
    assert.equal(isTarget(text), false, text);
});

test('a pattern is printed as it was read', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0149+*?ax.'), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(text, (pattern) => {
      const parsed = parsePattern(pattern);
      assert.equal(parsed && printPattern(parsed), pattern);
    }),
  );
});
