/**
 * One event at a time (law 6): what is posted runs in order, each to its end before the next begins.
 *
 * While nothing waits, an event runs at once, in the caller's turn. An exception ends its own event only. What comes
 * without end from outside is posted with `room` (law 9).
 */
export class Mailbox {
  readonly #failed: (thrown: unknown) => void;
  readonly #waiting: (() => Promise<void> | void)[] = [];
  #busy = false;

  constructor(failed: (thrown: unknown) => void) {
    this.#failed = failed;
  }

  /** `false`: `room` events wait already, and it is dropped. */
  post(event: () => Promise<void> | void, room = Number.POSITIVE_INFINITY): boolean {
    if (this.#waiting.length >= room) return false;
    this.#waiting.push(event);
    if (!this.#busy) this.#drain();
    return true;
  }

  #drain(): void {
    this.#busy = true;
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      const running = this.#run(event);
      if (running !== undefined) {
        running.then(
          () => this.#drain(),
          (thrown: unknown) => {
            this.#failed(thrown);
            this.#drain();
          },
        );
        return;
      }
    }
    this.#busy = false;
  }

  #run(event: () => Promise<void> | void): Promise<void> | undefined {
    try {
      return event() ?? undefined;
    } catch (thrown) {
      this.#failed(thrown);
      return undefined;
    }
  }
}
