/**
 * Offer and answer of one call (RFC 3264, 6337, 3262, 3311): which ng command, if any, a message needs before it goes on.
 *
 * The command follows from the state of the exchange, not from the method. One `Exchange` per call holds a state for
 * every To tag that answers; each starts as the INVITE left it. `stepExchange` decides, the engine performs.
 * Left out: profiles (profiles.ts), tags on the wire (ng-keys.ts makes them), and everything that waits.
 */

export type Party = 'caller' | 'callee';

/** A message on its way through us; `tag` is the callee's, absent while it has none. */
export type ExchangeEvent = {
  readonly method: string;
  /** Its sender, by the roles of the first INVITE. */
  readonly from: Party;
  readonly tag?: string | undefined;
  /** Its body, when that is SDP. */
  readonly sdp?: string | undefined;
} & ({ readonly on: 'request' } | { readonly on: 'response'; readonly status: number; readonly reliable?: boolean });

/** An offer and its answer, as their authors wrote them. */
export interface Pair {
  readonly offerer: Party;
  readonly offer: string;
  readonly answer: string;
  readonly carrier: Carrier;
  readonly scope: Scope;
}

export type Carrier = 'INVITE' | 'UPDATE' | 'PRACK';

/** `branch`: rtpengine finds the far side by via-branch (first INVITE); `dialog`: by its tag. */
export type Scope = 'branch' | 'dialog';

export type Command =
  /** Nothing to do; the message goes on as it is. */
  | { readonly do: 'none' }
  /** Its SDP counts for nothing (RFC 6337 §2.2) and would bypass rtpengine: it goes on without a body. */
  | { readonly do: 'drop-body' }
  /**
   * The request is answered by us with this status, for it would break an exchange in progress. A response (one To tag
   * too many) is not forwarded; if it is a 2xx its call is ended (law 1).
   */
  | { readonly do: 'refused'; readonly status: 491 | 500; readonly why: string }
  | { readonly do: 'offer'; readonly offerer: Party; readonly scope: Scope; readonly offer: string }
  /** `renew`: the offer first, result thrown away. */
  | ({ readonly do: 'answer' | 'preview-answer'; readonly renew: boolean; readonly body: Body } & Pair)
  /** The exchange failed and rtpengine has no rollback: the last accepted offer and answer again, results unused. */
  | ({ readonly do: 'restore' } & Pair);

/** What becomes of the SDP of the message: the result takes its place, or stands where there was none, or is not needed. */
export type Body = 'replace' | 'add' | 'keep';

interface Pending {
  readonly offerer: Party;
  readonly offer: string;
  readonly carrier: Carrier;
  readonly scope: Scope;
  /** It came in a response, so ACK or PRACK has the answer. */
  readonly late: boolean;
  /** From an unreliable 18x: becomes the answer when the 2xx has none. */
  readonly preview?: string;
}

interface Invite {
  readonly by: Party;
  readonly first: boolean;
  readonly hadOffer: boolean;
  /** What was accepted before it, and holds again if it fails (RFC 6141 §3.4). */
  readonly base: Pair | undefined;
}

interface Dialog {
  /** The INVITE in progress, or the last one. */
  readonly invite?: Invite;
  readonly pending?: Pending | undefined;
  readonly accepted?: Pair | undefined;
}

export interface Exchange {
  readonly initial: Dialog;
  readonly dialogs: ReadonlyMap<string, Dialog>;
  /** What rtpengine was told last, by which a displaced answer is seen. */
  readonly last: (Pick<Pair, 'offerer' | 'offer'> & { readonly tag?: string; readonly answer?: string }) | undefined;
}

/** To tags of one call; each costs rtpengine and us memory, and a callee could invent them without end. */
const maxDialogs = 32;

const none: Command = { do: 'none' };
const dropBody: Command = { do: 'drop-body' };

export function createExchange(): Exchange {
  return { initial: {}, dialogs: new Map(), last: undefined };
}

/** The last accepted pair of a dialog. */
export function acceptedPair(exchange: Exchange, tag: string): Pair | undefined {
  return exchange.dialogs.get(tag)?.accepted;
}

/** Another callee has displaced this one in rtpengine: what was accepted again. An exchange in progress is given anew later. */
export function reconnected(exchange: Exchange, tag: string): readonly [Exchange, Command] {
  const [, command] = rollback({}, acceptedPair(exchange, tag));
  return [remember(exchange, tag, command), command];
}

