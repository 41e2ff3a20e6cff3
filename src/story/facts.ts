/**
 * What can be known of a call from its story: the facts that verdicts judge and the explanation shows.
 *
 * A leg is one party with all that it said and was told of media. Left out: judgement (verdicts.ts).
 */
import type { ErrorCode } from '../errors.ts';
import { get } from '../message/header.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { To, tagOf } from '../message/headers/from-to.ts';
import { UserAgent, Warning } from '../message/headers/text.ts';
import type { SipMessage, SipResponse } from '../message/message.ts';
import type { MediaKind, NgCommand } from '../ports.ts';
import { describeSdp, isSdp } from '../sdp/describe.ts';
import { type NgEvent, type RoutedEvent, saysGone } from './events.ts';
import { type Exchange, exchangesOf, partyOfBranch } from './exchanges.ts';
import type { LegState } from './media-state.ts';
import { type Party, type Passage, type Passages, readPassages } from './passages.ts';
import { type SdpFacts, sdpFacts } from './sdp-changes.ts';
import type { Story } from './story.ts';

export interface Leg {
  readonly party: Party;
  readonly userAgent: string;
  /** What rtpengine was told that this party speaks, and why. */
  readonly profile: MediaKind | undefined;
  readonly why: string;
  /** The last SDP it sent, and the last one it was sent. */
  readonly sdpFrom: string | undefined;
  readonly sdpTo: string | undefined;
  readonly from: SdpFacts | undefined;
  readonly to: SdpFacts | undefined;
  readonly media: LegState | undefined;
}

export interface BranchEnd {
  readonly party: Party | undefined;
  readonly code: ErrorCode;
  readonly detail: string;
  /** Any response came. */
  readonly heard: boolean;
  /** Of the INVITE that went there. */
  readonly bytes: number;
}

export interface Final {
  readonly party: Party;
  readonly status: number;
  readonly reason: string;
  readonly warning: string;
}

export interface Facts {
  readonly story: Story;
  readonly nowMs: number;
  readonly passages: Passages;
  readonly exchanges: readonly Exchange[];
  readonly caller: Leg | undefined;
  readonly callees: readonly Leg[];
  /** The callee that answered. */
  readonly answerer: Leg | undefined;
  /** Final responses of callees to the INVITE, and to a later one. */
  readonly finals: readonly Final[];
  readonly refusedChanges: readonly Final[];
  readonly branchEnds: readonly BranchEnd[];
  /** Refused commands that matter: not queries. */
  readonly ngFailure: NgEvent | undefined;
  /** rtpengine did not know the call any more when it was asked or deleted. */
  readonly mediaGone: boolean;
  /** A question for statistics got no answer. */
  readonly statisticsLost: boolean;
  readonly rang: boolean;
  readonly timerC: boolean;
  /** 401 and 407 to the caller's INVITEs. */
  readonly challenges: number;
  /** The 200 to the caller, and whether his ACK came. */
  readonly okTimes: number;
  readonly acknowledged: boolean;
  /** Who was sent a BYE and did not answer it, or does not know the call (481). */
  readonly deafToBye: Party | undefined;
  readonly talkedSeconds: number;
}

export function factsOf(story: Story, nowMs: number): Facts {
  const passages = readPassages(story);
  const { events } = story;
  const exchanges = exchangesOf(events, passages);
  const said = passages.parties.map((party) => legOf(party, story, passages, exchanges));
  const legs = said.map((leg) => ({ ...leg, media: withoutHeld(leg, said) }));
  const commands = events.filter((event): event is NgEvent => event.kind === 'ng');
  const responses = passages.passages.filter(({ message }) => message.kind === 'response');
  const toInvite = finalsOf(responses.filter(({ event }) => event.direction === 'in'));
  const upstream = responses.filter(({ event, party }) => event.direction === 'out' && party.role === 'caller');
  const ok = upstream.find((passage) => statusOf(passage) === 200 && methodOf(passage) === 'INVITE');
  const callees = legs.filter(({ party }) => party.role === 'callee');
  const endMs = story.endedAtMs ?? nowMs;
  return {
    story,
    nowMs,
    passages,
    exchanges,
    caller: legs.find(({ party }) => party.role === 'caller'),
    callees,
    answerer: callees.find(({ party }) => toInvite.some((final) => final.party === party && final.status < 300)),
    finals: toInvite.filter(({ first }) => first),
    refusedChanges: toInvite.filter(({ first, status }) => !first && status >= 300 && status !== 401 && status !== 407),
    branchEnds: branchEnds(story, passages),
    ngFailure: commands.findLast(({ failure, command }) => failure !== undefined && isExchange(command.command)),
    mediaGone: story.answeredAtMs !== undefined && commands.some(saysGone),
    statisticsLost: commands.some(
      ({ command, failure }) => command.command === 'query' && failure?.code === 'media-timeout',
    ),
    rang: responses.some((passage) => passage.event.direction === 'in' && isRinging(statusOf(passage))),
    timerC: events.some(({ kind }) => kind === 'timer'),
    challenges: upstream.filter((passage) => isChallenge(statusOf(passage)) && methodOf(passage) === 'INVITE').length,
    okTimes: ok?.times ?? 0,
    acknowledged: passages.passages.some(isAckOfCaller),
    deafToBye: deafToBye(passages, nowMs),
    talkedSeconds: story.answeredAtMs === undefined ? 0 : Math.floor((endMs - story.answeredAtMs) / 1000),
  };
}

