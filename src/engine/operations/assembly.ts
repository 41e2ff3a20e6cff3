/** All that REST, pages and the command line may ask of a running proxy (`Operations`), put together. */
import type { Refused } from '../../auth/bans.ts';
import type { Core } from '../core.ts';
import { mediaControls } from '../media/media-control.ts';
import { nodeReports } from '../nodes/node-report.ts';
import type { Health, Operations, RefusedSource } from '../operations.ts';
import { metrics, statistics } from '../statistics/report.ts';
import { calls } from '../story/call-list.ts';
import { call, explanation, ladder } from '../story/call-reports.ts';
import { aliasOperations } from './aliases.ts';
import { presenceOperations } from './presence.ts';
import { registrations } from './registrations.ts';
import { sessionOperations } from './sessions.ts';
import { subscriberOperations } from './subscribers.ts';

export function createOperations(core: Core): Operations {
  const startedAtMs = core.ports.clock.nowMs();
  const uptimeSeconds = (): number => Math.floor((core.ports.clock.nowMs() - startedAtMs) / 1000);
  return {
    health: () => health(core, uptimeSeconds()),
    nodes: () => nodeReports(core),
    metrics: () => metrics(core, uptimeSeconds()),
    statistics: () => statistics(core, uptimeSeconds()),
    registrations: (page) => registrations(core, page),
    calls: (page) => calls(core, page),
    callsOnNode: (id) => core.media.countOn(id),
    call: (id) => call(core, id),
    ladder: (id) => ladder(core, id),
    explain: (id) => explanation(core, id),
    refusedSources: () => core.protection.list().map(refusedSource),
    liftBan: (source) => core.protection.lift(source),
    watch: (watcher) => core.happenings.watch(watcher, () => statistics(core, uptimeSeconds())),
    ...mediaControls(core),
    ...presenceOperations(core),
    ...subscriberOperations(core),
    ...aliasOperations(core),
    ...sessionOperations(core),
  };
}

function refusedSource({ source, reason, over, count, lastMs, untilMs }: Refused): RefusedSource {
  const until = untilMs === undefined ? undefined : new Date(untilMs).toISOString();
  return { source, reason, over, count, lastAt: new Date(lastMs).toISOString(), until };
}

function health(core: Core, uptimeSeconds: number): Health {
  const database = core.ports.database.state();
  const relays = core.ports.media.nodes();
  const media = relays.length === 0 ? 'none' : relays.some(({ state }) => state !== 'down') ? 'up' : 'down';
  const status = core.draining ? 'draining' : database === 'up' && media === 'up' ? 'ok' : 'degraded';
  return { status, version: core.options.version, uptimeSeconds, database, media, nodes: core.nodes.list().length };
}
