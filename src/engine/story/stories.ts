/**
 * Keeps the story of each call while it happens: the one place that the rest of the engine tells (DESIGN §1, job 2).
 *
 * A message of no call costs one look into a map; one of a call a reference more. Left out: reading a story
 * (`src/story`), the lists of calls (call-reports.ts), failed calls in the database (failed-calls.ts).
 */
import { callIdHash } from '../../dialog/call-id-hash.ts';
import { type Failure, failureOf } from '../../errors.ts';
import { get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import { From, To, tagOf } from '../../message/headers/from-to.ts';
import type { SipMessage, SipRequest } from '../../message/message.ts';
import type { Clock, DialogRecord, Flow, MediaRelay, NgCommand, NgReply } from '../../ports.ts';
import { Archive, type ArchiveLimits } from '../../story/archive.ts';
import { withoutPush } from '../../story/credentials.ts';
import { keptReply, type NgEvent, type StoryEvent } from '../../story/events.ts';
import { type EndedBy, Story, type StoryStart } from '../../story/story.ts';
import type { Verdict as MediaVerdict } from '../../story/verdicts.ts';
import type { Diversion, Request, Verdict } from '../api.ts';

export type CallChange = 'started' | 'answered' | 'ended' | 'failed';

/** Told of each call that begins, is answered and ends. */
export type CallWatcher = (change: CallChange, story: Story) => void;

/** Many may look at one call at once. */
const betweenQuestionsMs = 1_000;
/** When many calls end at once, the others are recorded as they were seen last. */
const mostAskedAtEnd = 200;

export class Stories {
  readonly #clock: Clock;
  readonly #archive: Archive;
  readonly #changed: CallWatcher;
  readonly #relay: MediaRelay;
  readonly #askedMs = new WeakMap<Story, number>();
  readonly #asking = new Map<Story, Promise<void>>();
  /** Calls whose beginning was told. */
  readonly #told = new WeakSet<Story>();
  /** There were two calls of one Call-ID at a time; nearly nobody does that, and then a message of no call is one look. */
  #haveShared = false;

  constructor(clock: Clock, relay: MediaRelay, changed: CallWatcher, limits: Partial<ArchiveLimits> = {}) {
    this.#clock = clock;
    this.#relay = relay;
    this.#changed = changed;
    this.#archive = new Archive(limits);
  }

  /** Two callers who use one Call-ID at a time, as the sides of a B2BUA may, have a story each. */
  byCall(callId: string, callerTag: string | undefined): Story | undefined {
    const first = this.#archive.find(callId);
    return this.#isAlone(first) ? first : (this.#archive.find(keyOf(callId, callerTag)) ?? first);
  }

  of(message: SipMessage): Story | undefined {
    const callId = get(message, CallId) ?? '';
    const first = this.#archive.find(callId);
    if (this.#isAlone(first)) return first;
    const tags = [tagOf(get(message, From)), tagOf(get(message, To))];
    return tags.map((tag) => this.#archive.find(keyOf(callId, tag))).find((story) => story !== undefined) ?? first;
  }

  /** The first of two may be forgotten while the second goes on. */
  #isAlone(first: Story | undefined): boolean {
    return first === undefined ? !this.#haveShared : !first.isShared;
  }

  byId(id: string): Story | undefined {
    return this.#archive.byId(id);
  }

  /** Newest first. */
  all(): readonly Story[] {
    this.#archive.expire(this.#clock.nowMs());
    return this.#archive.all();
  }

  // --- messages ------------------------------------------------------------------------------------------------------

  received(message: SipMessage, text: string, flow: Flow): void {
    const story = this.of(message) ?? this.#opened(message);
    if (story === undefined) return;
    const { transport } = flow;
    this.#message(story, 'in', transport === 'tcp' || transport === 'tls' ? owned(text) : text, flow);
  }

  sent(message: SipMessage, text: string, flow: Flow): void {
    const story = this.of(message);
    if (story !== undefined) this.#message(story, 'out', text, flow);
  }

  #message(story: Story, direction: 'in' | 'out', text: string, { transport, remote }: Flow): void {
    this.#add(story, { kind: 'message', atMs: this.#clock.nowMs(), direction, transport, remote, text });
  }

  /** An INVITE outside of a dialog begins a story. */
  #opened(message: SipMessage): Story | undefined {
    if (message.kind !== 'request' || message.method !== 'INVITE') return undefined;
    const to = get(message, To);
    if (tagOf(to) !== undefined) return undefined;
    const from = get(message, From)?.uri ?? '';
    const { uri } = message;
    const requestUri = owned(withoutPush(uri));
    const atMs = this.#clock.nowMs();
    const tag = tagOf(get(message, From));
    return this.#open({ callId: get(message, CallId) ?? '', from, to: to?.uri ?? uri, requestUri, atMs }, tag);
  }

  #open(start: Omit<StoryStart, 'id' | 'key' | 'openedBy'>, tag: string | undefined): Story {
    const [callId, from, to] = [owned(start.callId), owned(start.from), owned(start.to)];
    const first = this.#archive.find(callId);
    if (first !== undefined) this.#haveShared = first.isShared = true;
    const key = first === undefined ? callId : keyOf(callId, tag);
    const openedBy = tag === undefined ? undefined : owned(tag);
    const story = new Story({ ...start, id: callIdHash(key), key, openedBy, callId, from, to });
    this.#archive.put(story);
    return story;
  }

  // --- decisions -----------------------------------------------------------------------------------------------------

  routed({ message, notes, inDialog, trusted }: Request, verdict: Verdict): void {
    const story = this.of(message);
    if (story !== undefined && (trusted || notes.user !== undefined || verdict.kind === 'relay'))
      story.isAdmitted = true;
    // That a request within a dialog follows it says nothing.
    if (story === undefined || (inDialog && verdict.kind === 'relay')) return;
    const relayed = verdict.kind === 'relay' ? verdict.targets : [];
    const targets = relayed.map(({ uri, media, flowId }) => ({ uri, media, byFlow: flowId !== undefined }));
    const why = verdict.kind === 'relay' ? {} : { code: verdict.code };
    const answer = verdict.kind === 'reply' ? { status: verdict.status, detail: verdict.detail } : {};
    const { method } = message;
    const user = notes.user?.username;
    const atMs = this.#clock.nowMs();
    this.#add(story, { kind: 'routed', atMs, method, verdict: verdict.kind, targets, user, ...why, ...answer });
    if ('code' in why && why.code !== undefined) this.#blame(story, why.code, answer.detail ?? '');
  }

  diverted(request: SipRequest, { from, to, why }: Diversion): void {
    const story = this.of(request);
    if (story !== undefined) this.#add(story, { kind: 'diverted', atMs: this.#clock.nowMs(), from, to, why });
  }

  branchFailed(request: SipRequest, uri: string, { code, detail }: Pick<Failure, 'code' | 'detail'>): void {
    const story = this.of(request);
    if (story === undefined) return;
    this.#add(story, { kind: 'branch-failed', atMs: this.#clock.nowMs(), uri, code, detail });
    this.#blame(story, code, detail);
  }

  timerC(request: SipRequest, uri: string): void {
    const story = this.of(request);
    if (story !== undefined) this.#add(story, { kind: 'timer', atMs: this.#clock.nowMs(), timer: 'C', uri });
  }

  #blame(story: Story, code: Failure['code'], detail: string): void {
    if (story.answeredAtMs !== undefined) return;
    story.code = code;
    story.detail = detail;
  }

  // --- life ----------------------------------------------------------------------------------------------------------

  /** An INVITE that opens a call has its server transaction. */
  began(request: SipRequest, key: string): void {
    // One that was too old, or in the way of others, was forgotten with the INVITE that came.
    const known = this.of(request) ?? this.#opened(request);
    const isOther = known !== undefined && (known.isOver || isOfAnother(known, tagOf(get(request, From))));
    this.#change(isOther ? this.#apart(known, request) : known, (story) => story.began(key));
  }

  /**
   * Its Call-ID is that of another call, against RFC 3261 §8.1.1.4: one that was, or somebody else's that is. That must not
   * grow by this one.
   */
  #apart(other: Story, request: SipRequest): Story | undefined {
    const invite = this.#takeLast(other);
    if (other.isOver) this.#archive.forget(other);
    const story = this.#opened(request);
    if (story === undefined) return undefined;
    story.isShared ||= other.isShared;
    if (invite !== undefined) this.#add(story, invite);
    return story;
  }

  /** Another node of ours sent it here for one device: there it is a call, here a part of its ladder. */
  handedOn(request: SipRequest): void {
    const story = this.of(request);
    if (story !== undefined && !this.#told.has(story)) story.isOfOthers = true;
  }

  /** That INVITE has a final response, or (without `status`) is over. */
  finished(request: SipRequest, key: string, status?: number): void {
    this.#change(this.of(request), (story) => story.finished(key, status, this.#clock.nowMs()));
  }

  /** The caller gave up, or his connection closed. */
  cancelled(request: SipRequest): void {
    const story = this.of(request);
    if (story === undefined) return;
    story.cancelled = true;
    story.endedBy ??= 'caller';
  }

  established(record: DialogRecord): void {
    const { callee, caller, mediaNode } = record;
    const [callerMedia, calleeMedia] = [caller.media, callee.media];
    const atMs = this.#clock.nowMs();
    const { uri, tag } = callee;
    const story = this.#ofRecord(record);
    if (story === undefined) return;
    this.#add(story, { kind: 'answered', atMs, uri, tag, callerMedia, calleeMedia, mediaNode });
    this.#change(story, () => story.answered(record, atMs));
  }

  /** A call of before the restart: how it began is lost. */
  restored(record: DialogRecord): void {
    const { callId, caller, callee, answeredAtMs: atMs } = record;
    const known = this.byCall(callId, caller.tag);
    const story =
      known !== undefined && !isOfAnother(known, caller.tag)
        ? known
        : this.#open({ callId, from: caller.uri, to: callee.uri, atMs }, caller.tag);
    // Of another node until that was gone.
    story.isOfOthers = false;
    story.isAdmitted = true;
    this.#change(story, () => story.answered(record, record.answeredAtMs));
  }

  /** We end it; the BYEs follow. */
  hungUp(record: DialogRecord, { code, detail }: Failure): void {
    const story = this.#ofRecord(record);
    if (story === undefined) return;
    if (story.state === 'answered' && this.#asking.size < mostAskedAtEnd) void this.askMedia(story);
    this.#add(story, { kind: 'ended', atMs: this.#clock.nowMs(), by: 'viaduct', code, detail });
    story.endedBy = 'viaduct';
    story.code = code;
    story.detail = detail;
  }

  /** A BYE is on its way: what rtpengine knows of the media goes with its delete. */
  byeCame({ message, inDialog }: Request): void {
    const story = message.method === 'BYE' && inDialog ? this.of(message) : undefined;
    if (story?.state === 'answered') void this.askMedia(story);
  }

  /** A BYE passed. */
  saidBye(record: DialogRecord, by: Exclude<EndedBy, 'viaduct'>): void {
    const story = this.#ofRecord(record);
    if (story === undefined) return;
    story.endedBy = by;
    this.#add(story, { kind: 'ended', atMs: this.#clock.nowMs(), by });
  }

  dialogEnded(record: DialogRecord): void {
    const nowMs = this.#clock.nowMs();
    this.#change(this.#ofRecord(record), (story) => story.dialogEnded(record.callee.tag, nowMs));
  }

  // --- rtpengine -----------------------------------------------------------------------------------------------------

  /** Packets and quality as rtpengine knows them now; nobody waits for it but who asked. */
  async askMedia(story: Story): Promise<void> {
    const { mediaNode, mediaName, callId } = story;
    const nowMs = this.#clock.nowMs();
    if (mediaNode === undefined || nowMs - (this.#askedMs.get(story) ?? 0) < betweenQuestionsMs) return;
    this.#askedMs.set(story, nowMs);
    const ask: NgCommand = { command: 'query', 'call-id': mediaName ?? callId };
    const asking = this.#command(this.#relay, mediaNode, ask).then(nothing, nothing);
    this.#asking.set(story, asking);
    await asking;
    if (this.#asking.get(story) === asking) this.#asking.delete(story);
  }

  /** When the question about its media that is on its way has an answer, or none; at once where there is none. */
  async answered(story: Story): Promise<void> {
    await this.#asking.get(story);
  }

  /** A line in the story; `code`: of the verdict, where something is wrong. */
  noteMedia(story: Story, says: string, code?: string): void {
    this.#add(story, { kind: 'media', atMs: this.#clock.nowMs(), code, says });
  }

  /** What a look at its media found; whether that is news. */
  mediaSeen(story: Story, fault: MediaVerdict | undefined): boolean {
    if (story.mediaFault?.code === fault?.code) return false;
    this.noteMedia(story, fault?.says ?? 'The media of the call is well again.', fault?.code);
    story.mediaFault = fault;
    return true;
  }

  /** The same relay, with each command of a call in its story. */
  watchedRelay(): MediaRelay {
    return { ...this.#relay, send: (node, command) => this.#command(this.#relay, node, command) };
  }

  #command(relay: MediaRelay, node: string, command: NgCommand): Promise<NgReply> {
    const story = 'call-id' in command ? this.#ofSession(command['call-id']) : undefined;
    return story === undefined ? relay.send(node, command) : this.#watched(story, relay, node, command);
  }

  async #watched(story: Story, relay: MediaRelay, node: string, command: NgCommand): Promise<NgReply> {
    const atMs = this.#clock.nowMs();
    const address = relay.addressOf(node) ?? node;
    let cookie = '';
    const note = (outcome: Pick<NgEvent, 'reply' | 'failure' | 'freePorts'>): void => {
      const tookMs = this.#clock.nowMs() - atMs;
      this.#add(story, { kind: 'ng', atMs, tookMs, node: address, cookie, command, ...outcome });
    };
    try {
      const reply = await relay.send(node, command, (used) => {
        cookie = used;
      });
      note({ reply: keptReply(reply, this.#clock.nowMs()) });
      return reply;
    } catch (thrown) {
      const { code, detail } = failureOf(thrown);
      // A question that crossed the delete at the end says nothing.
      const crossed = command.command === 'query' && code === 'media-lost' && !story.isLive;
      const known = relay.nodes().find(({ id }) => id === node);
      if (!crossed) note({ failure: { code, detail }, freePorts: known?.ports?.free });
      throw thrown;
    }
  }

  /** The media of a second caller with the same Call-ID has his tag in its name (media-table.ts). */
  #ofSession(name: string): Story | undefined {
    return this.#archive.find(name) ?? this.#archive.find(name.slice(0, Math.max(0, name.lastIndexOf('~'))));
  }

  // --- change --------------------------------------------------------------------------------------------------------

  #ofRecord({ callId, caller }: DialogRecord): Story | undefined {
    return this.byCall(callId, caller.tag);
  }

  #takeLast(story: Story): StoryEvent | undefined {
    const last = story.events.at(-1);
    this.#archive.change(story, () => story.takeLast(), this.#clock.nowMs());
    return last;
  }

  #add(story: Story, event: StoryEvent): void {
    this.#archive.change(story, () => story.add(event), event.atMs);
  }

  #change(story: Story | undefined, change: (story: Story) => void): void {
    if (story === undefined) return;
    const was = story.state;
    const wasLive = story.isLive;
    this.#archive.change(story, change, this.#clock.nowMs());
    if (!this.#told.has(story) && story.isLive) {
      this.#told.add(story);
      this.#changed('started', story);
    }
    if (was !== 'answered' && story.state === 'answered') this.#changed('answered', story);
    // A challenge ends nothing: the same INVITE comes again with credentials.
    if (wasLive && !story.isLive && !isChallenged(story)) this.#changed(story.hasFailed ? 'failed' : 'ended', story);
  }
}

const nothing = (): void => undefined;

/** As media-table.ts calls the media of a second caller. */
function keyOf(callId: string, tag: string | undefined): string {
  return `${callId}~${tag}`;
}

/** A call that is on, and was begun by somebody else. A client that is challenged may change its tag. */
function isOfAnother({ isLive, openedBy }: Story, tag: string | undefined): boolean {
  return isLive && openedBy !== tag;
}

function isChallenged({ status, answeredAtMs }: Story): boolean {
  return answeredAtMs === undefined && (status === 401 || status === 407);
}

/** A piece of a longer text keeps all of that in memory, be it a whole read of a busy connection; a copy does not. */
function owned(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
