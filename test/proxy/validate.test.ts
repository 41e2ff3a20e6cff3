import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errors } from '../../src/errors.ts';
import type { SipRequest } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { branchParameter, loopHash } from '../../src/proxy/loop.ts';
import { type Here, validate } from '../../src/proxy/validate.ts';

interface Text {
  readonly method?: string;
  readonly uri?: string;
  readonly maxForwards?: string;
  readonly lines?: readonly string[];
}

function request({
  method = 'INVITE',
  uri = 'sip:bob@biloxi.example.com',
  maxForwards = '70',
  lines = [],
}: Text): SipRequest {
  const message = parseMessage(
    [
      `${method} ${uri} SIP/2.0`,
      'Via: SIP/2.0/UDP alice.example.com:5060;branch=z9hG4bKalice',
      ...(maxForwards === '' ? [] : [`Max-Forwards: ${maxForwards}`]),
      'From: <sip:alice@atlanta.example.com>;tag=a',
      'To: <sip:bob@biloxi.example.com>',
      'Call-ID: call-1',
      `CSeq: 1 ${method}`,
      ...lines,
      '\r\n',
    ].join('\r\n'),
  );
  assert.ok(message.kind === 'request', JSON.stringify(message));
  return message;
}

const here: Here = { sentBys: ['proxy.example.com:5060'], endsHere: false };

function check(text: Text, status: number | undefined, hint = '', where: Partial<Here> = {}): void {
  const refusal = validate(request(text), { ...here, ...where });
  assert.equal(refusal?.status, status, JSON.stringify(refusal));
  if (refusal === undefined) return;
  assert.equal(errors[refusal.code].status, status);
  assert.ok(refusal.text.includes(hint), refusal.text);
}

describe('reasonable syntax', () => {
  const cases: readonly (readonly [Text, number | undefined, string])[] = [
    [{}, undefined, ''],
    [{ maxForwards: '' }, undefined, ''],
    [{ maxForwards: 'many' }, 400, 'Max-Forwards'],
    [{ maxForwards: '-1' }, 400, 'Max-Forwards'],
    [{ maxForwards: '300' }, 400, 'Max-Forwards'],
    [{ lines: ['Max-Breadth: wide'] }, 400, 'Max-Breadth'],
    [{ lines: ['Route: nonsense'] }, 400, 'Route'],
    [{ lines: ['Route: <sip:a;lr>, <sip:b'] }, 400, 'Route'],
    [{ lines: ['Record-Route: nonsense'] }, 400, 'Record-Route'],
    [{ lines: ['Via: nonsense'] }, 400, 'Via'],
    [{ lines: ['Proxy-Require: a b'] }, 400, 'Proxy-Require'],
    [{ lines: ['Contact: <sip:alice@192.0.2.1'] }, 400, 'Contact'],
    [{ method: 'REGISTER', lines: ['Contact: *'] }, undefined, ''],
    [{ method: 'MESSAGE', lines: ['Contact: <sip:alice@192.0.2.1'] }, undefined, ''],
    [{ lines: ['Date: yesterday', 'Expires: soon', 'Warning: none', 'Subject:'] }, undefined, ''],
    [{ uri: 'sip:bob@' }, 400, 'Request-URI'],
    [{ uri: 'sip:@biloxi.example.com' }, 400, 'Request-URI'],
  ];
  for (const [text, status, hint] of cases) {
    test(`RFC 3261 §16.3 step 1: ${JSON.stringify(text)}: ${status ?? 'passes'}`, () => check(text, status, hint));
  }
});

describe('URI scheme', () => {
  test('RFC 3261 §16.3 step 2: sip and sips are routed, others are a 416', () => {
    check({ uri: 'sips:bob@biloxi.example.com' }, undefined);
    check({ uri: 'SIP:bob@biloxi.example.com' }, undefined);
    check({ uri: 'tel:+15551234' }, 416, 'tel');
    check({ uri: 'urn:service:sos' }, 416, 'urn');
    check({ uri: 'nobodyKnowsThisScheme:totallyopaque' }, 416);
  });
});

describe('Max-Forwards', () => {
  test('RFC 3261 §16.3 step 3: 0 is a 483, 1 is not', () => {
    check({ maxForwards: '0' }, 483);
    check({ maxForwards: '1' }, undefined);
    check({ method: 'OPTIONS', maxForwards: '0' }, 483);
  });

  test('RFC 3261 §16.3 step 3: who is the final recipient may answer with 0 hops left', () => {
    check({ method: 'OPTIONS', maxForwards: '0' }, undefined, '', { endsHere: true });
    check({ method: 'REGISTER', maxForwards: '0' }, undefined, '', { endsHere: true });
  });
});

describe('loops', () => {
  const looped = (uri?: string): Text => {
    const branch = branchParameter('0a', loopHash(request({})));
    const lines = [`Via: SIP/2.0/UDP proxy.example.com:5060;branch=${branch}`];
    return uri === undefined ? { lines } : { uri, lines };
  };

  test('RFC 3261 §16.3 step 4: a request that was here is a 482', () => check(looped(), 482));

  test('RFC 3261 §16.3 step 4: a spiral passes', () => check(looped('sip:carol@biloxi.example.com'), undefined));

  test('RFC 5393 §4.2: the hash of the request as it was received counts, when the caller has it', () => {
    check(looped(), undefined, '', { loopHash: () => 'another' });
  });
});

describe('Proxy-Require', () => {
  test('RFC 3261 §16.3 step 5: what we do not know is a 420 that names it in Unsupported', () => {
    const refusal = validate(request({ lines: ['Proxy-Require: sec-agree, foo'] }), here);
    assert.equal(refusal?.status, 420);
    assert.deepEqual(refusal?.headers, [['Unsupported', 'sec-agree, foo']]);
  });

  test('RFC 3261 §16.3 step 5: what we know passes, in any case', () => {
    check({ lines: ['Proxy-Require: FOO'] }, undefined, '', { extensions: ['foo'] });
    check({ lines: ['Proxy-Require: foo, bar'] }, 420, 'bar', { extensions: ['foo'] });
  });

  test('RFC 3261 §8.2.2.3: ACK and CANCEL are not refused for it', () => {
    check({ method: 'ACK', lines: ['Proxy-Require: foo'] }, undefined);
    check({ method: 'CANCEL', lines: ['Proxy-Require: foo'] }, undefined);
  });

  test('RFC 3261 §20.32: Require is for the user agent, not for us', () =>
    check({ lines: ['Require: foo'] }, undefined));
});

test('RFC 3261 §16.3: the checks run in the order of the RFC', () => {
  check({ uri: 'tel:1', maxForwards: '0', lines: ['Route: nonsense'] }, 400);
  check({ uri: 'tel:1', maxForwards: '0', lines: ['Proxy-Require: foo'] }, 416);
  check({ maxForwards: '0', lines: ['Proxy-Require: foo'] }, 483);
});
