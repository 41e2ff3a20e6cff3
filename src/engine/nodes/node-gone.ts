/**
 * What becomes of the calls and connections of a node that is gone, or was started anew (DESIGN §5): as after a restart of
 * our own. Its connections are closed. Its answered calls are taken over by one of the nodes that are left, from their
 * rows: the clients come back to any node, and their calls go on.
 *
 * Lost with it is what only its memory had: calls that were ringing, transactions, and what it had not written yet.
 */
import { Failure } from '../../errors.ts';
import type { Binding, DialogRecord, DialogSide, NodeSelf } from '../../ports.ts';
import type { Core } from '../core.ts';
import { hangUpRecord } from '../dialog/hang-up.ts';
import { returnedElsewhere } from '../dialog/returned.ts';

const retryMs = 5_000;

/** After a restart, in grace times: clients notice it, and come back, each in its own time, while their media goes on. */
export const clientsReturn = 6;

export function hangUpUnreachable(core: Core): void {
  const isLost = (side: DialogSide): boolean =>
    core.nodeRouting.reach({ ...side, contact: side.remoteTarget }) === undefined;
  for (const record of core.dialogs.unreachable()) hangUpUnlessBack(core, record, isLost);
}

/** Unless the client is back at another node, which we may not have heard; the database is asked until it says. */
export function hangUpUnlessBack(core: Core, record: DialogRecord, isLost: (side: DialogSide) => boolean): void {
  if (!core.nodes.areMany) {
    hangUpRecord(core, record, new Failure('flow-gone'));
    return;
  }
  hangUpOrMove(core, record, isLost).catch((thrown: unknown) => {
    const { log, clock } = core.ports;
    log.info({ callId: record.callId, error: String(thrown) }, 'Its client may be back');
    clock.after(retryMs, () => {
      const now = core.dialogs.now(record);
      if (now !== undefined) hangUpUnlessBack(core, now, isLost);
    });
  });
}

async function hangUpOrMove(core: Core, record: DialogRecord, isLost: (side: DialogSide) => boolean): Promise<void> {
  const lostOf = ({ caller, callee }: DialogRecord): readonly DialogSide[] => [caller, callee].filter(isLost);
  const found = await Promise.all(lostOf(record).map((side) => backElsewhere(core, side)));
  // It may have ended meanwhile, or its client be back here.
  const now = core.dialogs.now(record);
  if (now === undefined || lostOf(now).length === 0) return;
  if (found.includes(undefined)) hangUpRecord(core, now, new Failure('flow-gone'));
  else for (const binding of found) if (binding !== undefined) returnedElsewhere(core, binding);
}

async function backElsewhere(
  { ports, nodeRouting }: Core,
  { binding, flowId }: DialogSide,
): Promise<Binding | undefined> {
  const bindings = binding === undefined ? [] : await ports.location.lookup(binding.aor);
  const now = bindings.find(({ key }) => key === binding?.key);
  return now === undefined || now.flowId === flowId || nodeRouting.reach(now) === undefined ? undefined : now;
}

export function nodeGone(core: Core, gone: NodeSelf): void {
  const { ports, options } = core;
  core.dialogs.nodeGone(gone.id);
  core.presence.calls.nodeGone(gone.id);
  takeOverUntilDone(core, gone);
  // A device that is expected back at another node must not be hung up before it had the time.
  ports.clock.after(options.graceMs * clientsReturn, () => hangUpUnreachable(core));
}

/** That it is gone is told once, so this is not given up: a database that has just lost a node may be busy. */
function takeOverUntilDone(core: Core, gone: NodeSelf): void {
  takeOver(core, gone).catch((thrown: unknown) => {
    const { log, clock } = core.ports;
    log.warn({ node: gone.id, error: String(thrown) }, 'What a node has left is taken over later');
    clock.after(retryMs, () => {
      if (!core.draining) takeOverUntilDone(core, gone);
    });
  });
}

async function takeOver(core: Core, { id, boot: ended }: NodeSelf): Promise<void> {
  const { location, presence } = core.ports;
  const boot = core.nodes.other(id)?.boot ?? '';
  // It was only silent, and is back.
  if (boot === ended) return;
  // Each of the nodes that are left does it; the first one does something.
  await Promise.all([location.dropOtherBoots(id, boot), presence.dropEarlierBoots(id, boot)]);
  if (boot !== '') return;
  await Promise.all([core.dialogs.adoptAll(id), presence.adopt(id, core.options)]);
  core.leftovers.clear(id);
  await core.presence.tellAllAnew();
}
