/**
 * What the proxy knows of the two parties of a dialog: for the token in our Record-Route before there is one, and for
 * the record when a response has made it.
 */
import { recordFromCall } from '../../dialog/record.ts';
import { get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import { Contact } from '../../message/headers/contact.ts';
import { From, tagOf } from '../../message/headers/from-to.ts';
import { MaxForwards } from '../../message/headers/numbers.ts';
import { RecordRoute } from '../../message/headers/route.ts';
import type { SipResponse } from '../../message/message.ts';
import type { DialogRecord, Flow } from '../../ports.ts';
import { carriesToken } from '../../proxy/record-route.ts';
import type { Request, Target } from '../api.ts';
import type { Core } from '../core.ts';
import { kindByTransport, transportOf } from '../media/assumed-kind.ts';
import type { PreparedBranch } from '../proxy/branches.ts';
import type { TokenParty } from './tokens.ts';

export function tokenFor(core: Core, request: Request, target: Target, nextHop: string, flow: Flow): string {
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

/** The record of the dialog that this response makes. */
export function dialogOf(
  core: Core,
  request: Request,
  { flow, token, target }: PreparedBranch,
  response: SipResponse,
  mediaNode: string | undefined,
): DialogRecord | undefined {
  const call = core.media.find(request.message);
  const caller = callerParty(core, request);
  const callee = calleeParty(target, flow);
  const calleeMedia = call === undefined ? undefined : core.media.calleeKind(call, response);
  return recordFromCall(request.message, response, {
    caller: { ...caller, media: call?.caller.kind ?? request.media },
    callee: { ...callee, media: calleeMedia ?? target.media ?? kindByTransport(transportOf({ target, flow })) },
    token,
    isOurs: (uri) => carriesToken(uri, token),
    mediaNode,
    mediaName: call?.name,
    node: core.options.node,
    nowMs: core.ports.clock.nowMs(),
  });
}

type Party = Omit<TokenParty, 'target'>;

function callerParty(core: Core, request: Request): Party {
  return {
    media: request.media,
    listener: request.flow.listener.index,
    flowId: request.notes.reachByFlow ? request.flow.id : undefined,
    binding: core.registrar.bindingOf(request.flow, get(request.message, From)?.uri),
  };
}

function calleeParty(target: Target, flow: Flow): Party {
  const { media, binding, flowId, elsewhere } = target;
  const place = elsewhere === undefined ? { flowId } : { flowId: elsewhere.flowId, node: elsewhere.node };
  return { media, listener: flow.listener.index, ...place, binding };
}
