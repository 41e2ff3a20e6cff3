/**
 * Accounts over REST, under `/api/v1/subscribers`: list, add, read, new password, disable and enable, remove. In paths an
 * account is its address, `alice@example.com`. No answer ever holds a password or a hash.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { found } from './found.ts';
import { PageQuery } from './schemas.ts';

const Address = Type.String({ minLength: 1, maxLength: 255 });
const Password = Type.String({ minLength: 1, maxLength: 255 });
const Subscriber = Type.Object({
  address: Type.String(),
  disabled: Type.Boolean(),
  createdAt: Type.String(),
  updatedAt: Type.String(),
});
const Subscribers = Type.Object({
  items: Type.Array(Subscriber),
  next: Type.Union([Type.String(), Type.Null()]),
});
const Params = Type.Object({ address: Address });
const strict = { additionalProperties: false };
const New = Type.Object({ address: Address, password: Password }, strict);
const NewPassword = Type.Object({ password: Password }, strict);
const Change = Type.Object({ disabled: Type.Boolean() }, strict);

const nobody = 'There is no such account.';

export function subscribersRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/subscribers',
      { schema: { summary: 'The accounts, by address', querystring: PageQuery, response: { 200: Subscribers } } },
      async ({ query }) => {
        const { items, next = null } = await operations.subscribers(query);
        return { items: [...items], next };
      },
    );
    app.post(
      '/subscribers',
      { schema: { summary: 'Add an account', body: New, response: { 201: Subscriber } } },
      async ({ body }, reply) => {
        const added = await operations.addSubscriber(body.address, body.password);
        if (added === undefined)
          throw Object.assign(new Error('There is such an account already.'), { statusCode: 409 });
        return reply.code(201).send(added);
      },
    );
    await app.register(oneRoute(operations));
  };
}

function oneRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    const read = { summary: 'One account', params: Params, response: { 200: Subscriber } };
    app.get('/subscribers/:address', { schema: read }, async ({ params }) =>
      found(await operations.subscriber(params.address), nobody),
    );
    const password = { summary: 'Give an account a new password', params: Params, body: NewPassword };
    app.put('/subscribers/:address/password', { schema: password }, async ({ params, body }, reply) => {
      found((await operations.setSubscriberPassword(params.address, body.password)) || undefined, nobody);
      return reply.code(204).send();
    });
    app.patch(
      '/subscribers/:address',
      { schema: { summary: 'Disable an account at once, or enable it', params: Params, body: Change } },
      async ({ params, body }, reply) => {
        found((await operations.setSubscriberDisabled(params.address, body.disabled)) || undefined, nobody);
        return reply.code(204).send();
      },
    );
    app.delete(
      '/subscribers/:address',
      { schema: { summary: 'Remove an account for good', params: Params } },
      async ({ params }, reply) => {
        found((await operations.removeSubscriber(params.address)) || undefined, nobody);
        return reply.code(204).send();
      },
    );
  };
}
