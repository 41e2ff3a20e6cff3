/**
 * The media of a call that is up: `POST /api/v1/calls/ID/recording` starts, pauses and stops its recording; `/playing`
 * plays a sound to a party, or stops it; `/blocking` silences a party, or its keypad.
 *
 * 404: no such call; 409: it is not up or at another node, or rtpengine says no; 501: this rtpengine cannot, or has no folder to record to.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { MediaControls, Sound } from '../../src/engine/operations.ts';
import { callWithNulls, unknownCall } from './calls.ts';
import { badRequest, found } from './found.ts';
import { CallBody, CallParams } from './schemas.ts';

const strict = { additionalProperties: false };
const Side = Type.Union([Type.Literal('caller'), Type.Literal('callee'), Type.Literal('both')]);
const Recording = Type.Object(
  { action: Type.Union([Type.Literal('start'), Type.Literal('pause'), Type.Literal('stop')]) },
  strict,
);
/**
 * `file`: on the machine of rtpengine. `audio`: a sound file in base64, small enough for a datagram. One object and not a
 * choice of three: what is wrong with it is said in one sentence then.
 */
const Playing = Type.Object(
  {
    action: Type.Union([Type.Literal('start'), Type.Literal('stop')]),
    to: Side,
    file: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
    audio: Type.Optional(Type.String({ minLength: 1, maxLength: 64_000, pattern: '^[A-Za-z0-9+/]+=*$' })),
    times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  },
  strict,
);
const Blocking = Type.Object(
  { what: Type.Union([Type.Literal('media'), Type.Literal('DTMF')]), of: Side, blocked: Type.Boolean() },
  strict,
);

export function callMediaRoute(controls: MediaControls): FastifyPluginAsyncTypebox {
  return async (app) => {
    const params = CallParams;
    app.post(
      '/calls/:id/recording',
      {
        schema: {
          summary: 'Record a call, pause, or stop that',
          params,
          body: Recording,
          response: { 200: CallBody },
        },
      },
      async ({ params: { id }, body }) => callWithNulls(found(await controls.record(id, body.action), unknownCall)),
    );
    app.post(
      '/calls/:id/playing',
      { schema: { summary: 'Play a sound to a party of a call, or stop that', params, body: Playing } },
      async ({ params: { id }, body }, reply) => {
        const done =
          body.action === 'stop' ? controls.stopPlaying(id, body.to) : controls.play(id, body.to, soundOf(body));
        found((await done) || undefined, unknownCall);
        return reply.code(204).send();
      },
    );
    app.post(
      '/calls/:id/blocking',
      { schema: { summary: 'Silence a party of a call, or its keypad; or let it be heard', params, body: Blocking } },
      async ({ params: { id }, body }, reply) => {
        found((await controls.block(id, body, body.blocked)) || undefined, unknownCall);
        return reply.code(204).send();
      },
    );
  };
}

interface Asked {
  readonly file?: string;
  readonly audio?: string;
  readonly times?: number;
}

function soundOf({ file, audio, times }: Asked): Sound {
  if ((file === undefined) === (audio === undefined)) throw badRequest('To start, name either a "file" or an "audio".');
  const often = times === undefined ? {} : { times };
  if (audio !== undefined) return { audio: Buffer.from(audio, 'base64').toString('latin1'), ...often };
  return { file: Buffer.from(file ?? '').toString('latin1'), ...often };
}
