/**
 * sipp as a telephone: one scenario of `test/e2e/sipp/`, on 127.0.0.1, over UDP or TCP, with an `RtpParty` for its voice.
 * It is always ended, and a scenario that went wrong fails with sipp's own error log and the messages it saw.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, isAlive, type RunningProcess, type Scope, startProcess } from './process.ts';
import { openRtp, type RtpParty } from './rtp.ts';

export type SippScenario =
  | 'register'
  | 'call'
  | 'call-until-bye'
  | 'cancel'
  | 'refused'
  | 'answer'
  | 'answer-hang-up'
  | 'reject'
  | 'ring';

export interface SippOptions {
  readonly transport: 'udp' | 'tcp';
  readonly user: string;
  /** Of the account and of whom it calls; default: the remote address. */
  readonly domain?: string;
  /** Without one it is not challenged (TRUSTED, or another sipp). */
  readonly password?: string;
  /** Where requests go: callers and `register`. */
  readonly remote?: { readonly host: string; readonly port: number };
  readonly callee?: string;
  /** Its own port; default: a free one. */
  readonly port?: number;
  /** How long the scenario's pause is: talking, or ringing. */
  readonly pauseMs?: number;
  /** Calls, one after the other, each 1/`callsPerSecond` after the one before. */
  readonly calls?: number;
  readonly callsPerSecond?: number;
  /** The byte that it says (openRtp). */
  readonly voice?: number;
  /** `refused`: the final response that is right. */
  readonly status?: number;
  /** `register`: host, port and parameters of the Contact, such as `127.0.0.1:34567;transport=tcp`. */
  readonly contact?: string;
  readonly expires?: number;
  readonly withinMs?: number;
}

export interface Sipp {
  readonly port: number;
  readonly rtp: RtpParty;
  /** Of its first call, or of its n-th. */
  callId(call?: number): string;
  /** Waits until it knows where the other side wants its RTP; it talks from then on. */
  talking(withinMs?: number): Promise<void>;
  /** Waits for the end of its calls; fails when one of them went wrong. */
  done(): Promise<SippStatistics>;
  stop(): Promise<void>;
}

export interface SippStatistics {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
}

const scenarios = join(import.meta.dirname, '..', 'e2e', 'sipp');
const WITHIN_MS = 30_000;
const POLL_MS = 20;

export async function startSipp(scope: Scope, scenario: SippScenario, options: SippOptions): Promise<Sipp> {
  const folder = mkdtempSync(join(tmpdir(), 'viaduct-sipp-'));
  const rtp = await openRtp(scope, options.voice ?? 0x55);
  const port = options.port ?? (await freePort('both'));
  const file = join(folder, `${scenario}.xml`);
  writeFileSync(file, scenarioText(scenario, options));
  const ports = [port, await freePort('udp'), rtp.port] as const;
  const child = startProcess(scope, 'sipp', sippArguments(folder, file, ports, options), { cwd: folder });
  const log = (name: string): string => readIfThere(join(folder, name));
  const talk = talkWhereTold(() => log('log.txt'), rtp);
  scope.after(talk.stop);
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  if (options.remote === undefined) await listening(child, port, options.transport);
  return {
    port,
    rtp,
    callId: (call = 1) => `${call}-${child.pid}@127.0.0.1`,
    talking: (withinMs = WITHIN_MS) => talk.started(withinMs, () => shown(scenario, child, log)),
    async done() {
      const { code } = await child.ended(options.withinMs ?? WITHIN_MS);
      const statistics = statisticsOf(log('statistics.csv'));
      assert.ok(code === 0, `sipp ${scenario} ended with ${code}\n${shown(scenario, child, log)}`);
      return statistics;
    },
    stop: () => child.stop(),
  };
}

function scenarioText(scenario: SippScenario, { password, status }: SippOptions): string {
  const text = readFileSync(join(scenarios, `${scenario}.xml`), 'latin1').replaceAll('{status}', String(status ?? 486));
  if (password !== undefined) return text;
  return text.replace(/ *<!-- challenged -->[\s\S]*<!-- \/challenged -->\n/, '').replace(/ *\[authentication\]\n/g, '');
}

