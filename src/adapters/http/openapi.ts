/**
 * `GET /api/v1/openapi.json`: the OpenAPI 3.1 document of every REST route, made from the schemas that check them.
 * The console reads from it which views there are, the page `/api` draws it.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';

export const OPENAPI_PATH = '/api/v1/openapi.json';

const about = `Everything Viaduct knows of its calls, and the switches that an operator needs. Lists come in pages: \`limit\`
entries, and \`next\` is the \`after\` of the page behind, or null. What is not known is null and never missing. Every error
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
  const given = typeof schema.response === 'object' && schema.response !== null ? schema.response : {};
  return {
    ...schema,
    response: { ...given, default: problem },
    security: url === '/health' ? [] : [{ token: [] }],
  };
}

/** After the routes. */
export function serveOpenapi(app: FastifyInstance): void {
  app.get(OPENAPI_PATH, { schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(app.swagger()),
  );
}
