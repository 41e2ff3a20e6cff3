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
  const state = sqlState(error);
  if (state === undefined) return new Failure('database-down', errorWords(error));
  const cure = cures.find(([pattern]) => pattern.test(state))?.[1];
  const said = `PostgreSQL says: ${errorWords(error)} (${state})`;
  return new Failure(codeOf(state), cure === undefined ? said : `${said}. ${cure}`);
}

/** What an error of node or of pg says; that of a name with several addresses says nothing itself, but has one of each. */
export function errorWords(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorWords).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** It answers questions and takes no writes: nobody can register, although a probe finds nothing wrong. */
export function refusesWrites(error: unknown): boolean {
  return /^(25006|53100|58)/.test(sqlState(error) ?? '');
}

/** What the operator does where the words of PostgreSQL do not say it. */
const cures: readonly (readonly [RegExp, string])[] = [
  [
    /^25006$/,
    'It is a standby, or default_transaction_read_only is on: have DATABASE_URL name the primary, or switch that off.',
  ],
  [/^53100$/, 'Make room on the disk of PostgreSQL.'],
  [
    /^53300$/,
    'Raise max_connections, or the limit of the role: a Viaduct takes up to 12; pg_stat_activity shows who has them.',
  ],
  [/^28/, 'Check user and password of DATABASE_URL, and pg_hba.conf; a changed DATABASE_URL wants a restart.'],
  [/^3D000$/, 'Check the name at the end of DATABASE_URL; a changed one wants a restart.'],
];

function codeOf(state: string): 'malformed' | 'database-down' | 'internal' {
  // 22 data exception, 23514 check violation, 54 limit exceeded (a key too long for its index): this row's own fault.
  if (/^22|^23514$|^54/.test(state)) return 'malformed';
  // 25006: a standby that takes no writes. 28, 3D: it lets nobody in. 53: out of memory, disk or connections.
  // 57: stopping, or statement_timeout.
  if (/^(08|25006|28|3D|40|53|57|58|XX)/.test(state)) return 'database-down';
  return 'internal';
}

function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
