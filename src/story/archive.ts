/**
 * The stories of this process: all calls in progress, and the recent ones as long as there is room for them (law 9).
 *
 * Past the bound of bytes the oldest ended call goes; when all are in progress, the oldest of them loses its events and
 * stays in the lists. Time is an argument. Left out: failed calls in the database (the engine writes them).
 */
import type { Story } from './story.ts';

export interface ArchiveLimits {
  readonly bytes: number;
  /** Ended calls. */
  readonly ended: number;
  readonly ageMs: number;
}

export const archiveDefaults: ArchiveLimits = { bytes: 64 * 1024 * 1024, ended: 20_000, ageMs: 3_600_000 };

export class Archive {
  readonly #limits: ArchiveLimits;
  /** By key; in the order in which they give up their events. */
  readonly #live = new Map<string, Story>();
  /** In the order of their end. */
  readonly #ended = new Map<string, Story>();
  /** By public id. */
  readonly #ids = new Map<string, Story>();
  #bytes = 0;

  constructor(limits: Partial<ArchiveLimits> = {}) {
    this.#limits = { ...archiveDefaults, ...limits };
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(key: string): Story | undefined {
    return this.#live.get(key) ?? this.#ended.get(key);
  }

  byId(id: string): Story | undefined {
    return this.#ids.get(id);
  }

  /** Newest first. */
  all(): readonly Story[] {
    return [...this.#ids.values()].sort((a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? -1 : 1));
  }

  put(story: Story): void {
    this.#live.set(story.key, story);
    this.#ids.set(story.id, story);
  }

  /** Changes a story and keeps count of what it takes; one that is forgotten counts no more, whatever comes late for it. */
  change(story: Story, change: (story: Story) => void, nowMs: number): void {
    if (this.#ids.get(story.id) !== story) {
      change(story);
      return;
    }
    const before = story.bytes;
    change(story);
    this.#bytes += story.bytes - before;
    this.#sort(story);
    if (this.#bytes > this.#limits.bytes || this.#ended.size > this.#limits.ended) this.#makeRoom();
    if (!story.isLive) this.expire(nowMs);
  }

  /** Ended calls that are older than the limit are forgotten. */
  expire(nowMs: number): void {
    for (const story of this.#ended.values()) {
      if (nowMs - (story.endedAtMs ?? story.startedAtMs) < this.#limits.ageMs) return;
      this.forget(story);
    }
  }

  /** Among those in progress or among the ended ones: a call that is challenged, or answered late, comes back. */
  #sort(story: Story): void {
    const { key, isLive } = story;
    if (isLive === this.#live.has(key)) return;
    (isLive ? this.#ended : this.#live).delete(key);
    (isLive ? this.#live : this.#ended).set(key, story);
  }

  #makeRoom(): void {
    while (this.#ended.size > 0 && (this.#bytes > this.#limits.bytes || this.#ended.size > this.#limits.ended)) {
      const [oldest] = this.#ended.values();
      if (oldest !== undefined) this.forget(oldest);
    }
    for (let left = this.#live.size; left > 0 && this.#bytes > this.#limits.bytes; left--) {
      const [oldest] = this.#live.values();
      if (oldest === undefined) return;
      this.#bytes -= oldest.bytes;
      oldest.shed();
      // To the end, or each further event would pass all that are empty already.
      this.#live.delete(oldest.key);
      this.#live.set(oldest.key, oldest);
    }
  }

  forget(story: Story): void {
    if (this.#ids.get(story.id) !== story) return;
    this.#ended.delete(story.key);
    this.#ids.delete(story.id);
    this.#bytes -= story.bytes;
  }
}
