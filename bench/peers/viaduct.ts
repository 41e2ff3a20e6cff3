/** Viaduct as it is in this folder: one process, an external PostgreSQL and rtpengine, the load from a TRUSTED network. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../src/adapters/postgres/migrations.ts';
import { sql } from '../../test/support/postgres-server.ts';
import { startProcess } from '../../test/support/process.ts';
import { silentLog } from '../../test/support/rtpengine.ts';
import { tasks } from '../../tools/tasks.mjs';
import { accounts, domain } from '../load.ts';
import type { Peer } from './peer.ts';

const node = 'nbench';
const projectDir = join(import.meta.dirname, '..', '..');

export const viaduct: Peer = {
  name: 'viaduct',
  missing: () => undefined,
  async start(scope, backends, { digest = false }, filling) {
    const dataDir = mkdtempSync(join(tmpdir(), 'viaduct-bench-'));
    scope.after(() => rmSync(dataDir, { recursive: true, force: true }));
    await sql({ url: backends.directUrl('postgres') }, 'CREATE DATABASE viaduct');
    if (filling !== undefined) {
      const url = backends.directUrl('viaduct');
      await migrate({ url }, silentLog);
      writeFileSync(join(dataDir, 'node-id'), `${node}\n`);
      await filling({ url, node });
    }
    const env = {
      DATA_DIR: dataDir,
      DATABASE_URL: backends.postgresUrl('viaduct'),
      DOMAINS: domain,
      HTTP: '127.0.0.1:0',
      LISTEN: 'udp:127.0.0.1:0 ws:127.0.0.1:0',
      LOG_LEVEL: 'warn',
      RTPENGINE: `udp:127.0.0.1:${backends.rtpenginePort}=1`,
      TRUSTED: digest ? '192.0.2.0/24' : '127.0.0.0/8',
    };
    const fromMs = performance.now();
    const child = startProcess(scope, process.execPath, [...profiling(), ...tasks.start.run], { env, cwd: projectDir });
    // The first signal lets calls end; the second is in a hurry. A profile is written at the end.
    scope.after(async () => {
      child.signal('SIGTERM');
      // Two at once would be one.
      await new Promise((resolve) => setTimeout(resolve, 200));
      child.signal('SIGTERM');
      await child.ended(30_000);
    });
    const { port, wsPort, http } = await listening(join(dataDir, 'run.json'), () => child.output());
    const startMs = Math.round(performance.now() - fromMs);
    await sql(
      { url: backends.directUrl('viaduct') },
      `INSERT INTO subscriber (username, domain, ha1_md5, ha1_sha256)
       SELECT name, '${domain}', md5(secret), encode(sha256(secret::bytea), 'hex')
       FROM (SELECT 'u' || lpad(i::text, 7, '0') AS name FROM generate_series(0, ${accounts - 1}) i) AS names,
         LATERAL (SELECT name || ':${domain}:' || name AS secret) AS secrets`,
    );
    return {
      pid: child.pid,
      port,
      wsPort,
      metricsUrl: `http://127.0.0.1:${http}/metrics`,
      startMs,
      said: () => child.output(),
    };
  },
};

/** `BENCH_PROFILE=folder`: a CPU profile of each run, for Chromium's developer tools. */
function profiling(): readonly string[] {
  const folder = process.env.BENCH_PROFILE;
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

async function listening(
  file: string,
  output: () => string,
): Promise<{ readonly port: number; readonly wsPort: number; readonly http: number }> {
  for (const deadlineMs = Date.now() + 30_000; Date.now() < deadlineMs; ) {
    const run = readIfThere(file);
    const [port, wsPort] = ['udp', 'ws'].map(
      (transport) => new RegExp(`"transport":\\s*"${transport}"[^}]*?"port":\\s*(\\d+)`).exec(run)?.[1],
    );
    const http = /"http":\s*\{[^}]*?"port":\s*(\d+)/.exec(run)?.[1];
    if (port !== undefined && wsPort !== undefined && http !== undefined) {
      return { port: Number(port), wsPort: Number(wsPort), http: Number(http) };
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Viaduct did not start:\n${output()}`);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
