/** The commands that ask a running Viaduct, with the settings and the terminal of this process. */
import { setTimeout as delay } from 'node:timers/promises';
import { readSettings } from '../config.ts';
import { beforeStart } from '../doctor/before-start.ts';
import { Failure } from '../errors.ts';
import type { Log } from '../ports.ts';
import { type Asking, callsCommand, ladderCommand, type Words, wordsOf } from './calls.ts';
import { doctorCommand, writeFindings } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { findRunning } from './running.ts';
import { screenOf } from './terminal.ts';

const commands = { calls: callsCommand, ladder: ladderCommand, explain: explainCommand, doctor: doctorCommand };

export async function askHere(name: Asking, args: readonly string[]): Promise<number> {
  const words = wordsOf(name, args);
  try {
    return await ask(name, words);
  } catch (thrown) {
    const isDown = thrown instanceof Failure && thrown.code === 'not-running' && words.url === undefined;
    if (name !== 'doctor' || !isDown) throw thrown;
    return writeFindings(screenOf(process.stdout), await beforeStart(readSettings(process.env), quiet));
  }
}

/** What matters is a finding. */
const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function ask(name: Asking, words: Words): Promise<number> {
  return await commands[name](findRunning(words.url), screenOf(process.stdout), words, (ms) => delay(ms));
}
