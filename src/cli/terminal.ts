/** What a terminal shows: colours only where there is one, and control characters of strangers never. */
import type { Tone } from '../story/steps.ts';

export interface Screen {
  /** Whether colours are seen and not read. */
  readonly colours: boolean;
  /** How much of a line is in sight. */
  readonly columns: number;
  write(text: string): void;
}

export function screenOf(out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>): Screen {
  const isTerminal = out.isTTY === true;
  return {
    colours: isTerminal && !process.env.NO_COLOR,
    columns: isTerminal ? Math.max(narrowest, out.columns) : inAFile,
    write: (text) => out.write(text),
  };
}

/** In shorter ones an address does not fit. */
const narrowest = 60;
const inAFile = 100;

const codes: Readonly<Record<Tone, string>> = { plain: '', good: '\x1b[32m', bad: '\x1b[31m', quiet: '\x1b[2m' };

export function writeLine({ colours, write }: Screen, text: string, tone: Tone = 'plain'): void {
  const safe = harmless(text);
  write(colours && tone !== 'plain' ? `${codes[tone]}${safe}\x1b[0m\n` : `${safe}\n`);
}

/** An escape sequence in a name or a reason phrase would be obeyed. */
export function harmless(text: string): string {
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '·');
}
