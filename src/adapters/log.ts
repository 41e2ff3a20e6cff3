/**
 * The log (`ports.ts` Log) by pino: JSON lines for machines, short lines for a person at a terminal.
 *
 * Text from the network is latin1 inside the proxy and becomes UTF-8 here; at a terminal its control characters are
 * shown, not obeyed.
 */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { LevelledLog, Log, LogLevel } from '../ports.ts';

export interface LogOptions {
  readonly level: LogLevel;
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

export function createLog({ level, out }: LogOptions): LevelledLog {
  const target = out.isTTY === true ? forPeople(out) : out;
  const formatters = { level: (label: string) => ({ level: label }) };
  const logger = pino({ level, base: null, formatters }, target);
  const write = (own: keyof Log) => (fields: object, text: string) => {
    if (logger.isLevelEnabled(own)) logger[own](fieldsInUtf8(fields), inUtf8(text));
  };
  let now = level;
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    get level() {
      return now;
    },
    set level(wanted: LogLevel) {
      now = wanted;
      logger.level = wanted;
    },
  };
}

// --- text ------------------------------------------------------------------------------------------------------------

/** The texts in it; what lies deeper is numbers and names of ours. */
function fieldsInUtf8(fields: object): object {
  const inField = ([name, value]: [string, unknown]) => [name, typeof value === 'string' ? inUtf8(value) : value];
  return Object.fromEntries(Object.entries(fields).map(inField));
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes that are UTF-8 as characters. Other bytes, and texts that were never bytes, stay as they are. */
function inUtf8(text: string): string {
  if (!/[\x80-\xff]/.test(text) || /[^\x00-\xff]/.test(text)) return text;
  try {
    return utf8.decode(Buffer.from(text, 'latin1'));
  } catch {
    return text;
  }
}

// --- at a terminal ---------------------------------------------------------------------------------------------------

function forPeople(out: NodeJS.WritableStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString('utf8').split('\n')) if (line !== '') out.write(`${readable(line)}\n`);
      done();
    },
  });
}

function readable(line: string): string {
  const entry: unknown = JSON.parse(line);
  if (typeof entry !== 'object' || entry === null) return line;
  const { level, time, msg, stack, ...fields } = { level: '', time: 0, msg: '', stack: '', ...entry };
  const clock = new Date(time).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
  const first = [clock, level.padEnd(5), msg, ...rest].join(' ');
  // Of all texts only a stack has lines of its own.
  return [first, ...stack.split('\n').filter((one) => one !== '')].map(visible).join('\n    ');
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A User-Agent must not be able to clear the screen, or to write a line that looks like ours. */
function visible(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
