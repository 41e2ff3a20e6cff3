/**
 * What was wrong with a call, in words, and what to do next: one numbered row a verdict, the most telling first.
 *
 * Rows say of a call only what its own story shows. Left out: what never becomes a call (a WebSocket that is refused, a
 * TLS alert, a REGISTER): the log and `viaduct doctor` have those.
 */
import type { Facts } from './facts.ts';
import { mediaVerdicts } from './media-verdicts.ts';
import { readable } from './readable.ts';
import { setUpVerdicts } from './set-up-verdicts.ts';
import { settledVerdicts } from './settled-verdicts.ts';
import type { VerdictLevel, VerdictRow } from './verdict-row.ts';

export interface Verdict {
  readonly number: number;
  readonly code: string;
  readonly level: VerdictLevel;
  readonly says: string;
  readonly nextStep: string;
}

/** Every row there is. */
export const verdictRows: readonly VerdictRow[] = [...setUpVerdicts, ...mediaVerdicts, ...settledVerdicts];

/** All that hold, in the order of the table; those of a settled call are asked only when no error was found. */
export function verdictsOf(facts: Facts): readonly Verdict[] {
  const found = [...setUpVerdicts, ...mediaVerdicts].flatMap((row) => verdictOf(row, facts));
  const failed = found.some(({ level }) => level === 'error');
  return [...found, ...(failed ? [] : settledVerdicts.flatMap((row) => verdictOf(row, facts)).slice(0, 1))];
}

function verdictOf({ number, code, level, says, nextStep }: VerdictRow, facts: Facts): readonly Verdict[] {
  const words = says(facts);
  if (words === undefined) return [];
  return [
    { number, code, level, says: readable(words), nextStep: typeof nextStep === 'string' ? nextStep : nextStep(facts) },
  ];
}
