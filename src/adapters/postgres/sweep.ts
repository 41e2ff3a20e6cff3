/**
 * Removing what has expired, in batches: one statement for a million rows would hold its locks for minutes, or run into
 * the statement timeout every time and never remove anything. Nodes that sweep at the same moment pass over each other's rows.
 */
import type { Pool } from './pool.ts';

const BATCH = 1000;
/** What one walking sweep looks at: some 20 ms of work, and a million rows in an hour. */
const STRETCH = 10_000;
/** Keys are compared as bytes. */
const beforeAll: readonly string[] = ['', ''];
const behindAll: readonly string[] = ['\u{10ffff}', ''];

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

/**
 * For a table without an index on the time: there, each refresh of a row would have to write all its index entries anew. Looks
 * at a stretch of the primary key (two columns of text) in each sweep and goes on behind it in the next one, so that a sweep
 * costs the same however many rows there are.
 */
export function createWalkingSweep(
  pool: Pool,
  { table, key, isOver }: { readonly table: string; readonly key: string; readonly isOver: string },
): (atMs: number) => Promise<number> {
  const end = `SELECT ${key} FROM ${table} WHERE (${key}) > ($1, $2) ORDER BY ${key} OFFSET ${STRETCH - 1} LIMIT 1`;
  const text = `DELETE FROM ${table} WHERE (${key}) IN (
    SELECT ${key} FROM ${table} WHERE (${key}) > ($2, $3) AND (${key}) <= ($4, $5) AND ${isOver}
    LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) RETURNING 1 AS swept`;
  let from = beforeAll;
  return async (atMs) => {
    const [last] = await pool.query<Readonly<Record<string, string>>>({
      name: `${table}-stretch`,
      text: end,
      values: from,
    });
    const to = last === undefined ? behindAll : Object.values(last);
    for (let swept = 0; ; ) {
      const { length } = await pool.query({ name: `${table}-sweep`, text, values: [atMs, ...from, ...to] });
      swept += length;
      if (length === BATCH) continue;
      from = last === undefined ? beforeAll : to;
      return swept;
    }
  };
}
