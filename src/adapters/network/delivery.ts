/**
 * Events on their way to the engine. What it throws is its own fault, but it must not end a socket callback and with
 * it the process; and nothing is delivered before the owner of the network knows the network.
 */
import type { Flow, Log, NetworkEvents } from '../../ports.ts';
import type { Drops } from './drops.ts';

export class Delivery {
  readonly #events: NetworkEvents;
  readonly #drops: Drops;
  readonly #log: Log;
  readonly #passed: ((direction: 'in', flow: Flow, text: string) => void) | undefined;

  constructor(
    events: NetworkEvents,
    drops: Drops,
    log: Log,
    passed?: (direction: 'in', flow: Flow, text: string) => void,
  ) {
    this.#events = events;
    this.#drops = drops;
    this.#log = log;
    this.#passed = passed;
  }

  message(text: string, flow: Flow): void {
    try {
      this.#passed?.('in', flow, text);
      this.#events.message(text, flow);
    } catch (thrown) {
      this.#failed(thrown, flow);
    }
  }

  closed(flow: Flow, reason: string): void {
    try {
      this.#events.closed(flow, reason);
    } catch (thrown) {
      this.#failed(thrown, flow);
    }
  }

  #failed(thrown: unknown, flow: Flow): void {
    this.#drops.count('receiver-error', { flow: flow.id });
    const stack = thrown instanceof Error ? thrown.stack : String(thrown);
    this.#log.error({ flow: flow.id, stack }, 'network: the receiver of a message failed');
  }
}
