/**
 * Header descriptors (RFC 3261 §7.3, §20) and lazy access to the headers of a message.
 *
 * A descriptor says how one header is named, split, parsed and printed. A parser answers `undefined` for a value it
 * cannot read: bad input is a value, never an exception. `malformed` tells a bad header from an absent one.
 */

export interface Header<T> {
  /** The long name as we print it, such as `Record-Route`. */
  readonly name: string;
  /** The same in lower case: the key of `HeaderLine.name`. */
  readonly key: string;
  /** Whether one line may hold several values, separated by commas (RFC 3261 §7.3.1). */
  readonly list: boolean;
  /** `undefined` for a value that the grammar does not allow. */
  readonly parse: (value: string) => T | undefined;
  readonly print: (value: T) => string;
}

