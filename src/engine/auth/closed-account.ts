/**
 * An account that is shut or removed is gone at once, at every node: its devices are forgotten, their connections closed and
 * its calls ended.
 */
import { Failure } from '../../errors.ts';
import { parseUri } from '../../message/uri.ts';
import type { DialogSide } from '../../ports.ts';
import type { Core } from '../core.ts';
import { hangUpRecord } from '../dialog/hang-up.ts';

export async function closeAccount(core: Core, aor: string): Promise<void> {
  const { location } = core.ports;
  const flowIds = (await location.lookup(aor)).flatMap(({ flowId }) => flowId ?? []);
  await location.change({ aor, callId: '', cseq: 0, save: [], remove: '*' });
  closeHere(core, aor, flowIds);
  core.changes.tell({ kind: 'account-closed', aor, flowIds });
  core.presence.contactEnded(aor);
}

/** What this node has of it. */
export function closeHere(core: Core, aor: string, flowIds: readonly string[]): void {
  const { dialogs, domains } = core;
  const { network } = core.ports;
  const isOwn = ({ binding, uri }: DialogSide): boolean => {
    const parsed = parseUri(uri);
    return binding?.aor === aor || (parsed !== undefined && domains.aorOf(parsed) === aor);
  };
  for (const record of dialogs.all())
    if (isOwn(record.caller) || isOwn(record.callee)) hangUpRecord(core, record, new Failure('account-closed'));
  for (const flowId of flowIds) {
    const flow = network.find(flowId);
    if (flow !== undefined) network.close(flow);
  }
}
