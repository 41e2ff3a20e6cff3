/**
 * Offers and answers on their way to rtpengine (DESIGN §4): the profile of each receiver, the node of the call, and
 * what a body needs beyond what rtpengine does.
 */
import { Failure } from '../../errors.ts';
import { codecsFor, withoutAdded } from '../../media/codecs.ts';
import type { NgCommand, TrickleCommand } from '../../media/commands.ts';
import type { MediaEvent } from '../../media/delete-rules.ts';
import { answerKeys, type CallTags, offerKeys } from '../../media/ng-keys.ts';
import { acceptedPair, type Command, type Pair, type Party } from '../../media/offer-answer.ts';
import { addressFamily, answerProfile, offerProfile } from '../../media/profiles.ts';
import type { Log, MediaKind, MediaRelay, NgReply } from '../../ports.ts';
import { refusedByBrowser } from '../../sdp/browser-gate.ts';
import { asOffered, completeAnswer, completeOffer } from '../../sdp/complete.ts';
import { describeSdp } from '../../sdp/describe.ts';
import { withIceOf } from '../../sdp/ice.ts';
import { keepTelephoneEvent8000, stripBrowserLines, stripKeys, stripSsrc } from '../../sdp/strip.ts';
import { markTrickle } from '../../sdp/trickle.ts';
import type { MediaCall, MediaParty } from './media-call.ts';
import type { MediaDeletes } from './media-delete.ts';

export class MediaCommands {
  readonly #relay: MediaRelay;
  readonly #deletes: MediaDeletes;
  readonly #log: Log;
  /** What becomes of a branch in rtpengine, for the delete rules. */
  readonly #note: (call: MediaCall, event: MediaEvent) => void;

  constructor(relay: MediaRelay, deletes: MediaDeletes, log: Log, note: (call: MediaCall, event: MediaEvent) => void) {
    this.#relay = relay;
    this.#deletes = deletes;
    this.#log = log;
    this.#note = note;
  }

  async offer(call: MediaCall, tags: CallTags, command: Extract<Command, { offer: string }>): Promise<string> {
    // A side that speaks plain RTP since the call began goes on so: rtpengine would not understand what it encrypts now.
    const wasPlain = command.scope === 'dialog' && this.#party(call, tags, command.offerer).kind === 'rtp';
    const said = wasPlain ? stripKeys(command.offer) : command.offer;
    const sender = this.#kindOf(call, tags, command.offerer, said);
    const receiver = this.#party(call, tags, command.offerer === 'caller' ? 'callee' : 'caller');
    const family = receiver.address === '' ? {} : { 'address-family': addressFamily(receiver.address) };
    const session = command.scope === 'dialog' ? acceptedPair(call.exchange, tags.callee ?? '') : undefined;
    const [own, last] = session === undefined ? [] : saidBy(command.offerer, session);
    // rtpengine restarts ICE at once, with credentials of its own that only the answer tells: it hears of that with the answer.
    const given = command.do === 'offer' && own !== undefined ? withIceOf(said, own) : said;
    call.tentative = given === said ? undefined : command.offer;
    const complete = markTrickle(session === undefined ? given : completeOffer(given, session));
    const codecs = codecsFor({ sender, receiver: receiver.kind, last }, said);
    const offer = { command: 'offer', ...offerKeys(command, tags), sdp: complete, ...codecs } as const;
    const full = { ...offer, ...offerProfile(sender, receiver.kind), ...family };
    const first = command.scope === 'branch';
    call.lastAnswer = undefined;
    if (first) this.#note(call, { on: 'offer-sent', branch: tags.viaBranch });
    try {
      const give = async (): Promise<string> =>
        this.#fit(sdpOf(await this.#toNode(call, (node) => this.#send(call, node, full))), sender, receiver.kind);
      const sdp = await give();
      const on = command.offerer === 'caller' ? 'offer-ok' : 'late-offer';
      if (first) this.#note(call, { on, branch: tags.viaBranch });
      return receiver.kind === 'webrtc' ? await this.#acceptable(call, sdp, undefined, give) : sdp;
    } catch (thrown) {
      if (first) this.#note(call, { on: 'offer-refused', branch: tags.viaBranch });
      throw thrown;
    }
  }

  async answer(call: MediaCall, tags: CallTags, command: Extract<Command, { answer: string }>): Promise<string> {
    const { node } = call;
    if (node === undefined) throw new Failure('media-lost');
    const inForce = answerInForce(call, tags, command.answer);
    if (inForce !== undefined) return inForce;
    call.lastAnswer = undefined;
    const answerer = command.offerer === 'caller' ? 'callee' : 'caller';
    // rtpengine would take its key and encrypt, and a party that was offered none decrypts nothing.
    const wasOfferedKeys = this.#party(call, tags, answerer).kind !== 'rtp';
    const said = wasOfferedKeys ? command.answer : stripKeys(command.answer);
    const sender = this.#kindOf(call, tags, answerer, said);
    const receiver = this.#party(call, tags, command.offerer);
    const taken = sender === 'webrtc' && receiver.kind !== 'webrtc' ? withoutAdded(said, command.offer) : said;
    const complete = markTrickle(completeAnswer(taken, command.offer));
    const profile = answerProfile(receiver.kind);
    const answer = { command: 'answer', ...answerKeys(command, tags), sdp: complete, ...profile } as const;
    const give = async (): Promise<string> =>
      this.#fit(asOffered(sdpOf(await this.#send(call, node, answer)), command.offer), sender, receiver.kind);
    const anew = (): Promise<string> => this.offer(call, tags, command).then(give);
    const made = await give();
    const sdp = receiver.kind === 'webrtc' ? await this.#acceptable(call, made, command.offer, anew) : made;
    call.lastAnswer = { callee: tags.callee, answer: command.answer, sdp };
    return sdp;
  }

