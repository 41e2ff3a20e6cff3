/**
 * A Viaduct as `npm start` runs it, on free ports of loopback, with the accounts alice and bob, a database of its own and
 * an rtpengine that the test can ask; and softphones that are registered there as bob.
 */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Transport } from '../../src/ports.ts';
import { type Baresip, type BaresipOptions, startBaresip } from '../support/baresip.ts';
import { isAlive, type RunningProcess, type Scope, startProcess } from '../support/process.ts';
import { startTestRtpengine, type TestRtpengine } from '../support/rtpengine.ts';
import { readRun } from '../support/viaduct.ts';

export interface Office {
  /** Of the pages. */
  readonly http: string;
  /** The same pages on the wss port. */
  readonly https: string;
  /** Of the WebSocket. */
  readonly ws: string;
  readonly domain: string;
  /** Of alice and of bob. */
  readonly password: string;
  /** Registered as bob, or as alice. */
  softphone(scope: Scope, options: PhoneOptions): Promise<Baresip>;
  /** What `/api/v1/registrations` has of this address of record. */
  registrations(aor: string): Promise<readonly unknown[]>;
  /** Rtpengine has no call and no port in use: soon, and a browser may be slow to say goodbye (within 2 s: test/e2e). */
  assertMediaReleased(): Promise<void>;
}

type PhoneOptions = Omit<BaresipOptions, 'user' | 'domain' | 'password' | 'proxy'> & {
  readonly user?: 'alice';
};

const DOMAIN = 'example.test';
const PASSWORD = 'open-sesame';
const START_MS = 90_000;
const RELEASE_MS = 20_000;

const project = fileURLToPath(new URL('../../', import.meta.url));

/** Ends with the scope. */
export async function openOffice(scope: Scope, settings: Readonly<Record<string, string>> = {}): Promise<Office> {
  const dataDir = await mkdtemp(join(tmpdir(), 'viaduct-office-'));
  // PostgreSQL never runs as root, and must enter the folder.
  await chmod(dataDir, 0o755);
  scope.after(() => rm(dataDir, { recursive: true, force: true, maxRetries: 10 }));
  const rtpengine = await startTestRtpengine();
  scope.after(() => rtpengine.stop());
  const viaduct = startProcess(scope, process.execPath, ['src/main.ts'], {
    cwd: project,
    env: { ...environment(dataDir, rtpengine.address), ...settings },
    // Killed it would leave its PostgreSQL behind.
    stopMs: 30_000,
  });
  const ports = await listening(viaduct, dataDir);
  const http = `http://127.0.0.1:${ports.http}`;
  return {
    http,
    https: `https://127.0.0.1:${ports.of('wss')}`,
    ws: `ws://127.0.0.1:${ports.of('ws')}`,
    domain: DOMAIN,
    password: PASSWORD,
    async softphone(inner, options) {
      const proxy = `127.0.0.1:${ports.of(options.transport ?? 'udp')}`;
      const account = { user: options.user ?? 'bob', domain: DOMAIN, password: PASSWORD };
      const phone = await startBaresip(inner, { ...options, ...account, proxy });
      await phone.registered();
      return phone;
    },
    registrations: (aor) => registrations(http, aor),
    assertMediaReleased: () => assertMediaReleased(rtpengine),
  };
}

function environment(dataDir: string, rtpengine: string): Readonly<Record<string, string>> {
  return {
    DOMAINS: DOMAIN,
    LISTEN: ['udp', 'tcp', 'tls', 'ws', 'wss'].map((transport) => `${transport}:127.0.0.1:0`).join(' '),
    HTTP: '127.0.0.1:0',
    DATA_DIR: dataDir,
    RTPENGINE: rtpengine,
    DEMO_USERS: ['alice', 'bob'].map((name) => `${name}:${PASSWORD}`).join(','),
    LOG_LEVEL: 'warn',
  };
}

interface Ports {
  readonly http: number;
  of(transport: Transport): number;
}

/** run.json is written when all sockets are open. */
async function listening(viaduct: RunningProcess, dataDir: string): Promise<Ports> {
  for (const until = Date.now() + START_MS; Date.now() < until; await sleep(50)) {
    const run: unknown = readRun(dataDir);
    if (isRun(run) && (await answers(`http://127.0.0.1:${run.http.port}/health`))) return portsOf(run);
    assert.ok(await isAlive(viaduct.pid), `Viaduct has ended:\n${viaduct.output()}`);
  }
  return assert.fail(`Viaduct did not start:\n${viaduct.output()}`);
}

interface Run {
  readonly http: { readonly port: number };
  readonly listeners: readonly { readonly transport: string; readonly port: number }[];
}

function isRun(value: unknown): value is Run {
  return typeof value === 'object' && value !== null && 'http' in value && 'listeners' in value;
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}

function portsOf(run: Run): Ports {
  return {
    http: run.http.port,
    of: (transport) => run.listeners.find((listener) => listener.transport === transport)?.port ?? 0,
  };
}

async function registrations(http: string, aor: string): Promise<readonly unknown[]> {
  const page: unknown = await (await fetch(`${http}/api/v1/registrations?limit=1000`)).json();
  assert.ok(typeof page === 'object' && page !== null && 'items' in page && Array.isArray(page.items));
  return page.items.filter((item: unknown) => JSON.stringify(item).includes(`"${aor}"`));
}

async function assertMediaReleased(rtpengine: TestRtpengine): Promise<void> {
  for (const until = Date.now() + RELEASE_MS; Date.now() < until; await sleep(50)) {
    if ((await rtpengine.list()).length === 0 && (await rtpengine.portsUsed()) === 0) return;
  }
  assert.deepEqual(await rtpengine.list(), [], 'rtpengine still has calls');
  assert.equal(await rtpengine.portsUsed(), 0, 'rtpengine still holds ports');
}
