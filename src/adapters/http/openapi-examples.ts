/**
 * An example for each body in the OpenAPI document, made from its schema and the names of its fields, so that no example
 * can say what the schema does not. Reads the document as plain JSON.
 */

type Json = { readonly [name: string]: unknown };

/** The document with an `example` beside each schema of a body. */
export function withExamples(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(withExamples);
  if (!isJson(document)) return document;
  return mapped(document, (name, value) =>
    name === 'content' && isJson(value) ? illustrated(value) : withExamples(value),
  );
}

function illustrated(content: Json): Json {
  return mapped(content, (_type, media) =>
    isJson(media) && isJson(media.schema) ? { ...media, example: exampleOf(media.schema, '') } : media,
  );
}

/** `name`: of the field that has this schema. */
export function exampleOf(schema: Json, name: string): unknown {
  const [given] = [...listOf(schema.examples), ...listOf(schema.enum)];
  if (given !== undefined) return given;
  if (schema.const !== undefined) return schema.const;
  const variants = [...listOf(schema.anyOf), ...listOf(schema.oneOf)].filter(isJson);
  const variant = variants.find(({ type }) => type !== 'null') ?? variants[0];
  if (variant !== undefined) return exampleOf(variant, name);
  return ofType(schema, name);
}

function ofType(schema: Json, name: string): unknown {
  switch (schema.type) {
    case 'object':
      return isJson(schema.properties)
        ? mapped(schema.properties, (field, value) => isJson(value) && exampleOf(value, field))
        : {};
    case 'array':
      return isJson(schema.items) ? [exampleOf(schema.items, name)] : [];
    case 'integer':
    case 'number':
      return Math.max(1, typeof schema.minimum === 'number' ? schema.minimum : 1);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return words.find(([field]) => field.test(name))?.[1] ?? 'text';
  }
}

/** What stands in a text of this name; the first that fits. */
const words: readonly (readonly [name: RegExp, example: string])[] = [
  [/(At|^at|^since|^until)$/, '2030-01-31T12:00:00.000Z'],
  [/^(from|watcher|caller)$/, 'sip:alice@example.com'],
  [/^(aor|to|resource|presentity|callee)$/, 'sip:bob@example.com'],
  [/^contact$/, 'sip:bob@192.0.2.40:5060'],
  [/^(source|local|remote)$/, '192.0.2.40:5060'],
  [/^password$/, 'open-sesame'],
  [/^address$/, 'udp:10.0.0.5:22222'],
  [/^(userAgent)$/, 'Linphone/5.2.1'],
  [/^callId$/, '3848276298220188511@192.0.2.40'],
  [/^contentType$/, 'application/pidf+xml'],
  [/^name$/, 'bob'],
  [/^version$/, '0.1.0'],
  [/^next$/, 'sip:bob@example.com'],
];

function mapped(object: Json, change: (name: string, value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(name, value)]));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
