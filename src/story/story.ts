/**
 * The story of one call: its state, and its events within a bound (law 9).
 *
 * One story per caller and Call-ID, however many devices ring or answer. When the bound is reached the middle is left out: how a
 * call began and how it ended says most. Left out: time (it is an argument) and how many stories there are (archive.ts).
 */
import type { ErrorCode } from '../errors.ts';
import type { DialogRecord, MediaKind } from '../ports.ts';
import { isLook, lookedAgain, type NgEvent, type StoryEvent, saysGone, sizeOf } from './events.ts';
import { historySize, type MediaHistory, noHistory, sampleOf, withSample } from './media-history.ts';
import type { MediaState } from './media-state.ts';
import type { Verdict } from './verdicts.ts';

export type Recording = 'on' | 'paused' | 'off';
/** By REST: what a side says, or its keypad. */
export type Blockable = 'media' | 'DTMF';
export type CallState = 'ringing' | 'answered' | 'ended' | 'failed';

export interface StoryLimits {
  readonly events: number;
  readonly bytes: number;
}

const defaults: StoryLimits = { events: 300, bytes: 256 * 1024 };

/** The first events are kept when others make room. */
const beginning = 40;

export interface StoryStart {
  readonly id: string;
  /** By which it is found: the Call-ID, but of a second caller who uses the same at the same time. */
  readonly key?: string;
  /** The From tag of the INVITE that opened it. */
  readonly openedBy?: string | undefined;
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  /** Of its first INVITE; absent: a restart took the call up. */
  readonly requestUri?: string | undefined;
  readonly atMs: number;
}

export type EndedBy = 'caller' | 'callee' | 'viaduct';

export class Story {
  readonly id: string;
  readonly key: string;
  readonly openedBy: string | undefined;
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  readonly requestUri: string | undefined;
  readonly startedAtMs: number;
  /** How many events were left out. */
  dropped = 0;
  bytes = 0;
  answeredAtMs: number | undefined;
  endedAtMs: number | undefined;
  /** Of the last final response to an INVITE that opens the call. */
  status: number | undefined;
  endedBy: EndedBy | undefined;
  /** The row of errors.ts by which we refused or ended it. */
  code: ErrorCode | undefined;
  detail = '';
  /** Of the dialog that was answered last: how rtpengine knows the two sides. */
  callerTag: string | undefined;
  calleeTag: string | undefined;
  /** The account whose device answered. */
  answeredBy: string | undefined;
  callerMedia: MediaKind | undefined;
  calleeMedia: MediaKind | undefined;
  mediaNode: string | undefined;
  /** What rtpengine calls it, where that is not the Call-ID. */
  mediaName: string | undefined;
  /** What rtpengine said of it last; it outlives the events. */
  media: MediaState | undefined;
  /** And over time. */
  mediaHistory: MediaHistory = noHistory;
  /** rtpengine did not answer a question about it, or did not know it any more. */
  relayGone = false;
  /** What is wrong with its media, as far as the last look said. */
  mediaFault: Verdict | undefined;
  recording: Recording | undefined;
  /** What somebody has silenced by REST, and nobody let through again: at most four. */
  readonly blocked = new Set<`${Blockable} of the ${'caller' | 'callee'}`>();
  /** Somebody else uses its Call-ID for a call of his own. */
  isShared = false;
  /** Another node of ours has this call. */
  isOfOthers = false;
  /** Its caller was let in: he logged in, is trusted, or had his call forwarded. */
  isAdmitted = false;
  /** A CANCEL of the caller came. */
  cancelled = false;
  readonly #limits: StoryLimits;
  readonly #events: StoryEvent[] = [];
  /** INVITEs that open the call and have no final response yet. */
  readonly #pending = new Set<string>();
  /** To tags of answered dialogs. */
  readonly #dialogs = new Set<string>();

  constructor(start: StoryStart, limits: StoryLimits = defaults) {
    this.id = start.id;
    this.key = start.key ?? start.callId;
    this.openedBy = start.openedBy;
    this.callId = start.callId;
    this.from = start.from;
    this.to = start.to;
    this.requestUri = start.requestUri;
    // Whole, since the place in a list is made of it.
    this.startedAtMs = Math.floor(start.atMs);
    this.#limits = limits;
  }

