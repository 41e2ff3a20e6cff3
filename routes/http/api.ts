/**
 * The REST API: what each address answers, and nothing about how it is served. `GET /health`, and under `/api/v1`
 * `/stats`, `/registrations`, `/calls` and `/events`. Who may ask, and the form of errors, is decided in `src/adapters/http/`.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { callsRoute } from './calls.ts';
import { eventsRoute } from './events.ts';
import { healthRoute } from './health.ts';
import { registrationsRoute } from './registrations.ts';
import { statsRoute } from './stats.ts';

export function apiRoutes(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    await app.register(healthRoute(operations));
    await app.register(
      async (v1) => {
        await v1.register(statsRoute(operations));
        await v1.register(registrationsRoute(operations));
        await v1.register(callsRoute(operations));
        await v1.register(eventsRoute(operations));
      },
      { prefix: '/api/v1' },
    );
  };
}
