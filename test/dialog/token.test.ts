import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ageHours,
  bindingKeyHash,
  decodeToken,
  directionOf,
  encodeToken,
  hourOf,
  longestToken,
  nodeNumber,
  type TokenFields,
  type TokenSide,
  tagHash,
  targetHash,
} from '../../src/dialog/token.ts';

const secret = '5f'.repeat(32);
const callId = 'f81d4fae-7dec@192.0.2.1';

const nameless = { bindingKeyHash: undefined, targetHash: undefined };
const browser: TokenSide = {
  media: 'webrtc',
  listener: 3,
  flowId: 'c0a1b2c-4711',
  bindingKeyHash: bindingKeyHash('sip:alice@example.com', '<urn:uuid:1>;reg-id=1'),
  targetHash: undefined,
};
const phone: TokenSide = { media: 'rtp', listener: 0, flowId: 'u0:192.0.2.7:5062', ...nameless };
const fields: TokenFields = {
  callerTagHash: tagHash('tag-a'),
  node: nodeNumber('node-1'),
  pass: 70,
  madeAtHour: hourOf(Date.UTC(2026, 10, 21)),
  caller: browser,
  callee: phone,
};

// What the network may name: every flow pair has to fit.
const port = fc.integer({ min: 0, max: 65535 });
const ipv6 = fc
  .ipV6()
  .filter((address) => URL.canParse(`http://[${address}]`))
  .map((address) => new URL(`http://[${address}]`).hostname.slice(1, -1));
const hash = fc.stringMatching(/^[0-9a-f]{10}$/);
const connection = fc
  .tuple(fc.stringMatching(/^[0-9a-f]{6}$/), fc.integer({ min: 0, max: 0xffffffff }))
  .map(([boot, number]) => `c${boot}-${number}`);
const media = fc.constantFrom(undefined, 'webrtc' as const, 'rtp' as const, 'sdes' as const, 'osrtp' as const);

function udp(listener: number, address: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(address, port).map(([host, number]) => `u${listener}:${host}:${number}`);
}

const side: fc.Arbitrary<TokenSide> = fc
  .tuple(
    fc.integer({ min: 0, max: 999 }),
    media,
    fc.option(hash, { nil: undefined }),
    fc.option(hash, { nil: undefined }),
  )
  .chain(([listener, kind, binding, target]) =>
    fc
      .oneof(connection, fc.constant(undefined), udp(listener, fc.ipV4()), udp(listener, ipv6))
      .map((flowId) => ({ media: kind, listener, flowId, ...namesOf(flowId, binding, target) })),
  );
const anyFields: fc.Arbitrary<TokenFields> = fc.record(
  {
    callerTagHash: fc.stringMatching(/^[0-9a-f]{6}$/),
    node: fc.integer({ min: 0, max: 0xffff }),
    pass: fc.integer({ min: 0, max: 0xff }),
    madeAtHour: fc.integer({ min: 0, max: 0xffff }),
    caller: side,
    callee: side,
  },
  { noNullPrototype: true },
);

/** What there is room and use for: two IPv6 flows fill the token, and a flow or a binding says more than a target. */
function namesOf(flowId: string | undefined, binding: string | undefined, target: string | undefined): NamesOfSide {
  const bindingKeyHash = isUdp6(flowId) ? undefined : binding;
  return { bindingKeyHash, targetHash: flowId === undefined && bindingKeyHash === undefined ? target : undefined };
}

type NamesOfSide = Pick<TokenSide, 'bindingKeyHash' | 'targetHash'>;

function isUdp6(flowId: string | undefined): boolean {
  return flowId?.startsWith('u') === true && flowId.split(':').length > 3;
}

test('DESIGN §5: a token carries both flows, kinds, listeners, the binding and the node, and comes back whole', () => {
  const token = encodeToken(fields, callId, secret);
  assert.deepEqual(decodeToken(token, callId, [secret]), fields);
  assert.ok(token.length <= 58, `a browser and a phone take ${token.length} characters`);
});

test('RFC 8643: a side that encrypts if the other can (OSRTP) stands there as that, and plain RTP of an older token is plain', () => {
  const either: TokenSide = { ...phone, media: 'osrtp' };
  for (const sides of [
    { caller: either, callee: phone },
    { caller: phone, callee: either },
    { caller: either, callee: either },
  ]) {
    const read = decodeToken(encodeToken({ ...fields, ...sides }, callId, secret), callId, [secret]);
    assert.deepEqual(read, { ...fields, ...sides });
  }
  // Written before OSRTP had its bits: a browser calls a telephone.
  const older = 'JuBYmzWXRpvw5AADChssAAASZ_uSDZhWAADAAAIHE8ZwrSmp1QdOjp7g';
  assert.deepEqual(decodeToken(older, callId, [secret]), fields);
});

