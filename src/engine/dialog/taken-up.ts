/** A call that this process did not see begin: one of before its start, or of a node that is gone. */
import type { DialogRecord } from '../../ports.ts';
import type { Core } from '../core.ts';
import { withServersLeft } from './servers.ts';

export function takenUp(core: Core, stored: DialogRecord): DialogRecord {
  const record = withServersLeft(core, stored);
  core.media.restore(record);
  core.stories.restored(record);
  core.callLimits.established(record);
  core.presence.calls.established(record);
  return record;
}
