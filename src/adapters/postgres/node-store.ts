/** The nodes over this database: one row each. Times are the database's, so that clocks of nodes need not agree. */
import type { NodeAddress, NodeSeen, NodeStore } from '../../ports.ts';
import type { Pool } from './pool.ts';
import { fromDatabase, toDatabase } from './text.ts';

const BEAT = `INSERT INTO node AS n (id, boot, address) VALUES ($1, $2, $3)
  ON CONFLICT (id) DO UPDATE SET boot = excluded.boot, address = excluded.address, seen_at = excluded.seen_at,
    started_at = CASE WHEN n.boot = excluded.boot THEN n.started_at ELSE excluded.started_at END`;

// What has been silent for a day was gone for all others long ago.
const ALL = `SELECT id, boot, address, extract(epoch FROM clock_timestamp() - seen_at) * 1000 AS silent_ms FROM node
  WHERE seen_at > clock_timestamp() - interval '1 day' ORDER BY id`;

const LEAVE = 'DELETE FROM node WHERE id = $1 AND boot = $2';

interface NodeRow {
  readonly id: string;
  readonly boot: string;
  readonly address: string;
  readonly silent_ms: string;
}

export function createNodeStore(pool: Pool): NodeStore {
  return {
    beat: async ({ id, boot, address }) => {
      const values = [toDatabase(id), toDatabase(boot), textOf(address)];
      const rows = await pool.query<NodeRow>({ name: 'node-all', text: ALL, values: [] });
      await pool.query({ name: 'node-beat', text: BEAT, values });
      return rows.flatMap((row) => seenOf(row) ?? []);
    },
    leave: async ({ id, boot }) => {
      await pool.query({ name: 'node-leave', text: LEAVE, values: [toDatabase(id), toDatabase(boot)] });
    },
  };
}

function textOf({ transport, host, port }: NodeAddress): string {
  return `${transport}:${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** `undefined` for a row that is none of ours to read, such as one written by hand. */
function seenOf({ id, boot, address, silent_ms }: NodeRow): NodeSeen | undefined {
  const [, transport, host = '', port = ''] = /^(udp|tcp|tls):\[?([0-9a-f.:]+?)\]?:(\d+)$/.exec(address) ?? [];
  if (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls') return undefined;
  const place = { transport, host, port: Number(port) } as const;
  return { id: fromDatabase(id), boot: fromDatabase(boot), address: place, silentMs: Math.max(0, Number(silent_ms)) };
}
