/**
 * The end of a stop: calls that can not go on without this process are ended, so that nobody waits for one that is gone.
 * What rings is known to nobody else. An answered call goes on over a restart, unless its rtpengine stops with us.
 */
import { Failure } from '../../errors.ts';
import type { Core } from '../core.ts';
import type { Receiver } from '../receive.ts';
import { hangUpRecord } from './hang-up.ts';

/** T1: as long as an answer takes, as far as anybody knows. */
const answerMs = 500;

/** Resolves when those that were told had time to answer. */
export async function endCalls(core: Core, receiver: Receiver, answered: boolean): Promise<void> {
  const { dialogs, ports } = core;
  const talking = answered ? dialogs.all() : [];
  if (talking.length === 0 && !receiver.rings) return;
  receiver.cancelRinging();
  for (const record of talking) hangUpRecord(core, record, new Failure('shutting-down'));
  await new Promise<void>((resolve) => void ports.clock.after(answerMs, resolve));
}
