import { parseArgs } from 'node:util';

/** The command was not understood; its message says why, for the person who typed it. */
export class UsageError extends Error {}

/** The reason stays in sight: the help, which may fill the screen, is asked for. */
export function usageWords({ message }: UsageError, command: string): string {
  return `${message}\nHow it is used: npx viaduct help ${command}\n`;
}

export interface Arguments {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
}

/** Words, `most` of them, and options with a value: whatever else was typed was meant otherwise. */
export function argumentsOf(args: readonly string[], names: readonly string[], most: number): Arguments {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values, positionals } = parsedArguments(args, options);
  tooMany(positionals, most);
  return { words: positionals, options: values };
}

function parsedArguments(args: readonly string[], options: Record<string, { readonly type: 'string' }>) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (thrown) {
    throw optionError(thrown);
  }
}

export function tooMany(words: readonly string[], most: number): void {
  if (words.length > most) throw new UsageError(`"${words[most]}" is one word too many.`);
}

/** Of `parseArgs`: what is wrong is in its first sentence, the rest is for programmers. */
export function optionError(thrown: unknown): UsageError {
  const [sentence = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split(/\.\s/);
  return new UsageError(sentence.endsWith('.') ? sentence : `${sentence}.`);
}
