/**
 * Our own rtpengine, where RTPENGINE names none: one process in userspace (no kernel module), its ng port on loopback.
 *
 * It runs in a process group of its own, so that Ctrl-C reaches Viaduct first, and it outlives a killed Viaduct, so that
 * calls go on: the next start adopts it. The packaged configuration file is never read (it opens ports 2223-2225), and a
 * foreign daemon is never adopted.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { errors, Failure } from '../../errors.ts';
import type { Cancel, Clock, Log, Random } from '../../ports.ts';
import { childInterfaces, foreignAddresses, type InterfaceWishes, localAddresses } from './child-interfaces.ts';
import { type ChildRecord, readChildRecord, removeChildRecord, writeChildRecord } from './child-record.ts';
import { openNgClient, type Patience } from './ng-client.ts';
import { type NodeAddress, nodeAddress } from './node-address.ts';
import { endProcess, identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const ngHost = '127.0.0.1';
const watchMs = 500;
const startPatienceMs = 5_000;
/** One that runs already answers at once, or hangs. */
const adoptPatienceMs = 1_500;
const hungPatienceMs = 500;
const startAttempts = 3;
/** It is up within some hundred milliseconds, and `npm start` waits for it. */
const eager: Patience = { repeatAtMs: [50, 100, 150, 200, 300], deadlineMs: 400 };
const restartMs = { first: 250, longest: 30_000, forgetAfter: 60_000 } as const;
/** It writes some lines for each call; emptied when it gets larger than this. */
const maxLogBytes = 20 * 1024 * 1024;

export interface RtpengineOptions extends InterfaceWishes {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Default: the one that `findRtpengine` finds. */
  readonly binary?: string | undefined;
  /** RECORDING_DIR */
  readonly recordingDir?: string | undefined;
  readonly portMin?: number;
  readonly portMax?: number;
}

export interface RtpengineChild {
  readonly node: NodeAddress;
  readonly interfaces: readonly string[];
  /** It was running already. */
  readonly adopted: boolean;
  pid(): number;
  stop(): Promise<void>;
}

/** Where the rtpengine program is: the installed one, or `undefined`. */
export function findRtpengine(path = process.env.PATH ?? ''): string | undefined {
  const folders = [...path.split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'rtpengine'))
    .find(isProgram);
}

export async function startRtpengine(options: RtpengineOptions): Promise<RtpengineChild> {
  const binary = options.binary ?? findRtpengine();
  if (binary === undefined) throw new Failure('media-none');
  mkdirSync(options.dataDir, { recursive: true });
  if (options.recordingDir !== undefined) mkdirSync(options.recordingDir, { recursive: true });
  const interfaces = childInterfaces(options, await localAddresses());
  const foreign = await foreignAddresses(interfaces);
  if (foreign.length > 0) throw new Failure('rtpengine-start', `This host has no address ${foreign.join(', ')}.`);
  const commandFor = (port: number): readonly string[] => [binary, ...commandLine(options, interfaces, port)];
  const adopted = await adopt(options, commandFor);
  const record = adopted ?? (await startNew(options, commandFor));
  const watcher = watch(options, record);
  return { node: nodeAddress(ngHost, record.port), interfaces, adopted: adopted !== undefined, ...watcher };
}

function commandLine(options: RtpengineOptions, interfaces: readonly string[], port: number): readonly string[] {
  const { portMin = 20_000, portMax = 29_999, recordingDir } = options;
  return [
    '--config-file=none',
    '--table=-1',
    '--delete-delay=0',
    '--foreground',
    '--log-stderr',
    '--log-level=5',
    `--listen-ng=${ngHost}:${port}`,
    ...interfaces.map((each) => `--interface=${each}`),
    `--port-min=${portMin}`,
    `--port-max=${portMax}`,
    ...(recordingDir === undefined ? [] : [`--recording-dir=${recordingDir}`, '--recording-method=pcap']),
  ];
}

// --- starting --------------------------------------------------------------------------------------------------------

/** The child of a Viaduct before us, when it lives, answers, and has our settings; otherwise it is ended. */
async function adopt(
  options: RtpengineOptions,
  commandFor: (port: number) => readonly string[],
): Promise<ChildRecord | undefined> {
  const record = readChildRecord(options.dataDir);
  if (record === undefined || !isAlive(record)) return undefined;
  const sameSettings = record.command.join('\n') === commandFor(record.port).join('\n');
  if (sameSettings && (await answers(options, record, adoptPatienceMs))) return record;
  options.log.warn({ pid: record.pid, sameSettings }, 'ending the rtpengine of an earlier run');
  await endProcess(record, hungPatienceMs);
  return undefined;
}

