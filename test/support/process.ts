/**
 * A child process for a test: its output is kept, a line of it can be waited for, and it is ended with everything it
 * started, when the test is over and in any case when the test process ends. A wait that fails shows the output.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A `TestContext`, or whatever else tells when it is over. */
export interface Scope {
  after(action: () => Promise<void> | void): void;
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may take to end when it is asked to. */
  readonly stopMs?: number;
}

export interface Ending {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface RunningProcess {
  readonly pid: number;
  /** Both streams, as they came. */
  output(): string;
  /** The first line that matches, from the beginning of the output; fails when it ends or takes too long. */
  line(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** How it ended; fails when it takes too long. */
  ended(withinMs?: number): Promise<Ending>;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end, and ends its whole group when it does not. */
  stop(): Promise<void>;
}

const WAIT_MS = 10_000;
const POLL_MS = 20;
const STOP_MS = 3_000;

const running = new Set<number>();
process.once('exit', () => {
  for (const pid of running) killGroup(pid);
});

/** Starts `command` in a process group of its own. */
export function startProcess(
  scope: Scope,
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): RunningProcess {
  const child = new Child(command, args, options);
  scope.after(() => child.stop());
  return child;
}

class Child implements RunningProcess {
  readonly pid: number;
  readonly #name: string;
  readonly #stopMs: number;
  #text = '';
  #ending: Ending | undefined;

  constructor(command: string, args: readonly string[], { cwd, env, stopMs = STOP_MS }: ProcessOptions) {
    // A child of a test is no test: with this variable it would report to our runner.
    const environment = { ...process.env, NODE_TEST_CONTEXT: undefined, ...env };
    const child = spawn(command, [...args], {
      cwd,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#stopMs = stopMs;
    this.#name = [command, ...args].join(' ').slice(0, 200);
    this.pid = child.pid ?? -1;
    if (child.pid !== undefined) running.add(child.pid);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.#text += chunk;
      });
    }
    child.once('error', (error) => {
      this.#text += `${error.message}\n`;
      this.#ending = { code: 127, signal: undefined };
    });
    child.once('exit', (code, signal) => {
      this.#ending ??= { code: code ?? undefined, signal: signal ?? undefined };
    });
  }

  output(): string {
    return this.#text;
  }

  async line(pattern: RegExp, withinMs = WAIT_MS): Promise<RegExpExecArray> {
    for (const deadlineMs = Date.now() + withinMs; ; await delay(POLL_MS)) {
      const lines = this.#text.split('\n');
      const match = lines.map((each) => pattern.exec(each)).find((found) => found !== null);
      if (match) return match;
      assert.ok(this.#ending === undefined, this.#shown(`it ended before a line like ${pattern}`));
      assert.ok(Date.now() < deadlineMs, this.#shown(`no line like ${pattern} within ${withinMs} ms`));
    }
  }

  async ended(withinMs = WAIT_MS): Promise<Ending> {
    for (const deadlineMs = Date.now() + withinMs; ; await delay(POLL_MS)) {
      if (this.#ending !== undefined) return this.#ending;
      assert.ok(Date.now() < deadlineMs, this.#shown(`it still runs after ${withinMs} ms`));
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.pid > 0 && this.#ending === undefined) process.kill(this.pid, signal);
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM');
    for (const deadlineMs = Date.now() + this.#stopMs; this.#ending === undefined && Date.now() < deadlineMs; ) {
      await delay(POLL_MS);
    }
    if (this.pid > 0) killGroup(this.pid);
    running.delete(this.pid);
  }

  #shown(why: string): string {
    return `${this.#name}: ${why}\n--- its output:\n${this.#text}\n---`;
  }
}

/** Whether a process with this id exists (a zombie does not count). */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

/**
 * A port of 127.0.0.1 that nobody had a moment ago; `both`: for UDP and for TCP. Below the ports that the kernel gives
 * to whoever asks for any (from 32768 on) and those of rtpengine, so that it is still free when its process has started.
 * `inRow`: as many with it, one after the other.
 */
export async function freePort(kind: 'udp' | 'tcp' | 'both', inRow = 1): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(10_000, 20_000 - inRow);
    const row = Array.from({ length: inRow }, (_, at) => isFree(kind, port + at));
    if ((await Promise.all(row)).every((free) => free)) return port;
  }
  return assert.fail('no free port');
}

async function isFree(kind: 'udp' | 'tcp' | 'both', port: number): Promise<boolean> {
  const udp = kind === 'tcp' || (await bindUdp(port)) !== undefined;
  return udp && (kind === 'udp' || (await bindTcp(port)) !== undefined);
}

function bindUdp(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(undefined));
    socket.bind(port, '127.0.0.1', () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}

function bindTcp(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of it is left.
  }
}
