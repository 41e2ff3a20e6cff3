/**
 * What `GET /metrics` tells, as families of samples (https://prometheus.io/docs/practices/naming/): base units, `_total`
 * for what only grows, and labels of which there is a bounded number (law 9). prometheus.ts writes them down.
 */
import type { MetricFamily, Sample } from '../../ports.ts';
import type { Core } from '../core.ts';
import type { Statistics } from '../operations.ts';
import type { Histogram } from './histogram.ts';

export function metricsOf(core: Core, statistics: Statistics): readonly MetricFamily[] {
  return [
    ...ofThis(core),
    ...ofSip(core, statistics),
    ...ofPush(core),
    ...ofPresence(statistics),
    ...ofMedia(core, statistics),
    ...ofDatabase(core, statistics),
  ];
}

function ofThis({ options, draining }: Core): readonly MetricFamily[] {
  const { version, node } = options;
  return [
    gauge('viaduct_build_info', 'Which Viaduct this is; always 1.', [{ labels: { version, node }, value: 1 }]),
    gauge('viaduct_draining', 'Whether it waits for calls to end, to stop then.', only(draining ? 1 : 0)),
  ];
}

function ofSip({ counters }: Core, statistics: Statistics): readonly MetricFamily[] {
  const { calls, transactions, connections, messages, refusals, registrations } = statistics;
  return [
    counter(
      'viaduct_sip_requests_total',
      'Requests received; methods that we do not know are `other`.',
      by('method', messages.requests),
    ),
    counter(
      'viaduct_sip_responses_total',
      'Responses sent, by method of the request and class of the status.',
      Object.entries(counters.classes).map(([key, value]) => ({ labels: labelled(['method', 'class'], key), value })),
    ),
    counter(
      'viaduct_sip_dropped_total',
      'Messages thrown away, and connections ended, by reason.',
      by('reason', messages.dropped),
    ),
    counter('viaduct_refusals_total', 'Requests refused, by the code of `errors.ts`.', by('code', refusals)),
    counter(
      'viaduct_http_responses_total',
      'Answers of REST and the pages: 401 a wrong token, 403 a wrong Host, 429 too many.',
      by('status', counters.http),
    ),
    gauge('viaduct_transactions', 'Transactions that are remembered.', by('kind', transactions)),
    gauge('viaduct_calls', 'Calls in progress.', [
      { labels: { state: 'ringing' }, value: calls.ringing },
      { labels: { state: 'answered' }, value: calls.inProgress },
    ]),
    counter('viaduct_calls_answered_total', 'Calls that were answered.', only(calls.answered)),
    counter('viaduct_calls_failed_total', 'Calls that were not answered.', only(calls.failed)),
    gauge('viaduct_registrations', 'Bindings in the database.', only(registrations.bindings)),
    gauge('viaduct_connections', 'Open connections.', by('transport', connections)),
  ];
}

function ofPush({ counters }: Core): readonly MetricFamily[] {
  return [
    counter(
      'viaduct_pushes_total',
      'Web Pushes to wake a device, by what came of them.',
      by('outcome', counters.pushes),
    ),
    counter('viaduct_calls_woken_total', 'Calls that reached a device because a push woke it.', only(counters.woken)),
  ];
}

function ofPresence({ presence }: Statistics): readonly MetricFamily[] {
  const { publications, subscriptions, notifying } = presence;
  return [
    gauge('viaduct_publications', 'Live publications in the database.', only(publications)),
    gauge('viaduct_subscriptions', 'Live subscriptions in the database.', only(subscriptions)),
    gauge('viaduct_notifications_waiting', 'NOTIFY requests on their way or waiting for their time.', only(notifying)),
  ];
}

function ofMedia({ timings, counters }: Core, { rtpengine }: Statistics): readonly MetricFamily[] {
  const ports = rtpengine.flatMap(({ address: node, ports }) =>
    ports === undefined
      ? []
      : [
          { labels: { node, state: 'used' }, value: ports.used },
          { labels: { node, state: 'free' }, value: ports.free },
        ],
  );
  const failures = Object.entries(timings.ngFailures);
  return [
    gauge(
      'viaduct_rtpengine_up',
      'Whether the node answers.',
      rtpengine.map(({ address: node, state }) => ({ labels: { node }, value: state === 'down' ? 0 : 1 })),
    ),
    gauge('viaduct_rtpengine_ports', 'RTP ports of the node.', ports),
    counter(
      'viaduct_call_records_lost_total',
      'Ended calls whose record could not be kept.',
      only(counters.lostRecords),
    ),
    counter('viaduct_media_looks_total', 'Looks at the media of calls that are up.', only(counters.mediaLooks)),
    counter(
      'viaduct_media_faults_total',
      'Calls whose media was found not to be as it should, by verdict: `one-way`, `dtls-unfinished`, …',
      by('code', counters.mediaFaults),
    ),
    histogram('viaduct_ng_duration_seconds', 'How long ng commands took, repetitions included.', timings.ng),
    counter(
      'viaduct_ng_failures_total',
      'ng commands that failed, by the code of `errors.ts`.',
      failures.map(([key, value]) => ({ labels: labelled(['node', 'command', 'code'], key), value })),
    ),
  ];
}

function ofDatabase({ timings }: Core, { database }: Statistics): readonly MetricFamily[] {
  return [
    gauge('viaduct_database_up', 'Whether the database answers.', only(database.state === 'up' ? 1 : 0)),
    gauge('viaduct_database_waiting', 'Statements that wait for the database.', only(database.waiting)),
    histogram('viaduct_database_duration_seconds', 'How long the database took, by operation.', timings.database),
  ];
}

// --- families --------------------------------------------------------------------------------------------------------

function counter(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, help, type: 'counter', samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, help, type: 'gauge', samples };
}

function histogram(name: string, help: string, told: Histogram): MetricFamily {
  const samples = told.series().flatMap(({ labels: values, counts, count, sum }): readonly Sample[] => {
    const labels = Object.fromEntries(told.labelNames.map((label, at) => [label, values[at] ?? '']));
    const buckets = told.bounds.map((bound, at) => ({
      labels: { ...labels, le: String(bound) },
      value: counts[at] ?? 0,
    }));
    return [
      ...[...buckets, { labels: { ...labels, le: '+Inf' }, value: count }].map((each) => ({
        ...each,
        suffix: '_bucket',
      })),
      { labels, value: sum, suffix: '_sum' },
      { labels, value: count, suffix: '_count' },
    ];
  });
  return { name, help, type: 'histogram', samples };
}

function only(value: number): readonly Sample[] {
  return [{ labels: {}, value }];
}

function by(label: string, counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([key, value]) => ({ labels: { [label]: key }, value }));
}

function labelled(names: readonly string[], key: string): Sample['labels'] {
  const values = key.split(' ');
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']));
}
