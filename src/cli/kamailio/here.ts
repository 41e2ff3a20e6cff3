/** The Viaduct that takes Kamailio's place, by its settings: what registrations are bound to. */
import { chownSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { listenersOf, openings } from '../../adapters/network/listeners.ts';
import type { Settings } from '../../config.ts';
import type { Listener } from '../../ports.ts';
import { loadIdentity } from '../../start/identity.ts';
import type { Here } from './contact-row.ts';

export async function hereBySettings(settings: Settings): Promise<Here> {
  const { dataDir, tokenSecrets, maxExpires } = settings;
  const { node, boot } = loadIdentity(dataDir, tokenSecrets);
  // Before the first start of a service with a user of its own: what was made here must be that user's.
  const { uid, gid } = statSync(dataDir);
  if (process.getuid?.() === 0) chownIfThere([join(dataDir, 'node-id'), join(dataDir, 'token-secret')], uid, gid);
  const listeners = await listenersBy(settings);
  const mostMs = (maxExpires.byTransport.udp ?? maxExpires.seconds) * 1000;
  return { node, boot, listeners, nowMs: Date.now(), mostMs, timeOf };
}

function chownIfThere(paths: readonly string[], uid: number, gid: number): void {
  for (const path of paths) if (statSync(path, { throwIfNoEntry: false }) !== undefined) chownSync(path, uid, gid);
}

/** In the order in which a start opens them: their places are in the ids of flows. */
async function listenersBy({ listen, advertise }: Settings): Promise<readonly Listener[]> {
  const listeners: Listener[] = [];
  for (const entry of listen) {
    for (const opening of await openings(entry)) {
      listeners.push(...listenersOf(opening, entry.port, listeners.length, advertise));
    }
  }
  return listeners;
}

/** `2026-11-30 18:07:00` in the time zone of this process, or seconds since 1970. */
export function timeOf(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text) * 1000;
  const isTime = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(text);
  return isTime ? new Date(text.replace(' ', 'T')).getTime() : Number.NaN;
}
