/** One branch of a request (RFC 3261 §16.6): its next hop, its forwarded copy with our Via and Record-Route, its media. */

import { withoutClaims, withoutCredentialsFor } from '../auth/claims.ts';
import { all } from '../message/header.ts';
import { Route } from '../message/headers/route.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../ports.ts';
import { forwarded } from '../proxy/forward.ts';
import { recordRoutes } from '../proxy/record-route.ts';
import type { Request, Target } from './api.ts';
import { type Core, viaFor } from './core.ts';
import { tokenFor } from './parties.ts';

export interface BranchPlan {
  /** Its Via branch parameter. */
  readonly id: string;
  readonly target: Target;
  /** Its share of Max-Breadth; `undefined` leaves the header as it is. */
  readonly maxBreadth: number | undefined;
  /** Its target was asked before, and refused the SDP. */
  readonly isRetry?: boolean;
}

/** What leaves, and its way. */
export interface PreparedBranch {
  readonly id: string;
  readonly target: Target;
  readonly message: SipRequest;
  readonly flow: Flow;
  /** In our Record-Route; empty where we write none. */
  readonly token: string;
}

/** Requests that make a dialog: we stay on its path (§16.6 step 4). */
const dialogMakers: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

/** Throws a `Failure` when the target cannot be reached or has no media. */
export async function prepareBranch(core: Core, request: Request, plan: BranchPlan): Promise<PreparedBranch> {
  const { id, target, maxBreadth } = plan;
  const routes = [...(target.route ?? []), ...all(request.message, Route).map((route) => route.uri)];
  const flow = await core.nextHops.flowTo(target, routes[0], request.flow);
  const makesDialog = dialogMakers.has(request.message.method) && !request.inDialog;
  const token = makesDialog ? tokenFor(core, request, target, routes[0] ?? target.uri, flow) : '';
  const copy = forwarded(presentable(core, request), {
    uri: target.uri,
    via: viaFor(flow.listener, id),
    recordRoutes: makesDialog ? recordRoutes(token, request.flow.listener, flow.listener) : [],
    routes: target.route ?? [],
    maxBreadth,
    headers: target.headers ?? [],
  });
  const message = await core.routes.branch({ id, request, target, flow, message: copy }, core.proxy);
  return { id, target, message, flow, token };
}

/** What may leave of what came: nothing that was for us alone, and no name that its sender only claims. */
function presentable(core: Core, { message, trusted }: Request): SipRequest {
  const rest = withoutCredentialsFor(message, (realm) => core.domains.isDomain(realm));
  return trusted ? rest : withoutClaims(rest);
}