test('DESIGN §5: any pair of flows fits 80 characters that a SIP user part holds unescaped, and comes back', () => {
  fc.assert(
    fc.property(anyFields, fc.string({ unit: 'binary' }), (any, id) => {
      const token = encodeToken(any, id, secret);
      assert.match(token, /^[A-Za-z0-9_-]+$/);
      assert.ok(token.length <= longestToken);
      assert.deepEqual(decodeToken(token, id, [secret]), any);
    }),
  );
});

test('law 10: a token with one character changed, cut or added is refused', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  fc.assert(
    fc.property(anyFields, fc.nat(), fc.constantFrom(...alphabet), (any, at, character) => {
      const token = encodeToken(any, callId, secret);
      const index = at % token.length;
      fc.pre(token[index] !== character);
      const flipped = token.slice(0, index) + character + token.slice(index + 1);
      assert.equal(decodeToken(flipped, callId, [secret]), undefined);
      assert.equal(decodeToken(token.slice(0, index), callId, [secret]), undefined);
      assert.equal(decodeToken(token + character, callId, [secret]), undefined);
    }),
  );
});

test('law 10: a token of another Call-ID is refused, so that a preloaded Route gains nothing', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (mine, other) => {
      fc.pre(mine !== other);
      assert.equal(decodeToken(encodeToken(fields, mine, secret), other, [secret]), undefined);
    }),
  );
});

test('law 10: bytes from outside never throw', () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(decodeToken(text, callId, [secret]), undefined)));
});

test('DESIGN §6: TOKEN_SECRET may hold the old secret second; a token signed with it is still read', () => {
  const token = encodeToken(fields, callId, 'old');
  assert.deepEqual(decodeToken(token, callId, ['new', 'old']), fields);
  assert.equal(decodeToken(token, callId, ['new']), undefined);
  assert.equal(decodeToken(token, callId, []), undefined);
});

test('DESIGN §5: the From tag of a request gives its direction', () => {
  assert.equal(directionOf(fields, 'tag-a'), 'from-caller');
  assert.equal(directionOf(fields, 'tag-b'), 'from-callee');
});

test('DESIGN §5: two IPv6 flows leave no room for bindings; they are left out, the flows stay', () => {
  const six: TokenSide = { ...phone, flowId: 'u0:2001:db8::1:5060', bindingKeyHash: 'aabbccddee' };
  const read = decodeToken(encodeToken({ ...fields, caller: six, callee: six }, callId, secret), callId, [secret]);
  assert.deepEqual(read?.caller, { ...six, bindingKeyHash: undefined });
});

test('DESIGN §5: a flow without a short form is left out and the rest stays', () => {
  for (const flowId of ['u0:fe80::1%eth0:5060', 'cabcdef-99999999999', 'u0:300.1.1.1:5060', 'u0:h:70000', 'x']) {
    const read = decodeToken(encodeToken({ ...fields, callee: { ...phone, flowId } }, callId, secret), callId, [
      secret,
    ]);
    assert.deepEqual(read?.callee, { ...phone, flowId: undefined }, flowId);
  }
});

test('DESIGN law 10: a token ages by the hour; a node whose clock is a little ahead makes no old ones', () => {
  const madeAtMs = Date.UTC(2026, 10, 21, 9, 59);
  const token = { ...fields, madeAtHour: hourOf(madeAtMs) };
  const hours = [-1, 0, 1, 24, 25, 65_000].map((count) => ageHours(token, madeAtMs + count * 3_600_000));
  assert.deepEqual(hours, [0, 0, 1, 24, 25, 65_000]);
});

test('DESIGN law 10: a side without flow and binding is named by the hash of the URI that its requests are sent to', () => {
  const callee = { ...phone, flowId: undefined, targetHash: targetHash('sip:pbx.example.net:5080;transport=tcp') };
  const read = decodeToken(encodeToken({ ...fields, callee }, callId, secret), callId, [secret]);
  assert.deepEqual(read?.callee, callee);
  assert.equal(targetHash('sip:PBX.example.net:5080;transport=TCP;x=1'), callee.targetHash, 'as RFC 3261 §19.1.4 says');
  assert.notEqual(targetHash('sip:pbx.example.net:5081;transport=tcp'), callee.targetHash);
  assert.match(targetHash('no URI'), /^[0-9a-f]{10}$/);
});

test('DESIGN §5: the binding key hash is the first ten hex digits of SHA-256 over AOR, line feed and key', () => {
  const expected = createHash('sha256').update('sip:bob@example.com\nsip:bob@192.0.2.4').digest('hex').slice(0, 10);
  assert.equal(bindingKeyHash('sip:bob@example.com', 'sip:bob@192.0.2.4'), expected);
});
