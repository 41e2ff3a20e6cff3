/**
 * Which device an INVITE means that is to take the place of a call (RFC 3891 §3): the one that has that call, here or at
 * another node.
 *
 * Left out: a call of another node that rings still; only what is answered has a row.
 */
import { namesOfReplaced } from '../../dialog/names.ts';
import { adoptedBy, type SideName, sideOf } from '../../dialog/record.ts';
import { isSame } from '../../dialog/way.ts';
import type { SipMessage } from '../../message/message.ts';
import { canonicalAor, parseUri } from '../../message/uri.ts';
import type { DialogRecord, DialogSide, DialogStore, LocationStore } from '../../ports.ts';

export interface ReplacedAround {
  readonly location: Pick<LocationStore, 'lookup'>;
  /** `undefined`: there are no other nodes. */
  readonly store: Pick<DialogStore, 'find'> | undefined;
  /** A dialog of this node. */
  known(callId: string, oneTag: string, otherTag: string): DialogRecord | undefined;
}

export interface ReplacedSide {
  readonly record: DialogRecord;
  readonly side: SideName;
}

/** `undefined`: none of ours. */
export async function replacedSide(invite: SipMessage, around: ReplacedAround): Promise<ReplacedSide | undefined> {
  const names = namesOfReplaced(invite);
  if (names === undefined) return undefined;
  const { callId, fromTag, toTag } = names;
  const record =
    around.known(callId, fromTag, toTag) ?? (await ofOtherNode(around.store?.find(callId, fromTag, toTag)));
  const side = record && sideOf(record, toTag);
  if (record === undefined || side === undefined) return undefined;
  return (await isOwnDevice(record[side], around.location)) ? { record, side } : undefined;
}

async function ofOtherNode(asked: Promise<DialogRecord | undefined> | undefined): Promise<DialogRecord | undefined> {
  const stored = await asked;
  // Its connections are that node's.
  return stored && adoptedBy(stored, stored.node);
}

/**
 * Whether it is registered here. A trunk is not: it is called by the number that was dialled, and not where its Contact says
 * that one call of it is.
 */
async function isOwnDevice(side: DialogSide, location: Pick<LocationStore, 'lookup'>): Promise<boolean> {
  // A server that calls over a connection is not bound to it (servers.ts).
  if (side.binding !== undefined || side.flowId?.startsWith('c') === true) return true;
  // Who calls over UDP is known by its address only.
  const uri = parseUri(side.uri);
  const bindings = uri === undefined ? [] : await location.lookup(canonicalAor(uri));
  return bindings.some(({ contact }) => isSame(contact, side.remoteTarget));
}
