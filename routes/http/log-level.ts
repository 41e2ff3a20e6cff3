/** `GET` and `PUT /api/v1/log-level`: how much is logged, until the next start, which takes LOG_LEVEL again. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { LevelControl } from '../../src/engine/operations.ts';
import { LogLevelBody } from './schemas.ts';

export function logLevelRoute(log: LevelControl): FastifyPluginAsyncTypebox {
  return async (app) => {
    const response = { 200: LogLevelBody };
    app.get('/log-level', { schema: { summary: 'How much is logged', response } }, async () => ({ level: log.level }));
    app.put(
      '/log-level',
      { schema: { summary: 'Log more or less, until the next start', body: LogLevelBody, response } },
      async ({ body }) => {
        log.level = body.level;
        return { level: log.level };
      },
    );
  };
}
