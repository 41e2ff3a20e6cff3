/** One row of the table of settings. */
export interface Setting<T> {
  readonly name: string;
  /** What kind of value it is, or its unit. */
  readonly unit: string;
  readonly help: string;
  readonly example: string;
  /** The default for people to read. */
  readonly byDefault: string;
  readonly otherwise: T;
  readonly parse: (text: string) => T;
  /** Never shown in a message; its parser must not quote it either. */
  readonly secret?: true;
}