  get events(): readonly StoryEvent[] {
    return this.#events;
  }

  get isLive(): boolean {
    return this.#pending.size > 0 || this.#dialogs.size > 0;
  }

  get state(): CallState {
    if (this.#dialogs.size > 0) return 'answered';
    if (this.#pending.size > 0) return 'ringing';
    return this.hasFailed ? 'failed' : 'ended';
  }

  /** It was answered, and has ended: another INVITE is another call. */
  get isOver(): boolean {
    return this.answeredAtMs !== undefined && !this.isLive;
  }

  /** Ended by us, or refused by anybody; a challenge is no failure, nor is a caller who changes his mind. */
  get hasFailed(): boolean {
    if (this.answeredAtMs !== undefined) return this.endedBy === 'viaduct';
    const { status = 0 } = this;
    if (status === 401 || status === 407) return false;
    return status >= 400 && !(status === 487 && this.cancelled);
  }

  add(event: StoryEvent): void {
    const last = this.#events.at(-1);
    if (isLook(event) && isLook(last)) this.#replaceLast(lookedAgain(last, event));
    else this.#push(event);
    if (event.kind === 'ng') this.#heard(event);
    while (this.#isFull()) this.#dropOne();
  }

  /** What came last belongs to another call. */
  takeLast(): void {
    const last = this.#events.pop();
    if (last !== undefined) this.bytes -= sizeOf(last);
  }

  #push(event: StoryEvent): void {
    this.#events.push(event);
    this.bytes += sizeOf(event);
  }

  #replaceLast(event: StoryEvent): void {
    this.takeLast();
    this.#push(event);
  }

  #heard(event: NgEvent): void {
    const { command, reply, failure, atMs } = event;
    this.media = reply?.media ?? this.media;
    if (reply?.media !== undefined && isLook(event)) this.#remember(reply.media, atMs);
    if (saysGone(event) || (command.command === 'query' && failure !== undefined)) this.relayGone = true;
  }

  #remember(media: MediaState, atMs: number): void {
    this.bytes -= historySize(this.mediaHistory);
    this.mediaHistory = withSample(this.mediaHistory, sampleOf(media, this, atMs));
    this.bytes += historySize(this.mediaHistory);
  }

  /** Makes room for other calls; what the lists show stays. */
  shed(): void {
    this.dropped += this.#events.length;
    this.#events.length = 0;
    this.mediaHistory = noHistory;
    this.bytes = 0;
  }

  /** An INVITE that opens the call; the same one comes again with credentials. */
  began(key: string): void {
    this.#pending.add(key);
    this.status = undefined;
    this.endedAtMs = undefined;
  }

  /** `key` has its final response; `status` is absent where none was ever sent. */
  finished(key: string, status: number | undefined, nowMs: number): void {
    if (!this.#pending.delete(key)) return;
    if (status !== undefined) this.status = status;
    this.#close(nowMs);
  }

  answered(record: DialogRecord, nowMs: number): void {
    this.#dialogs.add(record.callee.tag);
    this.answeredAtMs ??= nowMs;
    this.callerTag = record.caller.tag;
    this.calleeTag = record.callee.tag;
    this.answeredBy = record.callee.binding?.aor;
    this.callerMedia = record.caller.media;
    this.calleeMedia = record.callee.media;
    this.mediaNode = record.mediaNode;
    this.mediaName = record.mediaName;
    this.endedAtMs = undefined;
  }

  dialogEnded(tag: string, nowMs: number): void {
    if (this.#dialogs.delete(tag)) this.#close(nowMs);
  }

  #close(nowMs: number): void {
    if (!this.isLive) this.endedAtMs = nowMs;
  }

  #isFull(): boolean {
    return this.#events.length > this.#limits.events || (this.bytes > this.#limits.bytes && this.#events.length > 2);
  }

  #dropOne(): void {
    const at = Math.min(beginning, Math.floor(this.#events.length / 2));
    for (const event of this.#events.splice(at, 1)) this.bytes -= sizeOf(event);
    this.dropped++;
  }
}
