import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import bencode from 'bencode';
import fc from 'fast-check';
import { decode, decodeReply, encodeCommand } from '../../../src/adapters/rtpengine/bencode.ts';
import { Failure } from '../../../src/errors.ts';

/** Every character one byte. */
const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const key = fc.string({ unit: 'grapheme-ascii' }).filter((name) => name !== '__proto__');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, latin1, fc.maxSafeInteger(), tie('list'), tie('dictionary')),
  list: fc.array(tie('value'), { maxLength: 5 }),
  dictionary: fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
}));

describe('decoding ng replies', () => {
  it('reads what the bencode package writes, byte for byte', () => {
    fc.assert(fc.property(value, (each) => assert.deepEqual(plain(decode(written(each))), each)));
  });

  it("agrees with the bencode package's own decoder on everything valid", () => {
    fc.assert(
      fc.property(value, (each) => {
        const text = written(each);
        assert.deepEqual(plain(decode(text)), textOf(bencode.decode(Buffer.from(text, 'latin1'))));
      }),
    );
  });

  it('throws nothing but a Failure, whatever the bytes are', () => {
    fc.assert(
      fc.property(latin1, (text) => onlyFailure(() => decode(text))),
      { numRuns: 2000 },
    );
  });

  it('throws nothing but a Failure for valid bencode with a byte changed, lost or added', () => {
    const damaged = fc.tuple(value, fc.nat(), fc.integer({ min: -1, max: 255 }), fc.boolean());
    fc.assert(
      fc.property(damaged, ([each, place, byte, replace]) => {
        const text = written(each);
        const at = place % (text.length + 1);
        const middle = byte < 0 ? '' : String.fromCharCode(byte);
        onlyFailure(() => decode(text.slice(0, at) + middle + text.slice(replace || byte < 0 ? at + 1 : at)));
      }),
      { numRuns: 2000 },
    );
  });

  const refused: readonly (readonly [why: string, text: string])[] = [
    ['a negative length, which hangs other decoders', 'l-3:e'],
    ['a length beyond the end', '5:abc'],
    ['a huge length', '9999999999:x'],
    ['a length with leading zeros', '03:abc'],
    ['a length with a sign', '+3:abc'],
    ['no length', ':abc'],
    ['no colon', '3'],
    ['nothing at all', ''],
    ['bytes after the end', 'i1ei2e'],
    ['an integer without digits', 'ie'],
    ['an integer with a leading zero', 'i01e'],
    ['minus zero', 'i-0e'],
    ['a fraction', 'i1.5e'],
    ['an integer without end', 'i15'],
    ['an integer longer than 64 bits', `i${'9'.repeat(21)}e`],
    ['a list without end', 'li1e'],
    ['a dictionary without end', 'd1:ai1e'],
    ['a dictionary with a key that is no string', 'di1ei2ee'],
    ['a key without a value', 'd1:ae'],
    ['lists nested without sense', 'l'.repeat(60_000)],
    ['more than a datagram holds', `70000:${'x'.repeat(70_000)}`],
  ];
  for (const [why, text] of refused) {
    it(`refuses ${why}`, () => assert.throws(() => decode(text), isGarbled));
  }

  it('refuses a reply that is not a dictionary', () => {
    assert.throws(() => decodeReply('le'), isGarbled);
    assert.throws(() => decodeReply('4:pong'), isGarbled);
  });

  it('treats __proto__ as any other key', () => {
    const decoded = decodeReply('d9:__proto__d6:result2:okee');
    assert.equal(decoded.result, undefined);
    assert.equal(Object.getPrototypeOf(decoded), null);
    assert.deepEqual(Object.keys(decoded), ['__proto__']);
  });

  it('keeps the first of two equal keys', () => {
    assert.equal(decodeReply('d6:result5:error6:result2:oke').result, 'error');
  });

  it('takes keys in any order, as rtpengine writes them', () => {
    assert.deepEqual({ ...decodeReply('d6:result2:ok3:sdp1:xe') }, { result: 'ok', sdp: 'x' });
    assert.deepEqual({ ...decodeReply('d3:sdp1:x6:result2:oke') }, { result: 'ok', sdp: 'x' });
  });
});

describe('encoding ng commands', () => {
  it('writes the cookie, a blank and the dictionary', () => {
    assert.equal(encodeCommand('abc', { command: 'ping' }).toString('latin1'), 'abc d7:command4:pinge');
  });

  it('counts bytes and keeps each of them, in any character set', () => {
    const sdp = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
    const bytes = encodeCommand('c', { command: 'offer', 'call-id': 'é', 'from-tag': 'a', sdp });
    assert.match(bytes.toString('latin1'), /7:call-id1:é/);
    assert.equal(decodeReply(bytes.toString('latin1').slice(2)).sdp, sdp);
  });

  it('RFC 8840: writes candidates as an offer with the flag fragment', () => {
    const keys = { 'call-id': 'c', 'from-tag': 'a', 'to-tag': 'b', sdp: 'v=0\r\n' } as const;
    assert.equal(
      encodeCommand('cookie', { command: 'trickle', ...keys }).toString('latin1'),
      'cookie d7:command5:offer7:call-id1:c8:from-tag1:a6:to-tag1:b3:sdp5:v=0\r\n5:flagsl8:fragmentee',
    );
  });

  it('writes lists as lists: rtpengine 10.5 drops a plain string without a word', () => {
    const offer = { command: 'offer', 'call-id': 'x', 'from-tag': 'a', sdp: 's', SDES: ['off'], flags: [] } as const;
    assert.match(encodeCommand('c', offer).toString('latin1'), /4:SDESl3:offe.*5:flagsle/);
  });

  it('leaves out keys without a value', () => {
    const offer = { command: 'offer', 'call-id': 'x', 'from-tag': 'a', sdp: 's' } as const;
    assert.doesNotMatch(encodeCommand('c', offer).toString('latin1'), /to-tag/);
  });
});

function written(each: unknown): string {
  return Buffer.from(bencode.encode(bytesOf(each))).toString('latin1');
}

function bytesOf(each: unknown): unknown {
  if (typeof each === 'string') return Buffer.from(each, 'latin1');
  if (Array.isArray(each)) return each.map(bytesOf);
  if (typeof each !== 'object' || each === null) return each;
  return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, bytesOf(inner)]));
}

/** Dictionaries with the usual prototype, for comparison. */
function plain(each: unknown): unknown {
  if (Array.isArray(each)) return each.map(plain);
  if (typeof each !== 'object' || each === null) return each;
  return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, plain(inner)]));
}

/** The package gives byte arrays for strings. */
function textOf(each: unknown): unknown {
  if (each instanceof Uint8Array) return Buffer.from(each).toString('latin1');
  if (Array.isArray(each)) return each.map(textOf);
  if (typeof each !== 'object' || each === null) return each;
  return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, textOf(inner)]));
}

function onlyFailure(run: () => unknown): void {
  try {
    run();
  } catch (thrown) {
    assert.ok(isGarbled(thrown), String(thrown));
  }
}

function isGarbled(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.code === 'media-garbled';
}
