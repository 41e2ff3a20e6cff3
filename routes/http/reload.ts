/** `POST /api/v1/reload`: settings, tls.cfg and routes are read again; 422 with the reason when something is wrong. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { ReloadReport } from '../../src/engine/operations.ts';
import { ReloadBody } from './schemas.ts';

export function reloadRoute(reload: () => Promise<ReloadReport>): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/reload',
      { schema: { summary: 'Read settings, tls.cfg and routes again', response: { 200: ReloadBody } } },
      async () => {
        const { changed, needsRestart } = await reload();
        return { changed: [...changed], needsRestart: [...needsRestart] };
      },
    );
  };
}
