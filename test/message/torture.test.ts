/** The torture messages of RFC 4475 and RFC 5118 as the parser sees them; what the proxy does: test/calls/torture.test.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serialize } from '../../src/message/edit.ts';
import { all, get, malformed } from '../../src/message/header.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { From, To } from '../../src/message/headers/from-to.ts';
import { Expires, MaxForwards } from '../../src/message/headers/numbers.ts';
import { Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import type { SipMessage } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { parseUri, schemeOf } from '../../src/message/uri.ts';
import { allFiles, textOf, torture } from './torture/table.ts';

function taken(name: string): SipMessage {
  const row = torture.find(({ file }) => file.endsWith(`/${name}.dat`));
  assert.ok(row !== undefined, name);
  const message = parseMessage(textOf(row));
  assert.ok(message.kind !== 'unparsable', name);
  return message;
}

test('each of the 49 and 12 messages stands in the table', () => {
  assert.deepEqual(torture.map(({ file }) => file).sort(), [...allFiles()].sort());
  assert.deepEqual([torture.filter(({ file }) => file.startsWith('rfc4475')).length, torture.length], [49, 61]);
});

for (const row of torture) {
  test(`${row.section}: ${row.what}: ${row.parsed}`, () => {
    const text = textOf(row);
    const message = parseMessage(text);
    if (row.parsed === 'taken') {
      assert.ok(message.kind !== 'unparsable', message.kind === 'unparsable' ? message.error : '');
      // Law 7, but for what §18.3 throws away behind the body.
      assert.ok(text.startsWith(serialize(message)), 'it leaves byte for byte');
      return;
    }
    assert.ok(message.kind === 'unparsable', 'it was taken');
    if (row.parsed === 'unanswerable') assert.equal(message.request, undefined);
    else assert.deepEqual([message.status, message.request !== undefined], [row.parsed, true]);
  });
}

describe('what is read of those that are taken', () => {
  test('RFC 4475 §3.1.1.1: folded lines, compact forms, blanks everywhere', () => {
    const message = taken('wsinv');
    assert.equal(get(message, From)?.display, 'J Rosenberg \\"');
    assert.equal(get(message, To)?.uri, 'sip:vivekg@chair-dnrc.example.com');
    assert.equal(get(message, MaxForwards), 68);
    assert.deepEqual(
      all(message, Via).map((via) => `${via.transport} ${via.host}`),
      ['UDP 192.0.2.2', 'TCP spindle.example.com', 'UDP 192.168.255.111'],
    );
    assert.equal(malformed(message, [Via, From, To, Contact, Route, CallId]), undefined);
  });

  test('RFC 4475 §3.1.1.2: a method, a Call-ID, a display name and a URI of unusual characters', () => {
    const message = taken('intmeth');
    assert.ok(message.kind === 'request');
    assert.equal(message.method, "!interesting-Method0123456789_*+`.%indeed'~");
    assert.equal(get(message, CallId), 'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{');
    assert.equal(get(message, To)?.display, 'BEL:\x07 NUL:\0 DEL:\x7f');
    assert.equal(parseUri(message.uri)?.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  });

  test('RFC 4475 §3.1.1.7: long values', () => {
    const message = taken('longreq');
    assert.equal(parseUri(get(message, Contact)?.uri ?? '')?.user?.length, 115);
    assert.ok(all(message, Via).length > 30);
  });

  test('RFC 4475 §3.1.1.8: what follows the body in a datagram is thrown away', () =>
    assert.equal(taken('dblreq').body, ''));

  test('RFC 4475 §3.1.2.5: overlarge scalars that nobody needs to read harm nobody', () =>
    assert.equal(get(taken('cparam01'), Expires), undefined));

  test('RFC 4475 §3.3.2, §3.3.3: schemes that are no SIP URIs', () => {
    const schemes = ['unkscm', 'novelsc'].map((name) => {
      const message = taken(name);
      assert.ok(message.kind === 'request');
      assert.equal(parseUri(message.uri), undefined);
      return schemeOf(message.uri);
    });
    assert.deepEqual(schemes, ['nobodyknowsthisscheme', 'soap.beep']);
  });

  test('RFC 4475 §3.4.1: an INVITE of RFC 2543, without branch, tag and Max-Forwards', () => {
    const message = taken('inv2543');
    assert.equal(get(message, From)?.params.length, 0);
    assert.equal(get(message, MaxForwards), undefined);
  });
});
