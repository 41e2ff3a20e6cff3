/**
 * How a password reaches the command line: typed without being shown (twice), or the first line of piped input.
 */
import { randomInt } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** The person changed their mind or mistyped. */
export class PasswordNotGiven extends Error {}

export interface PasswordInput {
  /** Rejects with `PasswordNotGiven`. */
  obtain(): Promise<string>;
}

/** No characters that look alike: somebody will type it into a telephone. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** About 79 bits. */
export function generatePassword(): string {
  return Array.from({ length: 16 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

export function passwordInput(input: Input, output: NodeJS.WritableStream): PasswordInput {
  return { obtain: () => (input.isTTY === true ? ask(input, output) : firstLine(input)) };
}

async function firstLine(input: NodeJS.ReadableStream): Promise<string> {
  const [line = ''] = (await text(input)).split(/\r?\n/);
  return line;
}

async function ask(input: Input, output: NodeJS.WritableStream): Promise<string> {
  const password = await question('Password: ', input, output);
  if (password !== '' && (await question('Once more: ', input, output)) !== password) {
    throw new PasswordNotGiven('The two passwords differ.');
  }
  return password;
}

function question(prompt: string, input: Input, output: NodeJS.WritableStream): Promise<string> {
  // What readline would echo goes nowhere.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: silent, terminal: true, historySize: 0 });
  output.write(prompt);
  return new Promise<string>((answered, rejected) => {
    reader.once('SIGINT', () => rejected(new PasswordNotGiven('Given up.')));
    reader.once('close', () => rejected(new PasswordNotGiven('No password was typed.')));
    reader.question('', answered);
  }).finally(() => {
    reader.close();
    output.write('\n');
  });
}
