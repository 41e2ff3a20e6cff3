import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, get, type Header, has, malformed, values } from '../../src/message/header.ts';
import { parseNameAddr, printNameAddr } from '../../src/message/headers/address.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { Contact, isStar } from '../../src/message/headers/contact.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { Authorization, ProxyAuthenticate } from '../../src/message/headers/digest.ts';
import { From, To, tagOf } from '../../src/message/headers/from-to.ts';
import { Expires, MaxForwards, RetryAfter } from '../../src/message/headers/numbers.ts';
import { ProxyRequire, Supported } from '../../src/message/headers/options.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Reason, Subject, Warning } from '../../src/message/headers/text.ts';
import { Via } from '../../src/message/headers/via.ts';
import { param, unquote } from '../../src/message/params.ts';
import { inviteText, request } from './sample.ts';

const withLines = (...extra: string[]) => request(inviteText({ extra }));

test('RFC 3261 §7.3.1: values on one line and on several lines are one list, in order', () => {
  const message = withLines('Route: <sip:a;lr>, <sip:b;lr>', 'Subject: x', 'route: <sip:c;lr>');
  assert.deepEqual(
    all(message, Route).map((route) => route.uri),
    ['sip:a;lr', 'sip:b;lr', 'sip:c;lr'],
  );
  assert.deepEqual(values(message, Route), ['<sip:a;lr>', '<sip:b;lr>', '<sip:c;lr>']);
  assert.equal(get(message, Route)?.uri, 'sip:a;lr');
  assert.ok(has(message, Route));
  assert.ok(!has(message, RecordRoute));
  assert.equal(get(message, RecordRoute), undefined);
});

test('RFC 3261 §7.3.3: a compact form is the same header as the long one', () => {
  const message = withLines('s: Lunch', 'K: timer, path', 'm: <sip:a@1.2.3.4>');
  assert.equal(get(message, Subject), 'Lunch');
  assert.deepEqual(all(message, Supported), ['timer', 'path']);
  assert.equal(get(message, Contact)?.uri, 'sip:a@1.2.3.4');
});

test('RFC 3261 §7.3.1: a folded line has one SP for each fold', () => {
  const message = withLines('Subject: I know you are there,\r\n \t pick up  \r\n\tthe phone');
  assert.equal(get(message, Subject), 'I know you are there, pick up the phone');
});

test('a header that cannot be read is undefined for its reader, left out of its list, and named by malformed', () => {
  const message = withLines('Expires: soon', 'Route: <sip:a>, nonsense, <sip:b>');
  assert.equal(get(message, Expires), undefined);
  assert.equal(all(message, Route).length, 2);
  assert.equal(malformed(message, [From, Route, Expires])?.name, 'Route');
  assert.equal(malformed(message, [From, To, MaxForwards, RecordRoute]), undefined);
});

test('a list header without a value has no values and is not malformed', () => {
  const message = withLines('Supported:', 'Supported: path');
  assert.deepEqual(all(message, Supported), ['path']);
  assert.equal(get(message, Supported), 'path');
  assert.equal(malformed(message, [Supported]), undefined);
});

test('a value is parsed once, and the same line gives the same object', () => {
  const message = request();
  const first = get(message, From);
  assert.ok(first !== undefined);
  assert.ok(first === get(message, From));
});

test('RFC 3261 §20.42: Via with blanks wherever the grammar allows them', () => {
  assert.deepEqual(
    Via.parse('SIP  / 2.0 / udp   first.example.com : 4000;ttl=16 ;maddr=224.2.0.1 ;branch = z9hG4bKa7'),
    {
      transport: 'UDP',
      host: 'first.example.com',
      port: 4000,
      params: [
        ['ttl', '16'],
        ['maddr', '224.2.0.1'],
        ['branch', 'z9hG4bKa7'],
      ],
    },
  );
});

test('RFC 5118 §4.5: Via with IPv6, and a received parameter without brackets', () => {
  const via = Via.parse('SIP/2.0/WSS [2001:db8::9:1];received=2001:db8::9:255;rport');
  assert.equal(via?.host, '[2001:db8::9:1]');
  assert.equal(via?.port, undefined);
  assert.equal(param(via?.params ?? [], 'received'), '2001:db8::9:255');
  assert.equal(param(via?.params ?? [], 'rport'), '');
});

