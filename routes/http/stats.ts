/** `GET /api/v1/stats`: counters and states of this process at this moment. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Operations, Statistics } from '../../src/engine/operations.ts';
import { StatisticsBody } from './schemas.ts';

export function statsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/stats', { schema: { response: { 200: StatisticsBody } } }, async () =>
      withNulls(await operations.statistics()),
    );
  };
}

function withNulls(statistics: Statistics) {
  const rtpengine = statistics.rtpengine.map((node) => ({
    ...node,
    ports: node.ports ?? null,
    lastError: node.lastError ?? null,
  }));
  return { ...statistics, rtpengine };
}
