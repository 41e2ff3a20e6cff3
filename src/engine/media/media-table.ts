/**
 * The calls whose media we hold, found by Call-ID and caller tag: a Call-ID alone is text that anybody may send, and
 * two callers with the same one must not meet in one rtpengine session. Several have both in common where a proxy before
 * us forked, and has given each of its copies another offer.
 */
import type { DialogRecord } from '../../ports.ts';
import { createMediaCall, hasAnswered, type MediaCall, type MediaParty } from './media-call.ts';

/** Of one Call-ID and caller tag (law 9). */
const mostForks = 32;

export class MediaTable {
  readonly #calls = new Map<string, readonly MediaCall[]>();
  /** rtpengine's names for calls, as long as they live. */
  readonly #names = new Map<string, MediaCall>();

  get size(): number {
    return this.#names.size;
  }

  all(): readonly MediaCall[] {
    return [...this.#names.values()];
  }

  allOf(callId: string, callerTag: string): readonly MediaCall[] {
    return this.#calls.get(keyOf(callId, callerTag)) ?? [];
  }

  /** Whether rtpengine's session of this name belongs to a call here. */
  hasName(name: string): boolean {
    return this.#names.has(name);
  }

  byName(name: string): MediaCall | undefined {
    return this.#names.get(name);
  }

  find(callId: string, callerTag: string): MediaCall | undefined {
    return this.allOf(callId, callerTag)[0];
  }

  /** The call that has this dialog. */
  ofDialog({ callId, caller, callee }: DialogRecord): MediaCall | undefined {
    return this.allOf(callId, caller.tag ?? '').find(({ dialogs }) => dialogs.has(callee.tag ?? ''));
  }

  /**
   * The call between these two, whichever of them called. Both tags are asked for: anybody may take a callee's tag and
   * the Call-ID, and call somebody else with them.
   */
  withTags(callId: string, oneTag: string, otherTag: string): MediaCall | undefined {
    return this.#calledBy(callId, oneTag, otherTag) ?? this.#calledBy(callId, otherTag, oneTag);
  }

  #calledBy(callId: string, callerTag: string, calleeTag: string): MediaCall | undefined {
    return this.allOf(callId, callerTag).find((call) => hasAnswered(call, calleeTag));
  }

  /** The known call, or a new one; `name` is its own of before a restart. */
  open(callId: string, callerTag: string, caller: MediaParty, name?: string): MediaCall {
    const known = this.allOf(callId, callerTag).find((call) => name === undefined || call.name === name);
    return known ?? this.add(callId, callerTag, caller, name);
  }

  /** The known call that it is no other fork of, or a new one. One fork too many is taken for a copy of the first. */
  openFork(callId: string, callerTag: string, caller: MediaParty, isOther: (call: MediaCall) => boolean): MediaCall {
    const known = this.allOf(callId, callerTag);
    const first = known.length < mostForks ? undefined : known[0];
    return known.find((call) => !isOther(call)) ?? first ?? this.add(callId, callerTag, caller);
  }

  add(callId: string, callerTag: string, caller: MediaParty, name = this.#freeName(callId, callerTag)): MediaCall {
    const call = createMediaCall({ callId, callerTag, name, caller });
    this.#calls.set(keyOf(callId, callerTag), [...this.allOf(callId, callerTag), call]);
    this.#names.set(name, call);
    return call;
  }

  /** The Call-ID itself where it can be, so that people find the call in rtpengine's own logs. */
  #freeName(callId: string, callerTag: string): string {
    if (!this.#names.has(callId)) return callId;
    const named = `${callId}~${callerTag}`;
    let count = 1;
    while (this.#names.has(count === 1 ? named : `${named}~${count}`)) count += 1;
    return count === 1 ? named : `${named}~${count}`;
  }

  remove(call: MediaCall): void {
    const { callId, callerTag } = call;
    const others = this.allOf(callId, callerTag).filter((other) => other !== call);
    if (others.length > 0) this.#calls.set(keyOf(callId, callerTag), others);
    else this.#calls.delete(keyOf(callId, callerTag));
    if (this.#names.get(call.name) === call) this.#names.delete(call.name);
  }
}

/** A blank is in neither. */
const keyOf = (callId: string, callerTag: string): string => `${callId} ${callerTag}`;
