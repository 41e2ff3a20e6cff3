/**
 * What the network brings before the engine knows the calls of before the restart: held, and taken up in order. A BYE
 * that came in between would end a call whose record is loaded a moment later and then never ends.
 */
import type { Flow, NetworkEvents } from '../ports.ts';

/** Beyond this the start takes too long, and clients repeat what they said (law 9). */
const mostHeld = 10_000;

export class EarlyEvents implements NetworkEvents {
  readonly #events: NetworkEvents;
  /** `undefined`: open. */
  #held: (() => void)[] | undefined = [];

  constructor(events: NetworkEvents) {
    this.#events = events;
  }

  message(text: string, flow: Flow): void {
    this.#take(() => this.#events.message(text, flow));
  }

  closed(flow: Flow, reason: string): void {
    this.#take(() => this.#events.closed(flow, reason));
  }

  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) event();
  }

  #take(event: () => void): void {
    if (this.#held === undefined) event();
    else if (this.#held.length < mostHeld) this.#held.push(event);
  }
}
