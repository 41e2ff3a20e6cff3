/** What became of the rows of one table, for people. */
import { table } from '../table.ts';

export interface Outcome {
  /** Of each row that could not be taken over, or that its owner should know of. */
  readonly remarks: readonly (readonly [name: string, remark: string])[];
  readonly taken: number;
  readonly rows: number;
  /** Said once, behind the count. */
  readonly notes: readonly string[];
}

/** `many`: what the rows are called together. */
export function told(many: string, isDry: boolean, { remarks, taken, rows, notes }: Outcome): string {
  const count = `${isDry ? 'Would take over' : 'Took over'} ${taken} of ${rows} ${many}.\n`;
  const lines = notes.map((note) => `  ${note}\n`).join('');
  return `${count}${lines}${remarks.length > 0 ? table(['name', 'remark'], remarks) : ''}`;
}
