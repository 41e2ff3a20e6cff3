/** Requests of ours within a call, to one of its sides and in the name of the other: how they get there. */

import type { OwnRequest, SideName } from '../../dialog/record.ts';
import { Failure } from '../../errors.ts';
import type { SipRequest } from '../../message/message.ts';
import type { DialogRecord, DialogSide } from '../../ports.ts';
import type { Target } from '../api.ts';
import { type Core, viaFor } from '../core.ts';
import type { ClientUser } from '../live-transaction.ts';
import { hereOf } from '../registrar/here.ts';

/** `requestOf` writes it, for the place where the side is now. Throws `flow-gone`… */
export async function sendWithin(
  core: Core,
  record: DialogRecord,
  towards: SideName,
  requestOf: (record: DialogRecord, options: OwnRequest) => SipRequest,
  user: ClientUser,
): Promise<void> {
  const { network, random } = core.ports;
  const side = record[towards];
  const listener = network.listeners[side.listener] ?? network.listeners[0];
  const at = await placeOf(core, side);
  if (listener === undefined) return;
  if (at === undefined) throw new Failure('flow-gone');
  const routeSet = at.route ?? side.routeSet;
  const { uri, flowId, elsewhere } = at;
  const target = core.nodeRouting.through({ uri, flowId, elsewhere }, { callId: record.callId });
  const { route = [] } = target;
  const from = core.nodeRouting.listenerTo(target) ?? listener;
  const { flow } = await core.nextHops.hopTo(target, route[0] ?? routeSet[0], from);
  const via = viaFor(core.nodeRouting.faceTo(target) ?? flow.listener, `z9hG4bK${random.hex(8)}`);
  const now = { ...record, [towards]: { ...side, remoteTarget: uri, routeSet } };
  core.transactions.client(requestOf(now, { via, route }), flow, user);
}

/** Where this side is reached now, at the contact of its device if it is at a GRUU (RFC 5627); `undefined`: nowhere. */
async function placeOf(core: Core, side: DialogSide): Promise<Target | undefined> {
  const { remoteTarget: uri, routeSet } = side;
  const reach = core.nodeRouting.reach({ ...side, contact: uri });
  const isRouted = routeSet.length > 0;
  // The device of a GRUU may have come back by another connection.
  if (reach === undefined && (isRouted || core.gruus.read(uri) === undefined)) return undefined;
  return core.registrar.atDevice({ uri, ...reach }, hereOf(core), isRouted);
}
