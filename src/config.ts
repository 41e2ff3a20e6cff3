/**
 * Every setting of Viaduct in one table: environment name, unit, default, example, help and parser (DESIGN §6).
 *
 * Read once at the start, from the environment and from `.env` in the project folder; the environment wins, and an empty
 * value means unset. A bad value refuses to start, with name, value and a good example; the value of a secret is not
 * shown. Not here: anything that needs the system (ports, certificates, addresses of this host).
 */
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type BackendSettings, backendTable } from './config/backends.ts';
import { type CallLimitSettings, callLimitTable } from './config/calls.ts';
import { type ListeningSettings, listeningTable } from './config/listening.ts';
import { type Misspelt, misspelt } from './config/misspelt.ts';
import { type NodeSettings, nodeAddressFault, nodeTable } from './config/nodes.ts';
import { type ProtectionSettings, protectionTable } from './config/protection.ts';
import { type PushSettings, pushTable } from './config/push.ts';
import { type RecordingSettings, recordingTable } from './config/recording.ts';
import { type RegistrarSettings, registrarTable } from './config/registrar.ts';
import type { Setting } from './config/setting.ts';
import { type TokenSettings, tokenTable } from './config/tokens.ts';
import * as value from './config/values.ts';
import { Failure } from './errors.ts';
import type { LogLevel } from './ports.ts';

export interface Settings
  extends ListeningSettings,
    BackendSettings,
    ProtectionSettings,
    PushSettings,
    RegistrarSettings,
    CallLimitSettings,
    NodeSettings,
    RecordingSettings,
    TokenSettings {
  /** Absolute. */
  readonly dataDir: string;
  /** Addresses and networks in CIDR notation. */
  readonly trusted: readonly string[];
  readonly acceptForeign: boolean;
  readonly http: value.HostPort;
  readonly apiToken: string | undefined;
  /** None, or the current one and perhaps the previous one: 32 bytes as lower-case hex. */
  readonly tokenSecrets: readonly string[];
  /** `undefined`: not said; see DESIGN §6 for who gets two of them. */
  readonly demoUsers: readonly value.DemoUser[] | undefined;
  readonly logLevel: LogLevel;
  readonly drainSeconds: number;
  readonly hep: value.HostPort | undefined;
  /** Who may watch whom where no rule says. */
  readonly presence: 'open' | 'confirm';
}

type Table = { readonly [Field in keyof Settings]: Setting<Settings[Field]> };

const projectDir = join(import.meta.dirname, '..');

