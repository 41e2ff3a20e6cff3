/**
 * Deletes on their way to rtpengine (DESIGN §4): never in the way of signalling, and not forgotten.
 *
 * A branch delete is tried once, with its retransmissions: the end of the call cleans up after it. A whole-call delete
 * that gets no answer is kept in the outbox, over restarts, and tried again for some minutes.
 */
import { deleteCommand, type MediaDelete } from '../../media/delete-rules.ts';
import type { Cancel, Clock, Log, MediaOutbox, MediaRelay, OutboxEntry } from '../../ports.ts';

const retryMs = 10_000;
/** Longer than this and rtpengine has ended the call by its own timers, or the Call-ID may be in use again. */
const expiryMs = 300_000;

export class MediaDeletes {
  readonly #relay: MediaRelay;
  readonly #outbox: MediaOutbox;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Whether a call in progress here has its session of this name on that node. */
  readonly #isAlive: (node: string, name: string) => boolean;
  readonly #underWay = new Map<string, Promise<boolean>>();
  #timer: Cancel | undefined;
  #stopped = false;

  constructor(
    relay: MediaRelay,
    outbox: MediaOutbox,
    clock: Clock,
    log: Log,
    isAlive: (node: string, name: string) => boolean = () => false,
  ) {
    this.#isAlive = isAlive;
    this.#relay = relay;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#log = log;
  }

  /** Also tries what an earlier process left. */
  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.after(retryMs, () => {
      this.#retry().finally(() => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
  }

  perform(node: string, callId: string, callerTag: string, what: MediaDelete): void {
    if (what.delete === 'call') this.call(node, callId);
    else this.#once(node, deleteCommand(callId, callerTag, what));
  }

  /** The whole call, now or later. Not when a new one has taken its name: that one's end takes the old session along. */
  call(node: string, callId: string): void {
    if (this.#isAlive(node, callId)) return;
    const entry: OutboxEntry = { callId, mediaNode: node, createdAtMs: this.#clock.nowMs() };
    this.#send(entry).then((done) => {
      if (!done) this.#keep(entry);
    });
  }

  /** On all nodes: whatever is of this name and has one of these tags. */
  legs(callId: string, tags: readonly (string | undefined)[]): void {
    for (const tag of tags) {
      if (tag === undefined) continue;
      for (const { id } of this.#relay.nodes()) this.perform(id, callId, tag, { delete: 'leg' });
    }
  }

  /** Until no delete of this name is on its way to that node: repeated, it would end a call that has just begun there. */
  async settled(node: string, callId: string): Promise<void> {
    await this.#underWay.get(keyOf(node, callId));
  }

  /** Whether it was confirmed. */
  #send({ mediaNode, callId }: OutboxEntry): Promise<boolean> {
    const key = keyOf(mediaNode, callId);
    const sent = this.#relay.send(mediaNode, deleteCommand(callId, '', { delete: 'call' })).then(
      () => true,
      () => false,
    );
    this.#underWay.set(key, sent);
    return sent.finally(() => {
      if (this.#underWay.get(key) === sent) this.#underWay.delete(key);
    });
  }

  #once(node: string, command: ReturnType<typeof deleteCommand>): void {
    this.#relay.send(node, command).catch((thrown: unknown) => {
      this.#log.debug(
        { callId: command['call-id'], error: String(thrown) },
        'A part of a session stays in rtpengine until it ends',
      );
    });
  }

  #keep(entry: OutboxEntry): void {
    this.#outbox.add(entry).catch((thrown: unknown) => {
      this.#log.warn(
        { callId: entry.callId, node: entry.mediaNode, error: String(thrown) },
        'A media session could not be deleted',
      );
    });
  }

  async #retry(): Promise<void> {
    try {
      const pending = Map.groupBy(await this.#outbox.pending(), ({ mediaNode }) => mediaNode);
      await Promise.all([...pending.values()].map((entries) => this.#retryNode(entries)));
    } catch (thrown) {
      this.#log.debug({ error: String(thrown) }, 'The media outbox cannot be read');
    }
  }

  /** One after the other; a node that does not answer is left alone until the next round. */
  async #retryNode(entries: readonly OutboxEntry[]): Promise<void> {
    const expired = ({ createdAtMs }: OutboxEntry): boolean => this.#clock.nowMs() - createdAtMs > expiryMs;
    // A Call-ID in use again: this delete would end the new call, whose own end takes the old session along.
    const settled = (entry: OutboxEntry): boolean => expired(entry) || this.#isAlive(entry.mediaNode, entry.callId);
    for (const entry of entries.filter(settled)) await this.#outbox.done(entry);
    for (const entry of entries) {
      if (this.#stopped) return;
      if (settled(entry)) continue;
      if (!(await this.#send(entry))) return;
      await this.#outbox.done(entry);
    }
  }
}

/** A blank is in neither. */
const keyOf = (node: string, callId: string): string => `${node} ${callId}`;