  /** Without them rtpengine learns where the client is from its checks: a failure hurts nobody. */
  trickle(call: MediaCall, node: string, command: TrickleCommand): void {
    this.#send(call, node, command).catch((thrown: unknown) =>
      this.#log.info({ callId: call.callId, error: String(thrown) }, 'Candidates of ICE were not taken'),
    );
  }

  /** The last accepted pair again: rtpengine has applied the refused one. Its failure must not hurt the response. */
  async restore(call: MediaCall, tags: CallTags, command: Extract<Command, { do: 'restore' }>): Promise<void> {
    const restoring = this.#restore(call, tags, command);
    call.restoring = restoring;
    await restoring;
    if (call.restoring === restoring) call.restoring = undefined;
  }

  async #restore(call: MediaCall, tags: CallTags, command: Extract<Command, { do: 'restore' }>): Promise<void> {
    try {
      await this.offer(call, tags, command);
      await this.answer(call, tags, command);
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
      this.#forgetTried(call, node);
      return reply;
    } finally {
      call.pinning = undefined;
    }
  }

  async #firstThatTakes(
    call: MediaCall,
    send: (node: string) => Promise<NgReply>,
  ): Promise<{ readonly node: string; readonly reply: NgReply }> {
    let last: Failure | undefined;
    for (const node of this.#relay.candidates(call.name)) {
      await this.#deletes.settled(node, call.name);
      call.tried.add(node);
      try {
        return { node, reply: await send(node) };
      } catch (thrown) {
        if (!(thrown instanceof Failure) || !triesNextNode(thrown) || call.session.ended) throw thrown;
        last = thrown;
      }
    }
    throw last ?? new Failure(this.#relay.nodes().length === 0 ? 'media-none' : 'media-down');
  }

  /** Only now: until a node is chosen, the offer of another branch may be taken by one that was tried before. */
  #forgetTried(call: MediaCall, chosen: string): void {
    for (const node of call.tried) if (node !== chosen) this.#deletes.call(node, call.name);
    call.tried.clear();
  }

  /** Law 3: what outlives its call may have made it anew in rtpengine, and nobody else would delete it. */
  async #send(call: MediaCall, node: string, command: NgCommand): Promise<NgReply> {
    try {
      const reply = await this.#relay.send(node, command);
      if (call.session.ended) throw new Failure('media-lost', 'The call ended meanwhile.');
      return reply;
    } finally {
      if (call.session.ended) this.#deletes.call(node, call.name);
    }
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

  /** What a browser would refuse it never sees: it is made anew, with its profile, and when that is no better refused. */
  async #acceptable(
    { callId }: MediaCall,
    sdp: string,
    offer: string | undefined,
    anew: () => Promise<string>,
  ): Promise<string> {
    const wrong = refusedByBrowser(sdp, offer);
    if (wrong === undefined) return sdp;
    this.#log.warn({ callId, wrong }, 'A browser would refuse this SDP: it is made anew');
    const second = await anew();
    const stillWrong = refusedByBrowser(second, offer);
    if (stillWrong !== undefined) throw new Failure('browser-sdp', stillWrong);
    return second;
  }

  #fit(sdp: string, sender: MediaKind, receiver: MediaKind): string {
    if (receiver !== 'webrtc') return keepTelephoneEvent8000(sender === 'webrtc' ? stripBrowserLines(sdp) : sdp);
    // A browser plays only the SSRC that was announced, and rtpengine sends under one of its own when it transcodes.
    return sender === 'webrtc' ? sdp : stripSsrc(sdp);
  }
}

/** The last SDP of this side, and that of the other. */
function saidBy(party: Party, { offerer, offer, answer }: Pair): readonly [own: string, other: string] {
  return party === offerer ? [offer, answer] : [answer, offer];
}

/** A 183 and then a 200 with the same SDP: nothing came between that could have displaced it in rtpengine. */
function answerInForce({ lastAnswer, session }: MediaCall, tags: CallTags, answer: string): string | undefined {
  if (session.branches.size > 1 || lastAnswer?.callee !== tags.callee || lastAnswer?.answer !== answer)
    return undefined;
  return lastAnswer.sdp;
}

function sdpOf(reply: NgReply): string {
  const { sdp } = reply;
  if (typeof sdp !== 'string') throw new Failure('media-refused', 'The reply has no SDP.');
  return sdp;
}

function triesNextNode(failure: Failure): boolean {
  return failure.code === 'media-timeout' || failure.code === 'media-busy' || failure.code === 'media-down';
}
