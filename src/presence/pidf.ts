/**
 * The presence document (RFC 3863, the data model of RFC 4479): what several publications say, as one.
 *
 * Every element of a publication passes as it was written, known or not (rich presence, RFC 4480): a composer that drops
 * what it does not know makes every new client poorer. Where nobody has published, the registrations speak: open when
 * there is a contact. Left out: filters (RFC 4661), partial documents (RFC 5263), and any choice between publications.
 */
import { attribute, escapeXml, localName, namespaceOf, printElement, readXml, type XmlElement } from './xml.ts';

export const pidfType = 'application/pidf+xml';

/** Law 9. As large as a whole message may be. */
const longestComposed = 65_536;

const pidfNamespace = 'urn:ietf:params:xml:ns:pidf';
const within: ReadonlyMap<string, string> = new Map([['', pidfNamespace]]);
const modelNamespace = 'urn:ietf:params:xml:ns:pidf:data-model';

/** What is wrong with a published document; `undefined` when it can be composed. */
export function pidfFault(text: string): string | undefined {
  const root = readXml(text);
  if (root === undefined) return 'The body is not well-formed XML.';
  if (localName(root) !== 'presence' || namespaceOf(root) !== pidfNamespace) return 'The body is no presence document.';
  if (attribute(root, 'entity') === undefined) return 'The presence element has no entity.';
  const tuples = root.children.filter(isTuple);
  if (tuples.some((tuple) => attribute(tuple, 'id') === undefined)) return 'A tuple has no id.';
  // Namespaces declared once are written to each element that needs them: a small text could become a large one.
  if (composePidf('', [text]).length > longestComposed) return 'The document is too large when it is composed.';
  return tuples.every((tuple) => tuple.children.some((child) => localName(child) === 'status'))
    ? undefined
    : 'A tuple has no status.';
}

/** One document of all publications, the newest first. One that cannot be read adds nothing. */
export function composePidf(entity: string, documents: readonly string[]): string {
  const taken = new Set<string>();
  const elements = documents.flatMap((text) => readXml(text)?.children ?? []).sort(byKind);
  return presence(
    entity,
    elements.map((element) => printElement(element, { changes: uniqueId(element, taken), within })),
  );
}

/** What the location service knows: reachable or not. */
export function registeredPidf(entity: string, isRegistered: boolean): string {
  const basic = isRegistered ? 'open' : 'closed';
  const contact = isRegistered ? `<contact>${escapeXml(entity)}</contact>` : '';
  return presence(entity, [`<tuple id="registered"><status><basic>${basic}</basic></status>${contact}</tuple>`]);
}

/** RFC 5025 §3.2.1 polite-block: what a watcher sees who shall not know that he is blocked. */
export function politePidf(entity: string): string {
  return registeredPidf(entity, false);
}

function presence(entity: string, elements: readonly string[]): string {
  const root = `<presence xmlns="${pidfNamespace}" entity="${escapeXml(entity)}">`;
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n${root}${elements.join('')}</presence>\r\n`;
}

function isTuple(element: XmlElement): boolean {
  return localName(element) === 'tuple' && namespaceOf(element) === pidfNamespace;
}

// RFC 3863 §4.4, RFC 4479 §3.4: tuples first, then notes, then elements of other namespaces.
function byKind(one: XmlElement, other: XmlElement): number {
  return rank(one) - rank(other);
}

function rank(element: XmlElement): number {
  if (isTuple(element)) return 0;
  return namespaceOf(element) === pidfNamespace ? 1 : 2;
}

// Two devices may both have called their tuple `t1`, and an id stands once in a document.
function uniqueId(element: XmlElement, taken: Set<string>): ReadonlyMap<string, string> {
  const id = attribute(element, 'id');
  const carriesId = isTuple(element) || namespaceOf(element) === modelNamespace;
  if (id === undefined || !carriesId) return new Map();
  let unique = id;
  for (let count = 2; taken.has(unique); count++) unique = `${id}-${count}`;
  taken.add(unique);
  return new Map([['id', unique]]);
}