function table(folder: string, asRoot: boolean): Table {
  const inFolder = value.pathIn(folder);
  return {
    ...listeningTable(folder),
    ...backendTable,
    dataDir: {
      name: 'DATA_DIR',
      unit: 'folder',
      help: 'Where the database, the certificate and run.json are kept; relative to the project folder.',
      example: './data',
      byDefault: './data; as root /var/lib/viaduct',
      otherwise: asRoot ? '/var/lib/viaduct' : inFolder('data'),
      parse: inFolder,
    },
    trusted: {
      name: 'TRUSTED',
      unit: 'networks',
      help: 'From these addresses no password is asked: trunks, and nothing else.',
      example: '10.1.0.0/16 127.0.0.1',
      byDefault: 'none',
      otherwise: [],
      parse: value.networks,
    },
    acceptForeign: {
      name: 'ACCEPT_FOREIGN',
      unit: 'yes or no',
      help: 'Whether callers of other domains may ring our users.',
      example: 'yes',
      byDefault: 'no',
      otherwise: false,
      parse: value.yesNo,
    },
    http: {
      name: 'HTTP',
      unit: 'host:port',
      help: 'Where the pages and the REST interface are served; port 0 picks a free one.',
      example: '127.0.0.1:8081',
      byDefault: '127.0.0.1:8081',
      otherwise: { host: '127.0.0.1', port: 8081 },
      parse: value.bindAddress,
    },
    apiToken: {
      name: 'API_TOKEN',
      unit: 'text',
      help: 'What REST clients send as "Authorization: Bearer ..."; required where HTTP is not on loopback.',
      example: 'the output of: openssl rand -hex 24',
      byDefault: 'none; HTTP must then be on loopback',
      otherwise: undefined,
      parse: value.apiToken,
      secret: true,
    },
    tokenSecrets: {
      name: 'TOKEN_SECRET',
      unit: '32 bytes, hex',
      help: 'Signs what we put into Record-Route; the same on all nodes. A second value is the old one.',
      example: 'the output of: openssl rand -hex 32',
      byDefault: 'made at the first start',
      otherwise: [],
      parse: value.tokenSecrets,
      secret: true,
    },
    demoUsers: {
      name: 'DEMO_USERS',
      unit: 'name:password,...',
      help: 'Accounts to make in the first domain.',
      example: 'alice:secret,bob:secret',
      byDefault: 'two with random passwords, if on loopback and without DATABASE_URL',
      otherwise: undefined,
      parse: value.demoUsers,
      secret: true,
    },
    logLevel: {
      name: 'LOG_LEVEL',
      unit: 'level',
      help: 'How much is logged: trace, debug, info, warn, error or silent.',
      example: 'info',
      byDefault: 'info',
      otherwise: 'info',
      parse: value.oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    },
    ...nodeTable,
    ...callLimitTable,
    ...recordingTable,
    ...protectionTable,
    ...pushTable,
    ...tokenTable(folder),
    hep: {
      name: 'HEP',
      unit: 'udp:host:port',
      help: 'A Homer that gets a copy of every SIP message (HEP version 3), without passwords and keys.',
      example: 'udp:192.0.2.9:9060',
      byDefault: 'none',
      otherwise: undefined,
      parse: value.collector,
    },
    drainSeconds: {
      name: 'DRAIN_SECONDS',
      unit: 'seconds',
      help: 'How long a stop waits for calls in progress, while new ones are refused; a second signal ends the wait.',
      example: '30',
      byDefault: '30',
      otherwise: 30,
      parse: value.wholeNumber(0, 86_400),
    },
    ...registrarTable,
    presence: {
      name: 'PRESENCE',
      unit: 'policy',
      help: 'Who may watch presence and busy lamps where no rule says: open (every account of ours) or confirm (nobody yet).',
      example: 'confirm',
      byDefault: 'open',
      otherwise: 'open',
      parse: value.oneOf('open', 'confirm'),
    },
  };
}

/** What settings are read from besides the environment; tests give their own. */
export interface Surroundings {
  /** Where `.env` is, and what relative paths begin at. */
  readonly folder: string;
  readonly asRoot: boolean;
}

const ours: Surroundings = { folder: projectDir, asRoot: process.getuid?.() === 0 };

/** All settings, or a `Failure('setting-invalid')` that names the one that is wrong. */
export function readSettings(env: Readonly<Record<string, string | undefined>>, around = ours): Settings {
  const rows = table(around.folder, around.asRoot);
  const file = envFile(around.folder);
  const read = <Field extends keyof Settings>(field: Field): Settings[Field] => {
    const row = rows[field];
    const text = env[row.name]?.trim() || file[row.name]?.trim() || '';
    return text === '' ? row.otherwise : parsed(row, text);
  };
  const settings: Settings = {
    domains: read('domains'),
    listen: read('listen'),
    advertise: read('advertise'),
    tlsCfg: read('tlsCfg'),
    databaseUrl: read('databaseUrl'),
    dataDir: read('dataDir'),
    rtpengine: read('rtpengine'),
    mediaAddress: read('mediaAddress'),
    trusted: read('trusted'),
    acceptForeign: read('acceptForeign'),
    http: read('http'),
    apiToken: read('apiToken'),
    tokenSecrets: read('tokenSecrets'),
    demoUsers: read('demoUsers'),
    logLevel: read('logLevel'),
    graceSeconds: read('graceSeconds'),
    groupMs: read('groupMs'),
    banSeconds: read('banSeconds'),
    dropScanners: read('dropScanners'),
    messagesPerSecond: read('messagesPerSecond'),
    connectionsPerSecond: read('connectionsPerSecond'),
    httpPerSecond: read('httpPerSecond'),
    pushSeconds: read('pushSeconds'),
    pushDays: read('pushDays'),
    pushServices: read('pushServices'),
    vapidKey: read('vapidKey'),
    origins: read('origins'),
    timerCSeconds: read('timerCSeconds'),
    maxCalls: read('maxCalls'),
    tryingSeconds: read('tryingSeconds'),
    drainSeconds: read('drainSeconds'),
    hep: read('hep'),
    maxContacts: read('maxContacts'),
    whenContactsFull: read('whenContactsFull'),
    maxExpires: read('maxExpires'),
    udpPingSeconds: read('udpPingSeconds'),
    wsPingSeconds: read('wsPingSeconds'),
    mediaIdleSeconds: read('mediaIdleSeconds'),
    callRecordDays: read('callRecordDays'),
    recordingDir: read('recordingDir'),
    recordCalls: read('recordCalls'),
    presence: read('presence'),
    jwtKeys: read('jwtKeys'),
    jwtIssuer: read('jwtIssuer'),
    jwtAudiences: read('jwtAudiences'),
    jwtClaim: read('jwtClaim'),
    nodeAddress: read('nodeAddress'),
  };
  refuseHalfTokens(settings, rows);
  if (settings.apiToken === undefined && !isLoopback(settings.http.host)) {
    throw invalid(rows.apiToken, '', `HTTP is on ${settings.http.host}, where others can reach it`);
  }
  checkNode(settings, rows);
  return settings;
}

