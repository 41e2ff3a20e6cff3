import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createResponse } from '../../src/message/build.ts';
import { serialize } from '../../src/message/edit.ts';
import { get } from '../../src/message/header.ts';
import { From } from '../../src/message/headers/from-to.ts';
import { Subject } from '../../src/message/headers/text.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { inviteText, raws, refused, request, response } from './sample.ts';

test('RFC 3261 §7.1: a request has its method, Request-URI, header lines and body', () => {
  const message = request(inviteText({ extra: ['X-Odd:  \t a  '], body: 'abc\r\n\r\n' }));
  assert.equal(message.method, 'INVITE');
  assert.equal(message.uri, 'sip:bob@example.com');
  assert.equal(message.startLine, 'INVITE sip:bob@example.com SIP/2.0');
  assert.equal(message.body, 'abc\r\n\r\n');
  const odd = message.headers.at(-1);
  assert.deepEqual([odd?.name, odd?.raw, odd?.value], ['x-odd', 'X-Odd:  \t a  ', 'a']);
});

test('RFC 3261 §7.2: a response has its status and reason phrase, which may be empty or missing with its blank', () => {
  assert.equal(response(inviteText({ start: 'SIP/2.0 183 Call is Progressing' })).reason, 'Call is Progressing');
  assert.equal(response(inviteText({ start: 'SIP/2.0 100 ' })).reason, '');
  assert.equal(response(inviteText({ start: 'SIP/2.0 100' })).status, 100);
  assert.equal(response(inviteText({ start: 'sip/2.0 699 x' })).status, 699);
});

test('RFC 3261 §7.5: CRLFs before the start line are skipped', () => {
  assert.equal(request(`\r\n\r\n${inviteText()}`).method, 'INVITE');
});

test('RFC 3261 §7.3.1: blanks before the colon are allowed; a name is known in any case', () => {
  const message = request(inviteText({ lines: { from: 'FROM \t: <sip:a@h>;tag=1' } }));
  assert.equal(get(message, From)?.uri, 'sip:a@h');
});

test('a bare LF ends a line as CRLF does, and leaves as CRLF', () => {
  const text = inviteText({ extra: ['Subject: a\r\n b'] });
  const message = request(text.replaceAll('\r\n', '\n'));
  assert.equal(get(message, Subject), 'a b');
  assert.equal(serialize(message), text);
});

test('RFC 3261 §18.3: a datagram is cut to its Content-Length, and refused when it is shorter', () => {
  assert.equal(request(inviteText({ extra: ['Content-Length: 3'], body: 'abcdef' })).body, 'abc');
  assert.equal(request(inviteText({ extra: ['l: 0'], body: 'abcdef' })).body, '');
  const short = refused(inviteText({ extra: ['Content-Length: 9999'], body: 'abc' }));
  assert.equal(short.status, 400);
  assert.equal(short.section, '§18.3');
  assert.equal(short.request?.method, 'INVITE');
});

interface Case {
  readonly what: string;
  readonly text: string;
  readonly status: number;
  /** Whether there is a request that can be answered. */
  readonly answered: boolean;
}

