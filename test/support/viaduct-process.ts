/**
 * Viaduct as a process, for calls through it: `node src/main.ts` on free ports of loopback, with a DATA_DIR of its own.
 *
 *     const viaduct = await startViaduct(suite, { DEMO_USERS: 'alice:secret' });
 *     await viaduct.kill9();
 *     await viaduct.restart(); // the same settings, data and ports
 *     await viaduct.stop();    // and nothing that it started is left
 *
 * Whatever is left when the scope or the test process ends is ended. `npm start` as a person meets it: viaduct.ts.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { CallsBody, HealthBody, RegistrationsBody, StatisticsBody } from '../../routes/http/schemas.ts';
import { parseNodeAddress } from '../../src/adapters/rtpengine/node-address.ts';
import type { Listener, Transport } from '../../src/ports.ts';
import { isAlive, type RunningProcess, type Scope, startProcess } from './process.ts';
import { type RtpengineView, viewRtpengine } from './rtpengine.ts';
import { processesWith, type Run, readRun } from './viaduct.ts';

export type Settings = Readonly<Record<string, string>>;
export type StatisticsOf = Static<typeof StatisticsBody>;
export type CallOf = Static<typeof CallsBody>['items'][number];
export type RegistrationOf = Static<typeof RegistrationsBody>['items'][number];

export interface Viaduct {
  readonly dataDir: string;
  /** The first of DOMAINS. */
  readonly domain: string;
  /** run.json of the process that runs now. */
  run(): Run;
  port(transport: Transport): number;
  /** The first of this transport, on this address if one is given, as the engine knows it. */
  listener(transport: Transport, address?: string): Listener;
  /** PEM of the authority of the certificate it made for itself. */
  authority(): string;
  get(path: string): Promise<Response>;
  health(): Promise<Static<typeof HealthBody>>;
  stats(): Promise<StatisticsOf>;
  /** Those that are answered and go on. */
  calls(): Promise<readonly CallOf[]>;
  registrations(): Promise<readonly RegistrationOf[]>;
  /** Waits until the statistics are as wanted, and fails with what they are. */
  until(what: string, isTrue: (stats: StatisticsOf) => boolean, withinMs?: number): Promise<void>;
  /** By `viaduct user`, beside the running process. */
  addUser(name: string, password: string): Promise<void>;
  /** The first of its rtpengine nodes. */
  rtpengine(): RtpengineView;
  /** Everything that it logged. */
  output(): string;
  kill9(): Promise<void>;
  /** After `kill9` or `stop`: the same settings, data and ports. */
  restart(): Promise<void>;
  /** In order, as by Ctrl-C; every process that it started is gone. */
  stop(): Promise<void>;
}

export const DOMAIN = 'example.test';

