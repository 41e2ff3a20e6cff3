/**
 * How long rtpengine and the database take to answer, seen from the engine: wraps the ports, and says nothing of what
 * passes. A failure is a time, too: what timed out took that long.
 */
import { failureOf } from '../../errors.ts';
import type { Clock, MediaRelay } from '../../ports.ts';
import type { EnginePorts } from '../core.ts';
import { Histogram } from './histogram.ts';

export class Timings {
  readonly ng = new Histogram(['node', 'command']);
  readonly database = new Histogram(['operation']);
  /** By node, command and code, with spaces between. */
  readonly ngFailures: Record<string, number> = {};
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same ports, timed. */
  ports(given: EnginePorts): EnginePorts {
    const { subscribers, location, dialogs, outbox, presence, messages, media } = given;
    return {
      ...given,
      subscribers: this.#store('subscribers', subscribers),
      location: this.#store('location', location),
      dialogs: this.#store('dialogs', dialogs),
      outbox: this.#store('outbox', outbox),
      presence: this.#store('presence', presence),
      messages: this.#store('messages', messages),
      media: this.#relay(media),
    };
  }

  #relay(relay: MediaRelay): MediaRelay {
    return {
      candidates: (callId) => relay.candidates(callId),
      nodes: () => relay.nodes(),
      addressOf: (nodeId) => relay.addressOf(nodeId),
      send: (nodeId, command, used) => {
        const labels = [relay.addressOf(nodeId) ?? 'unknown', command.command];
        const sent = this.#timed(this.ng, labels, relay.send(nodeId, command, used));
        sent.catch((thrown: unknown) => this.#failed([...labels, failureOf(thrown).code].join(' ')));
        return sent;
      },
    };
  }

  /** Every method of it that returns a promise is an operation, such as `location.lookup`. */
  #store<T extends object>(name: string, store: T): T {
    return new Proxy(store, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        return (...args: readonly unknown[]): unknown => {
          const result: unknown = Reflect.apply(member, target, args);
          const labels = [`${name}.${String(property)}`];
          return result instanceof Promise ? this.#timed(this.database, labels, result) : result;
        };
      },
    });
  }

  /** The same promise: whoever waits for it must not be told a turn later. */
  #timed<T>(histogram: Histogram, labels: readonly string[], work: Promise<T>): Promise<T> {
    const startedMs = this.#clock.nowMs();
    const done = (): void => histogram.observe(labels, (this.#clock.nowMs() - startedMs) / 1000);
    work.then(done, done);
    return work;
  }

  #failed(key: string): void {
    this.ngFailures[key] = (this.ngFailures[key] ?? 0) + 1;
  }
}
