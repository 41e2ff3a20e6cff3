/**
 * Torture messages of RFC 4475 that a parser decides, each shortened to what makes it one, with the outcome for a
 * proxy. The complete table, with the outcomes of routing, is test/message/rfc4475 of a later step.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from '../../src/message/edit.ts';
import { all, get, malformed } from '../../src/message/header.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { From, To } from '../../src/message/headers/from-to.ts';
import { Expires, MaxForwards } from '../../src/message/headers/numbers.ts';
import { Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import { parseUri, schemeOf } from '../../src/message/uri.ts';
import { inviteText, parse, refused, request } from './sample.ts';

const wsinv = [
  'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
  'TO :',
  ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
  'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
  '  ;',
  '  tag = 98asjd8',
  'MaX-fOrWaRdS: 0068',
  'Call-ID: wsinv.ndaksdj@192.0.2.1',
  'Content-Length   : 4',
  'cseq: 0009',
  '  INVITE',
  'Via  : SIP  /   2.0',
  ' /UDP',
  '    192.0.2.2;branch=390skdjuw',
  's :',
  'NewFangledHeader:   newfangled value',
  ' continued newfangled value',
  'UnknownHeaderWithUnusualValue: ;;,,;;,;',
  'Route:',
  ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
  'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
  '  branch  =   z9hG4bK9ikj8  ,',
  ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
  ' z9hG4bK30239',
  'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
  '      newvalue ;',
  '  secondparam ; q = 0.33',
  '',
  'v=0\n',
].join('\r\n');

test('RFC 4475 §3.1.1.1: a short tortuous INVITE is read, and leaves as it came', () => {
  const message = request(wsinv);
  assert.equal(serialize(message), wsinv);
  assert.equal(get(message, From)?.display, 'J Rosenberg \\"');
  assert.equal(get(message, To)?.uri, 'sip:vivekg@chair-dnrc.example.com');
  assert.equal(get(message, MaxForwards), 68);
  assert.deepEqual(
    all(message, Via).map((via) => `${via.transport} ${via.host}`),
    ['UDP 192.0.2.2', 'TCP spindle.example.com', 'UDP 192.168.255.111'],
  );
  assert.equal(malformed(message, [Via, From, To, Contact, Route, CallId]), undefined);
});

test('RFC 4475 §3.1.1.2: a method and a Call-ID of unusual characters', () => {
  const method = "!interesting-Method0123456789_*+`.%indeed'~";
  const start = `${method} sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0`;
  const lines = { cseq: `CSeq: 139122385 ${method}`, callId: 'Call-ID: intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{' };
  const message = request(inviteText({ start, lines }));
  assert.equal(message.method, method);
  assert.equal(parseUri(message.uri)?.host, 'example.com');
});

test('RFC 4475 §3.1.1.4: escaped NULs in URIs are characters like others', () => {
  const message = request(inviteText({ lines: { to: 'To: sip:null-%00-null@example.com' } }));
  assert.equal(parseUri(get(message, To)?.uri ?? '')?.user, 'null-%00-null');
});

test('RFC 4475 §3.1.1.6: no blank between a display name and "<"', () => {
  assert.equal(get(request(inviteText({ lines: { from: 'From: caller<sip:c@e>;tag=3' } })), From)?.display, 'caller');
});

test('RFC 4475 §3.1.1.7: long values in header fields', () => {
  const long = `sip:user@${'a'.repeat(4000)}.example.com`;
  assert.equal(parseUri(get(request(inviteText({ extra: [`m: <${long}>`] })), Contact)?.uri ?? '')?.host.length, 4012);
});

test('RFC 4475 §3.1.1.8: bytes behind the Content-Length of a datagram are thrown away', () => {
  const first = inviteText({ extra: ['Content-Length: 0'] });
  assert.equal(serialize(parse(first + inviteText())), first);
});

test('RFC 4475 §3.1.1.12: an 8-bit reason phrase is forwarded as it is', () => {
  const text = inviteText({ start: 'SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xa0' });
  assert.equal(serialize(parse(text)), text);
});

const refusals: readonly (readonly [string, string, number])[] = [
  [
    '§3.1.2.2: a Content-Length larger than the message',
    inviteText({ extra: ['Content-Length: 9999'], body: 'x' }),
    400,
  ],
  ['§3.1.2.3: a negative Content-Length', inviteText({ extra: ['Content-Length: -999'] }), 400],
  ['§3.1.2.4: a CSeq beyond its range', inviteText({ lines: { cseq: 'CSeq: 36893488147419103232 INVITE' } }), 400],
  [
    '§3.1.2.6: an unterminated quoted string',
    inviteText({ lines: { to: 'To: "Mr. J. User <sip:j.user@example.com>' } }),
    400,
  ],
  ['§3.1.2.7: "<>" around the Request-URI', inviteText({ start: 'INVITE <sip:user@example.com> SIP/2.0' }), 400],
  ['§3.1.2.8: blanks within the Request-URI', inviteText({ start: 'INVITE sip:user@example.com; lr SIP/2.0' }), 400],
  ['§3.1.2.9: several blanks in the Request-Line', inviteText({ start: 'INVITE  sip:user@example.com  SIP/2.0' }), 400],
  ['§3.1.2.10: blanks behind the Request-Line', inviteText({ start: 'INVITE sip:user@example.com SIP/2.0  ' }), 400],
  [
    '§3.1.2.14: blanks within an address',
    inviteText({ lines: { to: 'To: "Watson, T" < sip:t.watson@example.org >' } }),
    400,
  ],
  [
    '§3.1.2.15: a comma in a display name without quotes',
    inviteText({ lines: { from: 'From: Bell, Alexander <sip:a@b>;tag=4' } }),
    400,
  ],
  [
    '§3.1.2.16: an unknown protocol version',
    inviteText({ start: 'INVITE sip:t@e SIP/7.0', lines: { via: 'Via: SIP/7.0/UDP c;branch=z' } }),
    505,
  ],
  ['§3.1.2.17: start line and CSeq with different methods', inviteText({ start: 'OPTIONS sip:u@e SIP/2.0' }), 400],
  ['§3.1.2.18: an unknown method that differs from CSeq', inviteText({ start: 'NEWMETHOD sip:u@e SIP/2.0' }), 400],
  ['§3.3.8: several values in single headers', inviteText({ extra: ['From: sip:f@e;tag=1', 'CSeq: 2 INVITE'] }), 400],
  [
    '§3.3.9: several Content-Length',
    inviteText({ extra: ['Content-Length: 0', 'Content-Length: 5'], body: 'abcde' }),
    400,
  ],
];

for (const [what, text, status] of refusals) {
  test(`RFC 4475 ${what}: ${status}`, () => {
    const outcome = refused(text);
    assert.equal(outcome.status, status);
    assert.ok(outcome.request !== undefined, 'there is somebody to answer');
  });
}

test('RFC 4475 §3.1.2.1: separators without values in Via: dropped, since nobody can be answered', () => {
  const outcome = refused(inviteText({ lines: { via: 'Via: SIP/2.0/UDP 192.0.2.15;;,;,,' } }));
  assert.equal(outcome.request, undefined);
});

test('RFC 4475 §3.1.2.19: an overlarge response code is dropped', () => {
  assert.equal(refused(inviteText({ start: 'SIP/2.0 4294967301 better not break the receiver' })).request, undefined);
});

test('RFC 4475 §3.1.2.12, §3.1.2.5: a bad Date, Expires or Contact harms nobody who does not read it', () => {
  const text = inviteText({
    extra: ['Date: Fri, 01 Jan 2010 16:00:00 EST', 'Expires: 1000000000000000000', 'Contact: sip:u@e?Route=x'],
  });
  const message = request(text);
  assert.equal(serialize(message), text);
  assert.equal(get(message, Expires), undefined);
  assert.equal(malformed(message, [Expires, Contact])?.name, 'Expires');
});

test('RFC 4475 §3.3.2, §3.3.3: unknown URI schemes are read as URIs, not as SIP URIs', () => {
  const uri = 'soap.beep://192.0.2.103:3002';
  const message = request(inviteText({ start: `INVITE ${uri} SIP/2.0` }));
  assert.equal(parseUri(message.uri), undefined);
  assert.equal(schemeOf(message.uri), 'soap.beep');
});

test('RFC 4475 §3.4.1: an INVITE of RFC 2543, without branch, tag and Max-Forwards', () => {
  const lines = {
    via: 'Via: SIP/2.0/UDP iftgw.example.com',
    maxForwards: undefined,
    from: 'From: <sip:+13035551111@ift.client.example.net;user=phone>',
  };
  assert.equal(get(request(inviteText({ lines })), From)?.params.length, 0);
});
