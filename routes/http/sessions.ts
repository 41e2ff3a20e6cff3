/**
 * Short-lived logins over REST, under `/api/v1/sessions`: make one for a browser, list, revoke. Its password is in the
 * answer that makes it, and nowhere else.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { found } from './found.ts';
import { PageQuery } from './schemas.ts';

const id = Type.String({ pattern: '^session-[0-9a-f]{24}$', examples: ['session-0123456789abcdef01234567'] });
const fields = { id, address: Type.String(), createdAt: Type.String(), expiresAt: Type.String() };
const New = Type.Object(
  {
    address: Type.String({ minLength: 1, maxLength: 255, examples: ['alice@example.com'] }),
    expiresSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400, default: 3600 })),
  },
  { additionalProperties: false },
);
/** `webSocket`: null where no LISTEN entry is wss. */
export const SessionBody = Type.Object({
  ...fields,
  username: id,
  password: Type.String(),
  webSocket: Type.Union([Type.String({ examples: ['wss://sip.example.com:8443'] }), Type.Null()]),
});
export const SessionsBody = Type.Object({
  items: Type.Array(Type.Object(fields)),
  next: Type.Union([Type.String(), Type.Null()]),
});

export function sessionsRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    const listed = { summary: 'Short-lived logins', querystring: PageQuery, response: { 200: SessionsBody } };
    app.get('/sessions', { schema: listed }, async ({ query }) => {
      const { items, next = null } = await operations.sessions(query);
      return { items: [...items], next };
    });
    const made = { summary: 'Make a short-lived login of an account, for a browser', body: New };
    app.post('/sessions', { schema: { ...made, response: { 201: SessionBody } } }, async ({ body }, reply) => {
      const added = await operations.addSession(body.address, body.expiresSeconds ?? 3600);
      const { webSocket = null, ...session } = found(added, 'There is no such account, or it is disabled.');
      return reply.code(201).send({ ...session, webSocket });
    });
    const revoked = { summary: 'Revoke a login: its connection closes, its calls end', params: Type.Object({ id }) };
    app.delete('/sessions/:id', { schema: revoked }, async ({ params }, reply) => {
      found((await operations.endSession(params.id)) || undefined, 'There is no such session.');
      return reply.code(204).send();
    });
  };
}