const bad: readonly Case[] = [
  { what: '§7: no empty line behind the headers', text: inviteText().slice(0, -2), status: 400, answered: true },
  { what: '§7.1: noise', text: 'jaK\r\n\r\n', status: 400, answered: false },
  { what: '§7.1: HTTP', text: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', status: 400, answered: false },
  { what: '§7.1: nothing but CRLFs', text: '\r\n\r\n', status: 400, answered: false },
  {
    what: '§7.1: a method that is no token',
    text: inviteText({ start: 'IN@VITE sip:b@h SIP/2.0' }),
    status: 400,
    answered: false,
  },
  {
    what: '§7.1: a folded start line',
    text: inviteText({ start: 'INVITE sip:b@h\r\n SIP/2.0' }),
    status: 400,
    answered: true,
  },
  {
    what: '§7.1: a Request-URI that is none',
    text: inviteText({ start: 'INVITE bob SIP/2.0' }),
    status: 400,
    answered: true,
  },
  {
    what: '§7.2: a status of four digits',
    text: inviteText({ start: 'SIP/2.0 2000 OK' }),
    status: 400,
    answered: false,
  },
  { what: '§7.2: a status of class 7', text: inviteText({ start: 'SIP/2.0 700 OK' }), status: 400, answered: false },
  {
    what: '§7.2: a response of another version',
    text: inviteText({ start: 'SIP/3.0 200 OK' }),
    status: 400,
    answered: false,
  },
  {
    what: '§21.5.6: a request of another version',
    text: inviteText({ start: 'INVITE sip:b@h SIP/3.0' }),
    status: 505,
    answered: true,
  },
  { what: '§7.3: a line without a colon', text: inviteText({ extra: ['what is this'] }), status: 400, answered: true },
  { what: '§7.3: a header without a name', text: inviteText({ extra: [': x'] }), status: 400, answered: true },
  {
    what: '§25.1: a header name that is no token',
    text: inviteText({ extra: ['Content Length: 1'] }),
    status: 400,
    answered: true,
  },
  { what: '§25.1: a NUL in a header', text: inviteText({ extra: ['Subject: a\0b'] }), status: 400, answered: true },
  {
    what: '§25.1: a CR that ends no line',
    text: inviteText({ extra: ['Subject: a\rVia: b'] }),
    status: 400,
    answered: true,
  },
  { what: '§8.1.1.7: no Via', text: inviteText({ lines: { via: undefined } }), status: 400, answered: false },
  {
    what: '§8.1.1.7: a Via that cannot be read',
    text: inviteText({ lines: { via: 'Via: UDP' } }),
    status: 400,
    answered: false,
  },
  { what: '§8.1.1: no From', text: inviteText({ lines: { from: undefined } }), status: 400, answered: true },
  { what: '§8.1.1: no To', text: inviteText({ lines: { to: undefined } }), status: 400, answered: true },
  { what: '§8.1.1: no Call-ID', text: inviteText({ lines: { callId: undefined } }), status: 400, answered: true },
  { what: '§8.1.1: no CSeq', text: inviteText({ lines: { cseq: undefined } }), status: 400, answered: true },
  {
    what: '§8.1.1.5: CSeq of another method',
    text: inviteText({ lines: { cseq: 'CSeq: 1 BYE' } }),
    status: 400,
    answered: true,
  },
  {
    what: '§16.3: a CSeq that cannot be read',
    text: inviteText({ lines: { cseq: 'CSeq: x' } }),
    status: 400,
    answered: true,
  },
  {
    what: '§16.3: a From that cannot be read',
    text: inviteText({ lines: { from: 'From: "A <sip:a@h>' } }),
    status: 400,
    answered: true,
  },
  {
    what: '§20.14: a negative Content-Length',
    text: inviteText({ extra: ['Content-Length: -1'] }),
    status: 400,
    answered: true,
  },
  { what: '§7.3.1: two From', text: inviteText({ extra: ['f: <sip:x@y>'] }), status: 400, answered: true },
  { what: '§7.3.1: two To', text: inviteText({ extra: ['To: <sip:x@y>'] }), status: 400, answered: true },
  { what: '§7.3.1: two Call-ID', text: inviteText({ extra: ['i: x'] }), status: 400, answered: true },
  { what: '§7.3.1: two CSeq', text: inviteText({ extra: ['CSeq: 1 INVITE'] }), status: 400, answered: true },
  { what: '§7.3.1: two Max-Forwards', text: inviteText({ extra: ['Max-Forwards: 70'] }), status: 400, answered: true },
  {
    what: '§7.3.1: two Content-Length',
    text: inviteText({ extra: ['l: 0', 'Content-Length: 0'] }),
    status: 400,
    answered: true,
  },
  {
    what: '§21.5.7: 600 header lines',
    text: inviteText({ extra: Array.from({ length: 600 }, () => 'X: y') }),
    status: 513,
    answered: true,
  },
];

for (const { what, text, status, answered } of bad) {
  test(`RFC 3261 ${what}: ${status}, ${answered ? 'to be answered' : 'nobody to answer'}`, () => {
    const outcome = refused(text);
    assert.equal(outcome.status, status);
    assert.equal(outcome.request !== undefined, answered);
  });
}

test('RFC 3261 §16.3: what came before the fault of an unparsable request is enough to answer it', () => {
  const { request: readable, status } = refused(inviteText({ extra: ['no colon here'] }));
  assert.ok(readable !== undefined);
  const answer = createResponse(readable, status, { toTag: 't' });
  assert.deepEqual(raws(answer).slice(0, 3), [
    'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
    'From: "Alice" <sip:alice@example.com>;tag=a1',
    'To: <sip:bob@example.com>;tag=t',
  ]);
});

test('a NUL in the body is the business of whoever reads the body', () => {
  assert.equal(request(inviteText({ body: 'a\0b' })).body, 'a\0b');
});

test('garbage is a value, never an exception: any bytes, and any damage to a good message', () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('latin1'));
  const good = inviteText({ extra: ['Contact: <sip:a@h>', 'Content-Length: 3'], body: 'abc' });
  const damaged = fc
    .tuple(fc.nat(good.length), fc.nat(8), bytes)
    .map(([at, length, noise]) => good.slice(0, at) + noise.slice(0, length) + good.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(bytes, damaged), (text) => {
      assert.ok(['request', 'response', 'unparsable'].includes(parseMessage(text).kind));
    }),
    { numRuns: 2000 },
  );
});

test('64 KiB of one character, wherever it stands, is read in one pass', () => {
  for (const char of [' ', '\t', ',', ';', '<', '"', ':', '[', '%', '\\', '=', 'a', '\n', '\r\n ', '\xff']) {
    const run = char.repeat(Math.floor(65000 / char.length));
    for (const name of ['via', 'from', 'to', 'callId', 'cseq'] as const) {
      parseMessage(inviteText({ lines: { [name]: `${name}: SIP/2.0/UDP h${run}x` } }));
      parseMessage(inviteText({ lines: { [name]: `${name}: "${run}x` } }));
    }
    parseMessage(inviteText({ start: `INVITE sip:${run}x SIP/2.0` }));
    parseMessage(`INVITE${run}SIP/2.0\r\n\r\n`);
    parseMessage(inviteText({ extra: [`${run}: x`, `Content-Length: ${run}`] }));
  }
});
