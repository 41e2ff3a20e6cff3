/** Calls that we ended ourselves (DESIGN §5): later requests of either side get 481, whatever their token says. */
import type { DialogRecord } from '../../ports.ts';

/** The oldest makes room (law 9). */
const mostHungUp = 20_000;

export class HungUp {
  readonly #names = new Set<string>();

  add({ caller, callee, token }: DialogRecord): void {
    for (const [from, to] of [
      [caller.tag, callee.tag],
      [callee.tag, caller.tag],
    ] as const) {
      const [oldest] = this.#names;
      if (this.#names.size >= mostHungUp && oldest !== undefined) this.#names.delete(oldest);
      this.#names.add(nameOf(from, to, token));
    }
  }

  has(fromTag: string, toTag: string, token: string): boolean {
    return this.#names.has(nameOf(fromTag, toTag, token));
  }
}

const nameOf = (fromTag: string, toTag: string, token: string): string => `${fromTag}\n${toTag}\n${token}`;
