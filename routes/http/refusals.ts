/**
 * `GET /api/v1/refusals`: sources that were refused for what they did (failed logins, scanning, too much at once), the
 * latest first. `DELETE /api/v1/refusals/SOURCE` forgets one, and lifts its ban at once; the slash of a /64 is written %2F.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { RefusalsBody } from './schemas.ts';

const Source = Type.Object({ source: Type.String({ pattern: '^[0-9a-fA-F.:]{2,45}(/64)?$' }) });

export function refusalsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/refusals',
      { schema: { summary: 'Sources that were refused for what they did', response: { 200: RefusalsBody } } },
      async () => ({
        items: operations.refusedSources().map((refused) => ({ ...refused, until: refused.until ?? null })),
      }),
    );
    app.delete(
      '/refusals/:source',
      { schema: { summary: 'Forget a source, and lift its ban at once', params: Source } },
      async (request, reply) => {
        if (operations.liftBan(request.params.source)) return reply.code(204).send();
        return reply.callNotFound();
      },
    );
  };
}
