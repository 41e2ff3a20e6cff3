/**
 * The stories of failed calls on their way into the database, behind the call and never in its way; and back, when
 * somebody asks for one that is not in memory any more. Left out: that there was such a call (call-records.ts).
 *
 * Bounded: what the database cannot take is counted and forgotten. Strangers who are refused are not written down: they
 * could fill the table, and the counters have them.
 */
import type { Cancel, Clock, FailedCall, FailedCallStore, Log } from '../../ports.ts';
import { storyFromText, storyToText } from '../../story/kept.ts';
import type { Story } from '../../story/story.ts';
import { isWorthKeeping } from './call-records.ts';

/** ACK, delete and statistics come behind the end. */
const settleMs = 2_000;
const mostWaiting = 500;

export class FailedCalls {
  readonly #store: FailedCallStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #node: string;
  /** Ended, and something may come behind. */
  readonly #unsettled = new Map<Story, Cancel>();
  #saving = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(store: FailedCallStore, clock: Clock, log: Log, node: string) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#node = node;
  }

  keep(story: Story): void {
    if (!isWorthKeeping(story) || this.#unsettled.has(story)) return;
    if (this.#unsettled.size + this.#saving >= mostWaiting) {
      this.#log.debug({ callId: story.callId }, 'A failed call is not kept: too many wait for the database');
      return;
    }
    const settle = (): void => {
      this.#unsettled.delete(story);
      this.#saving++;
      this.#last = this.#last.then(() => this.#save(story));
    };
    this.#unsettled.set(story, this.#clock.after(settleMs, settle));
  }

  /** This process ends: what waits is written as it is, all at once, for the database waits for what has begun only. */
  flush(): void {
    for (const [story, stop] of this.#unsettled) {
      stop();
      this.#saving++;
      void this.#save(story);
    }
    this.#unsettled.clear();
  }

  async #save(story: Story): Promise<void> {
    try {
      // It may have gone on, answered late or with credentials.
      if (story.hasFailed && !story.isLive) await this.#store.save(rowOf(story, this.#node));
    } catch (thrown) {
      this.#log.debug({ callId: story.callId, error: String(thrown) }, 'A failed call was not kept');
    } finally {
      this.#saving--;
    }
  }

  async find(id: string): Promise<Story | undefined> {
    const row = await this.#store.find(id);
    return row === undefined ? undefined : storyOf(row);
  }
}

function rowOf(story: Story, node: string): FailedCall {
  const { id, callId, from, to, startedAtMs, status, code } = story;
  const endedAtMs = story.endedAtMs ?? startedAtMs;
  return { id, callId, node, from, to, startedAtMs, endedAtMs, status, code, story: storyToText(story) };
}

function storyOf({ id, callId, from, to, startedAtMs, story }: FailedCall): Story | undefined {
  return storyFromText({ id, callId, from, to, atMs: startedAtMs }, story);
}
