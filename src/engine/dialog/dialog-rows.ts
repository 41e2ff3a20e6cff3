/**
 * The rows of dialog records, written behind the messages: a slow database must not hold back an answered call.
 *
 * What the database could not take because it was away is written again when it is back. Otherwise a call that ended
 * meanwhile would be a call again after the next restart, and nobody would ever hang it up. Only the last change of a
 * record counts. Bounded (law 9): beyond the bound the oldest change is given up, and the log says so.
 */
import { failureOf } from '../../errors.ts';
import type { Cancel, Clock, DialogRecord, DialogStore, Log } from '../../ports.ts';

const retryMs = 2_000;
/** Of one turn: the group of one statement, several times. */
const mostAtOnce = 1_000;
const mostKept = 20_000;

interface Change {
  readonly record: DialogRecord;
  readonly to: 'save' | 'remove';
}

export class DialogRows {
  readonly #store: DialogStore;
  readonly #clock: Clock;
  readonly #log: Log;
  /** By dialog: the last change, until it is committed. */
  readonly #latest = new Map<string, Change>();
  /** Those of them that the database was not there for, in their order. */
  readonly #owed = new Map<string, Change>();
  /** The log has it that some wait, once for as long as they do. */
  #told = false;
  #timer: Cancel | undefined;

  constructor(store: DialogStore, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  save(record: DialogRecord): void {
    this.#write({ record, to: 'save' });
  }

  remove(record: DialogRecord): void {
    this.#write({ record, to: 'remove' });
  }

  /** Its call has ended, and its row may still be there. */
  isGoing(record: DialogRecord): boolean {
    return this.#latest.get(keyOf(record))?.to === 'remove';
  }

  #write(change: Change): void {
    const key = keyOf(change.record);
    this.#latest.set(key, change);
    this.#owed.delete(key);
    this.#store[change.to](change.record).then(
      () => {
        if (this.#latest.get(key) === change) this.#latest.delete(key);
        if (this.#latest.size === 0) this.#told = false;
      },
      (thrown: unknown) => this.#failed(key, change, thrown),
    );
  }

  #failed(key: string, change: Change, thrown: unknown): void {
    if (this.#latest.get(key) !== change) return;
    const { code, message } = failureOf(thrown);
    const comesBack = code === 'database-down' || code === 'overloaded';
    if (!comesBack) {
      this.#giveUp(key, change, message);
      return;
    }
    if (this.#owed.size >= mostKept) this.#dropOldest();
    if (!this.#told) this.#log.warn({ error: message }, 'Dialog records wait for the database');
    this.#told = true;
    this.#owed.set(key, change);
    this.#timer ??= this.#clock.after(retryMs, () => this.#again());
  }

  #again(): void {
    this.#timer = undefined;
    const changes = [...this.#owed.values()].slice(0, mostAtOnce);
    for (const change of changes) this.#write(change);
    if (this.#owed.size > 0) this.#timer = this.#clock.after(retryMs, () => this.#again());
  }

  #dropOldest(): void {
    const [oldest] = this.#owed;
    if (oldest === undefined) return;
    this.#owed.delete(oldest[0]);
    this.#giveUp(oldest[0], oldest[1], 'too many wait');
  }

  #giveUp(key: string, { record, to }: Change, error: string): void {
    this.#latest.delete(key);
    const what = to === 'save' ? 'A restart would lose this call' : 'A restart would bring this call back';
    this.#log.warn({ callId: record.callId, error }, what);
  }
}

function keyOf({ callId, caller, callee, token }: DialogRecord): string {
  return `${callId}\n${caller.tag}\n${callee.tag}\n${token}`;
}
