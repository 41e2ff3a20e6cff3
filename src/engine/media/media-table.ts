/**
 * The calls whose media we hold, found by Call-ID and caller tag: a Call-ID alone is text that anybody may send, and
 * two callers with the same one must not meet in one rtpengine session.
 */
import { createMediaCall, hasAnswered, type MediaCall, type MediaParty } from './media-call.ts';

export class MediaTable {
  readonly #calls = new Map<string, MediaCall>();
  /** rtpengine's names for calls, as long as they live. */
  readonly #names = new Map<string, MediaCall>();

  get size(): number {
    return this.#calls.size;
  }

  all(): readonly MediaCall[] {
    return [...this.#calls.values()];
  }

  /** Whether rtpengine's session of this name belongs to a call here. */
  hasName(name: string): boolean {
    return this.#names.has(name);
  }

  byName(name: string): MediaCall | undefined {
    return this.#names.get(name);
  }

  find(callId: string, callerTag: string): MediaCall | undefined {
    return this.#calls.get(keyOf(callId, callerTag));
  }

  /**
   * The call between these two, whichever of them called. Both tags are asked for: anybody may take a callee's tag and
   * the Call-ID, and call somebody else with them.
   */
  withTags(callId: string, oneTag: string, otherTag: string): MediaCall | undefined {
    return this.#calledBy(callId, oneTag, otherTag) ?? this.#calledBy(callId, otherTag, oneTag);
  }

  #calledBy(callId: string, callerTag: string, calleeTag: string): MediaCall | undefined {
    const call = this.find(callId, callerTag);
    return call !== undefined && hasAnswered(call, calleeTag) ? call : undefined;
  }

  /** The known call, or a new one; `name` is its own of before a restart. */
  open(callId: string, callerTag: string, caller: MediaParty, name = this.#freeName(callId, callerTag)): MediaCall {
    const known = this.find(callId, callerTag);
    if (known !== undefined) return known;
    const call = createMediaCall({ callId, callerTag, name, caller });
    this.#calls.set(keyOf(callId, callerTag), call);
    this.#names.set(name, call);
    return call;
  }

  /** The Call-ID itself where it can be, so that people find the call in rtpengine's own logs. */
  #freeName(callId: string, callerTag: string): string {
    return this.#names.has(callId) ? `${callId}~${callerTag}` : callId;
  }

  remove(call: MediaCall): void {
    if (this.#calls.delete(keyOf(call.callId, call.callerTag))) this.#names.delete(call.name);
  }
}

/** A blank is in neither. */
const keyOf = (callId: string, callerTag: string): string => `${callId} ${callerTag}`;