/** Whether rtpengine was told of an SDP of this callee. */
export function hasSdp(exchange: Exchange, tag: string): boolean {
  const { accepted, pending } = exchange.dialogs.get(tag) ?? {};
  return accepted !== undefined || pending?.preview !== undefined || pending?.late === true;
}

/** All branches of its INVITE are over: other early dialogs are forgotten; its offer is not (RFC 6026 §7.3: more 2xx). */
export function confirmed(exchange: Exchange, tags: ReadonlySet<string>): Exchange {
  const dialogs = [...tags].map((tag) => [tag, exchange.dialogs.get(tag) ?? exchange.initial] as const);
  return { ...exchange, dialogs: new Map(dialogs) };
}

/** The caller has begun its first INVITE again: what it offered before has had its answer. */
export function askedAnew(exchange: Exchange): Exchange {
  return { ...exchange, initial: {} };
}

export function stepExchange(exchange: Exchange, event: ExchangeEvent): readonly [Exchange, Command] {
  const { tag } = event;
  if (tag === undefined) return stepInitial(exchange, event);
  const before = exchange.dialogs.get(tag) ?? exchange.initial;
  if (firstInviteFailed(before, event)) return [withoutDialog(exchange, tag), none];
  const [dialog, wish] = stepDialog(before, event);
  if (dialog === before && wish.do === 'none') return [exchange, none];
  const full = exchange.dialogs.size >= maxDialogs && !exchange.dialogs.has(tag);
  if (full) return [exchange, refused(500, 'too many To tags')];
  const command = renewed(exchange, tag, wish);
  return [remember({ ...exchange, dialogs: new Map(exchange.dialogs).set(tag, dialog) }, tag, command), command];
}

/** Its early dialog is over (RFC 3261 §12.3), and nothing was accepted that could be restored. */
function firstInviteFailed(dialog: Dialog, event: ExchangeEvent): boolean {
  return event.on === 'response' && event.method === 'INVITE' && event.status >= 300 && dialog.invite?.first === true;
}

function withoutDialog(exchange: Exchange, tag: string): Exchange {
  const dialogs = new Map(exchange.dialogs);
  return dialogs.delete(tag) ? { ...exchange, dialogs } : exchange;
}

/** Without a To tag there are only the first INVITE and its 100 and failures, which carry no answer. */
function stepInitial(exchange: Exchange, event: ExchangeEvent): readonly [Exchange, Command] {
  if (event.on === 'response') return [exchange, event.sdp === undefined || event.status >= 300 ? none : dropBody];
  if (event.method !== 'INVITE') return [exchange, none];
  const { pending } = exchange.initial;
  // RFC 3261 §16.6: a proxy before us forked it, and this is its other copy: a branch more of the same offer.
  const copy = pending !== undefined && pending.offer === event.sdp;
  const [initial, command] = copy ? offer(exchange.initial, pending) : stepDialog(exchange.initial, event);
  return [remember({ ...exchange, initial }, undefined, command), command];
}

function stepDialog(dialog: Dialog, event: ExchangeEvent): readonly [Dialog, Command] {
  if (event.on === 'request') return onRequest(dialog, event);
  if (!isCarrier(event.method)) return [dialog, none];
  if (event.status >= 300) return onFailure(dialog, event.method, event.from);
  return event.method === 'INVITE' ? onInviteResponse(dialog, event) : onOtherResponse(dialog, event);
}

// --- requests --------------------------------------------------------------------------------------------------------

function onRequest(dialog: Dialog, event: ExchangeEvent): readonly [Dialog, Command] {
  const { method, sdp, from } = event;
  if (method === 'ACK') return onAck(dialog, event);
  if (!isCarrier(method)) return [dialog, none];
  const { pending } = dialog;
  // RFC 3262 §5: an offer in a reliable 18x is answered in its PRACK.
  if (method === 'PRACK' && sdp !== undefined && pending?.late && pending.offerer !== from)
    return answer(dialog, pending, sdp);
  if (sdp === undefined) return [method === 'INVITE' ? inviteStarts(dialog, event) : dialog, none];
  if (pending !== undefined && !overdue(pending, from)) return [dialog, conflict(pending, from)];
  const next = method === 'INVITE' ? inviteStarts(dialog, event) : dialog;
  return offer(next, { offerer: from, offer: sdp, carrier: method, scope: scopeOf(next, method), late: false });
}

