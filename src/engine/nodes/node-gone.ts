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

const retryMs = 5_000;

/** After a restart, in grace times: clients notice it, and come back, each in its own time, while their media goes on. */
export const clientsReturn = 6;

export function hangUpUnreachable(core: Core): void {
  const isLost = (side: DialogSide): boolean => core.nodes.reach({ ...side, contact: side.remoteTarget }) === undefined;
  for (const record of core.dialogs.unreachable()) hangUpUnlessBack(core, record, isLost);
}

/** Unless the client is back at another node, which we may not have heard. */
export function hangUpUnlessBack(core: Core, record: DialogRecord, isLost: (side: DialogSide) => boolean): void {
  const { nodes, dialogs, ports } = core;
  const hangUp = (): void => hangUpRecord(core, record, new Failure('flow-gone'));
  const lost = [record.caller, record.callee].filter(isLost);
  if (!nodes.areMany) hangUp();
  else {
    Promise.all(lost.map((side) => backElsewhere(core, side))).then(
      (found) => {
        if (found.includes(undefined)) hangUp();
        else for (const binding of found) if (binding !== undefined) dialogs.movedElsewhere(binding);
      },
      (thrown: unknown) => ports.log.info({ callId: record.callId, error: String(thrown) }, 'Its client may be back'),
    );
  }
}

async function backElsewhere({ ports, nodes }: Core, { binding, flowId }: DialogSide): Promise<Binding | undefined> {
  const bindings = binding === undefined ? [] : await ports.location.lookup(binding.aor);
  const now = bindings.find(({ key }) => key === binding?.key);
  return now === undefined || now.flowId === flowId || nodes.reach(now) === undefined ? undefined : now;
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
  const boot = core.nodes.bootOf(id) ?? '';
  // It was only silent, and is back.
  if (boot === ended) return;
  // Each of the nodes that are left does it; the first one does something.
  await Promise.all([location.dropOtherBoots(id, boot), presence.dropEarlierBoots(id, boot)]);
  if (boot !== '') return;
  await Promise.all([core.dialogs.adoptAll(id), presence.adopt(id, core.options)]);
  core.leftovers(id);
  await core.presence.tellAllAnew();
}
