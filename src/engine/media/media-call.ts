/**
 * What the proxy knows of one call's media: its rtpengine node, its branches there, and where offer and answer stand.
 *
 * A record, no behaviour: `media.ts` performs what `src/media` decides.
 */
import { createMediaSession, type MediaSession, stepMediaSession } from '../../media/delete-rules.ts';
import { type Command, createExchange, type Exchange, type Pair, type Party } from '../../media/offer-answer.ts';
import { get } from '../../message/header.ts';
import { From, tagOf } from '../../message/headers/from-to.ts';
import type { SipMessage, SipRequest } from '../../message/message.ts';
import type { DialogRecord, MediaKind } from '../../ports.ts';
import { describeSdp } from '../../sdp/describe.ts';
import type { Branch } from '../api.ts';

/** One party as a receiver of SDP. */
export interface MediaParty {
  readonly kind: MediaKind;
  /** Its address: tells the address family it needs. */
  readonly address: string;
}

export interface MediaCall {
  readonly callId: string;
  readonly callerTag: string;
  /** What rtpengine calls it: the Call-ID, unless another caller uses the same one. */
  readonly name: string;
  /** The rtpengine node, once an offer was accepted there. */
  node: string | undefined;
  /** Nodes where an offer was refused or got no answer: they may have made the call nevertheless. */
  readonly tried: Set<string>;
  /** The first offer while it is looking for its node: other branches wait for it (one node per call). */
  pinning: Promise<string> | undefined;
  session: MediaSession;
  exchange: Exchange;
  caller: MediaParty;
  /** By via-branch, then also by To tag once one is known. */
  readonly callees: Map<string, MediaParty>;
  /** To tag → via-branch of the branch it answers on. */
  readonly branchOfTag: Map<string, string>;
  /** What the exchange said of a request, for all its branches. */
  readonly commands: WeakMap<SipRequest, Command>;
  /** Rewritten bodies, so that a retransmission leaves as the first one did (law 1). Bounded. */
  readonly rewritten: Map<string, string>;
  /** The answer that rtpengine was told last, and what it made of it; none once an offer came after it. */
  lastAnswer: { readonly callee: string | undefined; readonly answer: string; readonly sdp: string } | undefined;
  /** The offer in the call that rtpengine was given with the ICE of before; with its answer it is given as it is. */
  tentative: string | undefined;
  /** Offers of the caller as we wrote them, and for whom: they come by again in a spiral. Bounded. */
  readonly offered: Map<string, Offered>;
  /** Requests of a spiral on their second way through us, with the branches whose answers are left alone. */
  readonly arranged: WeakMap<SipRequest, Set<string>>;
  /** Under way: what was accepted is given to rtpengine again, and the next offer waits for it. */
  restoring: Promise<void> | undefined;
  /** Of the last INVITE that opened it: its CSeq and its body. */
  cseq: number;
  invited: string | undefined;
  /** INVITEs that create dialogs and are still running. */
  contexts: number;
  /** To tags of answered dialogs. */
  readonly dialogs: Set<string>;
}

/** What was asked of rtpengine for it, and the kind and address family that it is made for. */
export interface Offered {
  readonly command: Extract<Command, { readonly do: 'offer' }>;
  readonly receiver: MediaParty;
}

export function createMediaCall(of: Pick<MediaCall, 'callId' | 'callerTag' | 'name' | 'caller'>): MediaCall {
  return {
    ...of,
    node: undefined,
    tried: new Set(),
    pinning: undefined,
    session: createMediaSession(),
    exchange: createExchange(),
    callees: new Map(),
    branchOfTag: new Map(),
    commands: new WeakMap(),
    rewritten: new Map(),
    lastAnswer: undefined,
    tentative: undefined,
    offered: new Map(),
    arranged: new WeakMap(),
    restoring: undefined,
    cseq: 0,
    invited: undefined,
    contexts: 0,
    dialogs: new Set(),
  };
}

/** A call of before the restart: its SDPs are lost, the rest is in its record. */
export function takeUp(call: MediaCall, { mediaNode, callee }: DialogRecord): void {
  call.node = mediaNode;
  call.callees.set(callee.tag, { kind: callee.media, address: '' });
  call.dialogs.add(callee.tag);
  for (const on of ['offer-sent', 'offer-ok', 'answered'] as const) {
    call.session = stepMediaSession(call.session, { on, branch: callee.tag })[0];
  }
}

/** Who sent this request, or the request that this is a response to. */
export function partyOf(call: MediaCall, message: SipMessage): Party {
  return tagOf(get(message, From)) === call.callerTag ? 'caller' : 'callee';
}

/** `known`: from before. */
export function addressOf({ target: { elsewhere }, flow }: Branch, known: string | undefined): string {
  if (elsewhere === undefined) return flow.remote.address;
  return elsewhere.source?.replace(/:\d+$/, '') ?? known ?? flow.remote.address;
}

/** Whether a callee with this tag has said anything yet. */
export function hasAnswered({ dialogs, branchOfTag }: MediaCall, calleeTag: string): boolean {
  return dialogs.has(calleeTag) || branchOfTag.has(calleeTag);
}

/** Whether its SDPs say that it is on hold. */
export function isHeld(pair: Pair | undefined): boolean {
  const sdps = pair === undefined ? [] : [pair.offer, pair.answer];
  return sdps.some((sdp) => (describeSdp(sdp)?.direction ?? 'sendrecv') !== 'sendrecv');
}

/** Whether another dialog of this branch goes on: several To tags may have answered on one. */
export function hasDialogOn({ dialogs, branchOfTag }: MediaCall, branch: string): boolean {
  return [...dialogs].some((tag) => branchOfTag.get(tag) === branch);
}

export function isFirstOffer({ scope, offerer }: Offered['command']): boolean {
  return scope === 'branch' && offerer === 'caller';
}

const mostRewritten = 32;

export function rememberOffer(call: MediaCall, sdp: string, offered: Offered): void {
  if (call.offered.size < mostRewritten) call.offered.set(sdp, offered);
}

export function rememberRewritten(call: MediaCall, key: string, body: string): void {
  call.rewritten.delete(key);
  const [oldest] = call.rewritten.keys();
  if (call.rewritten.size >= mostRewritten && oldest !== undefined) call.rewritten.delete(oldest);
  call.rewritten.set(key, body);
}
