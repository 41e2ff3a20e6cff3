import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ackFor, cancelFor, createResponse } from '../../src/message/build.ts';
import { prepend, removeFirst, setHeader, withUri } from '../../src/message/edit.ts';
import { all } from '../../src/message/header.ts';
import { MaxBreadth, MaxForwards } from '../../src/message/headers/numbers.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import type { SipRequest } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { branchParameter, isLoop, loopHash, shareBreadth } from '../../src/proxy/loop.ts';

function received(lines: readonly string[] = []): SipRequest {
  const message = parseMessage(
    [
      'INVITE sip:bob@biloxi.example.com SIP/2.0',
      'Via: SIP/2.0/UDP alice.example.com:5060;branch=z9hG4bKalice',
      'Max-Forwards: 70',
      'Route: <sip:p1.example.com;lr>',
      'From: <sip:alice@atlanta.example.com>;tag=a',
      'To: <sip:bob@biloxi.example.com>',
      'Call-ID: call-1',
      'CSeq: 1 INVITE',
      ...lines,
      '\r\n',
    ].join('\r\n'),
  );
  assert.ok(message.kind === 'request', JSON.stringify(message));
  return message;
}

const ours = ['proxy.example.com:5060', '[2001:db8::1]:5061'];

/** One pass through us and on through somebody else, back to us. */
function forwardedByUs(request: SipRequest, sentBy = 'proxy.example.com:5060'): SipRequest {
  const branch = branchParameter('0123456789', loopHash(request));
  const via = (text: string) => {
    const parsed = Via.parse(text);
    assert.ok(parsed !== undefined);
    return parsed;
  };
  const ourVia = prepend(request, Via, via(`SIP/2.0/UDP ${sentBy};branch=${branch}`));
  const recorded = prepend(ourVia, RecordRoute, { display: undefined, uri: 'sip:proxy.example.com;lr', params: [] });
  const further = prepend(recorded, Via, via('SIP/2.0/TCP other.example.com;branch=z9hG4bKother'));
  return setHeader(further, MaxForwards, 60);
}

