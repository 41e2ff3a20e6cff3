/**
 * How the text of one setting becomes a value (DESIGN §6). A parser throws `BadValue` with the reason in words; the
 * name, the value and a good example are added where the table is read. It never looks at the system: whether this host
 * has an address is found out when the address is bound.
 */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Transport } from '../ports.ts';

/** Why a value cannot be used; ends as `Failure('setting-invalid')`. */
export class BadValue extends Error {}

export interface HostPort {
  /** A numeric address without brackets, or a name. */
  readonly host: string;
  readonly port: number;
}

export interface ListenEntry {
  /** The entry as it was written, without its `advertise`: for messages about it. */
  readonly text: string;
  readonly transport: Transport;
  /** The address to bind: numeric, IPv6 without brackets; `0.0.0.0` or `::` for all. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What stands in Via and Record-Route instead; IPv6 with brackets. Port `undefined`: the bound one. */
  readonly advertise: { readonly host: string; readonly port: number | undefined } | undefined;
}

export interface RtpengineAddress {
  /** `udp:host:port`, as the node is named in statistics. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

export interface MediaAddress {
  readonly local: string;
  readonly advertised: string | undefined;
}

export interface DemoUser {
  readonly username: string;
  readonly password: string;
}

const transports: readonly Transport[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];
const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i;

export function words(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

export function yesNo(text: string): boolean {
  if (/^(yes|true|on|1)$/i.test(text)) return true;
  if (/^(no|false|off|0)$/i.test(text)) return false;
  throw new BadValue('it is neither yes nor no');
}

export function oneOf<T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((name) => name === text.toLowerCase());
    if (choice === undefined) throw new BadValue(`it is none of ${choices.join(', ')}`);
    return choice;
  };
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= least && number <= most)) throw new BadValue(`it is no whole number from ${least} to ${most}`);
    return number;
  };
}

export interface Expiry {
  readonly seconds: number;
  /** Where a transport has its own. */
  readonly byTransport: Readonly<Partial<Record<Transport, number>>>;
}

const expirySeconds = wholeNumber(60, 604_800);

/** `3600 ws:600 wss:600` */
export function expiry(text: string): Expiry {
  const named = words(text).map((word) => word.split(':'));
  const byTransport: Partial<Record<Transport, number>> = {};
  let seconds: number | undefined;
  for (const [name = '', value] of named) {
    const transport = transports.find((one) => one === name.toLowerCase());
    if (value === undefined) seconds = expirySeconds(name);
    else if (transport === undefined) throw new BadValue(`${name} is none of ${transports.join(', ')}`);
    else byTransport[transport] = expirySeconds(value);
  }
  if (seconds === undefined) throw new BadValue('it lacks the number for all other transports');
  return { seconds, byTransport };
}

export function pathIn(folder: string): (text: string) => string {
  return (text) => resolve(folder, text);
}

export function domains(text: string): readonly string[] {
  return words(text).map((name) => publicHost(name).toLowerCase());
}

/** A name or address for other hosts to use; IPv6 comes back in brackets, as SIP writes it. */
export function publicHost(text: string): string {
  const bare = withoutBrackets(text);
  if (isIP(bare) === 6) return `[${bare}]`;
  if (isIP(bare) === 4 || hostName.test(bare)) return bare;
  throw new BadValue(`"${text}" is neither an address nor a host name`);
}

export function networks(text: string): readonly string[] {
  return words(text).map((network) => {
    const [address = '', length, ...rest] = network.split('/');
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const good = rest.length === 0 && (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= most));
    if (family === 0 || !good) throw new BadValue(`"${network}" is neither an address nor a network`);
    return network;
  });
}

/** RFC 6454 §6.2: scheme, host and perhaps port, as a browser writes them. */
export function origins(text: string): readonly string[] {
  return words(text).map((word) => {
    const origin = URL.canParse(word) ? new URL(word).origin : '';
    if (!/^https?:/.test(origin) || origin !== word.toLowerCase())
      throw new BadValue(`"${word}" is no origin of a page`);
    return origin;
  });
}

export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** `host:port`, IPv6 in brackets; the host must be numeric, because it is bound. */
export function bindAddress(text: string): HostPort {
  const { host, port } = hostPort(text);
  if (isIP(host) === 0 && host !== 'localhost') throw new BadValue(`"${host}" is no numeric address`);
  return { host: host === 'localhost' ? '127.0.0.1' : host, port };
}

/** `transport:host:port [advertise host[:port]]`, any number of them. */
export function listenEntries(text: string): readonly ListenEntry[] {
  const entries: ListenEntry[] = [];
  const rest = [...words(text)];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const named = rest[0]?.toLowerCase() === 'advertise';
    const target = named ? rest.splice(0, 2)[1] : undefined;
    if (named && target === undefined) throw new BadValue('"advertise" needs an address behind it');
    entries.push(listenEntry(word, target));
  }
  refuseCollisions(entries);
  return entries;
}