async function startNew(
  options: RtpengineOptions,
  commandFor: (port: number) => readonly string[],
): Promise<ChildRecord> {
  // Between finding a free port and using it, somebody else may take it.
  for (let attempt = 1; attempt <= startAttempts; attempt += 1) {
    const port = await freePort();
    const record = launch(options, commandFor(port), port);
    if (record !== undefined && (await answers(options, record, startPatienceMs))) return record;
    if (record !== undefined) await endProcess(record);
  }
  removeChildRecord(options.dataDir);
  throw new Failure('rtpengine-start', lastLine(options.dataDir));
}

/** The record of the process started, also on disk; `undefined` when it could not be started. */
function launch(options: RtpengineOptions, command: readonly string[], port: number): ChildRecord | undefined {
  try {
    const identity = spawnDetached(options, command);
    if (identity === undefined) return undefined;
    const record = { ...identity, port, command };
    writeChildRecord(options.dataDir, record);
    return record;
  } catch (thrown) {
    options.log.error({ command, reason: String(thrown) }, 'rtpengine cannot be started');
    return undefined;
  }
}

function spawnDetached(
  options: RtpengineOptions,
  [binary = '', ...args]: readonly string[],
): ProcessIdentity | undefined {
  const out = openSync(logFile(options.dataDir), 'a');
  truncateSync(logFile(options.dataDir), 0);
  // Only PATH: our environment has secrets, and rtpengine needs none of them.
  const env = { PATH: process.env.PATH ?? '' };
  const child = spawn(binary, args, { detached: true, stdio: ['ignore', out, out], env });
  child.on('error', (error) => options.log.error({ binary, reason: error.message }, 'rtpengine cannot be run'));
  child.unref();
  closeSync(out);
  return child.pid === undefined ? undefined : identify(child.pid);
}

async function answers(options: RtpengineOptions, record: ChildRecord, patienceMs: number): Promise<boolean> {
  const client = openNgClient({ ...options, host: ngHost, port: record.port });
  const deadline = options.clock.nowMs() + patienceMs;
  let answered = false;
  while (!answered && isAlive(record) && options.clock.nowMs() < deadline) {
    const ping = client.send({ command: 'ping' }, eager);
    answered = await ping.then(() => true).catch(() => false);
  }
  client.close();
  return answered;
}

// --- watching --------------------------------------------------------------------------------------------------------

/** Starts it again, on the same port, whenever it ends without being told to. */
function watch(options: RtpengineOptions, first: ChildRecord): Pick<RtpengineChild, 'pid' | 'stop'> {
  const { clock, log, dataDir } = options;
  let record = first;
  let startedAtMs = clock.nowMs();
  let backoffMs: number = restartMs.first;
  let cancel: Cancel = clock.after(watchMs, look);

  function look(): void {
    boundLog(dataDir);
    if (isAlive(record)) cancel = clock.after(watchMs, look);
    else restartLater();
  }

  function restartLater(): void {
    if (clock.nowMs() - startedAtMs > restartMs.forgetAfter) backoffMs = restartMs.first;
    const fields = { pid: record.pid, last: lastLine(dataDir), next: errors['rtpengine-start'].nextStep };
    log.error(fields, `rtpengine has ended and is started again in ${backoffMs} ms; the media of its calls is lost`);
    cancel = clock.after(backoffMs, restart);
    backoffMs = Math.min(backoffMs * 2, restartMs.longest);
  }

  function restart(): void {
    startedAtMs = clock.nowMs();
    record = launch(options, record.command, record.port) ?? record;
    cancel = clock.after(watchMs, look);
  }

  async function stop(): Promise<void> {
    cancel();
    await endProcess(record);
    removeChildRecord(dataDir);
  }

  return { pid: () => record.pid, stop };
}

// --- files and ports -------------------------------------------------------------------------------------------------

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function logFile(dataDir: string): string {
  return join(dataDir, 'rtpengine.log');
}

function boundLog(dataDir: string): void {
  try {
    if (statSync(logFile(dataDir)).size > maxLogBytes) truncateSync(logFile(dataDir), 0);
  } catch {
    // Somebody removed it: rtpengine writes on into the removed file, which is no reason to stop.
  }
}

/** Why it ended, most likely. */
function lastLine(dataDir: string): string {
  try {
    return readFileSync(logFile(dataDir), 'latin1').trimEnd().split('\n').at(-1)?.slice(-300) ?? '';
  } catch {
    return '';
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.on('error', reject);
    socket.bind(0, ngHost, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
