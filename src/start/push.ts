/** Web Push as the settings want it, with a key of this installation, kept in DATA_DIR. */
import { join } from 'node:path';
import { newVapidKey } from '../adapters/push/vapid.ts';
import { openWebPush } from '../adapters/push/web-push.ts';
import { systemClock } from '../adapters/system.ts';
import type { Settings } from '../config.ts';
import type { Log, PushService } from '../ports.ts';
import { kept } from './identity.ts';
import type { Shutdown } from './shutdown.ts';

/** `undefined`: nobody is woken. */
export function openPush(settings: Settings, domain: string, log: Log, shutdown: Shutdown): PushService | undefined {
  const { pushSeconds, pushServices: services, vapidKey, dataDir } = settings;
  if (pushSeconds === 0) return undefined;
  const key = vapidKey ?? kept(join(dataDir, 'vapid-key'), newVapidKey);
  const push = openWebPush({ key, subject: `mailto:postmaster@${domain}`, services, clock: systemClock, log });
  shutdown.add('the pushes', () => push.close());
  return push;
}
