/**
 * Header descriptors (RFC 3261 §7.3, §20) and lazy access to the headers of a message.
 *
 * A descriptor says how one header is named, split, parsed and printed. A parser answers `undefined` for a value it
 * cannot read: bad input is a value, never an exception. `malformed` tells a bad header from an absent one.
 * A line is parsed once and remembers the outcome (line.ts); its text never changes.
 */
import { lower } from './ascii.ts';
import { Line, type Reading } from './line.ts';
import { splitOutside } from './list.ts';
import type { HeaderLine, SipMessage } from './message.ts';

export interface Header<T> {
  /** The long name as we print it, such as `Record-Route`. */
  readonly name: string;
  /** The same in lower case: the key of `HeaderLine.name`. */
  readonly key: string;
  /** Whether one line may hold several values, separated by commas (RFC 3261 §7.3.1). */
  readonly list: boolean;
  /** `undefined` for a value that the grammar does not allow. */
  parse(value: string): T | undefined;
  print(value: T): string;
  /** The values of one line, `undefined` for each that cannot be read; parsed once. */
  read(line: HeaderLine): readonly (T | undefined)[];
}

export function defineHeader<T>(shape: {
  readonly name: string;
  readonly list: boolean;
  readonly parse: (value: string) => T | undefined;
  readonly print: (value: T) => string;
}): Header<T> {
  type Own = Reading & { readonly values: readonly (T | undefined)[] };
  const isOwn = (reading: Reading | undefined): reading is Own => reading?.by === header;
  const read = (line: HeaderLine): readonly (T | undefined)[] => {
    const known = line instanceof Line ? line.reading : undefined;
    if (isOwn(known)) return known.values;
    const values = valuesOf(line, shape.list).map((value) => shape.parse(value));
    if (line instanceof Line) line.remember({ by: header, values });
    return values;
  };
  const header: Header<T> = { ...shape, key: lower(shape.name), read };
  return header;
}

/** The raw values of one line; a list header without a value has none. */
export function valuesOf(line: HeaderLine, list: boolean): readonly string[] {
  if (!list) return [line.value];
  return line.value === '' ? [] : splitOutside(line.value, ',');
}

/** The first value; `undefined` when the header is absent or its first value is malformed. */
export function get<T>(message: SipMessage, header: Header<T>): T | undefined {
  for (const line of message.headers) {
    if (line.name !== header.key) continue;
    const values = header.read(line);
    if (values.length > 0) return values[0];
  }
  return undefined;
}

/** Every value of every line, in order; malformed ones are left out. */
export function all<T>(message: SipMessage, header: Header<T>): readonly T[] {
  const found: T[] = [];
  for (const line of message.headers) {
    if (line.name !== header.key) continue;
    for (const value of header.read(line)) if (value !== undefined) found.push(value);
  }
  return found;
}

export function has(message: SipMessage, header: Header<unknown>): boolean {
  return message.headers.some((line) => line.name === header.key);
}

/** The values as text, of every line in order. */
export function values(message: SipMessage, header: Header<unknown>): readonly string[] {
  return message.headers.filter((line) => line.name === header.key).flatMap((line) => valuesOf(line, header.list));
}

/** The first of these headers that is present and cannot be read. */
export function malformed(message: SipMessage, headers: readonly Header<unknown>[]): Header<unknown> | undefined {
  return headers.find((header) =>
    message.headers.some((line) => line.name === header.key && header.read(line).includes(undefined)),
  );
}
