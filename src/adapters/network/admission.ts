/** Who may connect: a bound for each listening socket, and one for each source, so that one cannot take it all. */
import { isLoopback, sourceKey } from './addresses.ts';
import type { DropReason } from './drops.ts';
import type { Limits } from './limits.ts';

export class Admission {
  readonly #limits: Limits;
  readonly #sources = new Map<string, number>();
  #total = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The reason to refuse; `undefined`: admitted, and `release` must follow. */
  admit(address: string): DropReason | undefined {
    if (this.#total >= this.#limits.connectionsPerListener) return 'too-many-connections';
    const key = sourceKey(address);
    const count = this.#sources.get(key) ?? 0;
    if (count >= this.#bound(address)) return 'too-many-from-source';
    this.#sources.set(key, count + 1);
    this.#total += 1;
    return undefined;
  }

  release(address: string): void {
    const key = sourceKey(address);
    const count = this.#sources.get(key) ?? 0;
    if (count <= 1) this.#sources.delete(key);
    else this.#sources.set(key, count - 1);
    this.#total -= 1;
  }

  #bound(address: string): number {
    return isLoopback(address) ? this.#limits.connectionsPerLoopback : this.#limits.connectionsPerSource;
  }
}
