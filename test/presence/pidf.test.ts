import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composePidf, pidfFault, politePidf, registeredPidf } from '../../src/presence/pidf.ts';
import { attribute, localName, readXml } from '../../src/presence/xml.ts';

const bob = 'sip:bob@example.com';
const pidf = 'urn:ietf:params:xml:ns:pidf';

/** RFC 4480 §5, shortened: rich presence with prefixes declared at the root. */
const rich = `<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="${pidf}" xmlns:dm="${pidf}:data-model" xmlns:rpid="${pidf}:rpid" entity="pres:bob@example.com">
  <tuple id="bs35r9"><status><basic>open</basic></status><dm:deviceID>urn:device:1</dm:deviceID>
    <contact priority="0.8">im:bob@example.com</contact><note xml:lang="en">Don't disturb!</note></tuple>
  <dm:person id="p1"><rpid:activities><rpid:away/></rpid:activities></dm:person>
  <note>All</note>
</presence>`;
/** The same words with another prefix, and ids that the other one has, too. */
const prefixed = `<p:presence xmlns:p="${pidf}" entity="${bob}"><p:tuple id="bs35r9"><p:status><p:basic>closed</p:basic></p:status></p:tuple></p:presence>`;

const idsOf = (text: string) =>
  readXml(text)?.children.map((child) => `${localName(child)} ${attribute(child, 'id') ?? ''}`);

test('RFC 3863 §4.1: what is no presence document is refused with the reason', () => {
  const cases: readonly (readonly [text: string, fault: RegExp | undefined])[] = [
    [rich, undefined],
    [prefixed, undefined],
    [`<presence xmlns="${pidf}" entity="${bob}"/>`, undefined],
    ['<presence', /well-formed/],
    ['<presence entity="x"/>', /no presence document/],
    [`<tuple xmlns="${pidf}"/>`, /no presence document/],
    [`<presence xmlns="${pidf}"/>`, /entity/],
    [`<presence xmlns="${pidf}" entity="x"><tuple><status/></tuple></presence>`, /id/],
    [`<presence xmlns="${pidf}" entity="x"><tuple id="1"/></presence>`, /status/],
  ];
  for (const [text, fault] of cases) {
    const found = pidfFault(text);
    if (fault === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', fault);
  }
});

test('RFC 4479 §3.4, RFC 4480: rich presence passes as it was written, with its namespaces', () => {
  const composed = composePidf(bob, [rich]);
  const root = readXml(composed);
  assert.ok(root);
  assert.equal(attribute(root, 'entity'), bob);
  assert.match(composed, /<rpid:activities><rpid:away\/><\/rpid:activities>/);
  assert.match(composed, /<note xml:lang="en">Don't disturb!<\/note>/);
  assert.equal(pidfFault(composed), undefined);
});

test('RFC 3863 §4.1.2: of several documents one, tuples first, then notes, then the rest; each id once', () => {
  const composed = composePidf(bob, [rich, prefixed, rich]);
  assert.deepEqual(idsOf(composed), [
    'tuple bs35r9',
    'tuple bs35r9-2',
    'tuple bs35r9-3',
    'note ',
    'note ',
    'person p1',
    'person p1-2',
  ]);
  assert.equal(pidfFault(composed), undefined);
});

test('Namespaces in XML: what is in scope already is not declared again, another default is', () => {
  const plain = composePidf(bob, [rich]);
  assert.match(plain, /<tuple id="bs35r9" xmlns:dm="[^"]*">/);
  const other = composePidf(bob, [prefixed.replace('</p:presence>', '<x/></p:presence>')]);
  assert.match(other, /<x xmlns=""\/>/);
});

test('law 9: a document that would grow when it is composed is refused', () => {
  const uri = 'u'.repeat(10_000);
  const tuple = '<tuple id="1"><status><x:y/></status></tuple>';
  const grows = `<presence xmlns="${pidf}" xmlns:x="${uri}" entity="${bob}">${tuple.repeat(50)}</presence>`;
  assert.match(pidfFault(grows) ?? '', /too large/);
});

test('a document that cannot be read adds nothing', () => {
  assert.deepEqual(idsOf(composePidf(bob, ['<broken', prefixed])), ['tuple bs35r9']);
});

test('where nobody publishes the registrations speak; polite-block looks like nobody there', () => {
  assert.match(registeredPidf(bob, true), /<basic>open<\/basic><\/status><contact>sip:bob@example.com<\/contact>/);
  assert.match(registeredPidf(bob, false), /<basic>closed<\/basic>/);
  assert.equal(politePidf(bob), registeredPidf(bob, false));
  assert.equal(pidfFault(registeredPidf(bob, true)), undefined);
});

test('an address with markup in it cannot break out of the document', () => {
  const odd = `sip:a&b'"<@example.com`;
  const root = readXml(registeredPidf(odd, true));
  assert.equal(root && attribute(root, 'entity'), odd);
});