const projectDir = join(import.meta.dirname, '..', '..');
const START_MS = 90_000;
const STOP_MS = 10_000;
const POLL_MS = 25;
const transports: readonly Transport[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

const defaults: Settings = {
  ADVERTISE: '',
  API_TOKEN: '',
  DATABASE_URL: '',
  DOMAINS: DOMAIN,
  // Tests stop in the middle of calls.
  DRAIN_SECONDS: '0',
  HTTP: '127.0.0.1:0',
  LISTEN: transports.map((transport) => `${transport}:127.0.0.1:0`).join(' '),
  LOG_LEVEL: 'info',
  // Of this test file alone: two rtpengines on one address would share ports, and take each other's packets.
  MEDIA_ADDRESS: `127.0.${process.pid % 250}.${1 + (Math.floor(process.pid / 250) % 250)}`,
  RTPENGINE: '',
  TLS_CFG: '',
  TRUSTED: '',
};

export async function startViaduct(scope: Scope, settings: Settings = {}): Promise<Viaduct> {
  const dataDir = mkdtempSync(join(tmpdir(), 'viaduct-e2e-'));
  // PostgreSQL never runs as root, and must enter the folder.
  chmodSync(dataDir, 0o755);
  const viaduct = new ViaductProcess(scope, dataDir, { ...defaults, ...settings, DATA_DIR: dataDir });
  await viaduct.restart();
  return viaduct;
}

class ViaductProcess implements Viaduct {
  readonly dataDir: string;
  readonly domain: string;
  readonly #scope: Scope;
  readonly #settings: Settings;
  /** All that any of its lives has started. */
  readonly #pids = new Set<number>();
  #process: RunningProcess | undefined;
  #run: Run | undefined;
  #rtpengine: (RtpengineView & { close(): void }) | undefined;
  /** Of the lives before. */
  #earlier = '';

  constructor(scope: Scope, dataDir: string, settings: Settings) {
    this.dataDir = dataDir;
    this.domain = settings.DOMAINS?.split(' ')[0] ?? DOMAIN;
    this.#scope = scope;
    this.#settings = settings;
    const killAll = (): void => {
      this.#killAll();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once('exit', killAll);
    // A test runner that gives up sends this; without a listener it would end us without `exit`.
    if (process.listenerCount('SIGTERM') === 0) process.once('SIGTERM', () => process.exit(1));
    scope.after(async () => {
      process.removeListener('exit', killAll);
      await this.#end();
    });
  }

  run(): Run {
    return this.#run ?? assert.fail('Viaduct has not been started');
  }

  port(transport: Transport): number {
    return this.listener(transport).local.port;
  }

  listener(transport: Transport, on?: string): Listener {
    const { listeners } = this.run();
    const index = listeners.findIndex((each) => each.transport === transport && (on ?? each.address) === each.address);
    const { address, port } = listeners[index] ?? assert.fail(`no listener for ${transport}`);
    const entry = `${transport}:${address}:${port}`;
    return { index, entry, transport, local: { address, port }, advertised: { host: address, port } };
  }

  authority(): string {
    return readFileSync(join(this.dataDir, 'tls', 'ca.pem'), 'utf8');
  }

  get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.run().http.port}${path}`);
  }

  health(): Promise<Static<typeof HealthBody>> {
    return this.#read('/health', HealthBody);
  }

  stats(): Promise<StatisticsOf> {
    return this.#read('/api/v1/stats', StatisticsBody);
  }

  async calls(): Promise<readonly CallOf[]> {
    return (await this.#read('/api/v1/calls?state=answered', CallsBody)).items;
  }

  async registrations(): Promise<readonly RegistrationOf[]> {
    return (await this.#read('/api/v1/registrations', RegistrationsBody)).items;
  }

  async until(what: string, isTrue: (stats: StatisticsOf) => boolean, withinMs = 20_000): Promise<void> {
    for (const deadlineMs = Date.now() + withinMs; ; await delay(POLL_MS)) {
      const stats = await this.stats();
      if (isTrue(stats)) return;
      assert.ok(Date.now() < deadlineMs, `not within ${withinMs} ms: ${what}\n${JSON.stringify(stats, null, 1)}`);
    }
  }

  async addUser(name: string, password: string): Promise<void> {
    const script = 'echo "$PASSWORD" | "$NODE" src/cli/main.ts user add "$NAME"';
    const env = { ...this.#settings, NODE: process.execPath, NAME: name, PASSWORD: password };
    const added = startProcess(this.#scope, 'sh', ['-c', script], { cwd: projectDir, env });
    const { code } = await added.ended();
    assert.equal(code, 0, added.output());
  }

  rtpengine(): RtpengineView {
    return this.#rtpengine ?? assert.fail('Viaduct has no rtpengine');
  }

  output(): string {
    return this.#earlier + (this.#process?.output() ?? '');
  }

  async kill9(): Promise<void> {
    const killed = this.#process ?? assert.fail('Viaduct does not run');
    killed.signal('SIGKILL');
    await killed.ended();
  }

  async restart(): Promise<void> {
    const before = this.#run;
    this.#earlier = this.output();
    this.#process = startProcess(this.#scope, process.execPath, ['src/main.ts'], {
      cwd: projectDir,
      env: { ...this.#settings, ...(before === undefined ? {} : samePorts(before)) },
    });
    this.#run = await this.#healthy(this.#process, before);
    const { pid, children } = this.#run;
    for (const each of [pid, children.postgres, children.rtpengine]) if (each !== undefined) this.#pids.add(each);
    const [node] = (await this.stats()).rtpengine;
    const address = node === undefined ? undefined : parseNodeAddress(node.address);
    this.#rtpengine?.close();
    this.#rtpengine = address === undefined ? undefined : viewRtpengine(address);
  }

  async stop(): Promise<void> {
    const stopped = this.#process ?? assert.fail('Viaduct does not run');
    stopped.signal('SIGTERM');
    assert.deepEqual(await stopped.ended(STOP_MS), { code: 0, signal: undefined }, stopped.output());
    const left = await Promise.all([...this.#pids].map(async (pid) => ((await isAlive(pid)) ? [pid] : [])));
    assert.deepEqual([...left.flat(), ...processesWith(this.dataDir)], [], 'processes are left');
  }

  async #read<S extends TSchema>(path: string, schema: S): Promise<Static<S>> {
    const response = await this.get(path);
    assert.equal(response.status, 200, path);
    const body: unknown = await response.json();
    assert.ok(Value.Check(schema, body), `${path} is not as its schema says: ${JSON.stringify(body)}`);
    return body;
  }

  /** A run.json of the life before is still there after a kill -9. */
  async #healthy(started: RunningProcess, before: Run | undefined): Promise<Run> {
    for (const deadlineMs = Date.now() + START_MS; ; await delay(POLL_MS)) {
      const run = readRun(this.dataDir);
      if (run !== undefined && run.pid !== before?.pid && (await isHealthy(run))) return run;
      assert.ok(await isAlive(started.pid), `Viaduct did not start\n${started.output()}`);
      assert.ok(Date.now() < deadlineMs, `Viaduct is not healthy after ${START_MS} ms\n${started.output()}`);
    }
  }

  async #end(): Promise<void> {
    this.#rtpengine?.close();
    await this.#process?.stop();
    this.#killAll();
    for (const deadlineMs = Date.now() + STOP_MS; processesWith(this.dataDir).length > 0; await delay(POLL_MS)) {
      assert.ok(Date.now() < deadlineMs, 'processes of Viaduct do not end');
    }
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #killAll(): void {
    for (const pid of processesWith(this.dataDir)) kill(pid);
  }
}

function samePorts({ http, listeners }: Run): Settings {
  return {
    HTTP: `${http.host}:${http.port}`,
    LISTEN: listeners.map(({ transport, address, port }) => `${transport}:${address}:${port}`).join(' '),
  };
}

async function isHealthy({ http }: Run): Promise<boolean> {
  const response = await fetch(`http://${http.host}:${http.port}/health`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status === 200;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
