/** The commands that ask a running Viaduct, with the settings and the terminal of this process. */
import { setTimeout as delay } from 'node:timers/promises';
import { callsCommand, ladderCommand, wordsOf } from './calls.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { findRunning } from './running.ts';
import { screenOf } from './terminal.ts';

const commands = { calls: callsCommand, ladder: ladderCommand, explain: explainCommand, doctor: doctorCommand };

export async function askHere(name: keyof typeof commands, args: readonly string[]): Promise<number> {
  const words = wordsOf(args);
  return await commands[name](findRunning(words.url), screenOf(process.stdout), words, (ms) => delay(ms));
}
