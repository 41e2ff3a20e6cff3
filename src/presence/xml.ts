/**
 * As much XML as presence documents need (XML 1.0, Namespaces in XML): reads a document into elements that keep their
 * source text, so that what we do not understand passes byte for byte.
 *
 * Strict where it protects: no DOCTYPE and so no entities of one's own, a bound on depth and on the number of elements.
 * Text is latin1 (one character one byte): all markup is ASCII, so UTF-8 passes untouched.
 * Left out: validation, encodings other than UTF-8.
 */

export interface XmlElement {
  /** As written, with its prefix. */
  readonly name: string;
  /** As written, escapes and `xmlns` included; `attribute` reads one. */
  readonly attributes: readonly XmlAttribute[];
  /** Namespace URIs in scope by prefix; the default one under ''. */
  readonly scope: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All character data directly in it, unescaped. */
  readonly text: string;
  /** What stands between its start tag and its end tag. */
  readonly inner: string;
}

export type XmlAttribute = readonly [name: string, value: string];

const deepest = 32;
const mostElements = 2_000;
const mostNamespaces = 32;

// Not `\s`: that takes 0xA0, too, half of a UTF-8 "à" and part of a name; where both fit a pattern tries all their orders.
const blank = '[ \\t\\r\\n]';
const nameSyntax = '[A-Za-z_\\x80-\\xff][\\w.\\-\\x80-\\xff]*';
const qualifiedName = `${nameSyntax}(?::${nameSyntax})?`;
const equals = `${blank}*=${blank}*`;
const attributeText = `${blank}+${qualifiedName}${equals}(?:"[^"<]*"|'[^'<]*')`;
const instruction = `<\\?(?!xml(?:${blank}|\\?)).*?\\?>`;
const aside = `<!--(?:(?!--).)*-->|${instruction}`;
const startTag = new RegExp(`<(${qualifiedName})((?:${attributeText})*)${blank}*(/?)>`, 'y');
const endTag = new RegExp(`</(${qualifiedName})${blank}*>`, 'y');
const attributeSyntax = new RegExp(`(${qualifiedName})${equals}(?:"([^"<]*)"|'([^'<]*)')`, 'g');
const between = new RegExp(`(?:${blank}+|${aside})+`, 'sy');
const declaration = new RegExp(`(?:\\xef\\xbb\\xbf)?(?:<\\?xml${blank}.*?\\?>)?`, 'sy');
const comment = new RegExp(aside, 'sy');
const cdata = /<!\[CDATA\[(.*?)\]\]>/sy;
const characters = /[^<]+/y;

/** The root element; `undefined` when the text is not one well-formed document within the bounds. */
export function readXml(text: string): XmlElement | undefined {
  const reader = new Reader(text);
  reader.skip(declaration);
  reader.skip(between);
  const root = reader.element(new Map(), 0);
  reader.skip(between);
  return reader.atEnd ? root : undefined;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #elements = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  skip(pattern: RegExp): boolean {
    return this.#match(pattern) !== undefined;
  }

  element(outer: ReadonlyMap<string, string>, depth: number): XmlElement | undefined {
    const tag = this.#match(startTag);
    if (tag === undefined || depth > deepest || ++this.#elements > mostElements) return undefined;
    const [, name = '', attributeList = '', empty] = tag;
    const attributes = readAttributes(attributeList);
    const scope = attributes === undefined ? undefined : scopeOf(outer, attributes);
    if (attributes === undefined || scope === undefined || !isBound(name, scope)) return undefined;
    const content = empty === '/' ? { children: [], text: '', inner: '' } : this.#content(name, scope, depth);
    return content === undefined ? undefined : { name, attributes, scope, ...content };
  }

  #content(
    name: string,
    scope: ReadonlyMap<string, string>,
    depth: number,
  ): Pick<XmlElement, 'children' | 'text' | 'inner'> | undefined {
    const start = this.#at;
    const children: XmlElement[] = [];
    let text = '';
    for (;;) {
      const end = this.#at;
      const closing = this.#match(endTag);
      if (closing !== undefined) {
        const inner = this.#text.slice(start, end);
        return closing[1] === name ? { children, text, inner } : undefined;
      }
      const data = this.#data();
      if (data !== undefined) text += data;
      else if (!this.skip(comment)) {
        const child = this.element(scope, depth + 1);
        if (child === undefined) return undefined;
        children.push(child);
      }
    }
  }

  #data(): string | undefined {
    const raw = this.#match(characters)?.[0];
    return raw === undefined ? this.#match(cdata)?.[1] : unescapeXml(raw);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }
}

