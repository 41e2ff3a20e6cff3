/**
 * What happens, told to whoever watches (`GET /api/v1/events`): calls, registrations, rtpengine nodes, and the counters
 * every two seconds. Costs nothing while nobody watches. Left out: how it is sent, and to how many.
 */
import type { Cancel, Clock, MediaNode, MediaRelay } from '../../ports.ts';
import type { Happening, Statistics } from '../operations.ts';

const everyMs = 2_000;
/** In that time. */
const mostRegistrations = 50;

export class Happenings {
  readonly #clock: Clock;
  readonly #media: Pick<MediaRelay, 'nodes'>;
  readonly #watchers = new Set<(happening: Happening) => void>();
  /** State of each node as it was told last. */
  readonly #nodes = new Map<string, MediaNode['state']>();
  #statistics: (() => Promise<Statistics>) | undefined;
  #timer: Cancel | undefined;
  /** Told since the last tick. */
  #registrations = 0;

  constructor(clock: Clock, media: Pick<MediaRelay, 'nodes'>) {
    this.#clock = clock;
    this.#media = media;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  tell(happening: Happening): void {
    for (const watcher of this.#watchers) watcher(happening);
  }

  /** Refreshes of many clients say nothing new: some of them are enough. */
  registered(aor: string, source: string): void {
    if (!this.isWatched || this.#registrations >= mostRegistrations) return;
    this.#registrations++;
    this.tell({ type: 'registration', aor, source });
  }

  /** Until the returned function is called. */
  watch(watcher: (happening: Happening) => void, statistics: () => Promise<Statistics>): () => void {
    this.#statistics = statistics;
    this.#watchers.add(watcher);
    this.#timer ??= this.#clock.after(0, () => this.#tick());
    return () => this.#watchers.delete(watcher);
  }

  #tick(): void {
    this.#timer = undefined;
    this.#registrations = 0;
    if (!this.isWatched) return;
    this.#timer = this.#clock.after(everyMs, () => this.#tick());
    for (const node of this.#media.nodes()) this.#tellNode(node);
    // Without the database there are no counters this time.
    this.#statistics?.().then(
      (statistics) => this.tell({ type: 'counters', statistics }),
      () => undefined,
    );
  }

  #tellNode(node: MediaNode): void {
    if (this.#nodes.get(node.id) === node.state) return;
    this.#nodes.set(node.id, node.state);
    this.tell({ type: 'node', node });
  }
}
