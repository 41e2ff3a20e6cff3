/**
 * The end of a call: by a BYE that passed, or by BYEs of ours to both sides when it has lost its media (law 1).
 */
import { byeFor, type SideName } from '../dialog/record.ts';
import type { Failure } from '../errors.ts';
import type { DialogRecord, Flow } from '../ports.ts';
import type { Request } from './api.ts';
import { type Core, nobody, reasonField, viaFor } from './core.ts';

/** BYE to both sides of the call that this request belongs to, with what went wrong (law 1). */
export function hangUp(core: Core, request: Request, failure: Failure): void {
  const record = core.dialogs.find(request.message);
  if (record !== undefined) hangUpRecord(core, record, failure);
}

/** The same for a call; a side whose connection is gone hears nothing. */
export function hangUpRecord(core: Core, record: DialogRecord, failure: Failure): void {
  bye(core, record, 'caller', failure);
  bye(core, record, 'callee', failure);
  endRecord(core, record);
}

function bye(core: Core, record: DialogRecord, towards: SideName, failure: Failure): void {
  const { network, random, log } = core.ports;
  const side = record[towards];
  const listener = network.listeners[side.listener] ?? network.listeners[0];
  const known = side.flowId === undefined ? undefined : network.find(side.flowId);
  if (listener === undefined) return;
  const headers = [reasonField(failure)];
  const send = (flow: Flow): void => {
    const via = viaFor(flow.listener, `z9hG4bK${random.hex(8)}`);
    core.transactions.client(byeFor(record, towards, { via, headers }), flow, nobody);
  };
  if (known !== undefined) send(known);
  else if (side.flowId === undefined) {
    const failed = (thrown: unknown): void =>
      log.info({ callId: record.callId, error: String(thrown) }, 'BYE not sent');
    core.nextHops
      .toUri(side.routeSet[0] ?? side.remoteTarget, listener)
      .then(send)
      .catch(failed);
  }
}

/** A BYE was answered, or nobody was left to answer it. One that we refused for its token ends nothing. */
export function endDialog(core: Core, request: Request): void {
  const record = core.dialogs.hasFollowed(request) ? core.dialogs.find(request.message) : undefined;
  if (record !== undefined) endRecord(core, record);
}

function endRecord(core: Core, record: DialogRecord): void {
  core.dialogs.ended(record);
  core.media.dialogEnded(record);
}
