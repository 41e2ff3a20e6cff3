/**
 * `GET /api/v1/calls?state=&account=&since=&until=&limit=&after=`: calls in progress and ended ones, newest first, as JSON,
 * or as CSV for `Accept: text/csv`; `/calls/:id` one of them; `/calls/:id/ladder` what passed, as JSON, or as the drawing
 * for `Accept: text/plain`; `/calls/:id/explain` why it went as it did. `id` is safe in an address.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { CallExplanation, CallSummary, LadderReport, LegRecord, Operations } from '../../src/engine/operations.ts';
import { csvOf, csvTitles } from './calls-csv.ts';
import { found } from './found.ts';
import { CallBody, CallParams, CallsBody, CallsQuery, ExplanationBody, LadderBody } from './schemas.ts';

export const unknownCall = 'No call with this id is known: it is too long ago, or it never was.';
const unknownStory =
  'No story with this id is kept: those of failed calls are for a week, others for an hour. The record of the call may be at /api/v1/calls/ID.';

export function callsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/calls',
      {
        schema: {
          summary: 'Calls in progress and ended ones, newest first; CSV for Accept: text/csv',
          querystring: CallsQuery,
          response: { 200: CallsBody },
        },
      },
      async (request, reply) => {
        const csv = wants(request, 'text/csv');
        // Half a file looks like a whole one.
        const page = await operations.calls({ ...request.query, whole: csv });
        const items = page.items.map(callWithNulls);
        if (csv) asCsv(request, reply, items, page.next);
        return { items, next: page.next ?? null, complete: page.partial !== true };
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
        const ladder = found(await operations.ladder(request.params.id), unknownStory);
        if (wants(request, 'text/plain')) asText(reply, ladder.lines);
        return ladderWithNulls(ladder);
      },
    );
    const explained = {
      summary: 'Why a call went as it did, and what to do',
      ...one,
      response: { 200: ExplanationBody },
    };
    app.get('/calls/:id/explain', { schema: explained }, async ({ params }) =>
      explanationWithNulls(found(await operations.explain(params.id), unknownStory)),
    );
  };
}

export function callWithNulls(call: CallSummary) {
  return {
    ...call,
    node: call.node ?? null,
    requestUri: call.requestUri ?? null,
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
    legs: call.legs.map(legRecordWithNulls),
  };
}

function legRecordWithNulls({ role, profile, packets, bytes, quality, noQuality }: LegRecord) {
  return {
    role,
    profile: profile ?? null,
    packets: packets ?? null,
    bytes: bytes ?? null,
    mos: quality?.mos ?? null,
    jitterMs: quality?.jitterMs ?? null,
    lossPercent: quality?.lossPercent ?? null,
    lost: quality?.lost ?? null,
    roundTripMs: quality?.roundTripMs ?? null,
    noQuality: noQuality ?? null,
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

function overTimeWithDates({ packets, quality }: CallExplanation['legs'][number]['overTime']) {
  const dated = <T extends { readonly atMs: number }>(items: readonly T[]) =>
    items.map(({ atMs, ...item }) => ({ at: new Date(atMs).toISOString(), ...item }));
  return { packets: dated(packets), quality: dated(quality) };
}

function legWithNulls(leg: CallExplanation['legs'][number]) {
  const { media } = leg;
  return {
    ...leg,
    profile: leg.profile ?? null,
    sdpFrom: leg.sdpFrom ?? null,
    sdpTo: leg.sdpTo ?? null,
    noQuality: leg.noQuality ?? null,
    overTime: overTimeWithDates(leg.overTime),
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

/** Who says so; everything else gets JSON. */
function wants({ headers }: FastifyRequest, type: string): boolean {
  return headers.accept?.startsWith(type) === true;
}

/** The page as CSV; where the next one is says `Link` (RFC 8288). */
function asCsv(
  request: FastifyRequest,
  reply: FastifyReply,
  items: readonly Static<typeof CallBody>[],
  next?: string,
): void {
  if (next !== undefined) {
    const url = new URL(request.url, 'http://here');
    url.searchParams.set('after', next);
    reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
  }
  const text = csvTitles + items.map(csvOf).join('');
  reply.type('text/csv; charset=utf-8').serializer(() => text);
}

/** The drawing in place of the JSON. */
function asText(reply: FastifyReply, lines: readonly { readonly text: string }[]): void {
  const text = lines.map((line) => `${line.text}\n`).join('');
  reply.type('text/plain; charset=utf-8').serializer(() => text);
}
