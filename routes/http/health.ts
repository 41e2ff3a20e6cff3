/**
 * `GET /health`, open to everyone: whether Viaduct can route calls, for load balancers and start scripts.
 * It answers 200 as long as the process serves SIP; `degraded` says that some calls are refused, the rest says why.
 * 503 with `draining`: it stops as soon as the calls in progress have ended, so send new ones elsewhere.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { HealthBody } from './schemas.ts';

export function healthRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/health',
      {
        schema: {
          summary: 'Whether calls can be routed; open to everyone',
          response: { 200: HealthBody, 503: HealthBody },
        },
      },
      async (_request, reply) => {
        const health = operations.health();
        return reply.code(health.status === 'draining' ? 503 : 200).send(health);
      },
    );
  };
}
