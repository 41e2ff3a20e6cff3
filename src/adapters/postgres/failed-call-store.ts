/**
 * The stories of failed calls in PostgreSQL: one row each, written singly (they are rare), read by id, removed a week after
 * the end of the call. Left out: the list of calls (call-record-store.ts).
 */
import type { FailedCall, FailedCallStore } from '../../ports.ts';
import type { StoreOptions } from './location-store.ts';
import { AT, createSweep } from './sweep.ts';
import { fromDatabase, toDatabase } from './text.ts';

export interface PostgresFailedCallStore extends FailedCallStore {
  /** Removes the old ones; resolves with their number. */
  sweep(): Promise<number>;
  waiting(): number;
  idle(): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly call_id: string;
  readonly node: string;
  readonly from_uri: string;
  readonly to_uri: string;
  readonly started_at: Date;
  readonly ended_at: Date;
  readonly status: number | null;
  readonly code: string | null;
  readonly story: string;
}

const KEEP_MS = 7 * 24 * 3_600_000;

const SAVE = `
  INSERT INTO failed_call (id, call_id, node, from_uri, to_uri, started_at, ended_at, status, code, story)
  VALUES ($1, $2, $3, $4, $5, to_timestamp($6::double precision / 1000), to_timestamp($7::double precision / 1000), $8, $9, $10)
  ON CONFLICT (id) DO UPDATE SET call_id = excluded.call_id, node = excluded.node, from_uri = excluded.from_uri,
    to_uri = excluded.to_uri, started_at = excluded.started_at, ended_at = excluded.ended_at, status = excluded.status,
    code = excluded.code, story = excluded.story`;

const FIND = 'SELECT * FROM failed_call WHERE id = $1';

export function createFailedCallStore({ pool, clock }: StoreOptions): PostgresFailedCallStore {
  const sweep = createSweep(pool, { table: 'failed_call', key: 'id', isOver: `ended_at < ${AT}` });
  let saving = 0;
  const idle: (() => void)[] = [];
  const save = async (call: FailedCall): Promise<void> => {
    saving++;
    try {
      await pool.query({ name: 'failed-call-save', text: SAVE, values: valuesOf(call) });
    } finally {
      saving--;
      if (saving === 0) for (const wake of idle.splice(0)) wake();
    }
  };
  return {
    save,
    find: async (id) => {
      const rows = await pool.query<Row>({ name: 'failed-call-find', text: FIND, values: [id] });
      return rows.map(callOf)[0];
    },
    sweep: () => sweep(clock.nowMs() - KEEP_MS),
    waiting: () => saving,
    idle: () =>
      saving === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idle.push(resolve);
          }),
  };
}

function valuesOf(call: FailedCall): readonly unknown[] {
  const { id, callId, node, from, to, startedAtMs, endedAtMs, status, code, story } = call;
  const texts = [callId, node, from, to].map(toDatabase);
  return [id, ...texts, startedAtMs, endedAtMs, status ?? null, code ?? null, story];
}

function callOf(row: Row): FailedCall {
  return {
    id: row.id,
    callId: fromDatabase(row.call_id),
    node: fromDatabase(row.node),
    from: fromDatabase(row.from_uri),
    to: fromDatabase(row.to_uri),
    startedAtMs: row.started_at.getTime(),
    endedAtMs: row.ended_at.getTime(),
    status: row.status ?? undefined,
    code: row.code ?? undefined,
    story: row.story,
  };
}
