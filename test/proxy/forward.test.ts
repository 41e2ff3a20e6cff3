import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serialize } from '../../src/message/edit.ts';
import { get, values } from '../../src/message/header.ts';
import { MaxBreadth, MaxForwards } from '../../src/message/headers/numbers.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import type { SipRequest } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { type Forwarding, forwarded } from '../../src/proxy/forward.ts';

const received = [
  'INVITE sip:bob@example.com SIP/2.0',
  'v:SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;received=192.0.2.1',
  'Max-Forwards: 70',
  'From: "Al;ice" <sip:alice@example.com>;tag=a',
  'To:   <sip:bob@example.com>',
  'Call-ID: call-1',
  'CSeq: 1 INVITE',
  'X-Odd :  kept  as it is ',
  'Content-Length: 3',
  '',
  'sdp',
];

function request(change: (lines: readonly string[]) => readonly string[] = (lines) => lines): SipRequest {
  const message = parseMessage(change(received).join('\r\n'));
  assert.ok(message.kind === 'request', JSON.stringify(message));
  return message;
}

const withLines = (...lines: readonly string[]): SipRequest => request((all) => all.toSpliced(2, 0, ...lines));
const without = (start: string): SipRequest => request((all) => all.filter((line) => !line.startsWith(start)));

const plain: Forwarding = {
  uri: 'sip:bob@192.0.2.2',
  via: { transport: 'UDP', host: '192.0.2.100', port: 5060, params: [['branch', 'z9hG4bK2']] },
  recordRoutes: [],
  routes: [],
  maxBreadth: undefined,
};

const address = (uri: string) => ({ display: undefined, uri, params: [] });

describe('RFC 3261 §16.6 steps 1 and 8: the copy', () => {
  test('law 7: only Request-URI, Max-Forwards and our Via differ from what was received, byte for byte', () => {
    const expected = [...received]
      .with(0, 'INVITE sip:bob@192.0.2.2 SIP/2.0')
      .with(2, 'Max-Forwards: 69')
      .toSpliced(1, 0, 'Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK2');
    assert.equal(serialize(forwarded(request(), plain)), expected.join('\r\n'));
  });

  test('the received request stays as it was: each branch makes its own copy of it', () => {
    const original = request();
    forwarded(original, { ...plain, routes: ['<sip:edge;lr>'], maxBreadth: 3 });
    assert.equal(serialize(original), received.join('\r\n'));
  });

  test('step 8: our Via stands above all others', () => {
    const copy = forwarded(request(), plain);
    assert.deepEqual(
      values(copy, Via).map((via) => via.split(';')[0]),
      ['SIP/2.0/UDP 192.0.2.100:5060', 'SIP/2.0/UDP 192.0.2.1:5060'],
    );
  });
});

describe('RFC 3261 §16.6 step 3: Max-Forwards', () => {
  test('is counted down', () => {
    assert.equal(get(forwarded(withLines(), plain), MaxForwards), 69);
  });

  test('is added as 70 where there is none', () => {
    assert.equal(get(forwarded(without('Max-Forwards'), plain), MaxForwards), 70);
  });

  test('1 leaves as 0', () => {
    const last = request((all) => all.with(2, 'Max-Forwards: 1'));
    assert.equal(get(forwarded(last, plain), MaxForwards), 0);
  });
});

describe('RFC 3261 §16.6 step 4: Record-Route', () => {
  test('ours go above those that are there, the first one topmost', () => {
    const copy = forwarded(withLines('Record-Route: <sip:edge;lr>'), {
      ...plain,
      recordRoutes: [address('sip:T@down;lr'), address('sip:T@up;lr')],
    });
    assert.deepEqual(values(copy, RecordRoute), ['<sip:T@down;lr>', '<sip:T@up;lr>', '<sip:edge;lr>']);
  });

  test('a request that makes no dialog gets none', () => {
    assert.deepEqual(values(forwarded(request(), plain), RecordRoute), []);
  });
});

describe('RFC 5393 §5.3.3: Max-Breadth', () => {
  test('a branch leaves with its share', () => {
    assert.equal(get(forwarded(withLines('Max-Breadth: 60'), { ...plain, maxBreadth: 20 }), MaxBreadth), 20);
    assert.equal(get(forwarded(request(), { ...plain, maxBreadth: 30 }), MaxBreadth), 30);
  });

  test('where nothing is forked it stays as it came', () => {
    assert.equal(get(forwarded(withLines('Max-Breadth: 7'), plain), MaxBreadth), 7);
    assert.equal(get(forwarded(request(), plain), MaxBreadth), undefined);
  });
});

describe('RFC 3261 §16.6 step 6, RFC 3327: Route', () => {
  test('the Path of a binding goes before what the request brought, nearest first', () => {
    const copy = forwarded(withLines('Route: <sip:later;lr>'), {
      ...plain,
      routes: ['<sip:first;lr>', '<sip:second;lr>;x=1'],
    });
    assert.deepEqual(values(copy, Route), ['<sip:first;lr>', '<sip:second;lr>', '<sip:later;lr>']);
    assert.equal(copy.uri, plain.uri);
  });

  test('a bare URI becomes a Route value as well', () => {
    const copy = forwarded(request(), { ...plain, routes: ['sip:first;lr'] });
    assert.deepEqual(values(copy, Route), ['<sip:first;lr>']);
  });

  test('a strict router gets its own URI as Request-URI; the real one goes to the end', () => {
    const copy = forwarded(withLines('Route: <sip:strict>, <sip:later;lr>'), plain);
    assert.equal(copy.uri, 'sip:strict');
    assert.equal(copy.startLine, 'INVITE sip:strict SIP/2.0');
    assert.deepEqual(values(copy, Route), ['<sip:later;lr>', `<${plain.uri}>`]);
  });

  test('a strict router that is alone has only the real one behind it', () => {
    const copy = forwarded(request(), { ...plain, routes: ['<sip:strict:5070;transport=tcp>'] });
    assert.equal(copy.uri, 'sip:strict:5070;transport=tcp');
    assert.deepEqual(values(copy, Route), [`<${plain.uri}>`]);
  });
});
