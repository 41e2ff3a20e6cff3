/**
 * The rtpengine nodes while calls go on: `GET /api/v1/rtpengine`, `POST` adds one, `PATCH /rtpengine/ID` changes its weight
 * or drains it (its calls go on, new ones go elsewhere), `DELETE` takes it out when no call is on it (409 else).
 *
 * Nodes added here are kept in the database, over restarts and for all nodes of ours; changes of a node of RTPENGINE hold at
 * this one, until Viaduct ends. Whether calls are on it is asked of this one: another one keeps it until its own have ended.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { MediaNodes, Operations } from '../../src/engine/operations.ts';
import { conflict, found } from './found.ts';
import { paged } from './paged.ts';
import { NodeBody, NodesBody, PageQuery } from './schemas.ts';
import { nodeWithNulls } from './stats.ts';

const Weight = Type.Integer({ minimum: 0, maximum: 9999 });
const NewNode = Type.Object({ address: Type.String({ maxLength: 300 }), weight: Type.Optional(Weight) });
const Changes = Type.Object({ weight: Type.Optional(Weight), draining: Type.Optional(Type.Boolean()) });
const Id = Type.Object({ id: Type.String({ maxLength: 64 }) });

const noNode = 'There is no rtpengine with this id.';

export function rtpengineRoute(operations: Operations, nodes: MediaNodes): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/rtpengine',
      {
        schema: { summary: 'The nodes, and how full they are', querystring: PageQuery, response: { 200: NodesBody } },
      },
      async ({ query }) => {
        const { items, next } = paged(nodes.nodes(), ({ id }) => id, query);
        return { items: items.map(nodeWithNulls), next };
      },
    );
    app.post(
      '/rtpengine',
      {
        schema: {
          summary: 'Add a node, for all nodes of Viaduct; kept over restarts',
          body: NewNode,
          response: { 201: NodeBody },
        },
      },
      async ({ body }, reply) => {
        const node = await nodes.addNode(body.address, body.weight ?? 1);
        if (node === undefined) throw conflict('This rtpengine is there already.');
        return reply.code(201).send(nodeWithNulls(node));
      },
    );
    app.patch(
      '/rtpengine/:id',
      {
        schema: {
          summary: 'Change the weight of a node, or drain it',
          params: Id,
          body: Changes,
          response: { 200: NodeBody },
        },
      },
      async ({ params, body }) => nodeWithNulls(found(await nodes.changeNode(params.id, body), noNode)),
    );
    app.delete(
      '/rtpengine/:id',
      { schema: { summary: 'Take a node out when no call is on it', params: Id } },
      async ({ params: { id } }, reply) => {
        const calls = operations.callsOnNode(id);
        if (calls > 0) throw conflict(`It has media of ${calls} calls: drain it first, and wait for their end.`);
        found((await nodes.removeNode(id)) ? id : undefined, noNode);
        return reply.code(204).send();
      },
    );
  };
}
