/** `GET /api/v1/registrations?limit=&after=`: every contact that can be called now, ordered by address of record. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { PageQuery, RegistrationsBody } from './schemas.ts';

export function registrationsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    const summary = 'Every contact that can be called now';
    const schema = { summary, querystring: PageQuery, response: { 200: RegistrationsBody } };
    app.get('/registrations', { schema }, async (request) => {
      const page = await operations.registrations(request.query);
      const items = page.items.map((item) => ({
        ...item,
        media: item.media ?? null,
        publicGruu: item.publicGruu ?? null,
      }));
      return { items, next: page.next ?? null };
    });
  };
}
