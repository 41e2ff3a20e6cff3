import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitOutside } from '../../src/message/list.ts';
import {
  hasParam,
  param,
  parseParams,
  printParams,
  quote,
  unquote,
  withoutParam,
  withParam,
} from '../../src/message/params.ts';

test('RFC 3261 §7.3.1: parameters keep their order and spelling, and are found without case', () => {
  const params = parseParams(';Transport=TCP; lr ;+sip.instance="<urn:uuid:1;2>"');
  assert.ok(params !== undefined);
  assert.deepEqual(params, [
    ['Transport', 'TCP'],
    ['lr', undefined],
    ['+sip.instance', '"<urn:uuid:1;2>"'],
  ]);
  assert.equal(param(params, 'transport'), 'TCP');
  assert.equal(param(params, 'LR'), '');
  assert.equal(param(params, 'absent'), undefined);
  assert.ok(hasParam(params, 'Lr'));
  assert.equal(printParams(params), ';Transport=TCP;lr;+sip.instance="<urn:uuid:1;2>"');
});

test('RFC 3261 §25.1: blanks around "=" and ";" are no part of a parameter', () => {
  assert.deepEqual(parseParams(' ; branch = z9hG4bK1 ; x'), [
    ['branch', 'z9hG4bK1'],
    ['x', undefined],
  ]);
});

test('one ";" too many at the end is let pass, an empty parameter elsewhere is not', () => {
  assert.deepEqual(parseParams(';a=1;'), [['a', '1']]);
  assert.deepEqual(parseParams(''), []);
  for (const bad of [';;', ';;a', ';a;;b', ';=x', ';a="open', ';a=b c', ';a="x"y', ';a b']) {
    assert.equal(parseParams(bad), undefined, bad);
  }
});

test('withParam replaces in place or appends; withoutParam removes; neither changes its argument', () => {
  const params = parseParams(';a=1;b;c=3') ?? [];
  assert.equal(printParams(withParam(params, 'B', '2')), ';a=1;B=2;c=3');
  assert.equal(printParams(withParam(params, 'd')), ';a=1;b;c=3;d');
  assert.equal(printParams(withoutParam(params, 'A')), ';b;c=3');
  assert.equal(printParams(params), ';a=1;b;c=3');
});

test('RFC 3261 §25.1 quoted-string: what is quoted is unquoted again, for any text without CR, LF and NUL', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const plain = text.replace(/[\r\n\0]/g, '');
      assert.equal(unquote(quote(plain)), plain);
      assert.deepEqual(parseParams(`;a=${quote(plain)}`), [['a', quote(plain)]]);
    }),
  );
  assert.equal(quote('a\r\nVia: b\0'), '"a  Via: b "');
  assert.equal(unquote('token'), 'token');
});

test('RFC 3261 §7.3.1: a comma in a quoted string or between angle brackets separates nothing', () => {
  assert.deepEqual(splitOutside('"a, \\", b" <sip:x,y@z>, <sip:c> ,d', ','), [
    '"a, \\", b" <sip:x,y@z>',
    '<sip:c>',
    'd',
  ]);
  assert.deepEqual(splitOutside('a,,b', ','), ['a', '', 'b']);
  assert.deepEqual(splitOutside('"open, a', ','), ['"open, a']);
  assert.deepEqual(splitOutside('<open, a', ','), ['<open, a']);
});
