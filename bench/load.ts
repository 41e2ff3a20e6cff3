/** One run of sipp at a fixed rate against a proxy, and what came of it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type Scope, startProcess } from '../test/support/process.ts';
import type { Scenario } from './cases.ts';

export const domain = 'bench.test';
/** Accounts `u0000000`, `u0000001`, … of all peers; the password is the name. */
export const accounts = 20_000;
/** So many of them are registered at the answering sipp. */
export const callees = 1_000;
const shortHoldMs = 1_000;
/** A prime, so that every user has his turn before the first comes again. */
const leap = 7_919;

export interface Load {
  readonly scenario: Scenario;
  /** Operations per second. */
  readonly rate: number;
  readonly seconds: number;
  readonly proxyPort: number;
  /** Of the answering sipp: into the Contacts of REGISTER. */
  readonly answerPort: number;
  /** From the first account on. */
  readonly users: number;
  /** Of all these users, in an order that leaps about their table, those behind so many others; default: in their order. */
  readonly leapsBehind?: number;
  /** Of a call; default a second. */
  readonly holdMs?: number;
}

export interface Outcome {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** The first response time that the scenario takes: REGISTER to 200, INVITE to 180. Milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const scenarios = join(import.meta.dirname, 'scenarios');

/** The callee of all calls; ends with the scope. */
export async function startAnswering(scope: Scope): Promise<number> {
  const port = await freePort('udp');
  const folder = temporary(scope);
  const controls = ['-ci', '127.0.0.1', '-cp', String(await freePort('udp'))];
  const args = ['-sf', join(scenarios, 'answer.xml'), '-p', String(port), '-t', 'u1', ...common, ...controls];
  startProcess(scope, 'sipp', args, { cwd: folder });
  return port;
}

export async function load(
  scope: Scope,
  { scenario, rate, seconds, proxyPort, answerPort, users, leapsBehind, holdMs = shortHoldMs }: Load,
): Promise<Outcome> {
  const folder = temporary(scope);
  const numbers =
    leapsBehind === undefined
      ? Array.from({ length: users }, (_, at) => at)
      : Array.from({ length: rate * seconds }, (_, at) => ((at + leapsBehind) * leap) % users);
  const rows = numbers.map((number) => {
    const name = `u${String(number).padStart(7, '0')}`;
    return `${name};[authentication username=${name} password=${name}]`;
  });
  writeFileSync(join(folder, 'users.csv'), `SEQUENTIAL\n${rows.join('\n')}\n`);
  const pairs: Readonly<Record<string, string | number>> = {
    sf: join(scenarios, `${scenario}.xml`),
    p: await freePort('udp'),
    t: 'u1',
    inf: 'users.csv',
    r: rate,
    rp: 1_000,
    m: rate * seconds,
    // Who has lost a message waits for timer F.
    l: Math.ceil(rate * (7.1 + holdMs / 1_000)) + 100,
    d: holdMs,
    // It would take where it sends to.
    auth_uri: domain,
    recv_timeout: 4_000,
    timeout: `${seconds + 12 + Math.ceil(holdMs / 1_000)}s`,
    rtt_freq: 20,
    fd: 1,
    stf: 'statistics.csv',
    ci: '127.0.0.1',
    cp: await freePort('udp'),
  };
  const sipp = startProcess(
    scope,
    'sipp',
    [
      `127.0.0.1:${proxyPort}`,
      ...Object.entries(pairs).flatMap(([name, value]) => [`-${name}`, String(value)]),
      ...['-key', 'domain', domain, '-key', 'contact_hp', `127.0.0.1:${answerPort}`, '-trace_rtt', '-trace_stat'],
      ...common,
    ],
    { cwd: folder },
  );
  await sipp.ended((seconds + 30) * 1_000 + holdMs);
  return outcomeIn(folder);
}

const common = ['-i', '127.0.0.1', '-nostdin', '-buff_size', '4194304', '-deadcall_wait', '1000'];

function temporary(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'viaduct-bench-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function outcomeIn(folder: string): Outcome {
  const [names = '', ...rows] = readFileSync(join(folder, 'statistics.csv'), 'latin1').trimEnd().split('\n');
  const last = rows.at(-1)?.split(';') ?? [];
  const count = (name: string): number => Number(last[names.split(';').indexOf(name)] ?? Number.NaN);
  const times = responseTimes(folder);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN;
  return {
    successful: count('SuccessfulCall(C)'),
    failed: count('FailedCall(C)'),
    retransmissions: count('Retransmissions(C)'),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** Of the first timer, in order. */
function responseTimes(folder: string): readonly number[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('_rtt.csv'));
  const rows = files.flatMap((name) => readFileSync(join(folder, name), 'latin1').split('\n'));
  return rows
    .map((row) => row.split(';'))
    .filter(([time = '', , timer = '']) => /^\d/.test(time) && timer.trim() === '1')
    .map(([, ms]) => Number(ms))
    .sort((one, other) => one - other);
}