function onAck(dialog: Dialog, { sdp, from }: ExchangeEvent): readonly [Dialog, Command] {
  const { pending } = dialog;
  if (pending?.late !== true || pending.offerer === from) return [dialog, sdp === undefined ? none : dropBody];
  if (sdp !== undefined) return answer(dialog, pending, sdp);
  return rollback({ ...dialog, pending: undefined }, dialog.accepted);
}

function inviteStarts(dialog: Dialog, { from, sdp, tag }: ExchangeEvent): Dialog {
  const invite = { by: from, first: tag === undefined, hadOffer: sdp !== undefined, base: dialog.accepted };
  return { ...dialog, invite, pending: undefined };
}

/** Its author owes the answer in an ACK that got lost: a new request of his shows that he has gone on. */
function overdue(pending: Pending, from: Party): boolean {
  return pending.late && pending.offerer !== from;
}

/** RFC 3311 §5.2, RFC 3261 §14.2: 491 to the one whose peer has an offer out, 500 to one who has an offer out himself. */
function conflict(pending: Pending, from: Party): Command {
  return pending.offerer === from
    ? refused(500, 'its own offer is unanswered')
    : refused(491, 'both sides offer at once');
}

// --- responses -------------------------------------------------------------------------------------------------------

type ResponseEvent = Extract<ExchangeEvent, { readonly on: 'response' }>;

function onInviteResponse(dialog: Dialog, event: ResponseEvent): readonly [Dialog, Command] {
  const { invite } = dialog;
  if (invite === undefined || invite.by === event.from) return [dialog, event.sdp === undefined ? none : dropBody];
  if (event.sdp === undefined) return event.status < 200 ? [dialog, none] : onBare2xx(dialog, invite);
  return invite.hadOffer
    ? onAnswerInResponse(dialog, event, event.sdp)
    : onOfferInResponse(dialog, invite, event, event.sdp);
}

function onAnswerInResponse(dialog: Dialog, event: ResponseEvent, sdp: string): readonly [Dialog, Command] {
  const { pending, accepted } = dialog;
  if (pending !== undefined && answersInvite(pending, event)) {
    const final = event.status >= 200 || event.reliable === true;
    return final ? answer(dialog, pending, sdp) : preview(dialog, pending, sdp);
  }
  // Repeated, or changed in the 2xx as some gateways do: the callee's last word is where its media is.
  const again = pending === undefined && accepted?.carrier === 'INVITE' && accepted.offerer !== event.from;
  return again ? answer(dialog, accepted, sdp) : [dialog, dropBody];
}

function onOfferInResponse(
  dialog: Dialog,
  invite: Invite,
  event: ResponseEvent,
  sdp: string,
): readonly [Dialog, Command] {
  const { pending, accepted } = dialog;
  // RFC 3261 §13.2.1: only a reliable response may make the offer.
  const reliable = event.status >= 200 || event.reliable === true;
  const unasked = pending === undefined && accepted === invite.base;
  const repeated = pending?.late === true && pending.offer === sdp;
  if (!reliable || !(unasked || repeated)) return [dialog, dropBody];
  const scope = invite.first ? 'branch' : 'dialog';
  return offer(dialog, { offerer: event.from, offer: sdp, carrier: 'INVITE', scope, late: true });
}

/** A 2xx to INVITE without SDP: the answer came before it, in a reliable 18x or as a preview, or never comes. */
function onBare2xx(dialog: Dialog, invite: Invite): readonly [Dialog, Command] {
  const { pending, accepted } = dialog;
  const open = pending?.carrier === 'INVITE' && !pending.late ? pending : undefined;
  // RFC 3261 §13.2.1: it stands in the 2xx as well. Some gateways leave it out there, and JsSIP and SIP.js then hang up.
  if (open?.preview !== undefined) return answer(dialog, open, open.preview, 'add');
  if (open !== undefined) return rollback({ ...dialog, pending: undefined }, invite.base);
  // The winner's answer again: another To tag may have displaced it in rtpengine.
  const replay = invite.first && pending === undefined && accepted !== undefined;
  return replay ? [dialog, { do: 'answer', renew: false, body: 'keep', ...accepted }] : [dialog, none];
}

