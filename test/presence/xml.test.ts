import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { attribute, escapeXml, localName, namespaceOf, printElement, readXml } from '../../src/presence/xml.ts';

describe('XML 1.0: what is read', () => {
  const good: readonly (readonly [what: string, text: string])[] = [
    ['a declaration, comments and blanks around', '<?xml version="1.0"?>\n<!-- c -->\n<a/>\n<!-- d -->'],
    ['a byte order mark', '\xef\xbb\xbf<?xml version="1.0"?><a/>'],
    ['both quotes, blanks around =', `<a b = '1' c="2"\n d='"'/>`],
    ['CDATA and entities', '<a>x &lt; y<![CDATA[ <z> ]]>&amp;</a>'],
    ['processing instructions', '<a><?php echo ?></a>'],
    ['UTF-8 in names and text', '<\xc3\xa9t\xc3\xa9>\xc3\xbc</\xc3\xa9t\xc3\xa9>'],
    ['prefixes in scope', '<p:a xmlns:p="urn:p"><p:b p:c="1"/></p:a>'],
  ];
  for (const [what, text] of good) test(what, () => assert.ok(readXml(text)));

  const bad: readonly (readonly [what: string, text: string])[] = [
    ['nothing', ''],
    ['text alone', 'hello'],
    ['two roots', '<a/><b/>'],
    ['an open element', '<a><b></a>'],
    ['crossed elements', '<a><b></a></b>'],
    ['an attribute twice', '<a b="1" b="2"/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['a prefix that nobody declared', '<p:a/>'],
    ['an attribute with such a prefix', '<a p:b="1"/>'],
    ['a DOCTYPE, and so entities of its own', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['an open comment', '<a><!-- </a>'],
    ['deeper than the bound', `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`],
    ['more namespaces than the bound', `<a ${Array.from({ length: 40 }, (_, n) => `xmlns:p${n}="u"`).join(' ')}/>`],
    ['more elements than the bound', `<a>${'<b/>'.repeat(3000)}</a>`],
  ];
  for (const [what, text] of bad) test(`refused: ${what}`, () => assert.equal(readXml(text), undefined));
});

test('0xA0 is half of a letter and no blank: a name full of it is read in no time, and no text is cut there', () => {
  assert.equal(readXml(`<a><p${'\xa0'.repeat(1000)}`), undefined);
  assert.equal(readXml(`<p\xa0b="1"/>`), undefined);
  assert.equal(readXml('<a>\xc3\xa0</a>')?.text, '\xc3\xa0');
});

test('text and attributes come without escapes; an unknown entity stays as it is', () => {
  const root = readXml('<a b="x &quot;y&quot; &#65;">1 &lt; 2 &nope; <![CDATA[&lt;]]></a>');
  assert.equal(root?.text, '1 < 2 &nope; &lt;');
  assert.equal(root && attribute(root, 'b'), 'x "y" A');
});

test('Namespaces in XML: the default and a prefix name the same', () => {
  const roots = ['<a xmlns="urn:n"><b/></a>', '<x:a xmlns:x="urn:n"><x:b/></x:a>'].map(readXml);
  for (const root of roots) {
    assert.ok(root?.children[0]);
    assert.deepEqual([localName(root), namespaceOf(root.children[0])], ['a', 'urn:n']);
  }
});

test('an element printed by itself means the same: namespaces come along, its content stays byte for byte', () => {
  const root = readXml(
    `<p:a xmlns:p="urn:p" xmlns:q='urn:q'><p:b id='1' q:x="a&amp;b">  <q:c>\xfc</q:c><!-- d --></p:b></p:a>`,
  );
  assert.ok(root?.children[0]);
  const printed = printElement(root.children[0], {
    changes: new Map([['id', '"2"']]),
    within: new Map([['', 'urn:other']]),
  });
  const again = readXml(printed);
  assert.ok(again);
  assert.deepEqual([namespaceOf(again), again.inner], ['urn:p', '  <q:c>\xfc</q:c><!-- d -->']);
  assert.deepEqual([attribute(again, 'id'), attribute(again, 'q:x')], ['"2"', 'a&b']);
  assert.match(printed, / xmlns=""/);
});

test('any text is escaped so that it comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 50 }), (text) => {
      const clean = text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '');
      const root = readXml(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`);
      assert.deepEqual([root?.text, root && attribute(root, 'b')], [clean, clean]);
    }),
  );
});

test('no text breaks the reader, and what it reads prints as something it reads', () => {
  const pieces = fc.constantFrom(
    '<a>',
    '</a>',
    '<a/>',
    '<b c="d">',
    '</b>',
    '&amp;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    'x',
    '"',
    '<?',
    '?>',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const root = readXml(parts.join(''));
      if (root !== undefined) assert.ok(readXml(printElement(root)));
    }),
    { numRuns: 500 },
  );
});