function listenEntry(text: string, target: string | undefined): ListenEntry {
  const colon = text.indexOf(':');
  const transport = transports.find((name) => name === text.slice(0, Math.max(colon, 0)).toLowerCase());
  if (transport === undefined) throw new BadValue(`"${text}" begins with none of ${transports.join(', ')}`);
  const { host, port } = bindAddress(text.slice(colon + 1));
  return { text, transport, host, port, advertise: target === undefined ? undefined : advertised(target) };
}

function advertised(text: string): { host: string; port: number | undefined } {
  const hasPort = /\]:\d+$/.test(text) || /^[^:]+:\d+$/.test(text);
  if (!hasPort) return { host: publicHost(text), port: undefined };
  const { host, port } = hostPort(text);
  if (port === 0) throw new BadValue(`"${text}" advertises port 0`);
  return { host: publicHost(host), port };
}

// All transports but UDP are TCP underneath, so they cannot share a port.
function refuseCollisions(entries: readonly ListenEntry[]): void {
  const seen = new Map<string, string>();
  for (const { transport, host, port, text } of entries) {
    if (port === 0) continue;
    const key = `${transport === 'udp' ? 'udp' : 'tcp'} ${host} ${port}`;
    const other = seen.get(key);
    if (other !== undefined) throw new BadValue(`"${other}" and "${text}" want the same port`);
    seen.set(key, text);
  }
}

/** `udp:host:port=weight`; the weight is 1 when it is left out. */
export function rtpengines(text: string): readonly RtpengineAddress[] {
  return words(text).map((word) => {
    const [, transport = '', target = '', weight = '1'] = /^(udp|tcp|ws):(.*?)(?:=(\d+))?$/i.exec(word) ?? [];
    if (target === '') throw new BadValue(`"${word}" does not read udp:host:port=weight (or tcp:, ws:)`);
    const { host, port } = hostPort(target);
    if (port === 0) throw new BadValue(`"${word}" has port 0`);
    const number = wholeNumber(0, 1000)(weight);
    return { address: `${transport.toLowerCase()}:${target}`, host, port, weight: number };
  });
}

/** Where a Homer listens. */
export function collector(text: string): HostPort {
  const [, target = ''] = /^udp:(.*)$/i.exec(text) ?? [];
  if (target === '') throw new BadValue('it does not read udp:host:port');
  const found = hostPort(target);
  if (found.port === 0) throw new BadValue('it has port 0');
  return found;
}

/** `local` or `local!advertised`, both numeric, as rtpengine takes them. */
export function mediaAddress(text: string): MediaAddress {
  const [local = '', outside, ...rest] = text.split('!').map(withoutBrackets);
  const wrong = [local, ...(outside === undefined ? [] : [outside])].find((address) => isIP(address) === 0);
  if (rest.length > 0) throw new BadValue('it has more than one "!"');
  if (wrong !== undefined) throw new BadValue(`"${wrong}" is no numeric address`);
  return { local, advertised: outside };
}

export function databaseUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//i.test(text) || !URL.canParse(text)) throw new BadValue('it is no postgres:// address');
  return text;
}

export function apiToken(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new BadValue('it may only have visible ASCII characters, and no spaces');
  return text;
}

export function tokenSecrets(text: string): readonly string[] {
  const secrets = words(text).map((secret) => secret.toLowerCase());
  if (secrets.length > 2) throw new BadValue('it has more than two values');
  if (!secrets.every((secret) => /^[0-9a-f]{64}$/.test(secret))) throw new BadValue('a value is not 64 hex digits');
  return secrets;
}

/** A private key of P-256. */
export function vapidKey(text: string): string {
  if (!/^[\w-]{43}$/.test(text)) throw new BadValue('it is not 32 bytes in base64url');
  return text;
}

/** Hosts, `*.` before one for all below it, `:port` behind one. */
export function pushHosts(text: string): readonly string[] {
  return words(text.toLowerCase()).map((word) => {
    const host = word.replace(/^\*\./, '').replace(/:\d{1,5}$/, '');
    if (!hostName.test(host)) throw new BadValue(`"${word}" is no host name`);
    return word;
  });
}

export function demoUsers(text: string): readonly DemoUser[] {
  return text.split(',').map((pair) => {
    const [, username, password] = /^\s*([A-Za-z0-9_.!~*'()+-]+):(.+?)\s*$/.exec(pair) ?? [];
    if (username === undefined || password === undefined) throw new BadValue('an entry does not read name:password');
    return { username, password };
  });
}

function hostPort(text: string): HostPort {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const known = bracketed === undefined ? isIP(host) === 4 || hostName.test(host) : isIP(host) === 6;
  if (!known) throw new BadValue(`"${text}" does not read host:port (an IPv6 address stands in brackets)`);
  return { host, port: wholeNumber(0, 65535)(port) };
}

function withoutBrackets(host: string): string {
  return /^\[.*\]$/.test(host) ? host.slice(1, -1) : host;
}
