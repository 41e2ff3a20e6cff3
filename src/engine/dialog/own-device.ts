/**
 * Whether a side of a dialog is a device that is registered here. A trunk is none: it is called by the number that was
 * dialled, and not where its Contact says that one call of it is.
 */
import { isSame } from '../../dialog/way.ts';
import { canonicalAor, parseUri } from '../../message/uri.ts';
import type { DialogSide, LocationStore } from '../../ports.ts';

export async function isOwnDevice(side: DialogSide, location: Pick<LocationStore, 'lookup'>): Promise<boolean> {
  if (side.flowId !== undefined || side.binding !== undefined) return true;
  // Who calls over UDP is known by its address only.
  const uri = parseUri(side.uri);
  const bindings = uri === undefined ? [] : await location.lookup(canonicalAor(uri));
  return bindings.some(({ contact }) => isSame(contact, side.remoteTarget));
}
