/**
 * The dialog record of a call (DESIGN §5; RFC 3261 §12) as pure functions: made at the 2xx, kept up to date by what
 * passes, moved when a client reconnects, and enough for a BYE of ours to either side.
 *
 * A side is a party of the call: what stands in `callee` is the callee's own, its route set is the way to it from us.
 * Left out: storing it (`ports.ts` DialogStore), and the way of a request without a record (token.ts).
 */
import { createRequest, type Field } from '../message/build.ts';
import { all, get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { Contact } from '../message/headers/contact.ts';
import { CSeq } from '../message/headers/cseq.ts';
import { From, To, tagOf } from '../message/headers/from-to.ts';
import { RecordRoute } from '../message/headers/route.ts';
import type { Via } from '../message/headers/via.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { hasParam } from '../message/params.ts';
import { parseUri } from '../message/uri.ts';
import type { DialogRecord, DialogSide, Flow } from '../ports.ts';

export type SideName = 'caller' | 'callee';

/** What the engine knows of a side beyond the messages. */
export type KnownSide = Pick<DialogSide, 'flowId' | 'node' | 'binding' | 'media' | 'listener'>;

export interface KnownCall {
  readonly caller: KnownSide;
  readonly callee: KnownSide;
  readonly token: string;
  /** Whether a Record-Route URI of the 2xx is the one we wrote into this INVITE. */
  readonly isOurs: (recordRouteUri: string) => boolean;
  readonly mediaNode: string | undefined;
  readonly mediaName: string | undefined;
  readonly node: string;
  readonly nowMs: number;
}

/** `invite` as it came from upstream, `response` (2xx) as it came from the callee; `undefined` if either lacks a header. */
export function recordFromCall(invite: SipRequest, response: SipResponse, known: KnownCall): DialogRecord | undefined {
  const callId = get(invite, CallId);
  const cseq = get(invite, CSeq);
  const from = get(invite, From);
  const to = get(response, To);
  if (callId === undefined || cseq === undefined || from === undefined || to === undefined) return undefined;
  const caller: DialogSide = {
    ...known.caller,
    uri: from.uri,
    tag: tagOf(from) ?? '',
    remoteTarget: contactOf(invite) ?? from.uri,
    routeSet: recordRoutes(invite),
    cseq: cseq.number,
  };
  const callee: DialogSide = {
    ...known.callee,
    uri: to.uri,
    tag: tagOf(to) ?? '',
    remoteTarget: contactOf(response) ?? invite.uri,
    routeSet: beyondUs(recordRoutes(response), known.isOurs),
    cseq: 0,
  };
  const { token, mediaNode, mediaName, node, nowMs } = known;
  return { callId, token, caller, callee, mediaNode, mediaName, answeredAtMs: nowMs, node };
}

/** Whose tag this is; `undefined` when it is neither's. */
export function sideOf(record: DialogRecord, tag: string | undefined): SideName | undefined {
  if (tag === undefined) return undefined;
  if (record.caller.tag === tag) return 'caller';
  return record.callee.tag === tag ? 'callee' : undefined;
}

export function otherSide(side: SideName): SideName {
  return side === 'caller' ? 'callee' : 'caller';
}

/** A request of the dialog passed: the same record when it changed nothing. */
export function noteRequest(record: DialogRecord, request: SipRequest): DialogRecord {
  const side = sideOf(record, tagOf(get(request, From)));
  if (side === undefined) return record;
  const cseq = Math.max(record[side].cseq, get(request, CSeq)?.number ?? 0);
  // RFC 3261 §12.2, RFC 6665 §3.1: some methods refresh the target. Deviates: already on the request, not on its 2xx; a client
  // that moved is reached at its new place also when the other side refuses the new offer.
  const remoteTarget = refreshedTarget(record[side], request, request.method);
  return withSide(record, side, { cseq, remoteTarget });
}

/** A response of the dialog passed: the 2xx to a target refresh brings the answering side's Contact (RFC 3261 §12.2.1.2). */
export function noteResponse(record: DialogRecord, response: SipResponse): DialogRecord {
  const side = sideOf(record, tagOf(get(response, To)));
  // The request may have gone from callee to caller: then the To tag is the caller's, and so is the Contact.
  if (side === undefined || response.status < 200 || response.status > 299) return record;
  const method = get(response, CSeq)?.method ?? '';
  return withSide(record, side, { remoteTarget: refreshedTarget(record[side], response, method) });
}

/** Where a device is: its flow, with its listener, or the node of ours that has it. */
export interface FlowPlace {
  readonly flowId: Flow['id'] | undefined;
  readonly listener?: number | undefined;
  readonly node?: string | undefined;
}

/** A call one of whose sides is elsewhere now. */
export interface Move {
  readonly before: DialogRecord;
  readonly now: DialogRecord;
}

/** The client registered again with the same binding key: its sides of the dialog follow it (DESIGN §5). */
export function moveFlow(
  record: DialogRecord,
  binding: NonNullable<DialogSide['binding']>,
  { flowId, listener, node }: FlowPlace,
): DialogRecord {
  const move = (moved: DialogRecord, side: SideName): DialogRecord => {
    const own = record[side].binding;
    if (own?.aor !== binding.aor || own.key !== binding.key) return moved;
    return noteFlow(moved, side, flowId, listener, node);
  };
  return move(move(record, 'caller'), 'callee');
}

/** One side is known to be reached by another flow now; `node`: another node has it. */
export function noteFlow(
  record: DialogRecord,
  side: SideName,
  newFlowId: Flow['id'] | undefined,
  listener = record[side].listener,
  node?: string,
): DialogRecord {
  return withSide(record, side, { flowId: newFlowId, listener, node });
}

/** The call of another node as one of this node. Connections of that node stay its own, should it be there after all. */
export function adoptedBy(record: DialogRecord, node: string): DialogRecord {
  const { node: before, caller, callee } = record;
  return { ...record, node, caller: keptBy(before, caller), callee: keptBy(before, callee) };
}

/** UDP needs no node. */
function keptBy(node: string, side: DialogSide): DialogSide {
  return side.node !== undefined || side.flowId?.startsWith('c') !== true ? side : { ...side, node };
}

/** Whether a side is reached elsewhere than before. */
export function hasMoved(old: DialogRecord, now: DialogRecord): boolean {
  const isOther = (a: DialogSide, b: DialogSide): boolean =>
    a.flowId !== b.flowId || a.node !== b.node || a.remoteTarget !== b.remoteTarget;
  return isOther(old.caller, now.caller) || isOther(old.callee, now.callee);
}

export interface OwnRequest {
  /** Our Via, with a new branch. */
  readonly via: Via;
  /** The way to the flow of this side, where another node of ours has it. */
  readonly route?: readonly string[];
  /** Further headers, such as `['Reason', 'SIP;cause=…']`. */
  readonly headers?: readonly Field[];
}

/**
 * A BYE of ours to one side, in the name of the other: CSeq above what that one has sent. Its Route is the way beyond us,
 * so the next hop is the first Route, else the side's flow, else the Request-URI. Send it once, then drop the record:
 * later requests of that side get 481.
 */
export function byeFor(record: DialogRecord, towards: SideName, options: OwnRequest): SipRequest {
  return within(record, towards, { ...options, method: 'BYE', cseq: record[otherSide(towards)].cseq + 1 });
}

/**
 * Whether this side still knows the dialog: 481 says that it does not. An INFO without a body says nothing else (RFC 2976
 * §2.2); OPTIONS are answered by JsSIP whatever their tags. In the name of the other side, with the CSeq that it had last:
 * the next number belongs to its next request, and RFC 3261 §12.2.2 refuses lower ones only.
 */
export function infoFor(record: DialogRecord, towards: SideName, options: OwnRequest): SipRequest {
  return within(record, towards, { ...options, method: 'INFO', cseq: record[otherSide(towards)].cseq });
}

function within(
  record: DialogRecord,
  towards: SideName,
  options: OwnRequest & { readonly method: string; readonly cseq: number },
): SipRequest {
  const receiver = record[towards];
  const { uri, route } = routed(receiver);
  return createRequest({
    method: options.method,
    uri,
    via: options.via,
    route: [...(options.route ?? []), ...route],
    from: address(record[otherSide(towards)]),
    to: address(receiver),
    callId: record.callId,
    cseq: options.cseq,
    headers: options.headers ?? [],
  });
}

// RFC 3261 §12.2.1.1: a first route without `lr` is a strict router: it takes the Request-URI, the target comes last.
function routed(side: DialogSide): { readonly uri: string; readonly route: readonly string[] } {
  const [first, ...rest] = side.routeSet;
  if (first === undefined || isLoose(first)) return { uri: side.remoteTarget, route: side.routeSet };
  return { uri: first, route: [...rest, side.remoteTarget] };
}

function isLoose(route: string): boolean {
  const uri = parseUri(route);
  return uri === undefined || hasParam(uri.params, 'lr');
}

function address(side: DialogSide): {
  display: undefined;
  uri: string;
  params: readonly (readonly [string, string])[];
} {
  return { display: undefined, uri: side.uri, params: side.tag === '' ? [] : [['tag', side.tag]] };
}

const refreshesTarget: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

function refreshedTarget(side: DialogSide, message: SipMessage, method: string): string {
  return (refreshesTarget.has(method) ? contactOf(message) : undefined) ?? side.remoteTarget;
}

function withSide(record: DialogRecord, name: SideName, change: Partial<DialogSide>): DialogRecord {
  const old = record[name];
  const side = { ...old, ...change };
  const same = side.cseq === old.cseq && side.remoteTarget === old.remoteTarget && side.flowId === old.flowId;
  return same && side.listener === old.listener && side.node === old.node ? record : { ...record, [name]: side };
}

function contactOf(message: SipMessage): string | undefined {
  const uri = get(message, Contact)?.uri;
  return uri === '*' ? undefined : uri;
}

function recordRoutes(message: SipMessage): readonly string[] {
  return all(message, RecordRoute).map((route) => route.uri);
}

// RFC 3261 §12.1.2: Record-Routes of a response stand callee first. Those before ours lead on from us, nearest last.
function beyondUs(routes: readonly string[], isOurs: (uri: string) => boolean): readonly string[] {
  const ours = routes.findIndex(isOurs);
  return ours < 0 ? [] : routes.slice(0, ours).reverse();
}
