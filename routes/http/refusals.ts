/**
 * `GET /api/v1/refusals`: sources that were refused for what they did (failed logins, scanning, too much at once), the
 * latest first. `DELETE /api/v1/refusals/SOURCE` forgets one, and lifts its ban at once; the slash of a /64 is written %2F.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { found } from './found.ts';
import { paged } from './paged.ts';
import { PageQuery, RefusalsBody } from './schemas.ts';

const Source = Type.Object({ source: Type.String({ pattern: '^[0-9a-fA-F.:]{2,45}(/64)?$' }) });

export function refusalsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/refusals',
      {
        schema: {
          summary: 'Sources that were refused for what they did',
          querystring: PageQuery,
          response: { 200: RefusalsBody },
        },
      },
      async ({ query }) => {
        const { items, next } = paged(
          operations.refusedSources(),
          ({ source, reason }) => `${source} ${reason}`,
          query,
        );
        return { items: items.map((refused) => ({ ...refused, until: refused.until ?? null })), next };
      },
    );
    app.delete(
      '/refusals/:source',
      { schema: { summary: 'Forget a source, and lift its ban at once', params: Source } },
      async (request, reply) => {
        found(operations.liftBan(request.params.source) || undefined, 'This source is not refused.');
        return reply.code(204).send();
      },
    );
  };
}
