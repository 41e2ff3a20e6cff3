/** The counted refusals with the words of the table of failures; what a newer server counts has its code for words. */
import { type ErrorRow, errors } from '../../src/errors.ts';

export interface RefusalRow {
  readonly code: string;
  readonly times: number;
  readonly meaning: string;
  readonly nextStep: string;
  /** 0: none. */
  readonly status: number;
}

/** The most frequent first. */
export function refusalsOf(counts: Readonly<Record<string, number>>): readonly RefusalRow[] {
  const known: ReadonlyMap<string, ErrorRow> = new Map(Object.entries(errors));
  return Object.entries(counts)
    .map(([code, times]) => {
      const { meaning = code, nextStep = '', status = 0 } = known.get(code) ?? {};
      return { code, times, meaning, nextStep, status };
    })
    .sort((a, b) => b.times - a.times || (a.code < b.code ? -1 : 1));
}
