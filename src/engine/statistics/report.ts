/** The numbers of a running proxy: for REST, the console and Prometheus. */
import type { Core } from '../core.ts';
import { nodeReports } from '../nodes/node-report.ts';
import type { Statistics } from '../operations.ts';
import { metricsOf } from './metrics.ts';
import { prometheusText } from './prometheus.ts';

/** A database that fails at this moment must not hide all the rest. */
export async function metrics(core: Core, uptimeSeconds: number): Promise<string> {
  const rows = await rowsOf(core).catch(() => unknownRows);
  const ofProcess = core.ports.processMetrics?.read() ?? [];
  return prometheusText([...metricsOf(core, statisticsWith(core, uptimeSeconds, rows)), ...ofProcess]);
}

export async function statistics(core: Core, uptimeSeconds: number): Promise<Statistics> {
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
    database: databaseReport(ports.database),
    nodes: nodeReports(core),
  };
}

function databaseReport(database: Core['ports']['database']): Statistics['database'] {
  return { state: database.state(), waiting: database.waiting(), lastError: database.trouble()?.detail };
}

/** Those whose client is gone are not counted, though their rows wait for it. */
async function rowsOf({ ports, registrar }: Core): Promise<Rows> {
  if (ports.database.state() === 'down') return noRows;
  const [bindings, counts] = await Promise.all([ports.location.count(), ports.presence.counts()]);
  return { bindings: Math.max(0, bindings - registrar.goneCount), ...counts };
}