function sippArguments(
  folder: string,
  file: string,
  [port, controlPort, rtpPort]: readonly [number, number, number],
  options: SippOptions,
): readonly string[] {
  const { transport, user, password = '', remote, callee = 'nobody', calls = 1, withinMs = WITHIN_MS } = options;
  const domain = options.domain ?? (remote === undefined ? '127.0.0.1' : `${remote.host}:${remote.port}`);
  const contact = options.contact ?? `127.0.0.1:${port};transport=${transport}`;
  const keys = { user, domain, callee, contact, rtp_port: rtpPort, expires: options.expires ?? 300 };
  const pairs: Readonly<Record<string, string | number>> = {
    sf: file,
    i: '127.0.0.1',
    p: port,
    ci: '127.0.0.1',
    cp: controlPort,
    t: transport === 'udp' ? 'u1' : 't1',
    m: calls,
    r: options.callsPerSecond ?? 10,
    d: options.pauseMs ?? 0,
    timeout: `${Math.ceil(withinMs / 1000)}s`,
    fd: 1,
    error_file: join(folder, 'errors.txt'),
    message_file: join(folder, 'messages.txt'),
    log_file: join(folder, 'log.txt'),
    stf: join(folder, 'statistics.csv'),
    au: user,
    ap: password,
    // RFC 3261 §22.4: the uri of the digest is the Request-URI; sipp would take the remote address.
    auth_uri: options.callee === undefined ? domain : `${callee}@${domain}`,
  };
  return [
    ...['-nostdin', '-timeout_error', '-trace_err', '-trace_msg', '-trace_logs', '-trace_stat'],
    ...Object.entries(pairs).flatMap(([name, value]) => [`-${name}`, String(value)]),
    ...Object.entries(keys).flatMap(([name, value]) => ['-key', name, String(value)]),
    ...(remote === undefined ? [] : [`${remote.host}:${remote.port}`]),
  ];
}

/** The scenario logs `media <address> <port>` when it has read the other side's SDP. */
function talkWhereTold(log: () => string, rtp: RtpParty) {
  let told = '';
  const timer = setInterval(() => {
    const [line = '', host = '', port = ''] = [...log().matchAll(/^media ([\d.]+) (\d+)/gm)].at(-1) ?? [];
    if (line === told) return;
    told = line;
    if (port === '0') rtp.silence();
    else rtp.talkTo(host, Number(port));
  }, POLL_MS);
  return {
    stop: () => clearInterval(timer),
    async started(withinMs: number, why: () => string): Promise<void> {
      for (const deadlineMs = Date.now() + withinMs; told === ''; await delay(POLL_MS)) {
        assert.ok(Date.now() < deadlineMs, `the other side's SDP did not come\n${why()}`);
      }
    },
  };
}

/** A callee is ready when its socket is there; the kernel knows it before sipp says anything. */
async function listening(child: RunningProcess, port: number, transport: 'udp' | 'tcp'): Promise<void> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  for (const deadlineMs = Date.now() + WITHIN_MS; ; await delay(POLL_MS)) {
    if (readFileSync(`/proc/net/${transport}`, 'latin1').includes(local)) return;
    assert.ok(Date.now() < deadlineMs && (await isAlive(child.pid)), `sipp does not listen\n${child.output()}`);
  }
}

function statisticsOf(csv: string): SippStatistics {
  const [names = '', ...rows] = csv.trimEnd().split('\n');
  const last = rows.at(-1)?.split(';') ?? [];
  const value = (name: string): number => Number(last[names.split(';').indexOf(name)] ?? Number.NaN);
  return {
    successful: value('SuccessfulCall(C)'),
    failed: value('FailedCall(C)'),
    retransmissions: value('Retransmissions(C)'),
  };
}

function shown(scenario: string, child: RunningProcess, log: (name: string) => string): string {
  const messages = log('messages.txt').slice(-6000);
  return `--- ${scenario}: errors\n${log('errors.txt')}\n--- messages\n${messages}\n--- screen\n${child.output().slice(-1500)}`;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
