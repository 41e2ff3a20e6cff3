/**
 * Other names of accounts and dial rules over REST, under `/api/v1/aliases`: list, set, remove. In paths an alias is its
 * pattern with its domain, `0049*@example.com`; a `?` of a pattern is written %3F there.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { found } from './found.ts';
import { PageQuery } from './schemas.ts';

const text = (examples: readonly string[]) => Type.String({ minLength: 1, maxLength: 255, examples: [...examples] });
const Alias = Type.Object({ pattern: text(['0049*']), domain: text(['example.com']), target: text(['+49*']) });
export const AliasesBody = Type.Object({
  items: Type.Array(Alias),
  next: Type.Union([Type.String(), Type.Null()]),
});
const Params = Type.Object({ pattern: text(['0049*@example.com']) });
const Change = Type.Object({ target: text(['+49*']) }, { additionalProperties: false });

export function aliasesRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    const listed = { summary: 'Other names of accounts, and dial rules', querystring: PageQuery };
    app.get('/aliases', { schema: { ...listed, response: { 200: AliasesBody } } }, async ({ query }) => {
      const { items, next = null } = await operations.aliases(query);
      return { items: [...items], next };
    });
    const set = { summary: 'Say what a name stands for', params: Params, body: Change, response: { 200: Alias } };
    app.put('/aliases/:pattern', { schema: set }, async ({ params, body }) =>
      operations.setAlias(params.pattern, body.target),
    );
    const forget = { summary: 'Forget what a name stands for', params: Params };
    app.delete('/aliases/:pattern', { schema: forget }, async ({ params }, reply) => {
      found((await operations.removeAlias(params.pattern)) || undefined, 'There is no such alias.');
      return reply.code(204).send();
    });
  };
}
