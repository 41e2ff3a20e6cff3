/** What becomes of what another node tells (changes.ts): as if it had happened here, for those who are connected here. */
import type { Binding, Change } from '../../ports.ts';
import { closeHere } from '../auth/closed-account.ts';
import type { Core } from '../core.ts';
import { returnedElsewhere } from '../dialog/returned.ts';
import { hangUpUnlessBack } from './node-gone.ts';

export function heard(core: Core, change: Change, node: string): void {
  const { presence, dialogs, messages } = core;
  switch (change.kind) {
    case 'registered':
      registeredElsewhere(core, change.aor);
      return;
    case 'closed':
      dialogs.closed({ id: change.flowId }, (record) =>
        hangUpUnlessBack(core, record, ({ flowId }) => flowId === change.flowId),
      );
      return;
    case 'account-closed':
      closeHere(core, change.aor, change.flowIds);
      return;
    case 'watched':
      presence.heard(change.resource, change.event);
      return;
    case 'stored':
      messages.heard(change.aor);
      return;
    case 'media-nodes':
      core.ports.addedNodes?.readAgain();
      return;
    case 'call':
      presence.calls.heard(node, change.aor, change.call);
      return;
    default:
      change satisfies never;
  }
}

/** Others write what they could not for as long; by then the row of a call that has ended is gone, too. */
const rowsAgainMs = 5_000;

/** The database was away for longer than others wait with what they tell: what stands in tables is read anew. */
export function missed(core: Core): void {
  const { presence, messages, ports } = core;
  const read = (...parts: readonly Promise<unknown>[]): void => {
    Promise.all(parts).catch((thrown: unknown) => {
      ports.log.debug({ error: String(thrown) }, 'What was missed is seen with the next change');
    });
  };
  ports.addedNodes?.readAgain();
  read(othersCalls(core), messages.start(), presence.tellAllAnew());
  ports.clock.after(rowsAgainMs, () => read(othersCalls(core)));
}

/** A call of another node that ended meanwhile would light its lamp, and count for its account, until that node is gone. */
async function othersCalls({ nodes, presence, ports }: Core): Promise<void> {
  for (const { id } of nodes.others()) {
    presence.calls.nodeGone(id);
    for (const record of await ports.dialogs.load(id)) presence.calls.known(record);
  }
}

/** The contacts of this address as they are now stored. */
export function registered({ presence, messages, sleepers }: Core, aor: string, bindings: readonly Binding[]): void {
  sleepers.registered(aor, bindings);
  presence.registered(aor, bindings);
  messages.registered(aor);
}

/** Nobody here may care; then the database is asked nothing. */
function registeredElsewhere(core: Core, aor: string): void {
  const { presence, sleepers, dialogs, untold, ports } = core;
  const isOfInterest = presence.watches(aor) || sleepers.awaits(aor) || dialogs.concerns(aor) || untold.concerns(aor);
  if (!isOfInterest) return;
  ports.location.lookup(aor).then(
    (bindings) => {
      for (const binding of bindings) returnedElsewhere(core, binding);
      sleepers.registered(aor, bindings);
      presence.registered(aor, bindings);
    },
    (thrown: unknown) => ports.log.debug({ aor, error: String(thrown) }, 'A registration at another node is not seen'),
  );
}
