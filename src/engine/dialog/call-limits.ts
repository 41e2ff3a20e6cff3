/**
 * How many calls an account has at a time, as caller and as callee, and whether it may have one more: its own limit, else
 * MAX_CALLS. A call counts from its INVITE to its refusal, or to the end of its dialogs; after a restart from the dialog
 * records.
 *
 * Calls of other nodes count as soon as they have told of them, within a second: in that time an account may have one
 * more at each node. A caller who did not log in (a TRUSTED trunk) has no limit: whatever name he writes into
 * From, he is no subscriber.
 */
import { get } from '../../message/header.ts';
import { From } from '../../message/headers/from-to.ts';
import type { DialogRecord } from '../../ports.ts';
import type { Request } from '../api.ts';

type Side = 'caller' | 'callee';

export class CallLimits {
  /** The canonical AOR when the address is of our domains. */
  readonly #aorOfOurs: (uri: string) => string | undefined;
  /** How many calls of it other nodes have. */
  readonly #elsewhere: (aor: string) => number;
  /** 0: none. */
  readonly #usualMost: number;
  /** The accounts of each INVITE in progress, by itself, and of each dialog, by its names. */
  readonly #calls = new Map<Request | string, Partial<Record<Side, string>>>();
  readonly #counts = new Map<string, number>();

  constructor(
    aorOfOurs: (uri: string) => string | undefined,
    usualMost: number,
    elsewhere: (aor: string) => number = () => 0,
  ) {
    this.#aorOfOurs = aorOfOurs;
    this.#elsewhere = elsewhere;
    this.#usualMost = usualMost;
  }

  of(aor: string): number {
    return this.#counts.get(aor) ?? 0;
  }

  /** Counts it for its caller, unless he has as many as he may have. */
  admitsCaller(request: Request): boolean {
    const { user } = request.notes;
    const most = user === undefined ? 0 : (user.mostCalls ?? this.#usualMost);
    return this.#admits(request, 'caller', get(request.message, From)?.uri ?? '', most);
  }

  /** Counts it for its callee, and for no other any more: it may have been forwarded. */
  admitsCallee(request: Request, callee: string, most: number | undefined): boolean {
    return this.#admits(request, 'callee', callee, most ?? this.#usualMost);
  }

  #admits(request: Request, side: Side, uri: string, most: number): boolean {
    const aor = this.#aorOfOurs(uri);
    if (aor === undefined) return true;
    const known = this.#calls.get(request);
    const counted = known?.caller === aor || known?.callee === aor;
    if (!counted && most > 0 && this.of(aor) + this.#elsewhere(aor) >= most) return false;
    this.#put(request, { ...known, [side]: aor });
    return true;
  }

  /** The INVITE has a final response: from a 2xx on its dialog counts. */
  finished(request: Request): void {
    this.#put(request, {});
  }

  established(record: DialogRecord): void {
    const caller = this.#aorOfOurs(record.caller.uri);
    // Not the To: it may have been forwarded.
    const callee = record.callee.binding?.aor;
    this.#put(nameOf(record), { ...(caller && { caller }), ...(callee && { callee }) });
  }

  ended(record: DialogRecord): void {
    this.#put(nameOf(record), {});
  }

  #put(key: Request | string, parties: Partial<Record<Side, string>>): void {
    this.#countBoth(this.#calls.get(key), -1);
    this.#countBoth(parties, 1);
    if (parties.caller === undefined && parties.callee === undefined) this.#calls.delete(key);
    else this.#calls.set(key, parties);
  }

  /** Who calls himself has one call. */
  #countBoth({ caller, callee }: Partial<Record<Side, string>> = {}, change: 1 | -1): void {
    if (caller !== undefined) this.#count(caller, change);
    if (callee !== undefined && callee !== caller) this.#count(callee, change);
  }

  #count(aor: string, change: 1 | -1): void {
    const count = this.of(aor) + change;
    if (count === 0) this.#counts.delete(aor);
    else this.#counts.set(aor, count);
  }
}

function nameOf({ callId, caller, callee, token }: DialogRecord): string {
  return [callId, caller.tag, callee.tag, token].join('\n');
}
