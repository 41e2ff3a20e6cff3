/** A call that this process did not see begin: one of before its start, or of a node that is gone. */
import type { DialogRecord } from '../../ports.ts';
import type { Core } from '../core.ts';

export function takenUp(core: Core, record: DialogRecord): void {
  core.media.restore(record);
  core.stories.restored(record);
  core.callLimits.established(record);
  core.presence.calls.established(record);
}
