/**
 * What a PostgreSQL error means for us, by its SQLSTATE class (PostgreSQL manual, appendix A). The text of an error goes
 * to the log; it never has a password, and rows are not quoted (`DETAIL` is left out).
 */
import pg from 'pg';
import { Failure } from '../../errors.ts';

/** Another transaction was in the way and this one has left no trace: it may simply be done again. */
export function mayBeRepeated(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** The connection is unusable, and the statement's outcome unknown. */
export function connectionLost(error: unknown): boolean {
  const state = sqlState(error);
  // Without SQLSTATE it comes from the socket or from our own timeout.
  return state === undefined || state.startsWith('08') || /^57P0[1-5]$/.test(state);
}

/**
 * A migration of a newer node has changed a table since the statement was prepared: nothing was done, and a connection that
 * has not prepared it yet does it. The code (feature_not_supported) has to do: words are in the language of the server.
 */
export function hasOldPlan(error: unknown): boolean {
  return sqlState(error) === '0A000';
}

/** It has no connection left for one more (too_many_connections): those that there are go on. */
export function isFull(error: unknown): boolean {
  return sqlState(error) === '53300';
}

export function databaseFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? error.message : String(error);
  const state = sqlState(error);
  if (state === undefined) return new Failure('database-down', text);
  return new Failure(codeOf(state), `PostgreSQL says: ${text} (${state})`);
}

function codeOf(state: string): 'malformed' | 'database-down' | 'internal' {
  // 22 data exception, 23514 check violation, 54 limit exceeded (a key too long for its index): this row's own fault.
  if (/^22|^23514$|^54/.test(state)) return 'malformed';
  // 25006: a standby that takes no writes. 53: out of memory, disk or connections. 57: stopping, or statement_timeout.
  if (/^(08|25006|40|53|57|58|XX)/.test(state)) return 'database-down';
  return 'internal';
}

function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
