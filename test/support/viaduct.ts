/**
 * Viaduct as a person starts it: `npm start` on a DATA_DIR and on ports of its own. `leftovers` finds every process that
 * was started for this DATA_DIR, and whatever is left when the test is over is ended.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type RunningProcess, type Scope, startProcess } from './process.ts';

const projectDir = join(import.meta.dirname, '..', '..');

/** DATA_DIR/run.json. */
export interface Run {
  readonly pid: number;
  readonly http: { readonly host: string; readonly port: number };
  readonly listeners: readonly { readonly transport: string; readonly address: string; readonly port: number }[];
  readonly children: { readonly postgres?: number; readonly rtpengine?: number };
}

export interface StartedViaduct {
  readonly npm: RunningProcess;
  readonly run: Run;
  /** Of the first listener with this transport. */
  port(transport: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss'): number;
  get(path: string): Promise<Response>;
  /** As the terminal does it: to everybody in the foreground. Fails when a process is left when npm has ended. */
  ctrlC(): Promise<void>;
}

export interface Place {
  readonly dataDir: string;
  /** Settings, with ports picked by the system. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts, without waiting for anything. */
  npmStart(env?: Readonly<Record<string, string>>): RunningProcess;
  /** Starts, and waits until /health answers 200. */
  start(env?: Readonly<Record<string, string>>, withinMs?: number): Promise<StartedViaduct>;
  /** `npx viaduct ...`: what it printed; fails when it fails. */
  viaduct(...args: readonly string[]): Promise<string>;
  /** Processes with this DATA_DIR in their environment or command line. */
  leftovers(): readonly number[];
}

const anyPort = ['udp', 'tcp', 'tls', 'ws', 'wss'].map((transport) => `${transport}:127.0.0.1:0`).join(' ');

export function newPlace(scope: Scope): Place {
  const dataDir = mkdtempSync(join(tmpdir(), 'viaduct-start-'));
  const unset = {
    DOMAINS: '',
    ADVERTISE: '',
    DATABASE_URL: '',
    RTPENGINE: '',
    // As in viaduct-process.ts.
    MEDIA_ADDRESS: `127.0.${process.pid % 250}.${1 + (Math.floor(process.pid / 250) % 250)}`,
    DRAIN_SECONDS: '0',
    TLS_CFG: '',
  };
  const env = { ...unset, DATA_DIR: dataDir, LISTEN: anyPort, HTTP: '127.0.0.1:0', API_TOKEN: '', TRUSTED: '' };
  const leftovers = (): readonly number[] => processesWith(dataDir);
  const npmStart: Place['npmStart'] = (more) =>
    startProcess(scope, 'npm', ['start'], { cwd: projectDir, env: { ...env, ...more } });
  scope.after(async () => {
    for (const pid of leftovers()) kill(pid);
    while (leftovers().length > 0) await delay(20);
    rmSync(dataDir, { recursive: true, force: true });
  });
  return {
    dataDir,
    env,
    npmStart,
    leftovers,
    async start(more, withinMs = 90_000) {
      const npm = npmStart(more);
      return started(npm, await healthyRun(npm, dataDir, withinMs), leftovers);
    },
    async viaduct(...args) {
      const command = startProcess(scope, 'npx', ['viaduct', ...args], { cwd: projectDir, env });
      const { code } = await command.ended(30_000);
      assert.equal(code, 0, command.output());
      return command.output();
    },
  };
}

function started(npm: RunningProcess, run: Run, leftovers: Place['leftovers']): StartedViaduct {
  return {
    npm,
    run,
    get: (path) => fetch(`http://127.0.0.1:${run.http.port}${path}`),
    port(transport) {
      const listener = run.listeners.find((each) => each.transport === transport);
      return listener?.port ?? assert.fail(`no listener for ${transport}`);
    },
    async ctrlC() {
      process.kill(-npm.pid, 'SIGINT');
      const { code } = await npm.ended(20_000);
      assert.equal(code, 0, npm.output());
      assert.deepEqual(leftovers(), [], `processes are left\n${npm.output()}`);
    },
  };
}

async function healthyRun(npm: RunningProcess, dataDir: string, withinMs: number): Promise<Run> {
  for (const deadlineMs = Date.now() + withinMs; ; await delay(50)) {
    const run = readRun(dataDir);
    if (run !== undefined && (await isAlive(run.pid)) && (await isHealthy(run))) return run;
    assert.ok(await isAlive(npm.pid), `npm start has ended\n${npm.output()}`);
    assert.ok(Date.now() < deadlineMs, `not healthy within ${withinMs} ms\n${npm.output()}`);
  }
}

async function isHealthy({ http }: Run): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${http.port}/health`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status === 200;
}

export function readRun(dataDir: string): Run | undefined {
  try {
    const run: Run = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8'));
    return run;
  } catch {
    return undefined;
  }
}

/** With this DATA_DIR in the environment or the command line, or with the standard output in it. */
export function processesWith(dataDir: string): readonly number[] {
  const mentions = (pid: number): boolean =>
    ['environ', 'cmdline'].some((file) => readIfThere(`/proc/${pid}/${file}`).includes(dataDir)) ||
    linkIfThere(`/proc/${pid}/fd/1`).startsWith(dataDir);
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && mentions(pid));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

function linkIfThere(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