/** An answer that takes longer than this is none (RFC 3261 §17.1.2.2 repeats the BYE by then). */
const byeMs = 5_000;

function deafToBye({ passages }: Passages, nowMs: number): Party | undefined {
  const byes = passages.filter(({ message, event }) => event.direction === 'out' && isBye(message));
  return byes.find(({ party, event }) => {
    const answer = passages.find((one) => one.party === party && one.event.direction === 'in' && isAnswerToBye(one));
    return answer === undefined ? nowMs - event.atMs > byeMs : statusOf(answer) === 481 || statusOf(answer) === 408;
  })?.party;
}

const isBye = (message: SipMessage): boolean => message.kind === 'request' && message.method === 'BYE';
const isAnswerToBye = (passage: Passage): boolean => statusOf(passage) >= 200 && methodOf(passage) === 'BYE';

const statusOf = ({ message }: Passage): number => (message.kind === 'response' ? message.status : 0);
const methodOf = ({ message }: Passage): string => get(message, CSeq)?.method ?? '';
const isChallenge = (status: number): boolean => status === 401 || status === 407;
const isRinging = (status: number): boolean => status > 100 && status < 200;
const isExchange = (command: string): boolean => command === 'offer' || command === 'answer';

function isAckOfCaller({ message, event, party }: Passage): boolean {
  return (
    message.kind === 'request' &&
    message.method === 'ACK' &&
    event.direction === 'in' &&
    party.role === 'caller' &&
    tagOf(get(message, To)) !== undefined
  );
}

/** Final responses to INVITE of whoever is called; `first`: to the one that opened the call. */
function finalsOf(responses: readonly Passage[]): readonly (Final & { readonly first: boolean })[] {
  const numbers = responses.map(({ message }) => get(message, CSeq)?.number ?? 0);
  const first = new Set<Party>();
  return responses.flatMap((passage, index) => {
    const { message, party } = passage;
    if (message.kind !== 'response' || message.status < 200 || methodOf(passage) !== 'INVITE') return [];
    const isFirst = party.role === 'callee' && (!first.has(party) || numbers[index] === numbers[0]);
    first.add(party);
    return [{ party, first: isFirst, ...finalOf(message) }];
  });
}

function finalOf(message: SipResponse): Omit<Final, 'party'> {
  return { status: message.status, reason: message.reason, warning: get(message, Warning) ?? '' };
}

function branchEnds(story: Story, { passages }: Passages): readonly BranchEnd[] {
  return story.events.flatMap((event) => {
    if (event.kind !== 'branch-failed') return [];
    const invite = passages.find(
      ({ message, event: { direction } }) =>
        message.kind === 'request' && direction === 'out' && message.uri === event.uri,
    );
    const party = invite?.party;
    const heard = passages.some((one) => one.party === party && one.event.direction === 'in');
    return [{ party, code: event.code, detail: event.detail, heard, bytes: invite?.event.text.length ?? 0 }];
  });
}

// --- legs ------------------------------------------------------------------------------------------------------------

function legOf(party: Party, story: Story, passages: Passages, exchanges: readonly Exchange[]): Leg {
  const isOf = ({ by, callee }: Exchange): boolean => by === party.role && (by === 'caller' || callee === party);
  const isTo = ({ by, callee }: Exchange): boolean =>
    by !== party.role && (party.role === 'caller' || callee === party);
  // A call that ended before rtpengine was asked has its offer all the same.
  const sdpFrom = exchanges.findLast(isOf)?.before ?? saidBy(party, passages);
  const sdpTo = exchanges.findLast(isTo)?.after;
  return {
    party,
    userAgent: userAgentOf(party, passages),
    ...profileOf(party, story, exchanges.filter(isTo), sdpFrom),
    sdpFrom,
    sdpTo,
    from: sdpFrom === undefined ? undefined : sdpFacts(sdpFrom),
    to: sdpTo === undefined ? undefined : sdpFacts(sdpTo),
    media: withoutDeclined(
      story.media?.legs.find((leg) => partyOf(leg, passages) === party),
      sdpFrom,
    ),
  };
}

