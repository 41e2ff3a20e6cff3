/** The command was not understood; its message says why, for the person who typed it. */
export class UsageError extends Error {}

/** The reason stays in sight: the help, which may fill the screen, is asked for. */
export function usageWords({ message }: UsageError, command: string): string {
  return `${message}\nHow it is used: npx viaduct help ${command}\n`;
}

/** Of `parseArgs`: what is wrong is in its first sentence, the rest is for programmers. */
export function optionError(thrown: unknown): UsageError {
  const [sentence = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('. ');
  return new UsageError(sentence.endsWith('.') ? sentence : `${sentence}.`);
}
