/** DESIGN law 7: what we did not change leaves byte for byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { prepend, removeAll, serialize, setHeader, withUri } from '../../src/message/edit.ts';
import { all, get, malformed } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { From, To } from '../../src/message/headers/from-to.ts';
import { MaxForwards } from '../../src/message/headers/numbers.ts';
import { Route } from '../../src/message/headers/route.ts';
import { Subject } from '../../src/message/headers/text.ts';
import { Via } from '../../src/message/headers/via.ts';
import { parse, raws, request } from './sample.ts';

// --- any message: odd spacing, folding, compact forms, any case, 8-bit bytes, unknown headers, binary bodies ---------

const blanks = fc.constantFrom('', ' ', '  ', '\t', ' \t ', '\r\n ', ' \r\n\t ');
const someBlanks = fc.constantFrom(' ', '\t', '   ', '\r\n ', ' \r\n\t');
const odd = fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\0\r\n]/g, '~'),
);
const word = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);

const spelled = (...names: string[]) =>
  fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(0, 1, 2))
    .map(([name, fold]) => [name, name.toLowerCase(), name.toUpperCase()][fold] ?? name);

const line = (names: readonly string[], value: fc.Arbitrary<string>) =>
  fc.tuple(spelled(...names), fc.constantFrom('', ' ', '\t'), blanks, value, blanks).map((parts) => {
    const [name, before, lead, text, trail] = parts;
    return `${name}${before}:${lead}${text}${trail}`;
  });

const address = fc
  .tuple(fc.constantFrom('', 'Bob ', '"B, \\"<b" ', 'J\xc3\xbcrgen '), word, blanks, word)
  .map(([display, user, gap, tag]) => `${display}<sip:${user}@example.com>${gap};${gap}tag${gap}=${gap}${tag}`);
const via = fc
  .tuple(blanks, someBlanks, word, blanks)
  .map(
    ([gap, space, branch, end]) =>
      `SIP${gap}/${gap}2.0${gap}/${gap}UDP${space}h.example.com${gap}:${gap}5060${end};branch=${branch}`,
  );
const vias = fc
  .tuple(via, blanks, fc.option(via, { nil: undefined }))
  .map(([a, gap, b]) => (b === undefined ? a : `${a}${gap},${gap}${b}`));
const cseq = fc.tuple(fc.nat(2 ** 31 - 1), someBlanks).map(([number, gap]) => `${number}${gap}INVITE`);

const required = fc.tuple(
  line(['Via', 'v'], vias),
  line(['From', 'f'], address),
  line(['To', 't'], address),
  line(['Call-ID', 'i'], word),
  line(['CSeq'], cseq),
);
const optional = fc.array(
  fc.oneof(
    line(['Route', 'Record-Route', 'Contact', 'm'], address),
    line(['Subject', 's', 'X-Unknown', 'P-Odd.Header', 'Date', 'q'], odd),
    line(['Supported', 'k', 'Allow'], fc.constantFrom('', 'path', 'path, gruu', ',,')),
  ),
  { maxLength: 8 },
);
const ending = fc.option(fc.constantFrom('Max-Forwards: 70', 'max-forwards :\r\n 70'), { nil: undefined });

const message = fc
  .tuple(required, optional, ending, fc.nat(100), fc.uint8Array({ maxLength: 60 }), fc.boolean())
  .map(([musts, others, maxForwards, turn, bytes, withLength]) => {
    const lines = [...musts, ...others, ...(maxForwards === undefined ? [] : [maxForwards])];
    const body = Buffer.from(bytes).toString('latin1');
    const turned = [...lines.slice(turn % lines.length), ...lines.slice(0, turn % lines.length)];
    return [
      'INVITE sip:bob@example.com SIP/2.0',
      ...turned,
      ...(withLength ? [`l : ${body.length}`] : []),
      '',
      body,
    ].join('\r\n');
  });

test('any message that is forwarded unchanged is the bytes that came', () => {
  fc.assert(
    fc.property(message, (text) => assert.equal(serialize(parse(text)), text)),
    { numRuns: 500 },
  );
});

test('reading headers changes nothing', () => {
  fc.assert(
    fc.property(message, (text) => {
      const received = parse(text);
      malformed(received, [Via, From, To, Contact, Route]);
      assert.equal(serialize(received), text);
    }),
  );
});

test('each required header can be read in any of its spellings', () => {
  fc.assert(
    fc.property(message, (text) => {
      const received = parse(text);
      assert.equal(get(received, Via)?.port, 5060);
      assert.match(get(received, From)?.uri ?? '', /^sip:[A-Za-z0-9]+@example\.com$/);
      assert.equal(get(received, To)?.params.length, 1);
    }),
  );
});

test('setting one header changes its lines and no other byte', () => {
  fc.assert(
    fc.property(message, (text) => {
      const received = parse(text);
      const sent = setHeader(received, MaxForwards, 69);
      const others = (lines: typeof received) =>
        lines.headers.filter((each) => each.name !== 'max-forwards').map((each) => each.raw);
      assert.deepEqual(others(sent), others(received));
      assert.deepEqual(
        sent.headers.filter((each) => each.name === 'max-forwards').map((each) => each.raw),
        ['Max-Forwards: 69'],
      );
      assert.equal(serialize(removeAll(sent, MaxForwards)), serialize(removeAll(received, MaxForwards)));
    }),
  );
});

test('RFC 3261 §16.6: a Via put on top leaves every received line as it was', () => {
  fc.assert(
    fc.property(message, (text) => {
      const received = parse(text);
      const sent = prepend(received, Via, {
        transport: 'TCP',
        host: 'p',
        port: undefined,
        params: [['branch', 'z9hG4bK2']],
      });
      assert.deepEqual(
        raws(sent).filter((raw) => raw !== 'Via: SIP/2.0/TCP p;branch=z9hG4bK2'),
        raws(received),
      );
      assert.equal(get(sent, Via)?.host, 'p');
      assert.equal(all(sent, Via).length, all(received, Via).length + 1);
    }),
  );
});

test('changing the Request-URI changes the start line only', () => {
  fc.assert(
    fc.property(message, (text) => {
      const sent = serialize(withUri(request(text), 'sip:x@y'));
      assert.equal(sent, text.replace('INVITE sip:bob@example.com SIP/2.0', 'INVITE sip:x@y SIP/2.0'));
    }),
  );
});

test('what is written is what is read again', () => {
  fc.assert(
    fc.property(message, odd, (text, subject) => {
      const again = parse(serialize(setHeader(parse(text), Subject, subject)));
      assert.equal(get(again, Subject), subject.replace(/^[ \t]+|[ \t]+$/g, ''));
    }),
  );
});
