/** `GET /metrics`: what Prometheus reads, after calls, refusals, and a database and an rtpengine that were slow. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lostFamilies } from '../../../src/adapters/network/hep-capture.ts';
import { watchProcess } from '../../../src/adapters/process-metrics.ts';
import { Histogram } from '../../../src/engine/statistics/histogram.ts';
import { prometheusText } from '../../../src/engine/statistics/prometheus.ts';
import { type ReadFamily, readPrometheus } from '../../support/prometheus.ts';
import { createProxyScene, type ProxyScene } from '../../support/proxy-scene.ts';

const columns = ['alice', 'proxy', 'bob'];

async function read(it: ProxyScene): Promise<ReadonlyMap<string, ReadFamily>> {
  const told = { text: '' };
  void it
    .proxy()
    .operations.metrics()
    .then((text) => {
      told.text = text;
    });
  await it.clock.advanceUntil(() => told.text !== '', 10_000);
  return readPrometheus(told.text);
}

/** The one sample with these labels. */
function valueOf(
  families: ReadonlyMap<string, ReadFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name.replace(/_(bucket|sum|count)$/, '')) ?? families.get(name);
  const wanted = Object.entries(labels);
  return family?.samples.get(name)?.find((sample) => wanted.every(([key, value]) => sample.labels[key] === value))
    ?.value;
}

async function afterACall(script: (it: ProxyScene, families: ReadonlyMap<string, ReadFamily>) => Promise<void>) {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller } = await it.call(alice, bob);
    const during = await read(it);
    assert.equal(valueOf(during, 'viaduct_calls', { state: 'answered' }), 1);
    await it.hangUp(alice, caller, bob);
    await script(it, await read(it));
  });
}

test('requests by method, responses by method and class, calls and registrations are counted', () =>
  afterACall(async (_it, families) => {
    assert.equal(valueOf(families, 'viaduct_sip_requests_total', { method: 'INVITE' }), 1);
    assert.equal(valueOf(families, 'viaduct_sip_responses_total', { method: 'INVITE', class: '1xx' }), 2);
    assert.equal(valueOf(families, 'viaduct_sip_responses_total', { method: 'INVITE', class: '2xx' }), 1);
    assert.equal(valueOf(families, 'viaduct_sip_responses_total', { method: 'REGISTER', class: '2xx' }), 1);
    assert.equal(valueOf(families, 'viaduct_calls_answered_total'), 1);
    assert.equal(valueOf(families, 'viaduct_calls', { state: 'answered' }), 0);
    assert.equal(valueOf(families, 'viaduct_registrations'), 1);
    for (const name of ['publications', 'subscriptions', 'notifications_waiting']) {
      assert.equal(valueOf(families, `viaduct_${name}`), 0);
    }
    assert.equal(valueOf(families, 'viaduct_build_info', { version: '0.0.0-test', node: 'n1' }), 1);
  }));

test('ng commands and database operations are histograms by node and command, and by operation', () =>
  afterACall(async (it, families) => {
    const node = it.media.nodes()[0]?.address ?? '';
    for (const command of ['offer', 'answer', 'delete']) {
      assert.ok((valueOf(families, 'viaduct_ng_duration_seconds_count', { node, command }) ?? 0) >= 1, command);
    }
    for (const operation of ['location.lookup', 'location.change', 'dialogs.save']) {
      assert.ok((valueOf(families, 'viaduct_database_duration_seconds_count', { operation }) ?? 0) >= 1, operation);
    }
  }));

test('law 9: methods that nobody knows are one label, whatever comes', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    for (const method of ['FLOOD1', 'FLOOD2', 'FLOOD3']) {
      alice.request(method, 'sip:example.com');
      await alice.receivesFinal(method);
    }
    const families = await read(it);
    const methods = families.get('viaduct_sip_requests_total')?.samples.get('viaduct_sip_requests_total') ?? [];
    assert.deepEqual(
      methods.map(({ labels, value }) => [labels.method, value]),
      [['other', 3]],
    );
  });
});

test('a slow database shows in its buckets, and a database that is down hides nothing else', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    it.database.set({ latencyMs: 300 });
    await it.registered({ name: 'bob', address: '192.0.2.2' });
    const slow = await read(it);
    const operation = 'location.change';
    const bucket = (le: string) => valueOf(slow, 'viaduct_database_duration_seconds_bucket', { operation, le });
    assert.deepEqual([bucket('0.25'), bucket('0.5'), bucket('+Inf')], [0, 1, 1]);
    assert.equal(valueOf(slow, 'viaduct_database_duration_seconds_sum', { operation }), 0.3);
    it.database.set({ down: true });
    const down = await read(it);
    assert.equal(valueOf(down, 'viaduct_database_up'), 0);
    assert.equal(valueOf(down, 'viaduct_sip_requests_total', { method: 'REGISTER' }), 1);
  });
});

test('law 9: a histogram has a bounded number of label sets; what comes beyond is `other`', () => {
  const histogram = new Histogram(['operation']);
  for (let index = 0; index < 1_000; index++) histogram.observe([`operation${index}`], 0.001);
  const series = histogram.series();
  assert.ok(series.length <= 201, `${series.length}`);
  assert.equal(series.find(({ labels }) => labels[0] === 'other')?.count, 800);
});

test('text of others cannot break a line: quotes, backslashes and line ends are escaped', () => {
  const value = 'a "b" \\ c\nd';
  const text = prometheusText([{ name: 'x', help: 'a\nb', type: 'gauge', samples: [{ labels: { value }, value: 1 }] }]);
  assert.deepEqual(readPrometheus(text).get('x')?.samples.get('x'), [{ labels: { value }, value: 1 }]);
});

test('the process tells its memory, CPU time and the delay of its event loop', () => {
  const watch = watchProcess();
  const families = readPrometheus(prometheusText(watch.read()));
  watch.close();
  assert.ok((valueOf(families, 'process_resident_memory_bytes') ?? 0) > 1e6);
  assert.ok((valueOf(families, 'process_open_fds') ?? 0) > 2);
  assert.ok((valueOf(families, 'process_start_time_seconds') ?? 0) > 1.6e9);
  assert.ok((valueOf(families, 'nodejs_eventloop_lag_p99_seconds') ?? -1) >= 0);
});

test('README: the alert rules name metrics that there are, with labels that they have', () =>
  afterACall(async (_it, families) => {
    const watch = watchProcess();
    const all = new Map([...families, ...readPrometheus(prometheusText([...watch.read(), ...lostFamilies(0)]))]);
    watch.close();
    const readme = readFileSync(join(import.meta.dirname, '..', '..', '..', 'README.md'), 'utf8');
    const section = readme.split('\n## Watch it with Prometheus\n')[1]?.split('\n## ')[0] ?? '';
    const named = [...section.matchAll(/\b(?:viaduct|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
    assert.ok(named.length >= 8, `${named}`);
    for (const name of named) {
      assert.ok(all.has(name) || all.has(name.replace(/_(bucket|sum|count)$/, '')), name);
    }
  }));
