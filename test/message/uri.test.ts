import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  canonicalAor,
  escapeUser,
  parseUri,
  printUri,
  type SipUri,
  schemeOf,
  uriEquals,
  uriKey,
} from '../../src/message/uri.ts';

function uri(text: string): SipUri {
  const parsed = parseUri(text);
  if (parsed === undefined) assert.fail(`not a SIP URI: ${text}`);
  return parsed;
}

test('RFC 3261 §19.1.1: every component is read and printed as it was', () => {
  assert.deepEqual(uri('sips:alice:pa%20ss@Example.COM:5061;transport=tcp;lr?subject=x&to=y'), {
    scheme: 'sips',
    user: 'alice',
    password: 'pa%20ss',
    host: 'Example.COM',
    port: 5061,
    params: [
      ['transport', 'tcp'],
      ['lr', undefined],
    ],
    headers: 'subject=x&to=y',
  });
  for (const text of [
    'sip:example.com',
    'sip:+358-555-1234567;phone-context=x@foo.com;user=phone',
    'sip:*98#@pbx',
    'sip:a;b?c/d@[2001:db8::9:1]:5060;maddr=[::1]',
    'sip:sip%3Auser%40example.com@example.com;other-param=summit',
    'sip:7sdf8@k3j4h5.invalid;transport=ws;ob',
    'sip:1_2@my_host',
  ]) {
    assert.equal(printUri(uri(text)), text);
  }
});

test('RFC 3261 §19.1.1: the user part may hold ";" and "?", so the host begins behind the "@"', () => {
  const parsed = uri('sip:user;par=u%40example.net@example.com');
  assert.equal(parsed.user, 'user;par=u%40example.net');
  assert.equal(parsed.host, 'example.com');
  assert.deepEqual(parsed.params, []);
});

test('RFC 5118 §4.2, §4.3: an IPv6 address stands in brackets, and the port behind them', () => {
  assert.equal(uri('sip:[2001:db8::10]:5070').port, 5070);
  assert.equal(uri('sip:[2001:db8::10:5070]').port, undefined);
  assert.equal(uri('sip:user@[2001:db8::10]').host, '[2001:db8::10]');
  assert.equal(parseUri('sip:2001:db8::10'), undefined);
});

test('RFC 3261 §19.1.1: what is no SIP URI is undefined', () => {
  for (const text of [
    'sip:',
    'sip:alice@',
    'sip:@example.com',
    'sip::5060',
    'sip:a@b@c',
    'sip:host:0',
    'sip:host:65536',
    'sip:host:port',
    'sip:host:',
    'sip:[::1',
    'sip:[1.2.3.4]',
    'sip:%zz@host',
    'sip:a b@host',
    'sip:<a>@host',
    'sip:host;;lr',
    'sip:h\xc3\xb6st',
    'alice@example.com',
    '',
  ]) {
    assert.equal(parseUri(text), undefined, text);
  }
});

test('RFC 3261 §19.1: URIs of other schemes are left as text', () => {
  assert.equal(parseUri('tel:+1-201-555-0123'), undefined);
  assert.equal(schemeOf('TEL:+1-201-555-0123'), 'tel');
  assert.equal(schemeOf('nobodyKnowsThisScheme:x'), 'nobodyknowsthisscheme');
  assert.equal(schemeOf('<sip:x>'), undefined);
});

const equal: readonly (readonly [string, string])[] = [
  ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
  ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
  [
    'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
    'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
  ],
  [
    'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
    'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
  ],
];

const different: readonly (readonly [string, string])[] = [
  ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
  ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
  ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
  ['sip:bob@biloxi.com', 'sips:bob@biloxi.com'],
  ['sip:bob@biloxi.com', 'sip:bob:secret@biloxi.com'],
  ['sip:bob@biloxi.com', 'sip:biloxi.com'],
];

for (const [a, b] of equal) {
  test(`RFC 3261 §19.1.4: ${a} equals ${b}`, () => {
    assert.ok(uriEquals(uri(a), uri(b)));
    assert.ok(uriEquals(uri(b), uri(a)));
    assert.equal(uriKey(uri(a)), uriKey(uri(b)));
  });
}

for (const [a, b] of different) {
  test(`RFC 3261 §19.1.4: ${a} differs from ${b}`, () => {
    assert.ok(!uriEquals(uri(a), uri(b)));
    assert.ok(!uriEquals(uri(b), uri(a)));
  });
}

test('a URI equals itself, whatever its user part escapes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), (text) => {
      const bytes = Buffer.from(text, 'utf8').toString('latin1');
      const parsed = uri(`sip:${escapeUser(bytes)}@host`);
      assert.ok(uriEquals(parsed, uri(printUri(parsed))));
      assert.equal(canonicalAor(parsed), `sip:${escapeUser(bytes)}@host`);
    }),
  );
});

test('RFC 3261 §10.3 step 5: the AOR as a key has no parameters and no needless escapes', () => {
  assert.equal(canonicalAor(uri('sips:%61lice:pw@Example.COM:5061;user=phone?a=b')), 'sip:alice@example.com');
  assert.equal(canonicalAor(uri('sip:J%c3%bcrgen%40home@example.com')), 'sip:J%C3%BCrgen%40home@example.com');
  assert.equal(canonicalAor(uri('sip:J\xc3\xbcrgen@example.com')), 'sip:J%C3%BCrgen@example.com');
  assert.equal(canonicalAor(uri('sip:*98#@example.com')), canonicalAor(uri('sip:*98%23@example.com')));
  assert.equal(canonicalAor(uri('sip:Example.com')), 'sip:example.com');
});
