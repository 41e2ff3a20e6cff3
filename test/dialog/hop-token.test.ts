import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeHop, encodeHop, type Hop } from '../../src/dialog/hop-token.ts';
import { decodeToken, encodeToken, hourOf, type TokenSide } from '../../src/dialog/token.ts';

const secret = '5f'.repeat(32);
const callId = 'f81d4fae-7dec@192.0.2.1';
const nowMs = Date.UTC(2026, 10, 21, 12, 30);
const hourMs = 3_600_000;
const hop: Hop = { purpose: 'over', node: 0xbeef, flowId: 'c0a1b2c-4711' };
const encoded = (one: Hop): string => encodeHop(one, callId, nowMs, secret) ?? assert.fail('no short form');
const decoded = (text: string, atMs = nowMs, secrets = [secret]) => decodeHop(text, callId, atMs, secrets);

test('RFC 3327: a hop names its flow, the node that has it, and whether the request is to go there or came from there', () => {
  for (const flowId of ['c0a1b2c-4711', 'u0:192.0.2.7:5062', 'u300:2001:db8::1:5060'] as const) {
    for (const purpose of ['over', 'came-by'] as const) {
      assert.deepEqual(decoded(encoded({ ...hop, purpose, flowId })), { ...hop, purpose, flowId });
    }
  }
});

test('a flow without a short form has none', () => {
  assert.equal(encodeHop({ ...hop, flowId: 'u0:fe80::1%eth0:5060' }, callId, nowMs, secret), undefined);
});

test('law 10: any change to it makes it nobody’s, and so do another Call-ID and another secret', () => {
  const text = encoded(hop);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom('A', 'b', '7', '_'), (at, letter) => {
      const other = `${text.slice(0, at)}${letter}${text.slice(at + 1)}`;
      const spareBits = Buffer.from(other, 'base64url').equals(Buffer.from(text, 'base64url'));
      assert.deepEqual(decoded(other), other === text || spareBits ? hop : undefined);
    }),
  );
  assert.equal(decodeHop(text, 'another@call', nowMs, [secret]), undefined);
  assert.equal(decoded(text, nowMs, ['00'.repeat(32)]), undefined);
  assert.deepEqual(decoded(text, nowMs, ['00'.repeat(32), secret]), hop);
});

test('whatever comes in its place is read without harm', () => {
  fc.assert(fc.property(fc.string({ maxLength: 100 }), (text) => assert.equal(decoded(text), undefined)));
});

test('it is good for the hour in which it was made, and the next', () => {
  const text = encoded(hop);
  assert.deepEqual(decoded(text, nowMs + hourMs), hop);
  assert.equal(decoded(text, nowMs + 2 * hourMs), undefined);
});

test('neither it nor the token of a dialog passes for the other', () => {
  const nobody: TokenSide = {
    media: undefined,
    listener: 0,
    flowId: 'c0a1b2c-4711',
    bindingKeyHash: undefined,
    targetHash: undefined,
  };
  const fields = {
    callerTagHash: '0a1b2c',
    node: 1,
    pass: 70,
    madeAtHour: hourOf(nowMs),
    caller: nobody,
    callee: nobody,
  };
  assert.equal(decoded(encodeToken(fields, callId, secret)), undefined);
  assert.equal(decodeToken(encoded(hop), callId, [secret]), undefined);
});
