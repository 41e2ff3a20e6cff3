/**
 * A real rtpengine of a test's own: on loopback, with a range of 200 ports that no other test uses, ended by `stop()`
 * and in any case when the test process ends.
 *
 * Not for the virtual network: this is a process, and its answers take real time.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findRtpengine, startRtpengine } from '../../src/adapters/rtpengine/child.ts';
import { type NgClient, openNgClient } from '../../src/adapters/rtpengine/ng-client.ts';
import type { NodeAddress } from '../../src/adapters/rtpengine/node-address.ts';
import type { NgCommand, NgReply, NgValue } from '../../src/media/commands.ts';
import type { Clock, Log, Random } from '../../src/ports.ts';

/** What a test asks an rtpengine, whoever started it. */
export interface RtpengineView {
  send(command: NgCommand): Promise<NgReply>;
  /** The Call-IDs it knows. */
  list(): Promise<readonly string[]>;
  /** Over all interfaces. */
  portsUsed(): Promise<number>;
  /** Within 2 s the Call-ID is gone and no more ports are in use than `usedBefore` (DESIGN §8). */
  assertReleased(callId: string, usedBefore?: number): Promise<void>;
}

export interface TestRtpengine extends RtpengineView {
  readonly node: NodeAddress;
  /** As in RTPENGINE: `udp:127.0.0.1:34567`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly portMin: number;
  readonly portMax: number;
  /** 10 of 10.5.3.5: some of what it does differs. */
  readonly major: number;
  pid(): number;
  stop(): Promise<void>;
}

export const realClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export const realRandom: Random = { hex: (bytes) => randomBytes(bytes).toString('hex'), fraction: () => Math.random() };

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface TestRtpengineOptions {
  /** Default `127.0.0.1` and `::1`. */
  readonly interfaces?: readonly string[];
  /** At most 200, the default. */
  readonly ports?: number;
  readonly recordingDir?: string;
  /** Default: the first on PATH. */
  readonly binary?: string;
}

export async function startTestRtpengine(options: TestRtpengineOptions = {}): Promise<TestRtpengine> {
  const { interfaces = ['127.0.0.1', '::1'], ports = 200, binary = findRtpengine(), recordingDir } = options;
  const range = await claimRange();
  const dataDir = mkdtempSync(join(tmpdir(), 'viaduct-rtpengine-'));
  const limits = { portMin: range.first, portMax: range.first + ports - 1 };
  const services = { clock: realClock, random: realRandom, log: silentLog };
  const child = await startRtpengine({ dataDir, interfaces, binary, recordingDir, ...limits, ...services });
  const endWithUs = (): void => killNow(child.pid());
  process.once('exit', endWithUs);
  // A test runner that gives up sends these; without a listener they would end us without `exit`.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    if (process.listenerCount(signal) === 0) process.once(signal, quit);
  const { close, ...view } = viewRtpengine(child.node);

  async function stop(): Promise<void> {
    process.removeListener('exit', endWithUs);
    close();
    await child.stop();
    range.release();
    rmSync(dataDir, { recursive: true, force: true });
  }

  const { host, port, address } = child.node;
  const major = majorOf(binary ?? '');
  return { node: child.node, address, host, port, major, ...limits, pid: child.pid, ...view, stop };
}

/** `Version: 10.5.3.5-1`, on either stream. */
function majorOf(binary: string): number {
  const { stdout, stderr } = spawnSync(binary, ['--config-file=none', '--version'], { encoding: 'utf8' });
  return Number(/^Version: (?:mr)?(\d+)/m.exec(`${stdout}\n${stderr}`)?.[1]);
}

/** To be closed in the end. */
export function viewRtpengine({ host, port }: Pick<NodeAddress, 'host' | 'port'>): RtpengineView & { close(): void } {
  const client = openNgClient({ host, port, clock: realClock, random: realRandom, log: silentLog });
  const ask = { list: () => list(client), portsUsed: () => portsUsed(client), send: client.send };
  const assertReleased = (callId: string, usedBefore = 0): Promise<void> => released(ask, callId, usedBefore);
  return { ...ask, assertReleased, close: () => client.close() };
}

async function released(
  { list, portsUsed }: Pick<RtpengineView, 'list' | 'portsUsed'>,
  callId: string,
  usedBefore: number,
): Promise<void> {
  for (const deadlineMs = Date.now() + 2_000; Date.now() < deadlineMs; await delay(50)) {
    if (!(await list()).includes(callId) && (await portsUsed()) <= usedBefore) return;
  }
  assert.ok(!(await list()).includes(callId), `rtpengine still has the call ${callId}`);
  assert.equal(await portsUsed(), usedBefore, 'rtpengine still holds ports');
}

async function list(client: NgClient): Promise<readonly string[]> {
  const { calls } = await client.send({ command: 'list', limit: 1000 });
  return Array.isArray(calls) ? calls.filter((each) => typeof each === 'string') : [];
}

async function portsUsed(client: NgClient): Promise<number> {
  const reply = await client.send({ command: 'statistics' });
  const interfaces = at(at(reply, 'statistics'), 'interfaces');
  assert.ok(Array.isArray(interfaces), 'statistics without interfaces');
  return interfaces.reduce((total, each) => total + Number(at(at(each, 'ports'), 'used')), 0);
}

function at(value: NgValue | undefined, key: string): NgValue | undefined {
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

function quit(): void {
  process.exit(1);
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** 200 ports below the ephemeral ones; a socket bound to the port before them marks them as taken. */
async function claimRange(): Promise<{ readonly first: number; release(): void }> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const marker = 10_000 + 202 * Math.floor(Math.random() * 45);
    const socket = await bound(marker);
    if (socket !== undefined) return { first: marker + 2, release: () => socket.close() };
  }
  throw new Error('no free range of ports for rtpengine');
}

function bound(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.unref();
    socket.once('error', () => resolve(undefined));
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(socket));
  });
}