/** A signature alone says little: an identity server signs for many applications. */
function refuseHalfTokens({ jwtKeys, jwtIssuer, jwtAudiences }: Settings, rows: Table): void {
  const given = { jwtKeys, jwtIssuer, jwtAudiences: jwtAudiences[0] };
  const missing = (['jwtKeys', 'jwtIssuer', 'jwtAudiences'] as const).filter((field) => given[field] === undefined);
  const [first] = missing;
  if (first !== undefined && missing.length < 3) {
    throw invalid(rows[first], '', 'JWT_KEYS, JWT_ISSUER and JWT_AUDIENCE are set together or not at all');
  }
}

/** What another node could not share is refused: it would be found out in a call. */
function checkNode(settings: Settings, rows: Table): void {
  const { nodeAddress: address, listen } = settings;
  if (address === undefined) return;
  const shared = ['databaseUrl', 'tokenSecrets', 'domains', 'rtpengine'] as const;
  const isMissing = (field: (typeof shared)[number]): boolean => (settings[field] ?? []).length === 0;
  const missing = shared.filter(isMissing).map((field) => rows[field].name);
  const fault = nodeAddressFault(address, listen, missing);
  const text = `${address.transport}:${address.host}:${address.port}`;
  if (fault !== undefined) throw invalid(rows.nodeAddress, text, fault);
}

/** What nobody reads, and was probably meant to be a setting. */
export function misspeltSettings(
  env: Readonly<Record<string, string | undefined>>,
  around = ours,
): readonly Misspelt[] {
  const settings = Object.values(table(around.folder, around.asRoot)).map(({ name }) => name);
  return misspelt(Object.keys({ ...env, ...envFile(around.folder) }), settings);
}

/** The names of the settings that differ. */
export function changedSettings(before: Settings, after: Settings): readonly string[] {
  const same = ([field]: [string, unknown]): boolean =>
    JSON.stringify(Reflect.get(before, field)) === JSON.stringify(Reflect.get(after, field));
  return Object.entries(table(projectDir, false)).flatMap((entry) => (same(entry) ? [] : [entry[1].name]));
}

/** The table for people, or one row of it: `npx viaduct help settings`. */
export function settingsHelp(only?: string): string {
  const rows = Object.values(table(projectDir, false)).filter(({ name }) => only === undefined || name === only);
  return rows
    .map(
      (row) =>
        `${row.name} (${row.unit})\n    ${row.help}\n    default: ${row.byDefault}\n    example: ${row.example}\n`,
    )
    .join('\n');
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function parsed<T>(row: Setting<T>, text: string): T {
  try {
    return row.parse(text);
  } catch (thrown) {
    if (thrown instanceof value.BadValue) throw invalid(row, text, thrown.message);
    throw thrown;
  }
}

function invalid(row: Setting<unknown>, text: string, reason: string): Failure {
  const shown = row.secret && text !== '' ? '(hidden)' : `"${text}"`;
  const example = row.example.startsWith('the output') ? row.example : `${row.name}="${row.example}"`;
  return new Failure('setting-invalid', `${row.name}=${shown}: ${reason}; for example ${example}`);
}

function envFile(folder: string): Readonly<Record<string, string | undefined>> {
  const path = join(folder, '.env');
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {};
}
