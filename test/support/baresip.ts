/**
 * A baresip process as a softphone: it says a constant tone, and what it hears can be listened to. Steered over its TCP control
 * port (netstrings with JSON). Each has a folder of its own; `close` ends the process and removes the folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EAR_CHANNELS, EAR_RATE, type Ear, openEar } from './baresip-ear.ts';
import type { Sound } from './tone.ts';

export interface BaresipOptions {
  readonly user: string;
  /** Of the account: `example.com`, or `127.0.0.1:5060` where the host is the domain. */
  readonly domain: string;
  readonly password?: string;
  /** Where requests go, such as `127.0.0.1:5060`; absent: no registration, calls go to the address dialled. */
  readonly proxy?: string;
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** What it says all the time. */
  readonly toneHz: number;
  /** As baresip writes them: `PCMU/8000/1`. */
  readonly codecs?: string;
  readonly answerMode?: 'manual' | 'auto';
}

export interface Baresip {
  /** Where it listens: `127.0.0.1:port`. */
  readonly address: string;
  readonly pid: number;
  /** Types of the events so far, as `CALL_ESTABLISHED`. */
  readonly events: readonly string[];
  /** Waits for an event that has not been waited for yet. */
  expect(type: string, withinMs?: number): Promise<BaresipEvent>;
  dial(target: string): Promise<void>;
  answer(): Promise<void>;
  /** Rejects, cancels or hangs up. */
  hangUp(): Promise<void>;
  hold(): Promise<void>;
  resume(): Promise<void>;
  command(name: string, params?: string): Promise<string>;
  /** Listens from now on, for so long, and tells what was heard. */
  listen(seconds: number): Promise<Sound>;
  /** What the process printed. */
  output(): string;
  close(): Promise<void>;
}

export interface BaresipEvent {
  readonly type: string;
  readonly param: string;
}

const WITHIN_MS = 10_000;

export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-baresip-'));
  const [sipPort, controlPort] = [await freePort(), await freePort()];
  await writeFile(join(directory, 'config'), configFile(options, sipPort, controlPort));
  await writeFile(join(directory, 'accounts'), `${accountLine(options)}\n`);
  await writeFile(join(directory, 'contacts'), '');
  const ear = openEar(directory);
  const env = { ...process.env, ALSA_CONFIG_PATH: ear.alsaConfig };
  const child = spawn('baresip', ['-f', directory], { stdio: ['ignore', 'pipe', 'pipe'], cwd: directory, env });
  try {
    return await operate(child, ear, directory, sipPort, controlPort);
  } catch (thrown) {
    await end(child, ear, directory);
    throw thrown;
  }
}

async function operate(
  child: ChildProcess,
  ear: Ear,
  directory: string,
  sipPort: number,
  controlPort: number,
): Promise<Baresip> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const control = await connectTo(controlPort, child, () => output);
  const channel = openChannel(control);
  const run = async (name: string, params?: string): Promise<string> => channel.command(name, params);
  return {
    address: `127.0.0.1:${sipPort}`,
    pid: child.pid ?? 0,
    events: channel.events,
    expect: async (type, withinMs = WITHIN_MS) => channel.expect(type, withinMs, () => output),
    dial: async (target) => void (await run('dial', target)),
    answer: async () => void (await run('accept')),
    hangUp: async () => void (await run('hangup')),
    hold: async () => void (await run('hold')),
    resume: async () => void (await run('resume')),
    command: run,
    listen: (seconds) => ear.listen(seconds),
    output: () => output,
    async close() {
      control.destroy();
      await end(child, ear, directory);
    },
  };
}

/** baresip leaves its calls and its registration when it gets SIGTERM; a hung one is killed. */
async function end(child: ChildProcess, ear: Ear, directory: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const killed = setTimeout(() => child.kill('SIGKILL'), 3000);
    await exited;
    clearTimeout(killed);
  }
  ear.close();
  await rm(directory, { recursive: true, force: true });
}

function accountLine(options: BaresipOptions): string {
  const transport = options.transport ?? 'udp';
  const common = `;answermode=${options.answerMode ?? 'manual'};audio_codecs=${options.codecs ?? 'PCMU/8000/1'}`;
  const address = `<sip:${options.user}@${options.domain};transport=${transport}>`;
  if (options.proxy === undefined) return `${address};regint=0${common}`;
  const login = `;auth_user=${options.user};auth_pass=${options.password ?? ''}`;
  return `${address}${login};outbound="sip:${options.proxy};transport=${transport}";regint=60${common}`;
}