test('RFC 4475 §3.1.2.16: a Via of another version is read, so that it can be answered', () => {
  const via = Via.parse('SIP/7.0/UDP c.example.com;branch=z9hG4bK1');
  assert.equal(via?.protocol, 'SIP/7.0');
  assert.equal(via === undefined ? '' : Via.print(via), 'SIP/7.0/UDP c.example.com;branch=z9hG4bK1');
});

test('RFC 4475 §3.1.2.1: a Via with empty parameters or elements is malformed', () => {
  assert.equal(Via.parse('SIP/2.0/UDP 192.0.2.15;;'), undefined);
  for (const bad of ['', ';', 'SIP/2.0/UDP', 'UDP host', 'SIP/2.0 host', 'SIP/2.0/UDP h:99999', 'SIP/2.0/UDP h x']) {
    assert.equal(Via.parse(bad), undefined, bad);
  }
});

test('RFC 3261 §20: without angle brackets the parameters belong to the header (linphone writes To like that)', () => {
  assert.deepEqual(parseNameAddr('sip:bob@example.com;tag=1'), {
    display: undefined,
    uri: 'sip:bob@example.com',
    params: [['tag', '1']],
  });
  assert.deepEqual(parseNameAddr('<sip:bob@example.com;user=phone>;tag=1')?.params, [['tag', '1']]);
});

test('RFC 3261 §20.10: a bare URI with a comma or a question mark is refused', () => {
  assert.equal(parseNameAddr('sip:user@example.com?Route=%3Csip:sip.example.com%3E'), undefined);
  assert.equal(parseNameAddr('sip:a,b@example.com'), undefined);
  assert.equal(parseNameAddr('<sip:a,b@example.com?x=y>')?.uri, 'sip:a,b@example.com?x=y');
});

test('RFC 3261 §25.1 display-name: quoted with escapes, tokens, 8-bit text, empty, or directly before the bracket', () => {
  const displays: readonly (readonly [string, string | undefined])[] = [
    ['"J Rosenberg \\\\\\"" <sip:j@h>', 'J Rosenberg \\"'],
    ['"Bell, A" <sip:j@h>', 'Bell, A'],
    ['"<sip:fake@h>" <sip:j@h>', '<sip:fake@h>'],
    ['Mr. Watson <sip:j@h>', 'Mr. Watson'],
    ['caller<sip:j@h>', 'caller'],
    ['J\xc3\xbcrgen <sip:j@h>', 'J\xc3\xbcrgen'],
    ['"" <sip:j@h>', ''],
    ['<sip:j@h>', undefined],
  ];
  for (const [text, display] of displays) {
    assert.deepEqual(parseNameAddr(text), { display, uri: 'sip:j@h', params: [] }, text);
  }
});

test('RFC 4475 §3.1.2: addresses that nobody can read for certain are refused', () => {
  for (const text of [
    'Bell, Alexander <sip:a@h>',
    '"Mr. J. User <sip:j@h>',
    '"Joe" sip:j@h',
    '"Watson" < sip:j@h >',
    '<sip:j@h',
    '<>',
    '<sip:j@h> tag=1',
    '<sip:j@h>;;tag=1',
    '<j@h>',
    '*',
    '',
  ]) {
    assert.equal(parseNameAddr(text), undefined, text);
  }
});

test('an address is printed with brackets, its display name quoted', () => {
  const address = { display: 'a "b"', uri: 'sip:x@y;lr', params: [['tag', '1']] as const };
  assert.equal(printNameAddr(address), '"a \\"b\\"" <sip:x@y;lr>;tag=1');
  assert.deepEqual(parseNameAddr(printNameAddr(address)), address);
});

test('RFC 3261 §19.3: the tag is found without case; an empty one is none', () => {
  assert.equal(tagOf(parseNameAddr('<sip:a@b>;Tag=x')), 'x');
  assert.equal(tagOf(parseNameAddr('<sip:a@b>;tag=')), undefined);
  assert.equal(tagOf(parseNameAddr('<sip:a@b>')), undefined);
  assert.equal(tagOf(undefined), undefined);
});

