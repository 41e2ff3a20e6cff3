/** The rtpengine nodes that were added over REST: one row each, written at once, read at start. */
import type { AddedNode, AddedNodeStore } from '../../ports.ts';
import type { Pool } from './pool.ts';

const LIST = 'SELECT address, weight, draining FROM rtpengine_node ORDER BY created_at, address';
const ADD = `INSERT INTO rtpengine_node (address, weight) VALUES ($1, $2)
  ON CONFLICT (address) DO UPDATE SET weight = excluded.weight, draining = false`;
const CHANGE = `UPDATE rtpengine_node SET weight = coalesce($2::integer, weight), draining = coalesce($3::boolean, draining)
  WHERE address = $1`;
const REMOVE = 'DELETE FROM rtpengine_node WHERE address = $1';

export function createAddedNodeStore(pool: Pool): AddedNodeStore {
  return {
    list: () => pool.query<AddedNode>({ name: 'rtpengine-node-list', text: LIST, values: [] }),
    add: async (address, weight) => {
      await pool.query({ name: 'rtpengine-node-add', text: ADD, values: [address, weight] });
    },
    change: async (address, { weight = null, draining = null }) => {
      await pool.query({ name: 'rtpengine-node-change', text: CHANGE, values: [address, weight, draining] });
    },
    remove: async (address) => {
      await pool.query({ name: 'rtpengine-node-remove', text: REMOVE, values: [address] });
    },
  };
}