/** rtpengine says SDES also of who was offered it and took plain RTP (RFC 8643). */
function withoutDeclined(leg: LegState | undefined, sdp: string | undefined): LegState | undefined {
  const isPlain = leg?.srtp === 'SDES' && sdp !== undefined && describeSdp(sdp)?.kind === 'rtp';
  return isPlain ? { ...leg, srtp: 'off' } : leg;
}

/**
 * A side may be silent while it, or the other one, is on hold by what was said last, whatever rtpengine makes of it: a
 * telephone that answers sendonly with sendrecv (against RFC 3264 §6.1) leaves both sides sending there.
 */
function withoutHeld({ media, party, from }: Leg, legs: readonly Leg[]): LegState | undefined {
  const others = legs.filter((one) => one.party.role !== party.role && one.media !== undefined);
  const isHeld = from?.sends === false || others.some((one) => one.from?.receives === false);
  return media !== undefined && isHeld ? { ...media, sends: false } : media;
}

function saidBy(party: Party, { passages }: Passages): string | undefined {
  const own = passages.findLast(
    ({ message, event, party: of }) => of === party && event.direction === 'in' && isSdp(message),
  );
  return own?.message.body;
}

function partyOf({ tag, viaBranch }: LegState, passages: Passages): Party | undefined {
  if (tag === passages.callerTag) return passages.parties[0];
  return passages.byTag.get(tag) ?? partyOfBranch(viaBranch, passages.byBranch);
}

function userAgentOf(party: Party, { passages }: Passages): string {
  for (const { message, event, party: of } of passages) {
    const agent = of === party && event.direction === 'in' ? get(message, UserAgent) : undefined;
    if (agent !== undefined) return agent;
  }
  return '';
}

const kinds: Readonly<Record<string, MediaKind>> = {
  'UDP/TLS/RTP/SAVPF': 'webrtc',
  'RTP/AVP': 'rtp',
  'RTP/SAVP': 'sdes',
};

const bySdp: Readonly<Record<MediaKind, string>> = {
  webrtc: 'its SDP has a DTLS fingerprint and ICE',
  rtp: 'its SDP is plain RTP',
  sdes: 'its SDP is SRTP with SDES keys (a=crypto)',
  osrtp: 'its SDP is plain RTP with SDES keys beside it (OSRTP)',
};

function profileOf(
  party: Party,
  story: Story,
  told: readonly Exchange[],
  sdpFrom: string | undefined,
): Pick<Leg, 'profile' | 'why'> {
  const offer = told.map(({ event }) => event.command).findLast((command) => command.command === 'offer');
  const offered = offer === undefined ? undefined : kindOffered(offer);
  const own = sdpFrom === undefined ? undefined : describeSdp(sdpFrom)?.kind;
  // Offered either, it has chosen.
  const hasChosen = offered === 'osrtp' && own !== undefined;
  if (party.role === 'caller' || offered === undefined || hasChosen) {
    return own === undefined
      ? { profile: undefined, why: 'rtpengine was given no SDP of it' }
      : { profile: own, why: bySdp[own] };
  }
  const registered = story.events.some((event) => event.kind === 'routed' && knows(event, offered));
  if (registered) return { profile: offered, why: 'its registration says so' };
  return { profile: offered, why: byTransport[party.transport] ?? 'nothing else is known of it' };
}

const byTransport: Readonly<Record<string, string>> = {
  ws: 'it is connected over ws, as browsers are',
  wss: 'it is connected over wss, as browsers are',
  tls: 'nothing else is known of it, and what is reached over tls may encrypt',
};

function kindOffered(command: NgCommand): MediaKind | undefined {
  if (command.command !== 'offer') return undefined;
  return command.OSRTP === undefined ? kinds[command['transport-protocol'] ?? ''] : 'osrtp';
}

function knows({ targets }: RoutedEvent, kind: MediaKind): boolean {
  return targets.some(({ media }) => media === kind);
}

/** RFC 1918, 6598, 3927, 4193: not to be reached from elsewhere. */
export function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd]|fe80)/i.test(
    address,
  );
}

export function hostOf({ address }: Party): string {
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
