/**
 * A device has registered: by the connection that we know, by another one, or at another node. Its calls follow it (DESIGN
 * §5). It is asked whether it still has them, for its page may have been loaded anew; and told which have ended.
 */
import { type FlowPlace, infoFor, moveFlow, type SideName } from '../../dialog/record.ts';
import { Failure } from '../../errors.ts';
import type { Binding, DialogRecord, Flow } from '../../ports.ts';
import { type Core, nobody } from '../core.ts';
import { hangUpRecord, tellEnded } from './hang-up.ts';
import { sendWithin } from './own-requests.ts';

type BindingRef = Pick<Binding, 'aor' | 'key'>;

export function returnedHere(core: Core, binding: BindingRef, flow: Flow): void {
  returned(core, binding, { flowId: flow.id, listener: flow.listener.index });
}

/** Nothing where it is here, or has no connection of its own. */
export function returnedElsewhere(core: Core, binding: Binding): void {
  const { flowId, node } = binding;
  if (!core.nodes.isOther(node) || flowId === undefined) return;
  returned(core, binding, { flowId, node });
}

function returned(core: Core, binding: BindingRef, place: FlowPlace): void {
  for (const record of core.dialogs.move(binding, place)) {
    for (const side of ['caller', 'callee'] as const) {
      if (!isAt(record, side, binding)) continue;
      // Its BYE went to where the device was.
      if (core.dialogs.isEnding(record)) tellEnded(core, record, side);
      else ask(core, record, side);
    }
  }
  for (const { record, side } of core.untold.take(binding)) tellEnded(core, moveFlow(record, binding, place), side);
}

const isAt = (record: DialogRecord, side: SideName, { aor, key }: BindingRef): boolean =>
  record[side].binding?.aor === aor && record[side].binding?.key === key;

/** RFC 3261 §12.2.2: 481 is the word of a device that does not know the dialog; any other answer is none. */
function ask(core: Core, record: DialogRecord, side: SideName): void {
  const user = {
    ...nobody,
    response: ({ status }: { readonly status: number }): void => {
      const now = status === 481 ? core.dialogs.now(record) : undefined;
      if (now !== undefined) hangUpRecord(core, now, new Failure('call-forgotten'));
    },
  };
  sendWithin(core, record, side, (now, options) => infoFor(now, side, options), user).catch((thrown: unknown) => {
    core.ports.log.debug({ callId: record.callId, error: String(thrown) }, 'Not asked whether it has the call');
  });
}
