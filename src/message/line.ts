/**
 * A header line that remembers what was read of it, so that no value is parsed twice.
 *
 * The memory is no part of the value: two lines with the same text are equal whatever was read of them. It hangs on the
 * line and not in a WeakMap, because two of every three microseconds of forwarding an INVITE were spent in that map
 * and in collecting its garbage.
 */
import type { HeaderLine } from './message.ts';

/** What one descriptor made of the line. */
export interface Reading {
  readonly by: object;
  readonly values: readonly unknown[];
}

export class Line implements HeaderLine {
  readonly name: string;
  readonly raw: string;
  readonly value: string;
  #reading: Reading | undefined = undefined;

  constructor(name: string, raw: string, value: string) {
    this.name = name;
    this.raw = raw;
    this.value = value;
  }

  /** The last reading. One is enough: a header has one descriptor. */
  get reading(): Reading | undefined {
    return this.#reading;
  }

  remember(reading: Reading): void {
    this.#reading = reading;
  }
}