function readAttributes(text: string): readonly XmlAttribute[] | undefined {
  const attributes = [...text.matchAll(attributeSyntax)].map(
    ([, name = '', double, single]): XmlAttribute => [name, double ?? single ?? ''],
  );
  return new Set(attributes.map(([name]) => name)).size === attributes.length ? attributes : undefined;
}

function scopeOf(
  outer: ReadonlyMap<string, string>,
  attributes: readonly XmlAttribute[],
): ReadonlyMap<string, string> | undefined {
  const declared = attributes.flatMap(([name, value]): readonly (readonly [string, string])[] => {
    if (name === 'xmlns') return [['', value]];
    return name.startsWith('xmlns:') ? [[name.slice(6), value]] : [];
  });
  const scope = declared.length === 0 ? outer : new Map([...outer, ...declared]);
  if (scope.size > mostNamespaces) return undefined;
  return attributes.every(([name]) => name.startsWith('xmlns') || !name.includes(':') || isBound(name, scope))
    ? scope
    : undefined;
}

function isBound(name: string, scope: ReadonlyMap<string, string>): boolean {
  const colon = name.indexOf(':');
  return colon < 0 || name.startsWith('xml:') || scope.has(name.slice(0, colon));
}

// --- names -----------------------------------------------------------------------------------------------------------

export function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1);
}

export function namespaceOf({ name, scope }: XmlElement): string {
  const colon = name.indexOf(':');
  return scope.get(colon < 0 ? '' : name.slice(0, colon)) ?? '';
}

export function attribute(element: XmlElement, name: string): string | undefined {
  const value = element.attributes.find(([key]) => key === name)?.[1];
  return value === undefined ? undefined : unescapeXml(value);
}

// --- text ------------------------------------------------------------------------------------------------------------

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For character data and for attribute values in double quotes. What XML cannot hold at all is left out. */
export function escapeXml(text: string): string {
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '').replace(/[&<>"]/g, (char) => escapes[char] ?? char);
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The five entities of XML itself, and references to ASCII characters; others stay as they are written. */
function unescapeXml(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:(\w+)|#(\d{1,3})|#x([0-9A-Fa-f]{1,2}));/g, (whole, name, decimal, hex) => {
    if (name !== undefined) return named[String(name)] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : whole;
  });
}

export interface PrintOptions {
  /** Attributes with new values. */
  readonly changes?: ReadonlyMap<string, string>;
  /** Namespaces in scope where it will stand. */
  readonly within?: ReadonlyMap<string, string>;
}

/** The element as text for another place: with the namespaces of where it stood, as far as they are named in it. */
export function printElement(element: XmlElement, { changes = none, within = none }: PrintOptions = {}): string {
  const own = new Set(element.attributes.map(([name]) => name));
  // Where its document had no default namespace, that of the other place must not become it.
  const scope = new Map([['', ''], ...element.scope]);
  const inherited = [...scope]
    .filter(([prefix]) => prefix === '' || names(element, prefix))
    .filter(([prefix, uri]) => (within.get(prefix) ?? (prefix === '' ? '' : undefined)) !== uri)
    .map(([prefix, uri]): XmlAttribute => [prefix === '' ? 'xmlns' : `xmlns:${prefix}`, uri])
    .filter(([name]) => !own.has(name));
  const written = element.attributes.map(([name, value]): XmlAttribute => {
    const changed = changes.get(name);
    return [name, changed === undefined ? value : escapeXml(changed)];
  });
  // Escapes stay as they were written; only the quotes around a value may be others now.
  const attributes = [...written, ...inherited].map(([name, value]) => ` ${name}="${quotable(value)}"`);
  const start = `<${element.name}${attributes.join('')}`;
  return element.inner === '' ? `${start}/>` : `${start}>${element.inner}</${element.name}>`;
}

/** Also in a value: `xsi:type="p:name"` is a name, too. */
function names({ name, attributes, inner }: XmlElement, prefix: string): boolean {
  const mark = `${prefix}:`;
  return [name, inner, ...attributes.flat()].some((text) => text.includes(mark));
}

const none: ReadonlyMap<string, string> = new Map();

const quotable = (written: string): string => written.replaceAll('"', '&quot;');
