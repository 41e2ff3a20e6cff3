/**
 * The media outbox in PostgreSQL (DESIGN §4): whole-call deletes that rtpengine has not confirmed.
 *
 * An entry is given up after five minutes (engine/media/media-delete.ts), and swept away after ten where nobody was left to do
 * that. A session without packets has ended by itself then; one whose telephones still talk goes on.
 */
import type { MediaOutbox, OutboxEntry } from '../../ports.ts';
import type { StoreOptions } from './location-store.ts';
import { AT, createSweep } from './sweep.ts';
import { fromDatabase, toDatabase } from './text.ts';
import { createGroupedWriter } from './writer.ts';

export interface PostgresOutbox extends MediaOutbox {
  /** Removes entries that have been given up; resolves with their number. */
  sweep(): Promise<number>;
  waiting(): number;
  idle(): Promise<void>;
}

interface OutboxChange {
  readonly callId: string;
  readonly mediaNode: string;
  readonly createdAtMs: number;
  readonly done: boolean;
}

interface OutboxRow {
  readonly call_id: string;
  readonly media_node: string;
  readonly created_at: Date;
}

const KEEP_MS = 10 * 60_000;

// An entry of a later call under the same Call-ID replaces the earlier one, and is not removed by that one's `done`.
const WRITE = `
  WITH removal AS (
    DELETE FROM media_outbox o USING unnest($1::text[], $2::text[], $3::double precision[]) AS r(call_id, media_node, created_at)
    WHERE o.call_id = r.call_id AND o.media_node = r.media_node AND o.created_at <= to_timestamp(r.created_at / 1000)
  )
  INSERT INTO media_outbox AS o (call_id, media_node, created_at, expires_at)
  SELECT call_id, media_node, to_timestamp(created_at / 1000), to_timestamp((created_at + ${KEEP_MS}) / 1000)
  FROM unnest($4::text[], $5::text[], $6::double precision[]) AS a(call_id, media_node, created_at)
  ORDER BY call_id, media_node
  ON CONFLICT (call_id, media_node) DO UPDATE SET
    created_at = greatest(o.created_at, excluded.created_at), expires_at = greatest(o.expires_at, excluded.expires_at)`;

const PENDING = `SELECT call_id, media_node, created_at FROM media_outbox
  WHERE expires_at > to_timestamp($1::double precision / 1000) ORDER BY created_at, call_id, media_node`;

export function createOutbox({ pool, clock, groupMs }: StoreOptions): PostgresOutbox {
  const sweep = createSweep(pool, { table: 'media_outbox', key: 'call_id, media_node', isOver: `expires_at <= ${AT}` });
  const changes = createGroupedWriter<OutboxChange, void>({
    groupMs,
    maxGroup: 250,
    maxWaiting: 20_000,
    after: clock.after.bind(clock),
    key: ({ callId, mediaNode }) => `${callId}\n${mediaNode}`,
    write: async (group) => {
      await pool.query({ name: 'outbox-write', text: WRITE, values: parameters(group) });
      return group.map(() => undefined);
    },
  });

  return {
    add: async (entry) => changes.add(changeOf(entry, false)),
    done: async (entry) => changes.add(changeOf(entry, true)),
    pending: async () => {
      const rows = await pool.query<OutboxRow>({ name: 'outbox-pending', text: PENDING, values: [clock.nowMs()] });
      return rows.map(entryOf);
    },
    sweep: () => sweep(clock.nowMs()),
    waiting: changes.waiting,
    idle: changes.idle,
  };
}

function changeOf({ callId, mediaNode, createdAtMs }: OutboxEntry, done: boolean): OutboxChange {
  return { callId: toDatabase(callId), mediaNode: toDatabase(mediaNode), createdAtMs, done };
}

function parameters(group: readonly OutboxChange[]): readonly unknown[] {
  return [group.filter((change) => change.done), group.filter((change) => !change.done)].flatMap((changes) => [
    changes.map((change) => change.callId),
    changes.map((change) => change.mediaNode),
    changes.map((change) => change.createdAtMs),
  ]);
}

function entryOf(row: OutboxRow): OutboxEntry {
  return {
    callId: fromDatabase(row.call_id),
    mediaNode: fromDatabase(row.media_node),
    createdAtMs: row.created_at.getTime(),
  };
}
