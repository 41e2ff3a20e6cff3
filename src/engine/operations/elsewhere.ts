/** Calls of other nodes: what REST cannot say or do of one at this node, it says where. */
import { Failure } from '../../errors.ts';
import type { Core } from '../core.ts';
import { addressText } from '../nodes/node-address.ts';

/** `node`: the one that is known to have had it. A node that is gone has nothing to say any more. */
export function refuseIfElsewhere(
  { presence, nodes }: Pick<Core, 'presence' | 'nodes'>,
  id: string,
  node?: string,
): void {
  const holder = node ?? presence.calls.nodeOf(id);
  const other = nodes.others().find((one) => one.id === holder);
  if (other !== undefined) throw new Failure('call-elsewhere', `It is ${other.id} at ${addressText(other.address)}.`);
}
