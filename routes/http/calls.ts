/**
 * `GET /api/v1/calls?state=&limit=&after=`: calls in progress and recent ones, newest first; `/calls/:id` one of them;
 * `/calls/:id/ladder` what passed, as JSON, or as the drawing for `Accept: text/plain`; `/calls/:id/explain` why it went
 * as it did. `id` is safe in an address.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallExplanation, CallSummary, LadderReport, Operations } from '../../src/engine/operations.ts';
import { found } from './found.ts';
import { CallBody, CallParams, CallsBody, CallsQuery, ExplanationBody, LadderBody } from './schemas.ts';

export const unknownCall = 'No call with this id is known: it is too long ago, or it never was.';

export function callsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/calls',
      {
        schema: {
          summary: 'Calls in progress and recent ones, newest first',
          querystring: CallsQuery,
          response: { 200: CallsBody },
        },
      },
      async ({ query }) => {
        const page = await operations.calls(query);
        return { items: page.items.map(callWithNulls), next: page.next ?? null };
      },
    );
    const one = { params: CallParams };
    app.get(
      '/calls/:id',
      { schema: { summary: 'One call', ...one, response: { 200: CallBody } } },
      async ({ params }) => callWithNulls(found(await operations.call(params.id), unknownCall)),
    );
    app.get(
      '/calls/:id/ladder',
      {
        schema: {
          summary: 'What passed in a call; the drawing for Accept: text/plain',
          ...one,
          response: { 200: LadderBody },
        },
      },
      async (request, reply) => {
        const ladder = found(await operations.ladder(request.params.id), unknownCall);
        if (wantsText(request)) asText(reply, ladder.lines);
        return ladderWithNulls(ladder);
      },
    );
    const explained = {
      summary: 'Why a call went as it did, and what to do',
      ...one,
      response: { 200: ExplanationBody },
    };
    app.get('/calls/:id/explain', { schema: explained }, async ({ params }) =>
      explanationWithNulls(found(await operations.explain(params.id), unknownCall)),
    );
  };
}

export function callWithNulls(call: CallSummary) {
  return {
    ...call,
    answeredAt: call.answeredAt ?? null,
    callerMedia: call.callerMedia ?? null,
    calleeMedia: call.calleeMedia ?? null,
    rtpengine: call.rtpengine ?? null,
    endedAt: call.endedAt ?? null,
    endedBy: call.endedBy ?? null,
    status: call.status ?? null,
    code: call.code ?? null,
    reason: call.reason ?? null,
    mediaFault: call.mediaFault ?? null,
    recording: call.recording ?? null,
  };
}

function ladderWithNulls({ call, parties, steps, lines, dropped }: LadderReport) {
  const withNulls = steps.map((step) => ({
    ...step,
    number: step.number ?? null,
    party: step.party ?? null,
    text: step.text ?? null,
  }));
  return { call: callWithNulls(call), parties: [...parties], steps: withNulls, lines: [...lines], dropped };
}

function explanationWithNulls({ call, verdicts, legs, exchanges }: CallExplanation) {
  return {
    call: callWithNulls(call),
    verdicts: [...verdicts],
    legs: legs.map(legWithNulls),
    exchanges: exchanges.map(({ atMs, ...exchange }) => ({
      ...exchange,
      at: new Date(atMs).toISOString(),
      callee: exchange.callee ?? null,
      failure: exchange.failure ?? null,
      after: exchange.after ?? null,
      words: [...exchange.words],
      changes: exchange.changes.map(({ section, removed, added }) => ({
        section,
        removed: [...removed],
        added: [...added],
      })),
    })),
  };
}

function legWithNulls(leg: CallExplanation['legs'][number]) {
  const { media } = leg;
  return {
    ...leg,
    profile: leg.profile ?? null,
    sdpFrom: leg.sdpFrom ?? null,
    sdpTo: leg.sdpTo ?? null,
    noQuality: leg.noQuality ?? null,
    media:
      media === undefined
        ? null
        : {
            ...media,
            viaBranch: media.viaBranch ?? null,
            silentSeconds: media.silentSeconds ?? null,
            quality: media.quality ?? null,
          },
  };
}

/** A person with curl says so; everything else gets JSON. */
function wantsText(request: FastifyRequest): boolean {
  return request.headers.accept?.startsWith('text/plain') === true;
}

/** The drawing in place of the JSON. */
function asText(reply: FastifyReply, lines: readonly { readonly text: string }[]): void {
  const text = lines.map((line) => `${line.text}\n`).join('');
  reply.type('text/plain; charset=utf-8').serializer(() => text);
}
