/**
 * A name that a route does not know is refused, for all routes alike, in the query and in the body: one that is misspelt,
 * `?stat=failed` or `{"drain": true}`, would otherwise be answered as if nobody had asked for anything.
 */
import type { FastifyRequest } from 'fastify';

/** Before the schemas are applied: they take out what they do not know. */
export async function strictNames({ query, body, routeOptions: { schema, url = '' } }: FastifyRequest): Promise<void> {
  refuseOdd('query parameter', query, namesIn(schema?.querystring), url);
  // Without names in its schema a body is no object, or of any names.
  const known = namesIn(schema?.body);
  if (known.length > 0) refuseOdd('field', body, known, url);
}

function refuseOdd(what: string, given: unknown, known: readonly string[], url: string): void {
  const odd = keysOf(given).find((name) => !known.includes(name));
  if (odd === undefined) return;
  const there = known.length === 0 ? 'takes none' : `knows ${known.join(', ')}`;
  const words = `There is no ${what} "${odd.slice(0, 50)}" here: ${url} ${there}.`;
  throw Object.assign(new Error(words), { statusCode: 400 });
}

/** `schema`: an object in JSON Schema. */
function namesIn(schema: unknown): readonly string[] {
  return typeof schema === 'object' && schema !== null && 'properties' in schema ? keysOf(schema.properties) : [];
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}