test('RFC 3261 §10.2.2: Contact may be "*"', () => {
  assert.ok(isStar(withLines('Contact: *')));
  assert.equal(malformed(withLines('Contact: *'), [Contact]), undefined);
  assert.ok(!isStar(withLines('Contact: <sip:*@h>')));
  assert.equal(Contact.print({ display: undefined, uri: '*', params: [] }), '*');
});

test('RFC 5626 §4.1: a quoted +sip.instance keeps its quotes and commas', () => {
  const contact = get(
    withLines('Contact: <sip:a@h;ob>;reg-id=1;+sip.instance="<urn:uuid:1,2>";expires=60, <sip:b@h>'),
    Contact,
  );
  assert.equal(unquote(param(contact?.params ?? [], '+sip.instance') ?? ''), '<urn:uuid:1,2>');
});

test('RFC 3261 §8.1.1.5: CSeq is a number below 2^31 and a method', () => {
  assert.deepEqual(CSeq.parse('0009 \t INVITE'), { number: 9, method: 'INVITE' });
  for (const bad of [
    '2147483648 INVITE',
    '36893488147419103232 REGISTER',
    '-1 ACK',
    '1',
    '1 IN VITE',
    'INVITE 1',
    '1INVITE',
  ]) {
    assert.equal(CSeq.parse(bad), undefined, bad);
  }
});

test('RFC 3261 §20.8: Call-ID is one word of any characters', () => {
  assert.equal(CallId.parse('%ZE()<>:\\/"{}?-@[x]\xe9'), '%ZE()<>:\\/"{}?-@[x]\xe9');
  assert.equal(CallId.parse('two words'), undefined);
  assert.equal(CallId.parse(''), undefined);
});

test('RFC 3261 §20.22, §20.19: numbers out of their range are malformed', () => {
  const cases: readonly (readonly [Header<number>, string, number | undefined])[] = [
    [MaxForwards, '0068', 68],
    [MaxForwards, '300', undefined],
    [MaxForwards, '-1', undefined],
    [Expires, '4294967295', 4294967295],
    [Expires, '4294967296', undefined],
    [Expires, '1e3', undefined],
    [Expires, '', undefined],
    [RetryAfter, '18000;duration=3600', 18000],
    [RetryAfter, '120 (I am in a meeting)', 120],
    [RetryAfter, '120 minutes', undefined],
  ];
  for (const [header, text, number] of cases) assert.equal(header.parse(text), number, `${header.name}: ${text}`);
});

test('RFC 3261 §20.29: an option tag is a token', () => {
  assert.deepEqual(all(withLines('Proxy-Require: foo , bar'), ProxyRequire), ['foo', 'bar']);
  assert.equal(malformed(withLines('Proxy-Require: f oo'), [ProxyRequire])?.name, 'Proxy-Require');
});

test('RFC 3261 §20.7: commas separate the parameters of credentials, but not within quotes', () => {
  const text = 'Digest username="bob, jr", realm="x",nc=00000001 , qop=auth';
  const credentials = get(withLines(`Authorization: ${text}`), Authorization);
  assert.equal(credentials?.scheme, 'Digest');
  assert.equal(param(credentials?.params ?? [], 'username'), '"bob, jr"');
  assert.equal(param(credentials?.params ?? [], 'NC'), '00000001');
  assert.equal(
    ProxyAuthenticate.print({
      scheme: 'Digest',
      params: [
        ['realm', '"x"'],
        ['stale', 'true'],
      ],
    }),
    'Digest realm="x", stale=true',
  );
  for (const bad of ['', 'Digest', 'Digest ,', 'Digest a="']) assert.equal(Authorization.parse(bad), undefined, bad);
});

test('RFC 3261 §7.3.1: several challenges are several lines', () => {
  const message = withLines(
    'Proxy-Authenticate: Digest realm="a", nonce="1"',
    'Proxy-Authenticate: Digest realm="b", nonce="2"',
  );
  assert.equal(all(message, ProxyAuthenticate).length, 2);
});

test('RFC 3326: Reason and Warning are lists of quoted texts', () => {
  const message = withLines('Reason: SIP;cause=200;text="a, b", Q.850;cause=16', 'Warning: 399 h "x, y"');
  assert.deepEqual(all(message, Reason), ['SIP;cause=200;text="a, b"', 'Q.850;cause=16']);
  assert.deepEqual(all(message, Warning), ['399 h "x, y"']);
});