describe('loops', () => {
  const request = received();

  test('RFC 5393 §4.2: the branch is a token with the magic cookie, a random part and the hash', () => {
    assert.match(branchParameter('0123456789', loopHash(request)), /^z9hG4bK0123456789\.[0-9a-f]{16}$/);
  });

  test('RFC 5393 §4.2: a request that comes back unchanged is a loop, whatever its way changed in Via and hops', () => {
    assert.equal(isLoop(request, ours), false);
    assert.equal(isLoop(forwardedByUs(request), ours), true);
    assert.equal(isLoop(forwardedByUs(request, 'PROXY.example.com'), ours), true, 'no port, other case');
    assert.equal(isLoop(forwardedByUs(request, '[2001:DB8::1]:5061'), ours), true);
  });

  test('RFC 5393 §4.2: also when our Via shares its line with others', () => {
    const branch = branchParameter('ff', loopHash(request));
    const joined = received([
      `Via: SIP/2.0/UDP x.example.com;branch=z9hG4bKx, SIP/2.0/UDP proxy.example.com;branch=${branch}`,
    ]);
    assert.equal(all(joined, Via).length, 3);
    assert.equal(isLoop(joined, ours), true);
  });

  const spirals: readonly (readonly [string, (request: SipRequest) => SipRequest])[] = [
    ['another Request-URI (call forwarding)', (one) => withUri(one, 'sip:carol@biloxi.example.com')],
    ['one Route less', (one) => removeFirst(one, Route)],
    ['one Route more', (one) => prepend(one, Route, { display: undefined, uri: 'sip:p0.example.com;lr', params: [] })],
  ];
  for (const [name, change] of spirals) {
    test(`RFC 5393 §4.2: a spiral is no loop: ${name}`, () => {
      assert.equal(isLoop(change(forwardedByUs(request)), ours), false);
    });
  }

  test('RFC 5393 §4.2: a spiral that comes back a second time unchanged is a loop', () => {
    const spiral = withUri(forwardedByUs(request), 'sip:carol@biloxi.example.com');
    assert.equal(isLoop(forwardedByUs(spiral), ours), true);
  });

  test('RFC 3261 §16.3 step 4: the Via of another proxy is not ours, even with our hash', () => {
    assert.equal(isLoop(forwardedByUs(request, 'mallory.example.com:5060'), ours), false);
    assert.equal(isLoop(forwardedByUs(request, 'proxy.example.com:5070'), ours), false);
  });

  test('RFC 5393 §4.2: what decides about routing is in the hash', () => {
    const changed = (from: string, to: string): string => {
      const text = received().headers.map((line) => line.raw.replace(from, to));
      const message = parseMessage(['INVITE sip:bob@biloxi.example.com SIP/2.0', ...text, '\r\n'].join('\r\n'));
      assert.ok(message.kind === 'request');
      return loopHash(message);
    };
    const hash = loopHash(request);
    assert.equal(changed('nothing', ''), hash);
    for (const [from, to] of [
      ['tag=a', 'tag=b'],
      ['call-1', 'call-2'],
      ['CSeq: 1', 'CSeq: 2'],
      ['To: <sip:bob@biloxi.example.com>', 'To: <sip:bob@biloxi.example.com>;tag=x'],
    ] as const) {
      assert.notEqual(changed(from, to), hash, from);
    }
    assert.notEqual(loopHash(received(['Proxy-Require: foo'])), hash);
    assert.notEqual(loopHash(received(['Proxy-Authorization: Digest username="a"'])), hash);
    assert.notEqual(
      loopHash(received(['Proxy-Require: foo'])),
      loopHash(received(['Route: <sip:foo;lr>'])),
      'each list has its own place',
    );
  });

  test('RFC 5393 §4.2: ACK and CANCEL have the hash of their INVITE', () => {
    assert.equal(loopHash(cancelFor(request)), loopHash(request));
    assert.equal(loopHash(ackFor(request, createResponse(request, 486))), loopHash(request));
  });

  test('RFC 3261 §16.3 step 4: a branch without the magic cookie or without a branch is none of ours', () => {
    const hash = loopHash(request);
    assert.equal(isLoop(received([`Via: SIP/2.0/UDP proxy.example.com;branch=1.${hash}`]), ours), false);
    assert.equal(isLoop(received(['Via: SIP/2.0/UDP proxy.example.com']), ours), false);
  });

  test('RFC 3261 §18.1.1: a Via over TLS without a port means 5061', () => {
    const branch = branchParameter('ff', loopHash(request));
    const loop = received([`Via: SIP/2.0/TLS proxy.example.com;branch=${branch}`]);
    assert.equal(isLoop(loop, ours), false);
    assert.equal(isLoop(loop, ['proxy.example.com:5061']), true);
  });
});

describe('Max-Breadth', () => {
  const cases: readonly (readonly [string, readonly string[], number, readonly number[] | undefined])[] = [
    ['one branch takes it all', ['Max-Breadth: 7'], 1, [7]],
    ['it is shared out to the last one', ['Max-Breadth: 7'], 3, [3, 2, 2]],
    ['each branch needs at least one', ['Max-Breadth: 3'], 3, [1, 1, 1]],
    ['too small: 440', ['Max-Breadth: 2'], 3, undefined],
    ['zero allows nothing', ['Max-Breadth: 0'], 1, undefined],
    ['without the header it is 60', [], 2, [30, 30]],
    ['more than 60 branches without the header', [], 61, undefined],
    ['no branches, no shares', ['Max-Breadth: 5'], 0, []],
  ];
  for (const [name, lines, branches, expected] of cases) {
    test(`RFC 5393 §5.3.3: ${name}`, () => {
      assert.deepEqual(shareBreadth(received(lines), branches), expected);
    });
  }

  test('RFC 5393 §5.3.3: the shares never exceed what came', () => {
    for (let breadth = 1; breadth <= 60; breadth++) {
      for (let branches = 1; branches <= breadth; branches++) {
        const shares = shareBreadth(setHeader(received(), MaxBreadth, breadth), branches) ?? [];
        assert.equal(shares.length, branches);
        assert.equal(
          shares.reduce((sum, share) => sum + share, 0),
          breadth,
        );
        assert.ok(Math.min(...shares) >= 1);
      }
    }
  });
});
