/**
 * A query parameter that a route does not know is refused, for all routes alike: one that is misspelt, `?stat=failed`, would
 * otherwise be answered as if nobody had asked for anything.
 */
import type { FastifyRequest } from 'fastify';

/** Before the schemas are applied: they take out what they do not know. */
export async function strictQuery({ query, routeOptions }: FastifyRequest): Promise<void> {
  const known = namesIn(routeOptions.schema?.querystring);
  const odd = keysOf(query).find((name) => !known.includes(name));
  if (odd === undefined) return;
  const there = known.length === 0 ? 'takes none' : `knows ${known.join(', ')}`;
  const words = `There is no query parameter "${odd.slice(0, 50)}" here: ${routeOptions.url} ${there}.`;
  throw Object.assign(new Error(words), { statusCode: 400 });
}

/** `schema`: of the query, an object in JSON Schema. */
function namesIn(schema: unknown): readonly string[] {
  return typeof schema === 'object' && schema !== null && 'properties' in schema ? keysOf(schema.properties) : [];
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}
