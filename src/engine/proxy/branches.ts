/** One branch of a request (RFC 3261 §16.6): its next hop, its forwarded copy with our Via and Record-Route, its media. */

import { withoutTokens } from '../../auth/bearer.ts';
import { withNamesFor, withoutCredentialsFor } from '../../auth/claims.ts';
import { type ErrorCode, Failure, failureOf } from '../../errors.ts';
import { serialize } from '../../message/edit.ts';
import { all, get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import { RecordRoute, Route } from '../../message/headers/route.ts';
import type { SipRequest } from '../../message/message.ts';
import { parseUri } from '../../message/uri.ts';
import type { Flow, MediaKind } from '../../ports.ts';
import { forwarded } from '../../proxy/forward.ts';
import { recordRoutes, tokenOf } from '../../proxy/record-route.ts';
import type { Request, Target } from '../api.ts';
import { type Core, viaFor } from '../core.ts';
import { tokenFor } from '../dialog/parties.ts';
import { type Handing, isOfOther } from '../nodes/node-routing.ts';
import type { NextHop, Way } from './next-hop.ts';
import { opensCall } from './upstream.ts';

export interface BranchPlan {
  /** Its Via branch parameter. */
  readonly id: string;
  readonly target: Target;
  /** Its share of Max-Breadth; `undefined` leaves the header as it is. */
  readonly maxBreadth: number | undefined;
  /** Its target was asked before, and refused SDPs of these kinds. */
  readonly refused?: readonly MediaKind[];
  /** The servers of its target that are left, when others have failed. */
  readonly left?: readonly Way[];
}

/** What leaves, and its way. */
export interface PreparedBranch {
  readonly id: string;
  readonly target: Target;
  readonly message: SipRequest;
  readonly flow: Flow;
  readonly hop: NextHop;
  /** In our Record-Route; empty where we write none. */
  readonly token: string;
}

/** Requests that make a dialog: we stay on its path (§16.6 step 4). */
const dialogMakers: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

/** RFC 3261 §18.1.1: what is larger than this goes over TCP where it may; rtpengine and the next hops add to it. */
const largestDatagram = 1_300;

/** Throws a `Failure` when the target cannot be reached or has no media. */
export async function prepareBranch(core: Core, request: Request, asked: BranchPlan): Promise<PreparedBranch> {
  const isAsleep = asked.target.asleep !== undefined;
  // Only a call is worth waking somebody.
  if (isAsleep && !opensCall(request)) throw new Failure('flow-gone');
  const awake = isAsleep ? await core.sleepers.wake(request, asked.target) : asked.target;
  const plan = { ...asked, target: core.nodeRouting.through(awake, handingOf(request)) };
  const { id, target } = plan;
  const found = await hopOf(core, request, plan);
  const draft = copyFor(core, request, plan, found);
  const hop = isTooLarge(draft.copy, target, found) ? core.nextHops.streamInstead(found) : found;
  const { copy, token } = hop === found ? draft : copyFor(core, request, plan, hop);
  const { flow } = hop;
  const message = await core.routes.branch({ id, request, target, flow, message: copy }, core.proxy);
  // Should it be asked again, it is handed on anew.
  return { id, target: awake, message, flow, hop, token };
}

/** A new request to an address of ours would come back as that of a stranger: a route has mistaken whom it names. */
async function hopOf(core: Core, request: Request, { target, left }: BranchPlan): Promise<NextHop> {
  const from = core.nodeRouting.listenerTo(target) ?? request.flow.listener;
  const [first = target.uri] = routesOf(request, target);
  const found = core.nextHops.hopTo(target, first, from, left);
  if (request.inDialog) return found;
  const own = (): Failure => new Failure('route-own-address', first);
  const hop = await found.catch((thrown: unknown) => {
    throw isUnfound.has(failureOf(thrown).code) && core.domains.isOursText(first) ? own() : thrown;
  });
  if (hop.way !== undefined && isHere(core, hop.way)) throw own();
  return hop;
}

const isUnfound: ReadonlySet<ErrorCode> = new Set(['foreign-target', 'name-server-silent']);

function isHere({ domains }: Core, { remote: { address, port } }: Way): boolean {
  return domains.isOursText(`sip:${address.includes(':') ? `[${address}]` : address}:${port}`);
}

/** What another node must be told of it. */
function handingOf({ message, token, flow, hop }: Request): Handing {
  return { callId: get(message, CallId) ?? '', token, flowId: flow.id, hop };
}

/** A registered device is asked where it said that it is. */
function isTooLarge(copy: SipRequest, { binding }: Target, { way }: NextHop): boolean {
  return way?.mayUseTcp === true && binding === undefined && serialize(copy).length > largestDatagram;
}

function routesOf({ message }: Request, target: Target): readonly string[] {
  return [...(target.route ?? []), ...all(message, Route).map((route) => route.uri)];
}

/** The request as it leaves by this hop, but for its media. */
function copyFor(core: Core, request: Request, plan: BranchPlan, { flow }: NextHop) {
  const { id, target, maxBreadth } = plan;
  const [nextHop = target.uri] = routesOf(request, target);
  const makesDialog = dialogMakers.has(request.message.method) && !request.inDialog;
  const isHandedOn = request.hop !== undefined;
  // For another node we are the way to its device, and stay on it under the token of that node: it has the dialog.
  const token = !makesDialog ? '' : isHandedOn ? tokenOfOwner(request) : tokenFor(core, request, target, nextHop, flow);
  const downstream = core.nodeRouting.faceTo(target) ?? flow.listener;
  const upstream = isHandedOn ? downstream : request.flow.listener;
  const isTrusted = isOfOther(target) || core.options.isTrusted(flow.remote.address);
  const copy = forwarded(presentable(core, request, isTrusted), {
    uri: target.uri,
    via: viaFor(downstream, id),
    recordRoutes: token === '' ? [] : recordRoutes(token, upstream, downstream),
    routes: target.route ?? [],
    maxBreadth,
    headers: target.headers ?? [],
  });
  return { copy, token };
}

/** In the Record-Route that it has put on top. */
function tokenOfOwner({ message }: Request): string {
  const uri = parseUri(get(message, RecordRoute)?.uri ?? '');
  return (uri && tokenOf(uri)) ?? '';
}

/** What may leave of what came: nothing that was for us alone, and no name that its receiver must not read. */
function presentable(core: Core, { message, trusted }: Request, toTrusted: boolean): SipRequest {
  const ours = core.ports.tokens === undefined ? message : withoutTokens(message);
  const rest = withoutCredentialsFor(ours, (realm) => core.domains.isDomain(realm));
  return withNamesFor(rest, trusted, toTrusted);
}
