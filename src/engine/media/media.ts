/**
 * Media of calls: what the routes hand over goes through offer and answer (`src/media`) to rtpengine (media-commands.ts).
 *
 * Law 1: what cannot be given its media is not forwarded: `forward` and `backward` throw a `Failure` instead.
 * Law 3: a call is deleted in rtpengine when its last INVITE and its last dialog have ended; a delete that gets no
 * answer goes to the outbox (media-delete.ts).
 */
import { Failure } from '../../errors.ts';
import { type MediaEvent, stepMediaSession } from '../../media/delete-rules.ts';
import { type CallTags, offerKeys } from '../../media/ng-keys.ts';
import {
  acceptedPair,
  askedAnew,
  type Command,
  confirmed,
  type ExchangeEvent,
  hasSdp,
  type Party,
  reconnected,
  stepExchange,
} from '../../media/offer-answer.ts';
import { viaBranch } from '../../media/via-branch.ts';
import { all, get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import { CSeq } from '../../message/headers/cseq.ts';
import { From, To, tagOf } from '../../message/headers/from-to.ts';
import { Require } from '../../message/headers/options.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../message/message.ts';
import type { DialogRecord, Log, MediaKind, MediaRelay } from '../../ports.ts';
import { isSdp } from '../../sdp/describe.ts';
import { fragmentSdp } from '../../sdp/trickle.ts';
import type { Branch, BranchReply } from '../api.ts';
import { assumedKind, kindByTransport, transportOf } from './assumed-kind.ts';
import {
  addressOf,
  hasDialogOn,
  isFirstOffer,
  isHeld,
  type MediaCall,
  type MediaParty,
  partyOf,
  rememberOffer,
  rememberRewritten,
  takeUp,
} from './media-call.ts';
import { MediaCommands } from './media-commands.ts';
import type { MediaDeletes } from './media-delete.ts';
import { carriers, facts, mayPassBy, ofNoCall, withoutBody, withSdp } from './media-message.ts';
import { MediaTable } from './media-table.ts';
import { canTake, isLeftAlone, isOtherFork, isSpiral, leaveAlone, nameOf, wroteElsewhere } from './spirals.ts';

export interface MediaSessionRef {
  readonly node: string;
  readonly name: string;
  readonly isHeld: boolean;
}

/** To tags of one call that are known with their branch (law 9): a callee may invent them. */
const mostAnswerers = 128;

export class Media {
  readonly #commands: MediaCommands;
  readonly #deletes: MediaDeletes;
  /** Stands in every via-branch: which cluster a call in rtpengine belongs to. */
  readonly #mark: string;
  readonly #table = new MediaTable();
  /** INVITEs that open calls, as they came. */
  readonly #ofInvite = new WeakMap<SipMessage, MediaCall>();

  constructor(relay: MediaRelay, deletes: MediaDeletes, log: Log, mark: string) {
    this.#commands = new MediaCommands(relay, deletes, log, (call, event) => this.#step(call, event));
    this.#deletes = deletes;
    this.#mark = mark;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Calls whose media this node has. */
  countOn(node: string): number {
    return this.#table.all().filter((call) => call.node === node).length;
  }

  /** Whether rtpengine's session of this name is one of ours that lives. */
  isKnown(name: string): boolean {
    return this.#table.hasName(name);
  }

  /** Whether a call here has, or may come to have, its session of this name on that node. */
  isAlive(node: string, name: string): boolean {
    const call = this.#table.byName(name);
    return call !== undefined && (call.node === undefined || call.node === node);
  }

  /** The call that a request belongs to, whichever side sent it: in a dialog by both tags, which must be known. */
  find(request: SipMessage): MediaCall | undefined {
    const known = this.#ofInvite.get(request);
    if (known !== undefined) return known;
    const callId = get(request, CallId) ?? '';
    const fromTag = tagOf(get(request, From)) ?? '';
    const toTag = tagOf(get(request, To));
    return toTag === undefined ? this.#table.find(callId, fromTag) : this.#table.withTags(callId, fromTag, toTag);
  }

  /** What the sender of this response speaks, once it has answered. */
  calleeKind(call: MediaCall, response: SipResponse): MediaKind | undefined {
    return call.callees.get(tagOf(get(response, To)) ?? '')?.kind;
  }

  /** The kind of SDP that this is a refusal of, if another one is worth a try; a browser takes only its own. */
  refusedKind(
    invite: SipRequest,
    branchId: string,
    to: Pick<Branch, 'flow' | 'target'>,
    { status }: SipResponse,
  ): MediaKind | undefined {
    if ((status !== 488 && status !== 606) || !isSdp(invite)) return undefined;
    const offered = this.find(invite)?.callees.get(viaBranch(this.#mark, branchId))?.kind;
    return offered === 'webrtc' && kindByTransport(transportOf(to)) === 'webrtc' ? undefined : offered;
  }

  // --- life ----------------------------------------------------------------------------------------------------------

  /** An INVITE that creates dialogs begins; `finished` must follow. */
  begin(invite: SipRequest, caller: MediaParty): MediaCall {
    const isOther = (one: MediaCall): boolean => isOtherFork(one, invite, this.#mark);
    const call = this.#table.openFork(get(invite, CallId) ?? '', tagOf(get(invite, From)) ?? '', caller, isOther);
    const cseq = get(invite, CSeq)?.number ?? 0;
    // After its 422, 407 or 302, while a device that said nothing to the one before still has time.
    if (cseq > call.cseq || call.contexts === 0) {
      call.exchange = askedAnew(call.exchange);
      call.invited = invite.body;
    }
    call.cseq = Math.max(cseq, call.cseq);
    call.contexts++;
    this.#ofInvite.set(invite, call);
    return call;
  }

  /** Its response context brings no further branch. */
  finished(call: MediaCall): void {
    call.contexts--;
    if (call.contexts === 0) call.exchange = confirmed(call.exchange, call.dialogs);
    this.#endIfOver(call);
  }

  /** The INVITE client transaction of a branch has ended (DESIGN §4: not when its CANCEL leaves). */
  branchEnded(call: MediaCall, branchId: string): void {
    this.#step(call, { on: 'branch-ended', branch: viaBranch(this.#mark, branchId) });
  }

  /** A 2xx went upstream. Returns the node that holds the media. */
  answered(call: MediaCall, branchId: string, calleeTag: string): string | undefined {
    call.dialogs.add(calleeTag);
    this.#step(call, { on: 'answered', branch: viaBranch(this.#mark, branchId) });
    // RFC 3261 §13.2.2.4: of several the caller keeps one; most keep the first, and some overlook the others.
    if (call.dialogs.size > 1) this.#reconnect(call);
    return call.node;
  }

  dialogEnded(record: DialogRecord): void {
    const call = this.#table.ofDialog(record);
    if (call === undefined) return;
    call.dialogs.delete(record.callee.tag);
    const branch = call.branchOfTag.get(record.callee.tag);
    if (branch !== undefined && !hasDialogOn(call, branch)) this.#step(call, { on: 'dialog-ended', branch });
    this.#endIfOver(call);
    this.#reconnect(call);
  }

  /** Of several callees that have answered, the latest has displaced the others in rtpengine: the first has it back. */
  #reconnect(call: MediaCall): void {
    const [tag] = call.dialogs;
    if (tag === undefined) return;
    const [exchange, command] = reconnected(call.exchange, tag);
    call.exchange = exchange;
    if (command.do === 'restore') void this.#commands.restore(call, this.#tags(call, tag), command);
  }

  /** A BYE of a call whose record was lost: its session is sought on all nodes, where it is if it has one of these tags. */
  endForgotten(bye: SipMessage): void {
    const callId = get(bye, CallId) ?? '';
    if (!this.#table.hasName(callId)) this.#deletes.legs(callId, [tagOf(get(bye, From)), tagOf(get(bye, To))]);
  }

  /** Where rtpengine has the media of this dialog, and whether its SDPs say that it is on hold. */
  sessionOf(record: DialogRecord): MediaSessionRef | undefined {
    const call = this.#table.ofDialog(record) ?? this.#table.find(record.callId, record.caller.tag);
    if (call?.node === undefined) return undefined;
    return { node: call.node, name: call.name, isHeld: isHeld(acceptedPair(call.exchange, record.callee.tag)) };
  }

  /** A call of before the restart: its SDPs are lost, the rest is in its record. */
  restore(record: DialogRecord): void {
    if (record.mediaNode === undefined) return;
    const caller = { kind: record.caller.media, address: '' };
    takeUp(this.#table.open(record.callId, record.caller.tag, caller, record.mediaName), record);
  }

  // --- messages ------------------------------------------------------------------------------------------------------

  async forward(branch: Branch): Promise<SipRequest> {
    const { message } = branch;
    if (mayPassBy(message)) {
      if (message.method !== 'ACK') throw new Failure('unsupported-body');
      return withoutBody(message);
    }
    const call = this.#callOf(branch.request.message);
    if (call === undefined) return ofNoCall(message);
    await call.restoring;
    const party = partyOf(call, message);
    const name = nameOf(message, party);
    if (isSpiral(call, message, name, branch.request.inDialog)) return this.#again(call, branch, name);
    const tag = tagOf(get(message, party === 'caller' ? To : From));
    const via = viaBranch(this.#mark, branch.id);
    if (party === 'caller') this.#noteCallee(call, tag ?? via, branch);
    else call.caller = { ...call.caller, address: addressOf(branch, call.caller.address) };
    const key = `${name}${tag ?? via} ${message.body}`;
    const known = call.rewritten.get(key);
    if (known !== undefined) return withSdp(message, known);
    const event: ExchangeEvent = { on: 'request', from: party, tag, ...facts(message) };
    const command = this.#commandFor(call, branch.request.message, event);
    if (command.do === 'refused' && !branch.request.inDialog) throw new Failure('spiral-changed', command.why);
    return this.#apply(call, this.#tags(call, tag, via), command, message, key);
  }

  /**
   * A spiral (RFC 3261 §16.3 step 4): it passes us again, and its media was arranged the first time. That holds for a
   * receiver of the same kind; for another one (law 2) the caller's own offer is made again, as for one more branch of a
   * fork. So media goes through rtpengine once, however often the call passes us.
   */
  async #again(call: MediaCall, branch: Branch, name: string): Promise<SipRequest> {
    const { message, request } = branch;
    const via = viaBranch(this.#mark, branch.id);
    const first = request.inDialog ? undefined : call.offered.get(message.body);
    if (first !== undefined) this.#noteCallee(call, via, branch);
    const receiver = call.callees.get(via);
    if (first === undefined || receiver === undefined || canTake(receiver, first.receiver)) {
      leaveAlone(call, request.message, branch.id);
      return message;
    }
    const key = `${name}${via} ${message.body}`;
    const known = call.rewritten.get(key);
    if (known !== undefined) return withSdp(message, known);
    return this.#apply(call, this.#tags(call, undefined, via), first.command, message, key);
  }

  async backward({ branch, response }: BranchReply): Promise<SipResponse> {
    if (response.status < 300 && mayPassBy(response)) return withoutBody(response);
    const asked = branch.request.message;
    const call = this.#callOf(asked);
    if (call === undefined) return ofNoCall(response);
    const requester = partyOf(call, response);
    const via = viaBranch(this.#mark, branch.id);
    const name = nameOf(response, requester);
    if (isLeftAlone(call, asked, branch.id) || wroteElsewhere(call, response, name, via)) return response;
    const from: Party = requester === 'caller' ? 'callee' : 'caller';
    const tag = tagOf(get(response, requester === 'caller' ? To : From));
    if (tag !== undefined && !branch.request.inDialog) {
      if (response.status < 300) this.#noteAnswerer(call, tag, via);
      // Asked again, the same device may answer with the same tag on another branch.
      else call.branchOfTag.delete(tag);
    }
    const final = response.status >= 200;
    const reliable = all(response, Require).includes('100rel');
    const key = `${name}${final || reliable} ${tag} ${via} ${response.body}`;
    const known = call.rewritten.get(key);
    if (known !== undefined) return withSdp(response, known);
    const event: ExchangeEvent = { on: 'response', from, tag, status: response.status, reliable, ...facts(response) };
    const [exchange, command] = stepExchange(call.exchange, event);
    call.exchange = exchange;
    // It is no longer `unanswered`.
    if (final && branch.request.inDialog) call.commands.delete(asked);
    return this.#apply(call, this.#tags(call, tag, via), command, response, key);
  }

  /**
   * A request of a dialog is over, and no final response of the other side has come by: rtpengine refused its offer, it
   * was cancelled before it left, or nobody answered. For offer and answer that is a refusal: the next one is free.
   */
  unanswered(request: SipRequest): void {
    const call = this.#callOf(request);
    const command = call?.commands.get(request);
    if (call === undefined || command === undefined) return;
    call.commands.delete(request);
    // We refused it ourselves, for the sake of the offer that is still out.
    if (command.do === 'refused') return;
    const from: Party = partyOf(call, request) === 'caller' ? 'callee' : 'caller';
    const tag = tagOf(get(request, from === 'callee' ? To : From)) ?? '';
    const event = { on: 'response', from, tag, method: request.method, status: 408 } as const;
    const [exchange, undo] = stepExchange(call.exchange, event);
    call.exchange = exchange;
    if (undo.do === 'restore') void this.#commands.restore(call, this.#tags(call, tag), undo);
  }

  #callOf(message: SipMessage): MediaCall | undefined {
    const method = get(message, CSeq)?.method ?? '';
    return carriers.has(method) ? this.find(message) : undefined;
  }

  #noteCallee(call: MediaCall, name: string, branch: Branch): void {
    const known = call.callees.get(name);
    const kind = known?.kind ?? branch.target.media ?? assumedKind(transportOf(branch));
    call.callees.set(name, { kind, address: addressOf(branch, known?.address) });
  }

  #noteAnswerer(call: MediaCall, tag: string, via: string): void {
    if (call.branchOfTag.has(tag) || call.branchOfTag.size >= mostAnswerers) return;
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

  /** A callee is known by the branch that it first answered on. */
  #tags(call: MediaCall, callee: string | undefined, via = ''): CallTags {
    const viaBranch = call.branchOfTag.get(callee ?? '') ?? via;
    return { callId: call.name, caller: call.callerTag, callee, viaBranch };
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
      case 'offer': {
        const sdp = await this.#commands.offer(call, tags, command);
        const receiver = call.callees.get(tags.viaBranch);
        if (receiver !== undefined && isFirstOffer(command)) rememberOffer(call, sdp, { command, receiver });
        return this.#rewrite(call, message, key, sdp);
      }
      case 'answer':
      case 'preview-answer': {
        if (command.renew || call.tentative === command.offer) await this.#commands.offer(call, tags, command);
        const sdp = await this.#commands.answer(call, tags, command);
        return command.body === 'keep' ? message : this.#rewrite(call, message, key, sdp);
      }
      case 'restore':
        await this.#commands.restore(call, tags, command);
        return message;
    }
  }

  #rewrite<M extends SipMessage>(call: MediaCall, message: M, key: string, sdp: string): M {
    rememberRewritten(call, key, sdp);
    return withSdp(message, sdp);
  }

  /** For the side that sent them; `false`: rtpengine has not the media of this call. Nobody waits for it. */
  trickle(info: SipRequest): boolean {
    const call = this.find(info);
    if (call?.node === undefined) return false;
    const offerer = partyOf(call, info);
    const tag = tagOf(get(info, offerer === 'caller' ? To : From)) ?? '';
    const scope = call.dialogs.has(tag) || hasSdp(call.exchange, tag) ? 'dialog' : 'branch';
    // A callee that has sent no SDP yet has no ICE either; and one that rtpengine has not heard of has no candidates there.
    if ((scope === 'branch' && offerer === 'callee') || call.tentative !== undefined) return true;
    const keys = offerKeys({ offerer, scope }, this.#tags(call, tag));
    this.#commands.trickle(call, call.node, { command: 'trickle', ...keys, sdp: fragmentSdp(info) });
    return true;
  }

  // --- release -------------------------------------------------------------------------------------------------------

  #endIfOver(call: MediaCall): void {
    if (call.contexts > 0 || call.dialogs.size > 0) return;
    this.#table.remove(call);
    this.#step(call, { on: 'call-ended' });
  }

  #step(call: MediaCall, event: MediaEvent): void {
    const [session, deletes] = stepMediaSession(call.session, event);
    call.session = session;
    for (const what of deletes) {
      // Where no node was chosen, one that was tried may have made the call.
      const nodes = call.node === undefined ? call.tried : [call.node];
      for (const node of nodes) this.#deletes.perform(node, call.name, call.callerTag, what);
    }
  }
}
