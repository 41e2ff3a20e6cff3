/**
 * Which addresses somebody watches from here: what nobody watches costs no question to the database. May name too many,
 * never too few: an entry goes only when the database has said that there is nobody, and nobody came since.
 */
import type { EventPackage } from '../../ports.ts';

export class Watched {
  /** The number of the last subscription to it. */
  readonly #latest = new Map<string, number>();
  #count = 0;

  get hasAny(): boolean {
    return this.#latest.size > 0;
  }

  add(resource: string, event: EventPackage): void {
    this.#latest.set(keyOf(resource, event), ++this.#count);
  }

  has(resource: string, event: EventPackage): boolean {
    return this.#latest.has(keyOf(resource, event));
  }

  /** `undefined`: nobody; else what `forget` must know. */
  ask(resource: string, event: EventPackage): number | undefined {
    return this.#latest.get(keyOf(resource, event));
  }

  forget(resource: string, event: EventPackage, since: number): void {
    const key = keyOf(resource, event);
    if (this.#latest.get(key) === since) this.#latest.delete(key);
  }
}

const keyOf = (resource: string, event: EventPackage): string => `${event}\n${resource}`;
