import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ackFor, cancelFor, createRequest, createResponse, field, reasonPhrase } from '../../src/message/build.ts';
import { serialize } from '../../src/message/edit.ts';
import { get, values } from '../../src/message/header.ts';
import { To, tagOf } from '../../src/message/headers/from-to.ts';
import { ContentLength, Expires } from '../../src/message/headers/numbers.ts';
import { Via } from '../../src/message/headers/via.ts';
import { inviteText, parse, raws, request, response } from './sample.ts';

const invite = () =>
  request(
    inviteText({
      lines: { via: 'Via: SIP/2.0/UDP a;branch=z9hG4bK2\r\nv: SIP/2.0/TCP b;branch=z9hG4bK1;received=192.0.2.7' },
      extra: ['Record-Route: <sip:p;lr>', 'Route: <sip:next;lr>', 'Timestamp: 54', 'Subject: x', 'Content-Length: 3'],
      body: 'abc',
    }),
  );

test('RFC 3261 §8.2.6.2: a response copies Vias, From, To, Call-ID and CSeq, and gives To a tag', () => {
  const answer = createResponse(invite(), 486, { toTag: 't1' });
  assert.equal(
    serialize(answer),
    [
      'SIP/2.0 486 Busy Here',
      'Via: SIP/2.0/UDP a;branch=z9hG4bK2',
      'v: SIP/2.0/TCP b;branch=z9hG4bK1;received=192.0.2.7',
      'From: "Alice" <sip:alice@example.com>;tag=a1',
      'To: <sip:bob@example.com>;tag=t1',
      'Call-ID: c1@192.0.2.1',
      'CSeq: 1 INVITE',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
  assert.deepEqual([answer.status, answer.reason], [486, 'Busy Here']);
});

test('RFC 3261 §8.2.6.2: a To that has a tag keeps it', () => {
  const inside = request(inviteText({ lines: { to: 'To: <sip:b@h>;tag=old' } }));
  assert.equal(tagOf(get(createResponse(inside, 200, { toTag: 'new' }), To)), 'old');
});

test('RFC 3261 §20: a tag goes behind a To without brackets, a folded one, and one with a ";" too many', () => {
  for (const to of ['To: sip:bob@h', 't:\r\n <sip:bob@h>  ', 'To: <sip:bob@h>;']) {
    const answer = parse(serialize(createResponse(request(inviteText({ lines: { to } })), 404, { toTag: 'x' })));
    assert.equal(get(answer, To)?.uri, 'sip:bob@h');
    assert.equal(tagOf(get(answer, To)), 'x');
  }
});

test('RFC 3261 §8.2.6.1: Timestamp is copied into the 100 and into no other response', () => {
  assert.ok(raws(createResponse(invite(), 100)).includes('Timestamp: 54'));
  assert.ok(!raws(createResponse(invite(), 180)).includes('Timestamp: 54'));
  assert.equal(tagOf(get(createResponse(invite(), 100), To)), undefined);
});

test('RFC 3261 §12.1.1: Record-Route is copied when asked for', () => {
  assert.ok(raws(createResponse(invite(), 200, { recordRoute: true })).includes('Record-Route: <sip:p;lr>'));
  assert.ok(!raws(createResponse(invite(), 200)).includes('Record-Route: <sip:p;lr>'));
});

test('a response takes further headers, a body with its type, and a reason that cannot break the line', () => {
  const answer = createResponse(invite(), 423, {
    reason: 'Too\r\nbrief',
    headers: [['Min-Expires', '60'], field(Expires, 30)],
    body: 'text',
    contentType: 'text/plain',
  });
  assert.equal(answer.startLine, 'SIP/2.0 423 Too brief');
  assert.deepEqual(raws(answer).slice(-4), [
    'Min-Expires: 60',
    'Expires: 30',
    'Content-Type: text/plain',
    'Content-Length: 4',
  ]);
  assert.equal(parse(serialize(answer)).body, 'text');
});

test('RFC 3261 §17.1.1.3: the ACK for a failure has the INVITE’s top Via, Route, From and CSeq number, and the response’s To', () => {
  const failure = response(
    inviteText({ start: 'SIP/2.0 486 Busy', lines: { to: 'To: <sip:bob@example.com>;tag=b1' } }),
  );
  const ack = ackFor(invite(), failure);
  assert.equal(ack.method, 'ACK');
  assert.equal(ack.uri, 'sip:bob@example.com');
  assert.deepEqual(raws(ack), [
    'Via: SIP/2.0/UDP a;branch=z9hG4bK2',
    'Route: <sip:next;lr>',
    'Max-Forwards: 70',
    'From: "Alice" <sip:alice@example.com>;tag=a1',
    'To: <sip:bob@example.com>;tag=b1',
    'Call-ID: c1@192.0.2.1',
    'CSeq: 1 ACK',
    'Content-Length: 0',
  ]);
});

test('RFC 3261 §9.1: CANCEL has the one Via, Route, From, To, Call-ID and CSeq number of its INVITE, and no body', () => {
  const cancel = cancelFor(invite(), 'SIP;cause=200;text="Call completed elsewhere"');
  assert.equal(cancel.startLine, 'CANCEL sip:bob@example.com SIP/2.0');
  assert.deepEqual(raws(cancel), [
    'Via: SIP/2.0/UDP a;branch=z9hG4bK2',
    'Route: <sip:next;lr>',
    'Max-Forwards: 70',
    'From: "Alice" <sip:alice@example.com>;tag=a1',
    'To: <sip:bob@example.com>',
    'Call-ID: c1@192.0.2.1',
    'CSeq: 1 CANCEL',
    'Reason: SIP;cause=200;text="Call completed elsewhere"',
    'Content-Length: 0',
  ]);
  assert.ok(!raws(cancelFor(invite())).some((raw) => raw.startsWith('Reason')));
});

test('RFC 3261 §9.1: only the first Via is taken, also out of a comma list', () => {
  const message = request(inviteText({ lines: { via: 'v: SIP/2.0/UDP a;branch=z9hG4bK2 , SIP/2.0/UDP b;branch=1' } }));
  assert.deepEqual(values(cancelFor(message), Via), ['SIP/2.0/UDP a;branch=z9hG4bK2']);
});

test('RFC 3261 §8.1.1: a request of our own has what every request must have', () => {
  const bye = createRequest({
    method: 'BYE',
    uri: 'sip:alice@192.0.2.1',
    via: { transport: 'UDP', host: 'p.example.com', port: 5060, params: [['branch', 'z9hG4bK9']] },
    from: { display: undefined, uri: 'sip:bob@example.com', params: [['tag', 'b1']] },
    to: '<sip:alice@example.com>;tag=a1',
    callId: 'c1',
    cseq: 7,
    route: ['sip:edge;lr', '<sip:next;lr>'],
    headers: [['Reason', 'SIP;cause=503']],
  });
  const again = request(serialize(bye));
  assert.deepEqual(raws(again), raws(bye));
  assert.deepEqual(raws(bye), [
    'Via: SIP/2.0/UDP p.example.com:5060;branch=z9hG4bK9',
    'Route: <sip:edge;lr>',
    'Route: <sip:next;lr>',
    'Max-Forwards: 70',
    'From: <sip:bob@example.com>;tag=b1',
    'To: <sip:alice@example.com>;tag=a1',
    'Call-ID: c1',
    'CSeq: 7 BYE',
    'Reason: SIP;cause=503',
    'Content-Length: 0',
  ]);
  assert.equal(get(bye, ContentLength), 0);
});

test('RFC 3261 §21: reason phrases, and §8.1.3.2: an unknown status is named as the x00 of its class', () => {
  assert.equal(reasonPhrase(202), 'Accepted');
  assert.equal(reasonPhrase(423), 'Interval Too Brief');
  assert.equal(reasonPhrase(430), 'Flow Failed');
  assert.equal(reasonPhrase(440), 'Max-Breadth Exceeded');
  assert.equal(reasonPhrase(494), 'Security Agreement Required');
  assert.equal(reasonPhrase(499), 'Bad Request');
  assert.equal(reasonPhrase(699), 'Decline');
});
