/**
 * Removing what has expired, in batches: one statement for a million rows would hold its locks for minutes, or run into
 * the statement timeout every time and never remove anything. Nodes that sweep at the same moment pass over each other's rows.
 */
import type { Pool } from './pool.ts';

const BATCH = 1000;

/** `key`: the columns of the primary key. `isOver`: of a row, with `$1` as the time in milliseconds. Resolves with the number. */
export function createSweep(
  pool: Pool,
  { table, key, isOver }: { readonly table: string; readonly key: string; readonly isOver: string },
): (atMs: number) => Promise<number> {
  const text = `DELETE FROM ${table} WHERE (${key}) IN (
    SELECT ${key} FROM ${table} WHERE ${isOver} LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) RETURNING 1 AS swept`;
  return async (atMs) => {
    for (let swept = 0; ; ) {
      const { length } = await pool.query({ name: `${table}-sweep`, text, values: [atMs] });
      swept += length;
      if (length < BATCH) return swept;
    }
  };
}

/** The time that `isOver` compares with. */
export const AT = 'to_timestamp($1::double precision / 1000)';
