/** What `npm start` prints: where to go, with which account, and how to register a softphone. */
import { hostText, isLoopback } from '../adapters/network/addresses.ts';
import type { Finding } from '../engine/operations.ts';
import type { Failure } from '../errors.ts';
import type { Listener } from '../ports.ts';
import type { DemoUser } from './demo-users.ts';

export interface Started {
  readonly version: string;
  readonly http: { readonly host: string; readonly port: number };
  readonly listeners: readonly Listener[];
  readonly domain: string;
  readonly demo: readonly DemoUser[];
  /** Such as `PostgreSQL 15.18, embedded in ./data`. */
  readonly database: string;
  /** Addresses of the nodes; none: there is no media. */
  readonly rtpengine: readonly string[];
  /** What the doctor found; `undefined`: it still looks. */
  readonly findings: readonly Finding[] | undefined;
}

export function banner(started: Started): string {
  const base = `http://${openable(started.http.host)}:${started.http.port}`;
  const rows: (readonly [string, string])[] = [
    ['Console', `${base}/`],
    ['Phone page', `${base}/phone`],
    ...securePage(started.listeners),
    ...wherever(started.listeners),
    ['Domain', started.domain],
    ['Database', started.database],
    ['Media', started.rtpengine.length === 0 ? noMedia : `rtpengine ${started.rtpengine.join(', ')}`],
    ...examined(started.findings),
  ];
  return `\nViaduct ${started.version} is up.\n\n${table(rows)}${accounts(started)}\nCtrl-C stops it and all it has started.\n\n`;
}

const noMedia = 'none: calls are refused until you run `apt-get install rtpengine-daemon` and start again';

/** The worst first; all of them, with their cures, by `npx viaduct doctor`. */
function examined(findings: readonly Finding[] | undefined): readonly (readonly [string, string])[] {
  if (findings === undefined) return [['Doctor', 'still looks: npx viaduct doctor']];
  const bad = (['error', 'warning'] as const).flatMap((level) => findings.filter((one) => one.level === level));
  if (bad.length === 0) return [['Doctor', 'all is well']];
  const rows = bad.slice(0, mostFindings).map(({ level, says }) => `${level}: ${says}`);
  return [...rows, 'The cure: npx viaduct doctor'].map((text, index) => [index === 0 ? 'Doctor' : '', text]);
}

const mostFindings = 3;

function securePage(listeners: readonly Listener[]): readonly (readonly [string, string])[] {
  const wss = listeners.find(({ transport }) => transport === 'wss');
  if (wss === undefined) return [];
  // A browser asks for TLS before it opens a microphone, except on its own machine.
  const forWhom = isLoopback(wss.local.address) ? 'over TLS' : 'for other devices';
  return [['', `https://${wss.advertised.host}:${wss.advertised.port}/phone (${forWhom})`]];
}

function wherever(listeners: readonly Listener[]): readonly (readonly [string, string])[] {
  return listeners.map(({ transport, local }, index) => [
    index === 0 ? 'SIP' : '',
    `${transport.padEnd(3)} ${hostText(local.address)}:${local.port}`,
  ]);
}

/** An address to type into a browser here; all addresses is none. */
function openable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return hostText(host === '::' ? '::1' : host);
}

function table(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, text]) => `  ${name.padEnd(12)} ${text}\n`).join('');
}

function accounts({ demo, domain, listeners }: Started): string {
  const [first, second = first] = demo;
  if (first === undefined || second === undefined) return addOne;
  const rows = demo.map(({ username, password }): readonly [string, string] => [username, `password ${password}`]);
  return `\nAccounts to try:\n${table(rows)}\n${softphone(first, second, domain, listeners)}`;
}

const addOne = '\nAn account: npx viaduct user add NAME\n';

function softphone(
  caller: DemoUser,
  { username, password }: DemoUser,
  domain: string,
  listeners: readonly Listener[],
): string {
  const udp = listeners.find(({ transport }) => transport === 'udp');
  if (udp === undefined) return '';
  const server = `${udp.advertised.host}:${udp.advertised.port}`;
  const line = `<sip:${username}@${domain}>;auth_pass=${password};outbound="sip:${server}"`;
  const linphone = `username ${username}, domain ${domain}, proxy sip:${server}, transport UDP`;
  return `${whatToDo(caller.username, username)}:\n${table([
    ['baresip', 'this line into ~/.baresip/accounts, and run baresip:'],
    ['', line],
    ['Linphone', linphone],
  ])}`;
}

function whatToDo(caller: string, callee: string): string {
  if (caller === callee) return `Register a softphone as ${callee}`;
  return `Sign in on the phone page as ${caller}, register a softphone as ${callee}, and dial ${callee}`;
}

/** Why there is nothing to go to: what, with its particulars, and what to do, a line each. */
export function notStarted({ row: { meaning, nextStep }, detail }: Pick<Failure, 'row' | 'detail'>): string {
  const particulars = detail === '' ? '' : `  ${detail}\n`;
  return `\nViaduct did not start. ${meaning}\n${particulars}${nextStep}\n`;
}
