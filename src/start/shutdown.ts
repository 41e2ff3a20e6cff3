/**
 * What was started, to be stopped in the opposite order: at Ctrl-C, at SIGTERM, and when a later step of the start fails.
 * Before the first of them the calls in progress may end (drain.ts).
 */
import type { Log } from '../ports.ts';
import type { Drain } from './drain.ts';

/** One step may take so long; the next ones are taken all the same. */
const longestStepMs = 8_000;

export class Shutdown {
  readonly #log: Log;
  readonly #patienceMs: number;
  readonly #steps: { readonly name: string; readonly stop: () => Promise<void> | void }[] = [];
  #running: Promise<void> | undefined;
  #startDrain: (() => Drain) | undefined;
  #drain: Drain | undefined;

  constructor(log: Log, patienceMs = longestStepMs) {
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  /** `name` is for the log: `the network`. */
  add(name: string, stop: () => Promise<void> | void): void {
    this.#steps.push({ name, stop });
  }

  /** Comes first of all, for as long as it takes. */
  drainBy(start: () => Drain): void {
    this.#startDrain = start;
  }

  /** Ends the wait for calls; `false`: it is over already. */
  hurry(): boolean {
    return this.#drain?.hurry() ?? false;
  }

  /** Stops everything once, however often it is called. */
  run(): Promise<void> {
    this.#running ??= this.#all();
    return this.#running;
  }

  async #all(): Promise<void> {
    this.#drain = this.#startDrain?.();
    await this.#drain?.over;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await atMost(this.#patienceMs, step.stop());
      } catch (thrown) {
        this.#log.warn({ error: String(thrown) }, `Stopping ${step.name} failed`);
      }
    }
  }
}

async function atMost(ms: number, work: Promise<void> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