function onOtherResponse(dialog: Dialog, event: ResponseEvent): readonly [Dialog, Command] {
  const { pending } = dialog;
  if (pending === undefined || !answersRequest(pending, event))
    return [dialog, event.sdp === undefined ? none : dropBody];
  if (event.status < 200) return [dialog, event.sdp === undefined ? none : dropBody];
  if (event.sdp !== undefined) return answer(dialog, pending, event.sdp);
  return rollback({ ...dialog, pending: undefined }, dialog.accepted);
}

/** RFC 6337 §3.4: after a refusal the session is what it was before the request, for INVITE with all that was in it. */
function onFailure(dialog: Dialog, method: Carrier, from: Party): readonly [Dialog, Command] {
  const { pending, accepted, invite } = dialog;
  if (method === 'INVITE' && invite !== undefined && invite.by !== from) {
    const touched = pending !== undefined || accepted !== invite.base;
    return touched ? rollback({ ...dialog, pending: undefined, accepted: invite.base }, invite.base) : [dialog, none];
  }
  if (pending === undefined || pending.carrier !== method || pending.offerer === from) return [dialog, none];
  return rollback({ ...dialog, pending: undefined }, accepted);
}

// --- outcomes --------------------------------------------------------------------------------------------------------

function offer(dialog: Dialog, pending: Pending): readonly [Dialog, Command] {
  return [
    { ...dialog, pending },
    { do: 'offer', offerer: pending.offerer, scope: pending.scope, offer: pending.offer },
  ];
}

function answer(dialog: Dialog, to: Pending | Pair, sdp: string, body: Body = 'replace'): readonly [Dialog, Command] {
  const accepted = pairOf(to, sdp);
  return [
    { ...dialog, pending: undefined, accepted },
    { do: 'answer', renew: false, body, ...accepted },
  ];
}

function preview(dialog: Dialog, pending: Pending, sdp: string): readonly [Dialog, Command] {
  const command: Command = { do: 'preview-answer', renew: false, body: 'replace', ...pairOf(pending, sdp) };
  return [{ ...dialog, pending: { ...pending, preview: sdp } }, command];
}

function rollback(dialog: Dialog, to: Pair | undefined): readonly [Dialog, Command] {
  return [dialog, to === undefined ? none : { do: 'restore', ...to, scope: 'dialog' }];
}

function refused(status: 491 | 500, why: string): Command {
  return { do: 'refused', status, why };
}

function pairOf({ offerer, offer, carrier, scope }: Pending | Pair, answer: string): Pair {
  return { offerer, offer, answer, carrier, scope };
}

function answersInvite(pending: Pending, event: ResponseEvent): boolean {
  return pending.carrier === 'INVITE' && !pending.late && pending.offerer !== event.from;
}

function answersRequest(pending: Pending, event: ResponseEvent): boolean {
  return pending.carrier === event.method && pending.offerer !== event.from;
}

function scopeOf(dialog: Dialog, carrier: Carrier): Scope {
  return carrier === 'INVITE' && dialog.invite?.first === true ? 'branch' : 'dialog';
}

function isCarrier(method: string): method is Carrier {
  return method === 'INVITE' || method === 'UPDATE' || method === 'PRACK';
}

// --- what rtpengine was told last ------------------------------------------------------------------------------------

/**
 * rtpengine narrows the caller's codecs to those of the answer before: a second, different answer (of another branch,
 * of another To tag, or the 200 after an early-media 183) would come back with codecs that its author never named.
 * Giving the offer again undoes that, and changes no port.
 */
function renewed(exchange: Exchange, tag: string, command: Command): Command {
  if (command.do !== 'answer' && command.do !== 'preview-answer') return command;
  const { last } = exchange;
  const sameOffer = last?.offer === command.offer && last.offerer === command.offerer;
  const sameAnswer = last?.answer === undefined || (last.answer === command.answer && last.tag === tag);
  return { ...command, renew: !(sameOffer && sameAnswer) };
}

function remember(exchange: Exchange, tag: string | undefined, command: Command): Exchange {
  if (command.do === 'none' || command.do === 'drop-body' || command.do === 'refused') return exchange;
  const { offerer, offer } = command;
  if (command.do === 'offer' || tag === undefined) return { ...exchange, last: { offerer, offer } };
  return { ...exchange, last: { offerer, offer, tag, answer: command.answer } };
}
