/** What the page reads of the OpenAPI document, and its schemas as rows of a table. */

export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly default?: unknown;
}

export interface Body {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;
}

export interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly security: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body>>;
}

export interface OpenapiDocument {
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Entry {
  readonly method: string;
  readonly path: string;
  /** In the address of the page. */
  readonly anchor: string;
  readonly operation: Operation;
}

export interface Group {
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** By the first word behind `/api/v1/`. */
export function groupsOf({ paths }: OpenapiDocument): readonly Group[] {
  const groups = new Map<string, Entry[]>();
  for (const [path, operations] of Object.entries(paths)) {
    const name = /^\/(?:api\/v1\/)?([^/]+)/.exec(path)?.[1] ?? path;
    const entries = groups.get(name) ?? [];
    groups.set(name, entries);
    for (const [method, operation] of Object.entries(operations)) {
      entries.push({ method, path, anchor: anchorOf(method, path), operation });
    }
  }
  return [...groups].map(([name, entries]) => ({ name, entries }));
}

function anchorOf(method: string, path: string): string {
  return `${method}${path.replace(/[^a-zA-Z0-9]+/g, '-')}`;
}

/** `text`, `integer 1 to 1000`, `webrtc | rtp | null`, `list of object`. */
export function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(' | ');
  if (schema.const !== undefined) return String(schema.const);
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' | ');
  if (schema.type === 'array') return schema.items === undefined ? 'list' : `list of ${typeOf(schema.items)}`;
  const name = schema.type === 'string' ? 'text' : (schema.type ?? 'anything');
  return [name, boundsOf(schema)].filter((part) => part !== '').join(' ');
}

function boundsOf({ minimum, maximum, minLength, maxLength }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `from ${minimum}`;
  if (maxLength !== undefined) return `of ${minLength ?? 0} to ${maxLength} characters`;
  return '';
}

export interface Field {
  /** `items[].from`. */
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** The fields of an object and of the objects in it. */
export function fieldsOf(schema: Schema, prefix = ''): readonly Field[] {
  const inner = innerOf(schema);
  if (inner.schema.properties === undefined) return [];
  return Object.entries(inner.schema.properties).flatMap(([name, field]) => {
    const path = `${prefix}${inner.list ? '[]' : ''}${prefix === '' && !inner.list ? '' : '.'}${name}`;
    const required = inner.schema.required?.includes(name) ?? false;
    const own = { name: path, type: typeOf(field), required, description: field.description ?? '' };
    return [own, ...fieldsOf(field, path)];
  });
}

/** What is in a list, or in one that may be null. */
function innerOf(schema: Schema): { readonly schema: Schema; readonly list: boolean } {
  if (schema.type === 'array' && schema.items !== undefined) return { schema: schema.items, list: true };
  const variant = schema.anyOf?.find(({ properties, items }) => properties !== undefined || items !== undefined);
  return variant === undefined ? { schema, list: false } : innerOf(variant);
}

/** As one types it. */
export function curlOf({ method, path, operation }: Entry, origin: string): string {
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.example;
  return [
    `curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${origin}${path}`,
    ...(operation.security.length === 0 ? [] : ['-H "Authorization: Bearer $API_TOKEN"']),
    ...(body === undefined ? [] : ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(body)}'`]),
  ].join(' \\\n  ');
}
