/**
 * What a running proxy says of itself: the `Operations` that REST, pages and command line read.
 */

import type { Refused } from '../../auth/bans.ts';
import type { Binding } from '../../ports.ts';
import { publicGruu } from '../../registrar/gruu.ts';
import { withoutPush } from '../../story/credentials.ts';
import type { Core } from '../core.ts';
import { mediaControls } from '../media/media-control.ts';
import { addressText } from '../nodes/node-address.ts';
import { aliasOperations } from '../operations/aliases.ts';
import { presenceOperations } from '../operations/presence.ts';
import { sessionOperations } from '../operations/sessions.ts';
import { subscriberOperations } from '../operations/subscribers.ts';
import type {
  Health,
  NodeReport,
  Operations,
  Page,
  PageRequest,
  RefusedSource,
  Registration,
  Statistics,
} from '../operations.ts';
import { calls } from '../story/call-list.ts';
import { call, explanation, ladder } from '../story/call-reports.ts';
import { metricsOf } from './metrics.ts';
import { prometheusText } from './prometheus.ts';

export function createOperations(core: Core): Operations {
  const startedAtMs = core.ports.clock.nowMs();
  const uptimeSeconds = (): number => Math.floor((core.ports.clock.nowMs() - startedAtMs) / 1000);
  return {
    health: () => health(core, uptimeSeconds()),
    nodes: () => nodes(core),
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

function nodes({ nodes: known }: Core): readonly NodeReport[] {
  return known.list().map(({ id, address, silentMs }) => ({
    id,
    address: addressText(address),
    isSelf: !known.isOther(id),
    silentSeconds: Math.round(silentMs / 1000),
  }));
}

/** A database that fails at this moment must not hide all the rest. */
async function metrics(core: Core, uptimeSeconds: number): Promise<string> {
  const rows = await rowsOf(core).catch(() => unknownRows);
  const ofProcess = core.ports.processMetrics?.read() ?? [];
  return prometheusText([...metricsOf(core, statisticsWith(core, uptimeSeconds, rows)), ...ofProcess]);
}

async function statistics(core: Core, uptimeSeconds: number): Promise<Statistics> {
  return statisticsWith(core, uptimeSeconds, await rowsOf(core));
}

/** What only the database knows. */
interface Rows {
  readonly bindings: number;
  readonly publications: number;
  readonly subscriptions: number;
}

const noRows: Rows = { bindings: 0, publications: 0, subscriptions: 0 };
const unknownRows: Rows = { bindings: Number.NaN, publications: Number.NaN, subscriptions: Number.NaN };

function statisticsWith(core: Core, uptimeSeconds: number, rows: Rows): Statistics {
  const { counters, dialogs, media, presence, transactions, ports } = core;
  const { bindings, publications, subscriptions } = rows;
  const network = ports.network.statistics();
  return {
    uptimeSeconds,
    registrations: { bindings },
    calls: {
      inProgress: dialogs.size,
      ringing: Math.max(0, media.size - dialogs.size),
      answered: counters.answered,
      failed: counters.failed,
    },
    presence: { publications, subscriptions, notifying: presence.notifying },
    transactions: transactions.counts,
    connections: network.connections,
    messages: {
      requests: counters.requests,
      responses: counters.responses,
      dropped: { ...network.dropped, ...counters.dropped },
    },
    refusals: counters.refusals,
    rtpengine: ports.media.nodes(),
    database: { state: ports.database.state(), waiting: ports.database.waiting() },
    nodes: nodes(core),
  };
}

/** Those whose client is gone are not counted, though their rows wait for it. */
async function rowsOf({ ports, registrar }: Core): Promise<Rows> {
  if (ports.database.state() === 'down') return noRows;
  const [bindings, counts] = await Promise.all([ports.location.count(), ports.presence.counts()]);
  return { bindings: Math.max(0, bindings - registrar.goneCount), ...counts };
}

async function registrations(core: Core, page: PageRequest): Promise<Page<Registration>> {
  const bindings = await core.ports.location.list(page);
  const next = bindings.length < page.limit ? undefined : bindings.at(-1)?.aor;
  return { items: bindings.filter((one) => !core.registrar.isGone(one)).map(registration), next };
}

function registration(binding: Binding): Registration {
  const { aor, contact, transport, source, userAgent, media, q } = binding;
  const expiresAt = new Date(binding.expiresAtMs).toISOString();
  const gruu = publicGruu(binding);
  return {
    ...{ aor, contact: withoutPush(contact), publicGruu: gruu },
    ...{ transport, source, userAgent, media, q, expiresAt },
  };
}
