/** `GET /api/v1/stats`: counters and states of this process at this moment. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Operations, Statistics } from '../../src/engine/operations.ts';
import { StatisticsBody } from './schemas.ts';

export function statsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/stats',
      { schema: { summary: 'Counters and states at this moment', response: { 200: StatisticsBody } } },
      async () => statisticsWithNulls(await operations.statistics()),
    );
  };
}

export function statisticsWithNulls(statistics: Statistics) {
  const database = { ...statistics.database, lastError: statistics.database.lastError ?? null };
  return { ...statistics, database, rtpengine: statistics.rtpengine.map(nodeWithNulls), nodes: [...statistics.nodes] };
}

export function nodeWithNulls(node: Statistics['rtpengine'][number]) {
  return { ...node, ports: node.ports ?? null, lastError: node.lastError ?? null };
}
