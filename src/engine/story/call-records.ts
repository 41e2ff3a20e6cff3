/**
 * Ended calls on their way into the database (DESIGN §5): one row each, behind the call and never in its way.
 *
 * A row leaves when rtpengine has said its last word on the call, or two seconds after the end. While the database is
 * down rows wait, within a bound; what is beyond it is counted. Strangers who are refused, for whatever reason, are not
 * written down: they could fill the table, and the counters have them. Left out: stories, which say why (failed-calls.ts).
 */
import { failureOf } from '../../errors.ts';
import { canonicalAor, parseUri } from '../../message/uri.ts';
import type { CallFilter, CallRecord, CallRecordStore, Clock, Log } from '../../ports.ts';
import { legRecord } from '../../story/leg-record.ts';
import type { Story } from '../../story/story.ts';
import type { Domains } from '../domains.ts';
import type { Counters } from '../statistics/counters.ts';

export interface CallRecordsOptions {
  readonly store: CallRecordStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly node: string;
  readonly domains: () => Domains;
  /** When what was asked of rtpengine about this call is answered. */
  readonly answered: (story: Story) => Promise<void>;
  /** CALL_RECORD_DAYS is 0: nothing is written. */
  readonly off: boolean;
}

/** Those that wait for rtpengine, and for the database: about 1 KB each. */
const mostWaiting = 10_000;
/** What an index entry of the database holds: a caller may dial what he likes, and a row that is too long would be lost. */
const longestAor = 512;
/** Of what is no key, so that 1 KB it stays. */
const longestText = 1_024;
const againMs = 2_000;
const statisticsMs = 2_000;
/** In a flood the counter says how many. */
const betweenWarningsMs = 10_000;

/**
 * Whether the database is to keep it. While that was down nobody could log in: those callers are kept with those that were
 * let in, or the calls of an outage would be missing. What was refused for overload must not be work besides.
 */
export function isWorthKeeping({ isAdmitted, code }: Story): boolean {
  return code !== 'overloaded' && (isAdmitted || code === 'database-down');
}

export class CallRecords {
  readonly #options: CallRecordsOptions;
  /** Ended, and rtpengine may say something yet. */
  readonly #unsettled = new Set<Story>();
  #writing = 0;
  /** What the database could not take, the oldest first. */
  readonly #held = new Map<string, CallRecord>();
  #retries = false;
  #warnedMs = 0;

  constructor(options: CallRecordsOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#unsettled.size + this.#writing + this.#held.size;
  }

  keep(story: Story): void {
    const { off, answered, clock } = this.#options;
    if (off || !isWorthKeeping(story) || this.#unsettled.has(story)) return;
    if (this.waiting >= mostWaiting) {
      this.#lost(story.callId, 'too many wait for the database');
      return;
    }
    this.#unsettled.add(story);
    const stop = clock.after(statisticsMs, () => this.#settle(story));
    void answered(story).then(() => {
      stop();
      this.#settle(story);
    });
  }

  /** This process ends: what waits for rtpengine is written as it is, and what the database could not take is tried at once. */
  flush(): void {
    for (const story of this.#unsettled) this.#settle(story);
    const waiting = this.#held.size;
    const words = 'Records of calls are lost, unless the database takes them now';
    if (waiting > 0) this.#options.log.warn({ waiting }, words);
    for (const record of [...this.#held.values()]) void this.#writeHeld(record);
  }

  #settle(story: Story): void {
    // It may have gone on meanwhile, answered late or with credentials.
    if (!this.#unsettled.delete(story) || story.isLive) return;
    void this.#write(this.#recordOf(story));
  }

  async #write(record: CallRecord): Promise<void> {
    this.#writing++;
    try {
      await this.#options.store.save(record);
    } catch (thrown) {
      const { code, message } = failureOf(thrown);
      if (code === 'internal' || code === 'malformed') this.#lost(record.callId, message);
      else this.#hold(record);
    } finally {
      this.#writing--;
    }
  }

  #hold(record: CallRecord): void {
    this.#held.set(keyOf(record), record);
    if (this.#retries) return;
    this.#retries = true;
    this.#options.clock.after(againMs, () => void this.#again());
  }

  /** One as a probe; unless that is held again, all that are left. */
  async #again(): Promise<void> {
    this.#retries = false;
    const [first] = this.#held.values();
    if (first !== undefined) await this.#writeHeld(first);
    if (this.#retries) return;
    for (const record of this.#held.values()) void this.#writeHeld(record);
  }

  #writeHeld(record: CallRecord): Promise<void> {
    this.#held.delete(keyOf(record));
    return this.#write(record);
  }

  #lost(callId: string, why: string): void {
    const { counters, clock, log } = this.#options;
    counters.lostRecords++;
    if (clock.nowMs() - this.#warnedMs < betweenWarningsMs) return;
    this.#warnedMs = clock.nowMs();
    log.warn({ callId, why, lost: counters.lostRecords }, 'The record of a call is lost');
  }

  // --- reading -------------------------------------------------------------------------------------------------------

  async find(id: string): Promise<CallRecord | undefined> {
    return this.#options.store.find(id);
  }

  async list(page: Parameters<CallRecordStore['list']>[0]): Promise<readonly CallRecord[]> {
    return this.#options.store.list(page);
  }

  /** The same question to a story that is in memory. */
  matches(story: Story, { state, aor, sinceMs = 0, untilMs = Number.POSITIVE_INFINITY }: StoryFilter): boolean {
    const { startedAtMs, isOfOthers } = story;
    if (isOfOthers || (state !== undefined && story.state !== state) || startedAtMs < sinceMs || startedAtMs >= untilMs)
      return false;
    return aor === undefined || this.aorOf(story.from) === aor || this.#calleeOf(story) === aor;
  }

  #recordOf(story: Story): CallRecord {
    const { id, callId, from, to, requestUri, startedAtMs, answeredAtMs, endedBy, status, code, detail, mediaNode } =
      story;
    return {
      ...{ id, startedAtMs, answeredAtMs, endedBy, status, code, detail, mediaNode },
      callId: callId.slice(0, longestText),
      from: from.slice(0, longestText),
      to: to.slice(0, longestText),
      requestUri: requestUri?.slice(0, longestText),
      node: this.#options.node,
      fromAor: this.aorOf(from),
      toAor: this.#calleeOf(story),
      endedAtMs: story.endedAtMs ?? startedAtMs,
      state: story.hasFailed ? 'failed' : 'ended',
      mediaFault: story.mediaFault,
      recording: story.recording,
      caller: legRecord(story, 'caller'),
      callee: legRecord(story, 'callee'),
    };
  }

  #calleeOf({ answeredBy, requestUri, to }: Story): string {
    return answeredBy ?? this.aorOf(requestUri ?? to);
  }

  /** In canonical form; what is no URI as it is. */
  aorOf(text: string): string {
    const uri = parseUri(text);
    const aor = uri === undefined ? text : (this.#options.domains().accountOf(text) ?? canonicalAor(uri));
    return aor.slice(0, longestAor);
  }
}

const keyOf = ({ id, startedAtMs }: CallRecord): string => `${id} ${startedAtMs}`;

export type StoryFilter = Omit<CallFilter, 'state'> & { readonly state?: Story['state'] | undefined };
