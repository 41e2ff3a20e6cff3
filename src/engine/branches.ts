/**
 * One branch of a request (RFC 3261 §16.6): its next hop, its forwarded copy with our Via and Record-Route, its media.
 *
 * Also the dialog record that a branch's 2xx makes.
 */

import { withoutClaims, withoutCredentialsFor } from '../auth/claims.ts';
import { recordFromCall } from '../dialog/record.ts';
import { all, get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { Contact } from '../message/headers/contact.ts';
import { From, tagOf } from '../message/headers/from-to.ts';
import { MaxForwards } from '../message/headers/numbers.ts';
import { RecordRoute, Route } from '../message/headers/route.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { DialogRecord, Flow } from '../ports.ts';
import { forwarded } from '../proxy/forward.ts';
import { carriesToken, recordRoutes } from '../proxy/record-route.ts';
import type { Request, Target } from './api.ts';
import { type Core, viaFor } from './core.ts';
import type { TokenParty } from './dialogs.ts';
import { kindByTransport } from './media.ts';

export interface LiveBranch {
  /** Its Via branch parameter. */
  readonly id: string;
  readonly target: Target;
  readonly maxBreadth: number | undefined;
  /** The request as it leaves, and its way; `undefined` while it is being prepared. */
  sent: SipRequest | undefined;
  flow: Flow | undefined;
  /** In our Record-Route; empty where we write none. */
  token: string;
}

/** Requests that make a dialog: we stay on its path (§16.6 step 4). */
const dialogMakers: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

/** Fills in `flow` and `sent`. Throws a `Failure` when the target cannot be reached or has no media. */
export async function prepareBranch(core: Core, request: Request, branch: LiveBranch): Promise<void> {
  const { target } = branch;
  const routes = [...(target.route ?? []), ...all(request.message, Route).map((route) => route.uri)];
  const flow = await core.nextHops.flowTo(target, routes[0], request.flow);
  const makesDialog = dialogMakers.has(request.message.method) && !request.inDialog;
  branch.token = makesDialog ? tokenFor(core, request, target, routes[0] ?? target.uri, flow) : '';
  const message = forwarded(presentable(core, request), {
    uri: target.uri,
    via: viaFor(flow.listener, branch.id),
    recordRoutes: makesDialog ? recordRoutes(branch.token, request.flow.listener, flow.listener) : [],
    routes: target.route ?? [],
    maxBreadth: branch.maxBreadth,
  });
  branch.flow = flow;
  branch.sent = await core.routes.branch({ id: branch.id, request, target, flow, message }, core.proxy);
}

/** What may leave of what came: nothing that was for us alone, and no name that its sender only claims. */
function presentable(core: Core, { message, trusted }: Request): SipRequest {
  const rest = withoutCredentialsFor(message, (realm) => core.domains.isDomain(realm));
  return trusted ? rest : withoutClaims(rest);
}

function tokenFor(core: Core, request: Request, target: Target, nextHop: string, flow: Flow): string {
  const { message } = request;
  const call = {
    callId: get(message, CallId) ?? '',
    callerTag: tagOf(get(message, From)) ?? '',
    pass: get(message, MaxForwards) ?? 0,
  };
  const toCaller = get(message, RecordRoute) ?? get(message, Contact);
  return core.dialogs.token(
    call,
    { ...callerParty(core, request), target: toCaller?.uri ?? '' },
    { ...calleeParty(target, flow), target: nextHop },
  );
}

type Party = Omit<TokenParty, 'target'>;

function callerParty(core: Core, request: Request): Party {
  return {
    media: request.media,
    listener: request.flow.listener.index,
    flowId: request.notes.reachByFlow ? request.flow.id : undefined,
    binding: core.registrar.bindingOf(request.flow),
  };
}

function calleeParty(target: Target, flow: Flow): Party {
  return { media: target.media, listener: flow.listener.index, flowId: target.flowId, binding: target.binding };
}

/** The record of the call that this 2xx makes. */
export function dialogOf(
  core: Core,
  request: Request,
  branch: LiveBranch,
  response: SipResponse,
  mediaNode: string | undefined,
): DialogRecord | undefined {
  const { flow, token, target } = branch;
  if (flow === undefined) return undefined;
  const call = core.media.find(request.message);
  const caller = callerParty(core, request);
  const callee = calleeParty(target, flow);
  const calleeMedia = call === undefined ? undefined : core.media.calleeKind(call, response);
  return recordFromCall(request.message, response, {
    caller: { ...caller, media: call?.caller.kind ?? request.media },
    callee: { ...callee, media: calleeMedia ?? target.media ?? kindByTransport(flow.transport) },
    token,
    isOurs: (uri) => carriesToken(uri, token),
    mediaNode,
    node: core.options.node,
    nowMs: core.ports.clock.nowMs(),
  });
}