/**
 * baresip skips `lo` by name, but takes its address. `ausine` works at 48 kHz stereo only, and a call whose source
 * cannot start is not answered.
 */
function configFile(options: BaresipOptions, sipPort: number, controlPort: number): string {
  const modules = ['g711', 'opus', 'ausine', 'alsa', 'srtp'];
  return [
    `sip_listen 127.0.0.1:${sipPort}`,
    'net_interface 127.0.0.1',
    'call_local_timeout 120',
    `audio_source ausine,${options.toneHz}`,
    'audio_player alsa,ear',
    'audio_alert alsa,null',
    'ausrc_srate 48000',
    'ausrc_channels 2',
    `auplay_srate ${EAR_RATE}`,
    `auplay_channels ${EAR_CHANNELS}`,
    'rtcp_mux no',
    'jitter_buffer_delay 5-10',
    'module_path /usr/lib/baresip/modules',
    ...modules.map((name) => `module ${name}.so`),
    'module_tmp uuid.so',
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    '',
  ].join('\n');
}

async function connectTo(port: number, child: ChildProcess, output: () => string): Promise<Socket> {
  const until = Date.now() + WITHIN_MS;
  while (Date.now() < until && child.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      socket.destroy();
      await sleep(50);
    }
  }
  throw new Error(`baresip did not open its control port:\n${output()}`);
}

interface Channel {
  readonly events: readonly string[];
  expect(type: string, withinMs: number, output: () => string): Promise<BaresipEvent>;
  command(name: string, params?: string): Promise<string>;
}

/** Events in order, each given to one `expect`; replies by the token of their command. */
function openChannel(socket: Socket): Channel {
  const events: string[] = [];
  const waiting: BaresipEvent[] = [];
  const replies = new Map<string, (reply: Reply) => void>();
  let notify = () => {};
  let commands = 0;
  readNetstrings(socket, (text) => {
    const message: unknown = JSON.parse(text);
    if (isReply(message)) return replies.get(message.token)?.(message);
    if (!isEvent(message)) return undefined;
    events.push(message.type);
    waiting.push({ type: message.type, param: message.param ?? '' });
    return notify();
  });
  return {
    events,
    async expect(type, withinMs, output) {
      const until = Date.now() + withinMs;
      for (;;) {
        const index = waiting.findIndex((event) => event.type === type);
        const found = index < 0 ? undefined : waiting.splice(index, 1)[0];
        if (found !== undefined) return found;
        const leftMs = until - Date.now();
        if (leftMs <= 0) throw new Error(`baresip: no ${type}, only ${events.join(', ')}\n${output()}`);
        const { promise, resolve } = Promise.withResolvers<void>();
        notify = resolve;
        const timer = setTimeout(resolve, leftMs);
        await promise;
        clearTimeout(timer);
      }
    },
    async command(name, params = '') {
      commands += 1;
      const token = `t${commands}`;
      const { promise, resolve } = Promise.withResolvers<Reply>();
      replies.set(token, resolve);
      const body = JSON.stringify({ command: name, params, token });
      socket.write(`${Buffer.byteLength(body)}:${body},`);
      const timer = setTimeout(() => resolve({ token, ok: false, data: 'no answer to the command' }), WITHIN_MS);
      const reply = await promise;
      clearTimeout(timer);
      replies.delete(token);
      if (!reply.ok) throw new Error(`baresip refused ${name} ${params}: ${reply.data}`);
      return reply.data;
    },
  };
}

function readNetstrings(socket: Socket, take: (text: string) => void): void {
  let buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const colon = buffer.indexOf(':');
      const size = Number(buffer.toString('latin1', 0, Math.max(0, colon)));
      if (colon < 1 || buffer.length < colon + size + 2) return;
      take(buffer.toString('utf8', colon + 1, colon + 1 + size));
      buffer = buffer.subarray(colon + size + 2);
    }
  });
}

interface Reply {
  readonly token: string;
  readonly ok: boolean;
  readonly data: string;
}

function isReply(message: unknown): message is Reply {
  return typeof message === 'object' && message !== null && 'response' in message && 'token' in message;
}

function isEvent(message: unknown): message is { readonly type: string; readonly param?: string } {
  return typeof message === 'object' && message !== null && 'event' in message && 'type' in message;
}

/** Free for TCP now, and as good as free for UDP; baresip cannot tell which port it got for 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
