/** `GET /api/v1/calls?limit=&after=`: the answered calls in progress, by id. `id` is safe in an address. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { CallSummary, Operations } from '../../src/engine/operations.ts';
import { CallsBody, PageQuery } from './schemas.ts';

export function callsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    const schema = { querystring: PageQuery, response: { 200: CallsBody } };
    app.get('/calls', { schema }, async (request) => {
      const page = operations.calls(request.query);
      return { items: page.items.map(withNulls), next: page.next ?? null };
    });
  };
}

function withNulls(call: CallSummary) {
  return {
    ...call,
    answeredAt: call.answeredAt ?? null,
    callerMedia: call.callerMedia ?? null,
    calleeMedia: call.calleeMedia ?? null,
    rtpengine: call.rtpengine ?? null,
  };
}
