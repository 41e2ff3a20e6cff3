/**
 * Ended calls in PostgreSQL: one row each. Rows wait for company for longer than other statements do, since nobody waits
 * for them; they go as one JSON document a group, so that a statement has one parameter however many columns there are.
 */
import type { CallRecordStore } from '../../ports.ts';
import { type CallRecordRow, type CallRecordValues, columns, recordOfRow, valuesOfRecord } from './call-record-row.ts';
import type { StoreOptions } from './location-store.ts';
import { AT, createSweep } from './sweep.ts';
import { toDatabase } from './text.ts';
import { createGroupedWriter } from './writer.ts';

export interface PostgresCallRecordStore extends CallRecordStore {
  /** Removes the old ones; resolves with their number. */
  sweep(): Promise<number>;
  waiting(): number;
  idle(): Promise<void>;
}

/** 100 calls a second are ten statements. What ended within this before a kill -9 has no record. */
const companyMs = 100;
const dayMs = 86_400_000;

const names = columns.map(([name]) => name).join(', ');
const updates = columns.slice(2).map(([name]) => `${name} = excluded.${name}`);
const SAVE = `
  INSERT INTO call_record (${names})
  SELECT ${names} FROM jsonb_to_recordset($1::jsonb) AS r(${columns.map((column) => column.join(' ')).join(', ')})
  ORDER BY id, started_at
  ON CONFLICT (id, started_at) DO UPDATE SET ${updates.join(', ')}`;

const FIND = 'SELECT * FROM call_record WHERE id = $1 ORDER BY started_at DESC LIMIT 1';

const time = (parameter: string): string => `to_timestamp(${parameter}::double precision / 1000)`;

const CHOSEN = `started_at >= ${time('$4')} AND started_at < ${time('$5')} AND ($6::text IS NULL OR state = $6)
  AND (started_at < ${time('$2')} OR (started_at = ${time('$2')} AND id > $3))`;
const NEWEST = 'ORDER BY started_at DESC, id LIMIT $1';

const LIST = `SELECT * FROM call_record WHERE ${CHOSEN} ${NEWEST}`;

// Two ways through two indexes, and those who call themselves once.
const LIST_OF = `SELECT * FROM (
    (SELECT * FROM call_record WHERE from_aor = $7 AND ${CHOSEN} ${NEWEST})
    UNION ALL
    (SELECT * FROM call_record WHERE to_aor = $7 AND from_aor <> $7 AND ${CHOSEN} ${NEWEST})
  ) AS both_ways ${NEWEST}`;

/** Later than any call. */
const farMs = 32_503_680_000_000;

/** `keepDays`: how long after its beginning a call is kept; absent: for ever. */
export function createCallRecordStore({ pool, clock }: StoreOptions, keepDays?: number): PostgresCallRecordStore {
  const sweep = createSweep(pool, { table: 'call_record', key: 'id, started_at', isOver: `started_at < ${AT}` });
  const rows = createGroupedWriter<CallRecordValues, void>({
    groupMs: companyMs,
    maxGroup: 250,
    maxWaiting: 20_000,
    after: clock.after.bind(clock),
    key: ({ id, started_at }) => `${id} ${started_at}`,
    write: async (group) => {
      await pool.query({ name: 'call-record-save', text: SAVE, values: [JSON.stringify(group)] });
      return group.map(() => undefined);
    },
  });
  return {
    save: async (record) => rows.add(valuesOfRecord(record)),
    find: async (id) => {
      const found = await pool.query<CallRecordRow>({ name: 'call-record-find', text: FIND, values: [id] });
      return found.map(recordOfRow)[0];
    },
    list: async ({ limit, before, state, aor, sinceMs = 0, untilMs = farMs }) => {
      const place = [before?.startedAtMs ?? farMs, before?.id ?? ''];
      const values = [limit, ...place, sinceMs, untilMs, state ?? null];
      const statement =
        aor === undefined
          ? { name: 'call-record-list', text: LIST, values }
          : { name: 'call-record-list-of', text: LIST_OF, values: [...values, toDatabase(aor)] };
      return (await pool.query<CallRecordRow>(statement)).map(recordOfRow);
    },
    sweep: async () => (keepDays === undefined ? 0 : sweep(clock.nowMs() - keepDays * dayMs)),
    waiting: rows.waiting,
    idle: rows.idle,
  };
}
