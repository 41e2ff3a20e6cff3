/**
 * Media of calls: performs what `src/media` decides (DESIGN §4), on the messages that the routes hand over.
 *
 * Law 1: what cannot be given its media is not forwarded: `forward` and `backward` throw a `Failure` instead.
 * Law 3: a call is deleted in rtpengine when its last INVITE and its last dialog have ended; a delete that gets no
 * answer goes to the outbox (media-delete.ts).
 */
import { Failure } from '../errors.ts';
import { type MediaEvent, stepMediaSession } from '../media/delete-rules.ts';
import { answerKeys, type CallTags, offerKeys } from '../media/ng-keys.ts';
import { type Command, confirmed, type ExchangeEvent, type Party, stepExchange } from '../media/offer-answer.ts';
import { addressFamily, offerProfile } from '../media/profiles.ts';
import { viaBranch } from '../media/via-branch.ts';
import { removeAll, withBody } from '../message/edit.ts';
import { all, get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { From, To, tagOf } from '../message/headers/from-to.ts';
import { Require } from '../message/headers/options.ts';
import { ContentType } from '../message/headers/text.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import type { DialogRecord, Log, MediaKind, MediaRelay, NgReply } from '../ports.ts';
import { describeSdp, isSdp } from '../sdp/describe.ts';
import { keepTelephoneEvent8000, stripSsrc } from '../sdp/strip.ts';
import type { Branch, BranchReply } from './api.ts';
import { createMediaCall, type MediaCall, type MediaParty, rememberRewritten, wroteBody } from './media-call.ts';
import type { MediaDeletes } from './media-delete.ts';

/** Methods that may carry an offer or an answer. */
const carriers: ReadonlySet<string> = new Set(['INVITE', 'ACK', 'PRACK', 'UPDATE']);

export class Media {
  readonly #relay: MediaRelay;
  readonly #deletes: MediaDeletes;
  readonly #log: Log;
  /** Stands in every via-branch: which cluster a call in rtpengine belongs to. */
  readonly #mark: string;
  readonly #calls = new Map<string, MediaCall>();

  constructor(relay: MediaRelay, deletes: MediaDeletes, log: Log, mark: string) {
    this.#relay = relay;
    this.#deletes = deletes;
    this.#log = log;
    this.#mark = mark;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** What the sender of this response speaks, once it has answered. */
  calleeKind(call: MediaCall, response: SipResponse): MediaKind | undefined {
    return call.callees.get(tagOf(get(response, To)) ?? '')?.kind;
  }

  find(callId: string): MediaCall | undefined {
    return this.#calls.get(callId);
  }

  // --- life ----------------------------------------------------------------------------------------------------------

  /** An INVITE that creates dialogs begins; `finished` must follow. */
  begin(invite: SipRequest, caller: MediaParty): void {
    const callId = get(invite, CallId) ?? '';
    const call = this.#calls.get(callId) ?? createMediaCall(callId, tagOf(get(invite, From)) ?? '', caller);
    call.contexts++;
    this.#calls.set(callId, call);
  }

  /** Its response context has ended. */
  finished(callId: string): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    call.contexts--;
    this.#endIfOver(call);
  }

  /** The INVITE client transaction of a branch has ended (DESIGN §4: not when its CANCEL leaves). */
  branchEnded(callId: string, branchId: string): void {
    const call = this.#calls.get(callId);
    if (call !== undefined) this.#step(call, { on: 'branch-ended', branch: viaBranch(this.#mark, branchId) });
  }

  /** A 2xx went upstream. Returns the node that holds the media. */
  answered(callId: string, branchId: string, calleeTag: string): string | undefined {
    const call = this.#calls.get(callId);
    if (call === undefined) return undefined;
    call.dialogs.add(calleeTag);
    call.exchange = confirmed(call.exchange, calleeTag);
    this.#step(call, { on: 'answered', branch: viaBranch(this.#mark, branchId) });
    return call.node;
  }

  dialogEnded(callId: string, calleeTag: string): void {
    const call = this.#calls.get(callId);
    if (call === undefined || !call.dialogs.delete(calleeTag)) return;
    const branch = call.branchOfTag.get(calleeTag);
    if (branch !== undefined) this.#step(call, { on: 'dialog-ended', branch });
    this.#endIfOver(call);
  }

  /** A call of before the restart: its SDPs are lost, the rest is in its record. */
  restore(record: DialogRecord): void {
    if (record.mediaNode === undefined) return;
    const caller = { kind: record.caller.media, address: '' };
    const call = this.#calls.get(record.callId) ?? createMediaCall(record.callId, record.caller.tag, caller);
    call.node = record.mediaNode;
    call.callees.set(record.callee.tag, { kind: record.callee.media, address: '' });
    call.dialogs.add(record.callee.tag);
    for (const on of ['offer-sent', 'offer-ok', 'answered'] as const) {
      call.session = stepMediaSession(call.session, { on, branch: record.callee.tag })[0];
    }
    this.#calls.set(record.callId, call);
  }

  // --- messages ------------------------------------------------------------------------------------------------------

  async forward(branch: Branch): Promise<SipRequest> {
    const { message } = branch;
    const call = this.#callOf(message);
    if (call === undefined) return this.#unknown(message);
    if (wroteBody(call, message)) {
      // A spiral (RFC 3261 §16.3 step 4): it passes us again, and its media was arranged the first time.
      call.arranged.add(branch.request.message);
      return message;
    }
    const party = partyOf(call, message);
    const tag = tagOf(get(message, party === 'caller' ? To : From));
    const via = viaBranch(this.#mark, branch.id);
    if (party === 'caller') this.#noteCallee(call, tag ?? via, branch);
    else call.caller = { ...call.caller, address: branch.flow.remote.address };
    const key = `request ${get(message, CSeq)?.number} ${message.method} ${tag ?? via} ${message.body}`;
    const known = call.rewritten.get(key);
    if (known !== undefined) return withBody(message, known);
    const command = this.#commandFor(call, branch.request.message, {
      on: 'request',
      from: party,
      tag,
      ...facts(message),
    });
    const tags = this.#tags(call, tag, tag === undefined ? via : (call.branchOfTag.get(tag) ?? via));
    return this.#apply(call, tags, command, message, key);
  }

  async backward({ branch, response }: BranchReply): Promise<SipResponse> {
    const call = this.#callOf(response);
    if (call === undefined) return this.#unknown(response);
    if (call.arranged.has(branch.request.message) || wroteBody(call, response)) return response;
    const requester = partyOf(call, response);
    const from: Party = requester === 'caller' ? 'callee' : 'caller';
    const tag = tagOf(get(response, requester === 'caller' ? To : From));
    const via = viaBranch(this.#mark, branch.id);
    if (tag !== undefined && !branch.request.inDialog) this.#noteAnswerer(call, tag, via);
    const final = response.status >= 200;
    const key = `response ${get(response, CSeq)?.number} ${final} ${tag} ${via} ${response.body}`;
    const known = call.rewritten.get(key);
    if (known !== undefined) return withBody(response, known);
    const reliable = all(response, Require).includes('100rel');
    const event: ExchangeEvent = { on: 'response', from, tag, status: response.status, reliable, ...facts(response) };
    const [exchange, command] = stepExchange(call.exchange, event);
    call.exchange = exchange;
    const tags = this.#tags(call, tag, tag === undefined ? via : (call.branchOfTag.get(tag) ?? via));
    return this.#apply(call, tags, command, response, key);
  }

  #callOf(message: SipMessage): MediaCall | undefined {
    const method = get(message, CSeq)?.method ?? '';
    return carriers.has(method) ? this.#calls.get(get(message, CallId) ?? '') : undefined;
  }

  /** Law 1: an SDP of a call that we hold no media for would pass us by. */
  #unknown<M extends SipMessage>(message: M): M {
    const method = get(message, CSeq)?.method ?? '';
    if (!carriers.has(method) || !isSdp(message)) return message;
    if (message.kind === 'request' && method !== 'ACK') throw new Failure('media-lost');
    return withoutBody(message);
  }

  #noteCallee(call: MediaCall, name: string, branch: Branch): void {
    const known = call.callees.get(name)?.kind ?? branch.target.media;
    const kind = known ?? kindByTransport(branch.flow.transport);
    call.callees.set(name, { kind, address: branch.flow.remote.address });
  }

  #noteAnswerer(call: MediaCall, tag: string, via: string): void {
    if (call.branchOfTag.has(tag)) return;
    call.branchOfTag.set(tag, via);
    const party = call.callees.get(via);
    if (party !== undefined) call.callees.set(tag, party);
  }

  /** All branches of one request share what the exchange says of it. */
  #commandFor(call: MediaCall, request: SipRequest, event: ExchangeEvent): Command {
    const known = call.commands.get(request);
    if (known !== undefined) return known;
    const [exchange, command] = stepExchange(call.exchange, event);
    call.exchange = exchange;
    call.commands.set(request, command);
    return command;
  }

  #tags(call: MediaCall, callee: string | undefined, via: string): CallTags {
    return { callId: call.callId, caller: call.callerTag, callee, viaBranch: via };
  }

  async #apply<M extends SipMessage>(
    call: MediaCall,
    tags: CallTags,
    command: Command,
    message: M,
    key: string,
  ): Promise<M> {
    switch (command.do) {
      case 'none':
        return message;
      case 'drop-body':
        return withoutBody(message);
      case 'refused':
        throw new Failure(command.status === 491 ? 'offer-glare' : 'offer-pending', command.why);
      case 'offer':
        return this.#rewrite(call, message, key, await this.#offer(call, tags, command));
      case 'answer':
      case 'preview-answer': {
        if (command.renew) await this.#offer(call, tags, command);
        const sdp = await this.#answer(call, tags, command);
        return command.body === 'keep' ? message : this.#rewrite(call, message, key, sdp);
      }
      case 'restore':
        await this.#restore(call, tags, command);
        return message;
    }
  }

  #rewrite<M extends SipMessage>(call: MediaCall, message: M, key: string, sdp: string): M {
    rememberRewritten(call, key, sdp);
    return withBody(message, sdp);
  }

  // --- commands ------------------------------------------------------------------------------------------------------

  async #offer(call: MediaCall, tags: CallTags, command: Extract<Command, { offer: string }>): Promise<string> {
    const sender = this.#kindOf(call, tags, command.offerer, command.offer);
    const receiver = this.#party(call, tags, command.offerer === 'caller' ? 'callee' : 'caller');
    const family = receiver.address === '' ? {} : { 'address-family': addressFamily(receiver.address) };
    const offer = { command: 'offer', ...offerKeys(command, tags), sdp: command.offer } as const;
    const full = { ...offer, ...offerProfile(sender, receiver.kind), ...family };
    const first = command.scope === 'branch';
    if (first) this.#step(call, { on: 'offer-sent', branch: tags.viaBranch });
    try {
      const reply = await this.#toNode(call, (node) => this.#relay.send(node, full));
      const on = command.offerer === 'caller' ? 'offer-ok' : 'late-offer';
      if (first) this.#step(call, { on, branch: tags.viaBranch });
      return this.#fit(sdpOf(reply), sender, receiver.kind);
    } catch (thrown) {
      if (first) this.#step(call, { on: 'offer-refused', branch: tags.viaBranch });
      throw thrown;
    }
  }

  async #answer(call: MediaCall, tags: CallTags, command: Extract<Command, { answer: string }>): Promise<string> {
    const { node } = call;
    if (node === undefined) throw new Failure('media-lost');
    const sender = this.#kindOf(call, tags, command.offerer === 'caller' ? 'callee' : 'caller', command.answer);
    const receiver = this.#party(call, tags, command.offerer);
    const answer = { command: 'answer', ...answerKeys(command, tags), sdp: command.answer } as const;
    return this.#fit(sdpOf(await this.#relay.send(node, answer)), sender, receiver.kind);
  }

  /** The last accepted pair again: rtpengine has applied the refused one. Its failure must not hurt the response. */
  async #restore(call: MediaCall, tags: CallTags, command: Extract<Command, { do: 'restore' }>): Promise<void> {
    try {
      await this.#offer(call, tags, command);
      await this.#answer(call, tags, command);
    } catch (thrown) {
      this.#log.warn(
        { callId: call.callId, error: String(thrown) },
        'The media of a refused re-INVITE was not restored',
      );
    }
  }

  /** The pinned node, or the first candidate that takes the offer; other branches of the call wait for that choice. */
  async #toNode(call: MediaCall, send: (node: string) => Promise<NgReply>): Promise<NgReply> {
    // The offer of another branch may be refused for what is its own: then this one tries by itself.
    while (call.node === undefined && call.pinning !== undefined) await call.pinning.catch(() => undefined);
    if (call.node !== undefined) return send(call.node);
    const choice = this.#firstThatTakes(call, send);
    call.pinning = choice.then(({ node }) => node);
    // Those who wait for it hear of the failure themselves; without a waiter nobody would.
    call.pinning.catch(() => undefined);
    try {
      const { node, reply } = await choice;
      call.node = node;
      return reply;
    } finally {
      call.pinning = undefined;
    }
  }

  async #firstThatTakes(
    call: MediaCall,
    send: (node: string) => Promise<NgReply>,
  ): Promise<{ readonly node: string; readonly reply: NgReply }> {
    let last = new Failure(this.#relay.nodes().length === 0 ? 'media-none' : 'media-down');
    for (const node of this.#relay.candidates(call.callId)) {
      try {
        return { node, reply: await send(node) };
      } catch (thrown) {
        if (!(thrown instanceof Failure) || !triesNextNode(thrown)) throw thrown;
        last = thrown;
        // It may have taken the offer and only its answer got lost.
        this.#deletes.call(node, call.callId);
      }
    }
    throw last;
  }

  #kindOf(call: MediaCall, tags: CallTags, party: Party, sdp: string): MediaKind {
    const kind = describeSdp(sdp)?.kind ?? this.#party(call, tags, party).kind;
    this.#learn(call, tags, party, kind);
    return kind;
  }

  /** What a party says of itself outranks what was assumed (law 2). */
  #learn(call: MediaCall, tags: CallTags, party: Party, kind: MediaKind): void {
    if (party === 'caller') call.caller = { ...call.caller, kind };
    else if (tags.callee !== undefined) call.callees.set(tags.callee, { ...this.#party(call, tags, party), kind });
  }

  #party(call: MediaCall, tags: CallTags, party: Party): MediaParty {
    if (party === 'caller') return call.caller;
    const byTag = tags.callee === undefined ? undefined : call.callees.get(tags.callee);
    return byTag ?? call.callees.get(tags.viaBranch) ?? { kind: 'rtp', address: '' };
  }

  #fit(sdp: string, sender: MediaKind, receiver: MediaKind): string {
    if (receiver !== 'webrtc') return keepTelephoneEvent8000(sdp);
    // A browser plays only the SSRC that was announced, and rtpengine sends under one of its own when it transcodes.
    return sender === 'webrtc' ? sdp : stripSsrc(sdp);
  }

  // --- release -------------------------------------------------------------------------------------------------------

  #endIfOver(call: MediaCall): void {
    if (call.contexts > 0 || call.dialogs.size > 0) return;
    this.#calls.delete(call.callId);
    this.#step(call, { on: 'call-ended' });
  }

  #step(call: MediaCall, event: MediaEvent): void {
    const [session, deletes] = stepMediaSession(call.session, event);
    call.session = session;
    for (const what of deletes) this.#deletes.perform(call.node, call.callId, call.callerTag, what);
  }
}

function partyOf(call: MediaCall, message: SipMessage): Party {
  return tagOf(get(message, From)) === call.callerTag ? 'caller' : 'callee';
}

function facts(message: SipMessage): { readonly method: string; readonly sdp: string | undefined } {
  return { method: get(message, CSeq)?.method ?? '', sdp: isSdp(message) ? message.body : undefined };
}

function withoutBody<M extends SipMessage>(message: M): M {
  return withBody(removeAll(message, ContentType), '');
}

function sdpOf(reply: NgReply): string {
  const { sdp } = reply;
  if (typeof sdp !== 'string') throw new Failure('media-refused', 'The reply has no SDP.');
  return sdp;
}

function triesNextNode(failure: Failure): boolean {
  return failure.code === 'media-timeout' || failure.code === 'media-busy' || failure.code === 'media-down';
}

/** Law 2: the last resort, when neither its SDP nor its binding says what a party speaks. */
export function kindByTransport(transport: string): MediaKind {
  return transport === 'ws' || transport === 'wss' ? 'webrtc' : 'rtp';
}
