/**
 * The log (`ports.ts` Log) by pino: JSON lines for machines, short lines for a person at a terminal.
 *
 * Text from the network is latin1 inside the proxy and becomes UTF-8 here.
 */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Log } from '../ports.ts';

export interface LogOptions {
  readonly level: string;
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

export function createLog({ level, out }: LogOptions): Log {
  const target = out.isTTY === true ? forPeople(out) : out;
  return pino({ level, base: null, formatters: { level: (label) => ({ level: label }) } }, target);
}

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
  const { level, time, msg, ...fields } = { level: '', time: 0, msg: '', ...entry };
  const clock = new Date(time).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
  return [clock, level.padEnd(5), msg, ...rest].join(' ');
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
