/**
 * The REST API: what each address answers, and nothing about how it is served. `GET /health` and `/metrics`, and under
 * `/api/v1` `/stats`, `/registrations`, `/calls`, `/events`, `/doctor`, `/presence/…`, `/mailboxes`, `/subscribers`,
 * `/aliases`, `/sessions`, `/refusals`, `/log-level` and `POST /reload`. Who may ask, and the form of errors, is decided in `src/adapters/http/`.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Finding, LevelControl, MediaNodes, Operations, ReloadReport } from '../../src/engine/operations.ts';
import { aliasesRoute } from './aliases.ts';
import { callMediaRoute } from './call-media.ts';
import { callsRoute } from './calls.ts';
import { doctorRoute } from './doctor.ts';
import { eventsRoute } from './events.ts';
import { healthRoute } from './health.ts';
import { logLevelRoute } from './log-level.ts';
import { metricsRoute } from './metrics.ts';
import { presenceRoute } from './presence.ts';
import { refusalsRoute } from './refusals.ts';
import { registrationsRoute } from './registrations.ts';
import { reloadRoute } from './reload.ts';
import { rtpengineRoute } from './rtpengine.ts';
import { sessionsRoute } from './sessions.ts';
import { statsRoute } from './stats.ts';
import { strictNames } from './strict-names.ts';
import { subscribersRoute } from './subscribers.ts';

/** What the process around the engine can be asked to do. */
export interface Actions {
  reload(): Promise<ReloadReport>;
  /** What is wrong with this installation. */
  doctor(): Promise<readonly Finding[]>;
  readonly log: LevelControl;
  readonly rtpengine: MediaNodes;
}

export function apiRoutes(operations: Operations, actions: Actions): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.addHook('preValidation', strictNames);
    await app.register(healthRoute(operations));
    await app.register(metricsRoute(operations));
    await app.register(
      async (v1) => {
        await v1.register(statsRoute(operations));
        await v1.register(registrationsRoute(operations));
        await v1.register(callsRoute(operations));
        await v1.register(callMediaRoute(operations));
        await v1.register(eventsRoute(operations));
        await v1.register(presenceRoute(operations));
        await v1.register(subscribersRoute(operations));
        await v1.register(aliasesRoute(operations));
        await v1.register(sessionsRoute(operations));
        await v1.register(refusalsRoute(operations));
        await v1.register(doctorRoute(actions.doctor));
        await v1.register(reloadRoute(actions.reload));
        await v1.register(logLevelRoute(actions.log));
        await v1.register(rtpengineRoute(operations, actions.rtpengine));
      },
      { prefix: '/api/v1' },
    );
  };
}
