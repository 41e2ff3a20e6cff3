/** The nodes over this database, for people. */
import type { Core } from '../core.ts';
import type { NodeReport } from '../operations.ts';
import { addressText } from './node-address.ts';

export function nodeReports({ nodes: known }: Core): readonly NodeReport[] {
  return known.list().map(({ id, address, silentMs }) => ({
    id,
    address: addressText(address),
    isSelf: !known.isOther(id),
    silentSeconds: Math.round(silentMs / 1000),
  }));
}
