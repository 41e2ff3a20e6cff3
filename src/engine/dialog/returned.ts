/**
 * A device has registered: by the connection that we know, by another one, or at another node. Its calls follow it (DESIGN
 * §5). It is asked whether it still has them, for its page may have been loaded anew; and told which have ended.
 */
import { type FlowPlace, infoFor, moveFlow, noteFlow, type SideName } from '../../dialog/record.ts';
import { Failure } from '../../errors.ts';
import type { Binding, DialogRecord, DialogSide, Flow } from '../../ports.ts';
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
  for (const { before, now } of core.dialogs.move(binding, place)) {
    for (const side of ['caller', 'callee'] as const) {
      if (!isAt(now, side, binding)) continue;
      // Its BYE went to where the device was.
      if (core.dialogs.isEnding(now)) tellEnded(core, now, side);
      else seek(core, now, side, before[side]);
    }
  }
  for (const { record, side } of core.untold.take(binding)) tellEnded(core, moveFlow(record, binding, place), side);
}

const isAt = (record: DialogRecord, side: SideName, { aor, key }: BindingRef): boolean =>
  record[side].binding?.aor === aor && record[side].binding?.key === key;

/**
 * Who has the call: whoever has registered last; else whoever is at the flow before, for a second tab of a browser is the
 * same device, too; else nobody, and it is over.
 */
function seek(core: Core, record: DialogRecord, side: SideName, { flowId, listener, node }: DialogSide): void {
  const asBefore = (now: DialogRecord): DialogRecord => noteFlow(now, side, flowId, listener, node);
  const whileUp = (act: (now: DialogRecord) => void) => (): void => {
    const now = core.dialogs.now(record);
    if (now !== undefined) act(now);
  };
  const hangUp = whileUp((now) => hangUpRecord(core, now, new Failure('call-forgotten')));
  const backTo = whileUp((now) => core.dialogs.replace(now, asBefore(now)));
  const askBefore = whileUp((now) =>
    ask(core, asBefore(now), side, { known: backTo, unknown: hangUp, unheard: hangUp }),
  );
  ask(core, record, side, { known: () => undefined, unknown: askBefore, unheard: () => undefined });
}

interface Answers {
  known(): void;
  unknown(): void;
  /** It was not reached, or says nothing. */
  unheard(): void;
}

/** Said of the flow, by another node of ours or by us. */
const notReached: ReadonlySet<number> = new Set([408, 430, 480]);

/** RFC 3261 §12.2.2: 481 is the word of a device that does not know the dialog; by any other answer it does. */
function ask(core: Core, record: DialogRecord, side: SideName, answers: Answers): void {
  const user = {
    ...nobody,
    response: ({ status }: { readonly status: number }): void => {
      if (status < 200) return;
      if (status === 481) answers.unknown();
      else if (notReached.has(status)) answers.unheard();
      else answers.known();
    },
    failed: () => answers.unheard(),
  };
  sendWithin(core, record, side, (now, options) => infoFor(now, side, options), user).catch((thrown: unknown) => {
    core.ports.log.debug({ callId: record.callId, error: String(thrown) }, 'Not asked whether it has the call');
    answers.unheard();
  });
}
