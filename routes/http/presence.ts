/**
 * Presence over REST: `GET /api/v1/presence/publications` and `/presence/subscriptions` (paged by address), the rules for
 * watchers at `/presence/rules`, and the message counts behind the lamp of a telephone at `/mailboxes`.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Operations } from '../../src/engine/operations.ts';
import { found } from './found.ts';
import { paged } from './paged.ts';
import {
  MailboxBody,
  MailboxQuery,
  PublicationsBody,
  RuleBody,
  RuleQuery,
  RulesBody,
  RulesQuery,
  SubscriptionsBody,
} from './presence-schemas.ts';
import { PageQuery } from './schemas.ts';

export function presenceRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    const publications = {
      summary: 'What is published, by address',
      querystring: PageQuery,
      response: { 200: PublicationsBody },
    };
    app.get('/presence/publications', { schema: publications }, async (request) => {
      const { items, next = null } = await operations.publications(request.query);
      return { items: [...items], next };
    });
    const subscriptions = { summary: 'Who watches whom', querystring: PageQuery, response: { 200: SubscriptionsBody } };
    app.get('/presence/subscriptions', { schema: subscriptions }, async (request) => {
      const { items, next = null } = await operations.subscriptions(request.query);
      return { items: [...items], next };
    });
    await app.register(rulesRoute(operations));
    await app.register(mailboxRoute(operations));
  };
}

function rulesRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/presence/rules',
      { schema: { summary: 'Who may watch this address', querystring: RulesQuery, response: { 200: RulesBody } } },
      async ({ query }) => paged(await operations.watcherRules(query.presentity), ({ watcher }) => watcher, query),
    );
    app.put(
      '/presence/rules',
      { schema: { summary: 'Allow or block a watcher', body: RuleBody } },
      async ({ body }, reply) => {
        await operations.setWatcherRule(body);
        return reply.code(204).send();
      },
    );
    app.delete(
      '/presence/rules',
      { schema: { summary: 'Forget a rule', querystring: RuleQuery } },
      async ({ query }, reply) => {
        const removed = await operations.removeWatcherRule(query.presentity, query.watcher);
        found(removed ? query : undefined, 'There is no rule for this watcher.');
        return reply.code(204).send();
      },
    );
  };
}

function mailboxRoute(operations: Operations): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/mailboxes',
      {
        schema: {
          summary: 'The messages that wait for an address',
          querystring: MailboxQuery,
          response: { 200: MailboxBody },
        },
      },
      async ({ query }) => operations.mailbox(query.aor),
    );
    app.put(
      '/mailboxes',
      { schema: { summary: 'Light the lamp of a telephone, or put it out', body: MailboxBody } },
      async ({ body }, reply) => {
        await operations.setMailbox(body);
        return reply.code(204).send();
      },
    );
  };
}
