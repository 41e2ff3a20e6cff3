/** What PostgreSQL counts by itself: the same on a busy machine as on an idle one. */
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from '../test/support/postgres-server.ts';

export interface Counts {
  readonly transactions: number;
  readonly walRecords: number;
  readonly walPages: number;
  readonly walBytes: number;
}

/** Its processes tell what they did a second later at most. */
const tellMs = 1_200;

const COUNTS = `SELECT sum(xact_commit)::float8 AS transactions, min(wal_records)::float8 AS records, min(wal_fpi)::float8 AS pages,
  min(wal_bytes)::float8 AS bytes FROM pg_stat_database, pg_stat_wal`;

/** Since its start, over all databases; `url` of any of them. */
export async function countsOf(url: string): Promise<Counts> {
  await delay(tellMs);
  const [row = {}] = await sql({ url }, COUNTS);
  const [transactions = 0, walRecords = 0, walPages = 0, walBytes = 0] = Object.values(row).map(Number);
  return { transactions, walRecords, walPages, walBytes };
}

/** Of one operation. */
export function perOperation(before: Counts, after: Counts, operations: number): Counts {
  const each = (name: keyof Counts): number =>
    Number(((after[name] - before[name]) / Math.max(1, operations)).toFixed(3));
  return {
    transactions: each('transactions'),
    walRecords: each('walRecords'),
    walPages: each('walPages'),
    walBytes: Math.round(each('walBytes')),
  };
}
