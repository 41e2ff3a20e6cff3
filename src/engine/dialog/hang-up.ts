/**
 * The end of a call: by a BYE that passed, or by BYEs of ours when it has lost its media (law 1, `Deviates:` §16.7: a
 * proxy would forward a 2xx without media, and both would then sit in a silent call).
 */
import { byeFor, otherSide, type SideName } from '../../dialog/record.ts';
import { type ErrorCode, Failure } from '../../errors.ts';
import { withUri } from '../../message/edit.ts';
import { all, get } from '../../message/header.ts';
import { CSeq } from '../../message/headers/cseq.ts';
import { From, tagOf } from '../../message/headers/from-to.ts';
import { Route } from '../../message/headers/route.ts';
import type { SipResponse } from '../../message/message.ts';
import type { DialogRecord } from '../../ports.ts';
import { ackFor2xx, routeSetOf } from '../../proxy/ack.ts';
import { carriesToken } from '../../proxy/record-route.ts';
import type { Request } from '../api.ts';
import { type Core, nobody, reasonField, viaFor } from '../core.ts';
import type { PreparedBranch } from '../proxy/branches.ts';
import { sendWithin } from './own-requests.ts';
import { dialogOf } from './parties.ts';

/**
 * ACK for the 2xx of a branch that goes no further, and BYE with what went wrong. In a dialog to both sides, for one of
 * them has changed its media already.
 */
export function hangUpAnswered(
  core: Core,
  request: Request,
  branch: PreparedBranch,
  response: SipResponse,
  why: Failure,
): void {
  acknowledge(core, request, branch, response);
  if (request.inDialog) {
    hangUp(core, request, why);
    return;
  }
  const record = dialogOf(core, request, branch, response, undefined);
  if (record === undefined) return;
  bye(core, record, 'callee', why);
  core.dialogs.hungUp(record);
}

/** RFC 3261 §13.3.1.4: a 2xx to INVITE is repeated until its ACK is there. */
export function acknowledge(core: Core, request: Request, branch: PreparedBranch, response: SipResponse): void {
  const { flow, token, target, message } = branch;
  if (get(response, CSeq)?.method !== 'INVITE') return;
  const routeSet = request.inDialog
    ? all(request.message, Route).map(({ uri }) => uri)
    : routeSetOf(response, (uri) => carriesToken(uri, token));
  // By way of the node that has its flow, which the branch went by, too.
  const first =
    target.elsewhere === undefined
      ? []
      : all(message, Route)
          .slice(0, 1)
          .map(({ uri }) => uri);
  const via = viaFor(core.nodeRouting.faceTo(target) ?? flow.listener, newBranch(core));
  const ack = ackFor2xx(response, via, [...first, ...routeSet]);
  if (ack === undefined) return;
  // Who says that he is at a GRUU (RFC 5627) was found at the contact that the INVITE went to.
  const isGruu = core.gruus.read(ack.uri) !== undefined;
  core.transactions.sendDirect(isGruu ? withUri(ack, message.uri) : ack, flow);
}

/** BYE to both sides of the call that this request belongs to, with what went wrong (law 1). */
export function hangUp(core: Core, request: Request, failure: Failure): void {
  const record = core.dialogs.find(request.message, request.token);
  if (record !== undefined) hangUpRecord(core, record, failure);
}

/** The same for a call; a side whose connection is gone hears nothing. */
export function hangUpRecord(core: Core, record: DialogRecord, failure: Failure): void {
  core.stories.hungUp(record, failure);
  bye(core, record, 'caller', failure);
  bye(core, record, 'callee', failure);
  core.dialogs.hungUp(record);
  endRecord(core, record);
}

function bye(core: Core, record: DialogRecord, towards: SideName, failure: Failure): void {
  sendBye(core, record, towards, failure).catch((thrown: unknown) => {
    core.untold.note(record, towards);
    core.ports.log.info({ callId: record.callId, error: String(thrown) }, 'BYE not sent');
  });
}

/** To a device that was away when the call ended. */
export function tellEnded(core: Core, record: DialogRecord, side: SideName): void {
  core.dialogs.hungUp(record);
  bye(core, record, side, new Failure('ended-while-away'));
}

async function sendBye(core: Core, record: DialogRecord, towards: SideName, failure: Failure): Promise<void> {
  const headers = [reasonField(failure)];
  await sendWithin(core, record, towards, (told, options) => byeFor(told, towards, { ...options, headers }), {
    ...nobody,
    failed: () => core.untold.note(record, towards),
  });
}

function newBranch(core: Core): string {
  return `z9hG4bK${core.ports.random.hex(8)}`;
}

/** That the other side has not heard of a BYE: its connection is gone, or it says nothing. */
const unheard: ReadonlySet<ErrorCode> = new Set(['flow-gone', 'transport-failed', 'branch-timeout']);

/**
 * A BYE was answered, or nobody was left to answer it: `refusal` says why. One that we refused for its token ends nothing.
 */
export function endDialog(core: Core, request: Request, refusal: ErrorCode | undefined): void {
  if (!core.dialogs.hasFollowed(request)) return;
  const record = core.dialogs.find(request.message, request.token);
  if (record === undefined) {
    core.media.endForgotten(request.message);
    return;
  }
  const by = tagOf(get(request.message, From)) === record.caller.tag ? 'caller' : 'callee';
  core.stories.saidBye(record, by);
  endRecord(core, record);
  if (refusal !== undefined && unheard.has(refusal)) core.untold.note(record, otherSide(by));
}

function endRecord(core: Core, record: DialogRecord): void {
  core.dialogs.ended(record);
  core.presence.calls.ended(record);
  core.callLimits.ended(record);
  core.media.dialogEnded(record);
  core.stories.dialogEnded(record);
}
