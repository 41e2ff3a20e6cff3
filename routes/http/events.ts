/**
 * `GET /api/v1/events`: server-sent events (WHATWG HTML §9.2) as long as the client listens. `event:` is the type,
 * `data:` is JSON as `HappeningBody` of schemas.ts says: calls, registrations, rtpengine nodes, and counters every 2 s.
 *
 * Bounded: so many listeners, and so many bytes for one that does not read; what it missed is counted for it.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import type { Happening, Operations } from '../../src/engine/operations.ts';
import { callWithNulls } from './calls.ts';
import { nodeWithNulls, statisticsWithNulls } from './stats.ts';

const mostListeners = 32;
const mostWaitingBytes = 256 * 1024;

export function eventsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  let listeners = 0;
  return async (app) => {
    app.get('/events', { schema: { summary: 'What happens, as server-sent events' } }, async (_request, reply) => {
      if (listeners >= mostListeners) {
        throw Object.assign(new Error(`${mostListeners} clients listen already.`), { statusCode: 503 });
      }
      listeners++;
      const stop = operations.watch(sender(reply));
      reply.raw.on('close', () => {
        listeners--;
        stop();
      });
      begin(reply);
      return reply;
    });
  };
}

function begin(reply: FastifyReply): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  // A proxy that collects answers would hold the events back.
  const streamed = { 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...streamed });
  reply.raw.write('retry: 2000\n\n');
}

function sender({ raw }: FastifyReply): (happening: Happening) => void {
  let lost = 0;
  const write = (type: string, data: object): void => {
    raw.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  return (happening) => {
    if (raw.writableLength > mostWaitingBytes) {
      lost++;
      return;
    }
    if (lost > 0) write('lost', { type: 'lost', events: lost });
    lost = 0;
    write(happening.type, withNulls(happening));
  };
}

function withNulls(happening: Happening): object {
  switch (happening.type) {
    case 'call':
    case 'media':
      return { ...happening, call: callWithNulls(happening.call) };
    case 'registration':
      return happening;
    case 'node':
      return { ...happening, node: nodeWithNulls(happening.node) };
    case 'counters':
      return { ...happening, statistics: statisticsWithNulls(happening.statistics) };
  }
}
