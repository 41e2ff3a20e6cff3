/**
 * Calls whose media has died (law 3): two telephones on UDP that both lost their power say no BYE, and nobody closes a
 * connection. rtpengine is asked now and then, call by call; where nothing has come for `idleMs`, the call is ended.
 *
 * A session that rtpengine has dropped by itself, or lost by a restart, counts as silent from when that was first seen.
 * Left out: calls on hold, which may be silent, and a node that does not answer, which says nothing about its calls.
 */
import { type Failure, failureOf } from '../../errors.ts';
import { lastPacketMs } from '../../media/query.ts';
import type { Cancel, Clock, DialogRecord, MediaRelay } from '../../ports.ts';
import type { Media } from './media.ts';

export interface SilenceOptions {
  readonly relay: MediaRelay;
  readonly clock: Clock;
  readonly media: Pick<Media, 'sessionOf'>;
  readonly calls: () => readonly DialogRecord[];
  readonly end: (record: DialogRecord) => void;
  /** 0: never. */
  readonly idleMs: number;
}

/** Looks in one `idleMs`. */
const looks = 4;

export class MediaSilence {
  readonly #options: SilenceOptions;
  /** When a session was first seen to be gone; by node and name. */
  #goneSinceMs = new Map<string, number>();
  #timer: Cancel | undefined;
  #stopped = false;

  constructor(options: SilenceOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, idleMs } = this.#options;
    if (this.#stopped || idleMs === 0) return;
    this.#timer = clock.after(idleMs / looks, () => {
      this.#look().finally(() => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
  }

  /** One call after the other: this is in nobody's way. */
  async #look(): Promise<void> {
    const { calls, end, clock, idleMs } = this.#options;
    const gone = this.#goneSinceMs;
    this.#goneSinceMs = new Map();
    for (const record of calls()) {
      if (this.#stopped) return;
      const sinceMs = await this.#silentSinceMs(record, gone);
      if (sinceMs === undefined || clock.nowMs() - sinceMs < idleMs) continue;
      const now = calls().find((one) => isSame(one, record));
      if (now !== undefined) end(now);
    }
  }

  async #silentSinceMs(record: DialogRecord, gone: ReadonlyMap<string, number>): Promise<number | undefined> {
    const { relay, media, clock } = this.#options;
    const session = media.sessionOf(record);
    // Also where rtpengine does not see it: a telephone answers sendonly with sendrecv, against RFC 3264 §6.1.
    if (session === undefined || session.isHeld) return undefined;
    const asked = relay.send(session.node, { command: 'query', 'call-id': session.name });
    const reply = await asked.catch((thrown: unknown): Failure => failureOf(thrown));
    if (!(reply instanceof Error)) return lastPacketMs(reply);
    if (reply.code !== 'media-lost') return undefined;
    const key = `${session.node} ${session.name}`;
    const sinceMs = gone.get(key) ?? clock.nowMs();
    this.#goneSinceMs.set(key, sinceMs);
    return sinceMs;
  }
}

function isSame(one: DialogRecord, other: DialogRecord): boolean {
  if (one.callId !== other.callId || one.token !== other.token) return false;
  return one.caller.tag === other.caller.tag && one.callee.tag === other.callee.tag;
}
