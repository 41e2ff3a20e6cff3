import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, has, values } from '../../src/message/header.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { From, To, tagOf } from '../../src/message/headers/from-to.ts';
import { MaxForwards } from '../../src/message/headers/numbers.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { ackFor2xx, routeSetOf } from '../../src/proxy/ack.ts';

const basic = {
  via: 'Via: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK2',
  from: 'From: "Alice" <sip:alice@example.com>;tag=a',
  to: 'To: <sip:bob@example.com>;tag=b',
  callId: 'Call-ID: call-1',
  cseq: 'CSeq: 7 INVITE',
  contact: 'Contact: <sip:bob@192.0.2.2:5062;transport=tcp>',
} as const;

function ok(
  change: { readonly [name in keyof typeof basic]?: string } = {},
  ...routes: readonly string[]
): SipResponse {
  const lines = Object.values({ ...basic, ...change }).filter((line) => line !== '');
  const message = parseMessage(
    ['SIP/2.0 200 OK', ...lines, ...routes.map((route) => `Record-Route: ${route}`), '\r\n'].join('\r\n'),
  );
  assert.ok(message.kind === 'response', JSON.stringify(message));
  return message;
}

const via = { transport: 'UDP', host: '192.0.2.100', port: 5060, params: [['branch', 'z9hG4bK3']] } as const;

function ackOf(response: SipResponse): SipRequest {
  const ack = ackFor2xx(
    response,
    via,
    routeSetOf(response, (uri) => uri.includes('OURS@')),
  );
  assert.ok(ack !== undefined);
  return ack;
}

test('RFC 3261 §13.2.2.4: the ACK for a 2xx goes to its Contact, in its dialog, with the CSeq number of the INVITE', () => {
  const ack = ackOf(ok());
  assert.equal(ack.startLine, 'ACK sip:bob@192.0.2.2:5062;transport=tcp SIP/2.0');
  assert.deepEqual(get(ack, CSeq), { number: 7, method: 'ACK' });
  assert.deepEqual([tagOf(get(ack, From)), tagOf(get(ack, To)), get(ack, CallId)], ['a', 'b', 'call-1']);
});

test('RFC 3261 §17.1.1.3: it is a transaction of its own: our Via and no other, with a branch of its own', () => {
  assert.deepEqual(values(ackOf(ok()), Via), ['SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK3']);
  assert.equal(get(ackOf(ok()), MaxForwards), 70);
});

test('RFC 3261 §12.1.2: the Record-Routes beyond ours lead to the callee, nearest first; those before it are upstream', () => {
  const routes = ['<sip:p2;lr>, <sip:p1;lr>', '<sip:OURS@us;lr>', '<sip:edge;lr>'];
  assert.deepEqual(values(ackOf(ok({}, ...routes)), Route), ['<sip:p1;lr>', '<sip:p2;lr>']);
});

test('RFC 5658: of our own pair neither value is on the way to the callee', () => {
  const routes = ['<sip:p1;lr>', '<sip:OURS@us;lr>', '<sip:OURS@us;transport=ws;lr>'];
  assert.deepEqual(values(ackOf(ok({}, ...routes)), Route), ['<sip:p1;lr>']);
});

test('a 2xx that lost our Record-Route, or never had one, is acknowledged without a Route', () => {
  assert.deepEqual(values(ackOf(ok({}, '<sip:edge;lr>')), Route), []);
  const ack = ackOf(ok());
  assert.deepEqual([has(ack, Route), has(ack, RecordRoute)], [false, false]);
});

test('a 2xx without Contact is acknowledged at the address in To', () => {
  assert.equal(ackOf(ok({ contact: '' })).uri, 'sip:bob@example.com');
});

test('a 2xx that lacks what makes its dialog gets no ACK, and breaks nothing else', () => {
  const response = ok();
  for (const name of ['from', 'to', 'call-id', 'cseq']) {
    const headers = response.headers.filter((line) => line.name !== name);
    assert.equal(ackFor2xx({ ...response, headers }, via, []), undefined, name);
  }
});

test('RFC 3261 §12.2.1.1: a first Route without lr is a strict router: it takes the Request-URI, the Contact comes last', () => {
  const routes = ['<sip:p2;lr>', '<sip:strict>', '<sip:OURS@us;lr>'];
  const ack = ackOf(ok({}, ...routes));
  assert.equal(ack.uri, 'sip:strict');
  assert.deepEqual(values(ack, Route), ['<sip:p2;lr>', '<sip:bob@192.0.2.2:5062;transport=tcp>']);
});
