/**
 * What this process uses, under the names that dashboards for Node and for any process look for.
 * `nodejs_eventloop_lag_*`: how much later than it should a timer ran since the last look.
 */
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricFamily } from '../ports.ts';

const resolutionMs = 10;

export interface ProcessMetrics {
  read(): readonly MetricFamily[];
  close(): void;
}

export function watchProcess(): ProcessMetrics {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  const lag = (nanoseconds: number): number =>
    Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000) : 0;
  return {
    read() {
      const families = [
        ...loopFamilies(lag(delays.percentile(50)), lag(delays.percentile(99)), lag(delays.max)),
        ...processFamilies(),
      ];
      delays.reset();
      return families;
    },
    close: () => void delays.disable(),
  };
}

function loopFamilies(median: number, high: number, most: number): readonly MetricFamily[] {
  return [
    gauge('nodejs_eventloop_lag_p50_seconds', 'Median delay of the event loop since the last look.', median),
    gauge('nodejs_eventloop_lag_p99_seconds', '99th percentile of the delay since the last look.', high),
    gauge('nodejs_eventloop_lag_max_seconds', 'Longest delay since the last look.', most),
  ];
}

function processFamilies(): readonly MetricFamily[] {
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const started = Math.round(Date.now() / 1000 - process.uptime());
  return [
    { ...gauge('process_cpu_seconds_total', 'CPU time, of user and system.', (user + system) / 1e6), type: 'counter' },
    gauge('process_resident_memory_bytes', 'Memory that is in use.', rss),
    gauge('process_start_time_seconds', 'When it started, in seconds since 1970.', started),
    gauge('process_open_fds', 'Open files and sockets.', openFiles()),
    gauge('nodejs_heap_size_used_bytes', 'Heap of JavaScript that is in use.', heapUsed),
    gauge('nodejs_heap_size_total_bytes', 'Heap of JavaScript.', heapTotal),
  ];
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ labels: {}, value }] };
}
