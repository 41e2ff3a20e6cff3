/**
 * Looks at the media of each call some seconds after it was answered, after each change, and then now and then: silence of
 * one side, ICE or DTLS that never completed, a session that rtpengine has lost. What it finds stands in the call's story,
 * and is told; how the media went over time is made of these looks.
 *
 * One question at a time with a rest in between, so that thousands of calls taken up after a restart are in nobody's way;
 * ten a second at most now and then, over all calls. A node that does not answer says nothing about its calls. Left out:
 * ending a call for it (media-silence.ts).
 */
import type { SipMessage } from '../../message/message.ts';
import type { Cancel, Clock, MediaRelay } from '../../ports.ts';
import { mediaFaultOf } from '../../story/media-fault.ts';
import type { Story } from '../../story/story.ts';
import type { Counters } from '../statistics/counters.ts';
import type { Stories } from '../story/stories.ts';

export interface WatchOptions {
  readonly clock: Clock;
  readonly relay: Pick<MediaRelay, 'nodes'>;
  readonly stories: Stories;
  readonly counters: Counters;
  /** `mediaFault` of this one is another now. */
  readonly changed: (story: Story) => void;
}

/** After the answer. Two-way by then is two-way for good, nearly always. */
const firstMs = 4_000;
const afterChangeMs = 4_000;
/** Between one look at a call and the next; more calls are looked at less often. */
const againMs = 10_000;
const againMsPerCall = 100;
const restMs = 20;
/** Law 9. */
const mostWaiting = 1_000;

export class MediaWatch {
  readonly #options: WatchOptions;
  readonly #waiting = new Set<Story>();
  /** The look to come at each call that is up. */
  readonly #next = new Map<Story, Cancel>();
  #busy = false;
  #stopped = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Before the first one was answered, and for each. */
  answered(story: Story): void {
    if (story.mediaNode === undefined) return;
    this.#later(story, firstMs);
  }

  /** Nobody looks at it again, and it counts no more: how often the others are looked at depends on how many there are. */
  ended(story: Story): void {
    this.#next.get(story)?.();
    this.#next.delete(story);
    this.#waiting.delete(story);
  }

  /** A new answer within a call. */
  renegotiated(answer: SipMessage): void {
    const story = this.#options.stories.of(answer);
    if (story?.mediaNode !== undefined) this.#later(story, afterChangeMs);
  }

  stop(): void {
    this.#stopped = true;
  }

  #later(story: Story, delayMs: number): void {
    this.#next.get(story)?.();
    this.#next.set(
      story,
      this.#options.clock.after(delayMs, () => this.#wait(story)),
    );
  }

  #wait(story: Story): void {
    if (this.#stopped || story.state !== 'answered') {
      this.#next.delete(story);
      return;
    }
    this.#later(story, Math.max(againMs, againMsPerCall * this.#next.size));
    if (this.#waiting.size < mostWaiting) this.#waiting.add(story);
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    // A set hands out what is added meanwhile, too.
    for (const story of this.#waiting) {
      this.#waiting.delete(story);
      if (this.#stopped) break;
      if (!this.#answers(story)) continue;
      await this.#look(story);
      await new Promise<void>((resolve) => this.#options.clock.after(restMs, resolve));
    }
    this.#busy = false;
  }

  #answers({ state, mediaNode }: Story): boolean {
    const node = this.#options.relay.nodes().find(({ id }) => id === mediaNode);
    return state === 'answered' && node !== undefined && node.state !== 'down';
  }

  async #look(story: Story): Promise<void> {
    const { stories, counters, clock, changed } = this.#options;
    counters.mediaLooks++;
    await stories.askMedia(story);
    if (story.state !== 'answered') return;
    const fault = mediaFaultOf(story, clock.nowMs());
    if (!stories.mediaSeen(story, fault)) return;
    if (fault !== undefined) counters.mediaFault(fault.code);
    changed(story);
  }
}
