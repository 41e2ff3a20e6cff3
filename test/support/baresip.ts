/**
 * A baresip process as a softphone: it says a constant tone, and what it hears can be listened to. It is steered over its
 * control port. Each has a folder of its own.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BaresipEvent, type Control, openControl } from './baresip-control.ts';
import { EAR_CHANNELS, EAR_RATE, type Ear, openEar } from './baresip-ear.ts';
import { freePort, type RunningProcess, type Scope, startProcess } from './process.ts';
import type { Sound } from './tone.ts';

export interface BaresipOptions {
  readonly user: string;
  /** The address of this machine that it uses; default 127.0.0.1. */
  readonly from?: string;
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
  /** SRTP with SDES: `srtp` takes plain RTP as well (OSRTP), `srtp-mand` does not; absent: none. */
  readonly encryption?: 'srtp' | 'srtp-mand';
}

export interface Baresip {
  /** Where it listens: `address:port`. */
  readonly address: string;
  readonly pid: number;
  /** Types of the events so far, as `CALL_ESTABLISHED`. */
  readonly events: readonly string[];
  /** Waits for an event that has not been waited for yet. */
  expect(type: string, withinMs?: number): Promise<BaresipEvent>;
  /** Waits until it is registered. */
  registered(): Promise<void>;
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
  /** Ends it before the scope does. */
  stop(): Promise<void>;
}

const WITHIN_MS = 20_000;

/** Ends with the scope: baresip leaves its calls and its registration when it is asked to end. */
export async function startBaresip(scope: Scope, options: BaresipOptions): Promise<Baresip> {
  const directory = await mkdtemp(join(tmpdir(), 'viaduct-baresip-'));
  // It takes the next port for TLS.
  const [sipPort, controlPort] = [await freePort('both', 2), await freePort('tcp')];
  await writeFile(join(directory, 'config'), configFile(options, sipPort, controlPort));
  await writeFile(join(directory, 'accounts'), `${accountLine(options)}\n`);
  await writeFile(join(directory, 'contacts'), '');
  const ear = openEar(directory);
  const env = { ALSA_CONFIG_PATH: ear.alsaConfig };
  const child = startProcess(scope, 'baresip', ['-f', directory], { cwd: directory, env });
  scope.after(async () => {
    // First of all, since it hangs when nobody takes what it plays.
    await child.stop();
    ear.close();
    await rm(directory, { recursive: true, force: true });
  });
  await child.line(/baresip is ready/, WITHIN_MS);
  const control = connect(controlPort, '127.0.0.1');
  scope.after(() => void control.destroy());
  await once(control, 'connect');
  const steered = openControl(control, () => child.output());
  return operate(child, ear, steered, `${options.from ?? '127.0.0.1'}:${sipPort}`);
}

function operate(child: RunningProcess, ear: Ear, control: Control, address: string): Baresip {
  const run = async (name: string, params?: string) => void (await control.command(name, params));
  return {
    address,
    pid: child.pid,
    events: control.events,
    expect: control.expect,
    // As printed, since the event may come before we can listen to events.
    registered: async () => void (await child.line(/ 200 OK .*\[\d+ bindings?\]/, WITHIN_MS)),
    dial: (target) => run('dial', target),
    answer: () => run('accept'),
    hangUp: () => run('hangup'),
    hold: () => run('hold'),
    resume: () => run('resume'),
    command: control.command,
    listen: (seconds) => ear.listen(seconds),
    output: () => child.output(),
    stop: () => child.stop(),
  };
}

function accountLine(options: BaresipOptions): string {
  const transport = options.transport ?? 'udp';
  const encryption = options.encryption === undefined ? '' : `;mediaenc=${options.encryption}`;
  const common = `${encryption};answermode=${options.answerMode ?? 'manual'};audio_codecs=${options.codecs ?? 'PCMU/8000/1'}`;
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
  const { from = '127.0.0.1' } = options;
  const modules = ['g711', 'opus', 'ausine', 'alsa', 'srtp'];
  return [
    `sip_listen ${from}:${sipPort}`,
    `net_interface ${from}`,
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
