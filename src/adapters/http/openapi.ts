/**
 * `GET /api/v1/openapi.json`: the OpenAPI 3.1 document of every REST route, made from the schemas that check them.
 * The console reads from it which views there are, the page `/api` draws it.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { withExamples } from './openapi-examples.ts';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';

export const OPENAPI_PATH = '/api/v1/openapi.json';

const about = `Everything Viaduct knows of its calls, and the switches that an operator needs. Lists come in pages: \`limit\`
entries, and \`next\` is the \`after\` of the page behind, or null. A query parameter that a route does not know is refused.
What is not known is null and never missing. Every error
is application/problem+json (RFC 9457) whose \`detail\` says what to do.`;

/** RFC 9457, as `problem.ts` makes it. */
const problem = {
  description: 'It did not work; `detail` says why and what to do',
  content: {
    [PROBLEM_MEDIA_TYPE]: {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail'],
        properties: {
          type: { type: 'string', examples: ['about:blank', 'urn:viaduct:error:database-down'] },
          title: { type: 'string', examples: ['Unauthorized'] },
          status: { type: 'integer', examples: [401] },
          detail: { type: 'string', examples: ['Send the API token as "Authorization: Bearer TOKEN".'] },
        },
      },
    },
  },
};

/** Before the routes: it sees those that come after it. */
export async function collectOpenapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Viaduct', version: '1', description: about.replaceAll('\n', ' ') },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'API_TOKEN' } } },
    },
    // A route without schema has none here either, whatever its type says.
    transform: ({ schema = {}, url }) => ({ schema: documented(schema, url), url }),
  });
}

function documented(schema: FastifySchema, url: string): FastifySchema {
  const given = Object.entries(isObject(schema.response) ? schema.response : {});
  const answers = given.map(([status, body]) => [
    status,
    { description: 'It worked', ...(isObject(body) ? body : {}) },
  ]);
  return {
    ...schema,
    response: { ...(given.length === 0 ? { '2xx': worked } : Object.fromEntries(answers)), default: problem },
    security: url === '/health' ? [] : [{ token: [] }],
  };
}

/** Of a route without a schema for what it answers: it has no body, or one that is not JSON. */
const worked = { description: 'It worked', type: 'null' };

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** After the routes. */
export function serveOpenapi(app: FastifyInstance): void {
  let document: unknown;
  app.get(OPENAPI_PATH, { schema: { hide: true } }, async (_request, reply) => {
    document ??= withExamples(JSON.parse(JSON.stringify(app.swagger())));
    return reply.header('cache-control', 'no-cache').send(document);
  });
}
