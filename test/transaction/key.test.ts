import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cancelFor, createResponse } from '../../src/message/build.ts';
import { clientKey, inviteKeyOfCancel, serverKey } from '../../src/transaction/key.ts';
import { type RequestText, request } from './driver.ts';

const key = (text: RequestText): string => serverKey(request(text));
const via = (branch: string, sentBy = 'alice.example.com:5060', transport = 'UDP'): string =>
  `SIP/2.0/${transport} ${sentBy};branch=${branch}`;

describe('server transactions with the magic cookie', () => {
  const invite = { via: via('z9hG4bKx1') };
  const same: readonly (readonly [string, RequestText])[] = [
    ['the branch in other case (§7.3.1)', { via: via('Z9HG4BKX1') }],
    ['sent-by in other case', { via: via('z9hG4bKx1', 'ALICE.example.COM:5060') }],
    ['the default port left out', { via: via('z9hG4bKx1', 'alice.example.com') }],
    ['received and rport filled', { via: `${via('z9hG4bKx1')};received=192.0.2.1;rport=9` }],
    ['another Request-URI and Call-ID: they are not compared', { ...invite, uri: 'sip:x@y.example.com', callId: 'z' }],
    ['a second Via below', { via: `${via('z9hG4bKx1')}, ${via('z9hG4bKbelow', 'deep.example.com')}` }],
    ['its ACK', { ...invite, method: 'ACK', to: '<sip:bob@biloxi.example.com>;tag=b' }],
  ];
  for (const [name, text] of same) {
    test(`RFC 3261 §17.2.3: the same transaction: ${name}`, () => assert.equal(key(text), key(invite)));
  }

  const other: readonly (readonly [string, RequestText])[] = [
    ['another branch', { via: via('z9hG4bKx2') }],
    ['another host in sent-by', { via: via('z9hG4bKx1', 'mallory.example.com:5060') }],
    ['another port in sent-by', { via: via('z9hG4bKx1', 'alice.example.com:5070') }],
    ['the default port of TLS', { via: via('z9hG4bKx1', 'alice.example.com', 'TLS') }],
    ['another method', { ...invite, method: 'BYE' }],
    ['CANCEL, which is a transaction of its own', { ...invite, method: 'CANCEL' }],
  ];
  for (const [name, text] of other) {
    test(`RFC 3261 §17.2.3: not the same transaction: ${name}`, () => assert.notEqual(key(text), key(invite)));
  }

  test('RFC 3261 §9.2: a CANCEL finds its INVITE', () => {
    const request1 = request(invite);
    assert.equal(inviteKeyOfCancel(cancelFor(request1)), serverKey(request1));
    assert.notEqual(serverKey(cancelFor(request1)), serverKey(request1));
  });

  test('RFC 7118 §5.1: sent-by of WebSockets means ports 80 and 443', () => {
    const web = (sentBy: string, transport: string) => key({ via: via('z9hG4bKx1', sentBy, transport) });
    assert.equal(web('a.invalid', 'WS'), web('a.invalid:80', 'WS'));
    assert.equal(web('a.invalid', 'WSS'), web('a.invalid:443', 'WSS'));
  });
});

describe('server transactions of RFC 2543 elements', () => {
  const invite: RequestText = { via: via('1'), to: '<sip:bob@biloxi.example.com>' };
  const bye: RequestText = { ...invite, method: 'BYE', to: '<sip:bob@biloxi.example.com>;tag=b' };

  test('RFC 3261 §17.2.3: the ACK matches its INVITE though its To has the tag of the response', () => {
    assert.equal(key({ ...invite, method: 'ACK', to: '<sip:bob@biloxi.example.com>;tag=b' }), key(invite));
  });

  test('RFC 3261 §17.2.3: without any branch the rest decides', () => {
    const bare = { via: 'SIP/2.0/UDP old.example.com' };
    assert.equal(key(bare), key({ via: 'SIP/2.0/UDP OLD.example.com:5060' }));
    assert.notEqual(key(bare), key({ ...bare, callId: 'another' }));
  });

  test('RFC 3261 §9.2: a CANCEL finds its INVITE', () => {
    assert.equal(inviteKeyOfCancel(cancelFor(request(invite))), key(invite));
  });

  const changes: readonly (readonly [string, RequestText])[] = [
    ['Request-URI', { uri: 'sip:carol@biloxi.example.com' }],
    ['From tag', { from: '<sip:alice@atlanta.example.com>;tag=a2' }],
    ['Call-ID', { callId: 'call-2' }],
    ['CSeq number', { cseq: 8 }],
    ['top Via', { via: via('2') }],
    ['sent-by', { via: via('1', 'other.example.com') }],
  ];
  for (const [name, change] of changes) {
    test(`RFC 3261 §17.2.3: another ${name} is another transaction`, () => {
      assert.notEqual(key({ ...invite, ...change }), key(invite));
      assert.notEqual(key({ ...bye, ...change }), key(bye));
    });
  }

  test('RFC 3261 §17.2.3: the To tag counts, except between INVITE and ACK', () => {
    assert.notEqual(key({ ...bye, to: '<sip:bob@biloxi.example.com>;tag=c' }), key(bye));
  });
});

describe('client transactions', () => {
  const invite = request({ via: via('z9hG4bKours', 'proxy.example.com:5060') });

  test('RFC 3261 §17.1.3: a response matches by the branch of its top Via and the method in CSeq', () => {
    assert.equal(clientKey(createResponse(invite, 180)), clientKey(invite));
  });

  test('RFC 3261 §17.1.3: the 200 to a CANCEL is not the 200 to its INVITE, though the branch is one', () => {
    const cancel = cancelFor(invite);
    assert.equal(clientKey(createResponse(cancel, 200)), clientKey(cancel));
    assert.notEqual(clientKey(cancel), clientKey(invite));
  });

  test('RFC 3261 §17.1.3: the branch is compared without case', () => {
    const shouted = createResponse(request({ via: via('Z9HG4BKOURS', 'proxy.example.com:5060') }), 180);
    assert.equal(clientKey(shouted), clientKey(invite));
  });
});
