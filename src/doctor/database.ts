/** The database: whether it answers, which migrations it has, and whether its clock agrees with ours. */
import type { Finding } from '../engine/operations.ts';
import { failureOf } from '../errors.ts';
import { finding } from './finding.ts';

export interface DatabaseChecked {
  readonly database: { about(): Promise<DatabaseAbout> };
  readonly nowMs: () => number;
}

export interface DatabaseAbout {
  readonly nowMs: number;
  readonly version: string;
  readonly migrations: number;
}

const slowMs = 100;
const mostSkewMs = 2_000;

export async function databaseFindings({ database, nowMs }: DatabaseChecked): Promise<readonly Finding[]> {
  const askedMs = nowMs();
  try {
    const { nowMs: theirs, version, migrations } = await database.about();
    const tookMs = nowMs() - askedMs;
    const skewMs = Math.abs(theirs - (askedMs + tookMs / 2));
    return [
      finding('database', 'ok', `PostgreSQL ${version} answers in ${tookMs} ms; ${migrations} migrations.`, ''),
      ...(tookMs > slowMs
        ? [finding('database', 'warning', `PostgreSQL took ${tookMs} ms for a small question.`, slow)]
        : []),
      ...(skewMs > mostSkewMs
        ? [finding('clock', 'warning', clockWords(skewMs), 'Run an NTP client on both hosts.')]
        : []),
    ];
  } catch (thrown) {
    const { message, row } = failureOf(thrown);
    return [finding('database', 'error', message, row.nextStep)];
  }
}

const slow = 'Each login and REGISTER waits for it: look at its load and at the network in between.';

const clockWords = (skewMs: number): string =>
  `The clocks of this host and of the database differ by ${Math.round(skewMs / 1000)} s: registrations expire early or late.`;

/** Certificates and nonces need a clock that is roughly right; this program is younger than that. */
export function clockFindings(nowMs: number): readonly Finding[] {
  if (nowMs > Date.UTC(2026, 0, 1)) return [];
  return [finding('clock', 'error', `The clock says ${new Date(nowMs).toISOString()}.`, 'Set it; run an NTP client.')];
}
