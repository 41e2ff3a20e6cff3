/** `GET /metrics` for Prometheus: with the API token where one is set, as all that is not a page. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Operations } from '../../src/engine/operations.ts';

export function metricsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/metrics',
      { schema: { summary: 'Counters and times as Prometheus reads them' } },
      async (_request, reply) =>
        reply.type('text/plain; version=0.0.4; charset=utf-8').send(await operations.metrics()),
    );
  };
}
