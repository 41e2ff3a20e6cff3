/**
 * The text of `tls.cfg`, Kamailio's format, as sections with checked values. Every complaint names its line, what was
 * read there and what would be good.
 *
 *     [server:default]                    # or [server:10.0.0.1:5061], [server:[2001:db8::1]:5061], [server:any]
 *     certificate = /etc/ssl/sip.pem      # text behind # is a comment
 *
 * Reads no file: tls-sections.ts does; what each key must look like stands in tls-cfg-keys.ts. Left out, and refused by
 * name: `ca_path`, `verify_client`, `server_name_mode` and engines. A key that is read but not obeyed would be worse
 * than one that is refused.
 */
import { isIP } from 'node:net';
import { Failure } from '../../errors.ts';
import type { SocketAddress } from '../../ports.ts';
import { canonicalAddress, isPort } from './addresses.ts';
import { canonicalKey, isKey, keyFault, keyWarning, raised, type TlsKey, unknownKey } from './tls-cfg-keys.ts';

export type { TlsKey } from './tls-cfg-keys.ts';

export interface TlsValue {
  readonly text: string;
  readonly line: number;
}

export interface TlsSection {
  readonly kind: 'server' | 'client';
  /** `any`: every socket, chosen by `server_name` alone. */
  readonly socket: 'default' | 'any' | SocketAddress;
  readonly line: number;
  readonly values: ReadonlyMap<TlsKey, TlsValue>;
}

export interface TlsCfg {
  readonly sections: readonly TlsSection[];
  readonly warnings: readonly string[];
}

interface OpenSection extends TlsSection {
  readonly values: Map<TlsKey, TlsValue>;
}

interface Progress {
  readonly sections: OpenSection[];
  readonly warnings: string[];
}

const mostChars = 1_048_576;
const mostLineChars = 4_096;
const mostSections = 1_000;
const mostShown = 80;

export function lineFailure(line: number, words: string): Failure {
  return new Failure('tls-config', `tls.cfg line ${line}: ${words}`);
}

/** Throws a `Failure('tls-config')` at the first mistake. */
export function parseTlsCfg(text: string): TlsCfg {
  if (text.length > mostChars) throw lineFailure(1, `the file has more than ${mostChars} characters: is it tls.cfg?`);
  const progress: Progress = { sections: [], warnings: [] };
  // Editors of Windows begin a file with a byte order mark.
  for (const [at, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries())
    readLine(raw, at + 1, progress);
  for (const [at, section] of progress.sections.entries()) checkName(section, progress.sections.slice(0, at));
  return progress;
}

function readLine(raw: string, line: number, progress: Progress): void {
  if (raw.length > mostLineChars) throw lineFailure(line, `it has more than ${mostLineChars} characters`);
  const text = withoutComment(raw, line).trim();
  if (text === '') return;
  if (hasControl(text)) throw lineFailure(line, `${shown(text)} has a control character; is this a text file?`);
  if (text.startsWith('[')) addSection(text, line, progress);
  else readValue(text, line, progress);
}

function hasControl(text: string): boolean {
  return /[^\P{Cc}\t]/u.test(text);
}

/** A `#` within quotes is no comment. */
function withoutComment(raw: string, line: number): string {
  const text = /^((?:"[^"]*"|[^"#])*)/.exec(raw)?.[1] ?? '';
  if (raw.charAt(text.length) !== '"') return text;
  throw lineFailure(line, `${shown(raw.trim())} opens a quote and does not close it; write key = "value"`);
}

/** As it was read, for a message: in one line and not too long. */
function shown(text: string): string {
  return JSON.stringify(text.length > mostShown ? `${text.slice(0, mostShown)}...` : text);
}

// --- sections --------------------------------------------------------------------------------------------------------

function addSection(text: string, line: number, progress: Progress): void {
  if (progress.sections.length >= mostSections) throw lineFailure(line, `there are more than ${mostSections} sections`);
  progress.sections.push(sectionOf(text, line));
}

function sectionOf(text: string, line: number): OpenSection {
  const inside = text.endsWith(']') ? text.slice(1, -1) : '';
  const colon = inside.indexOf(':');
  const kind = inside.slice(0, Math.max(colon, 0)).trim().toLowerCase();
  const socket = socketOf(
    inside
      .slice(colon + 1)
      .trim()
      .toLowerCase(),
  );
  if (socket !== undefined && (kind === 'server' || kind === 'client'))
    return { kind, socket, line, values: new Map() };
  throw lineFailure(
    line,
    `${shown(text)} is no section; write [server:default], [client:default], [server:any], [client:any] or ` +
      '[server:192.0.2.1:5061] (an address and a port, no name)',
  );
}

function socketOf(name: string): TlsSection['socket'] | undefined {
  if (name === 'default' || name === 'any') return name;
  const colon = name.lastIndexOf(':');
  const address = canonicalAddress(name.slice(0, Math.max(colon, 0)));
  const digits = name.slice(colon + 1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  return address !== undefined && isIP(address) !== 0 && isPort(port) ? { address, port } : undefined;
}

/** As it would be written. */
export function sectionText(section: Pick<TlsSection, 'kind' | 'socket'>): string {
  return `[${section.kind}:${socketText(section)}]`;
}

export function socketText({ socket }: Pick<TlsSection, 'socket'>): string {
  if (typeof socket === 'string') return socket;
  return socket.address.includes(':') ? `[${socket.address}]:${socket.port}` : `${socket.address}:${socket.port}`;
}

/** Sections of one socket differ by server_name; two that do not would leave it to chance which one holds. */
function checkName(section: TlsSection, before: readonly TlsSection[]): void {
  const name = section.values.get('server_name');
  const text = sectionText(section);
  if (section.kind === 'client' && section.socket === 'any' && name === undefined) {
    throw lineFailure(
      section.line,
      `${text} needs a server_name to be chosen by; for all servers write [client:default]`,
    );
  }
  if (section.kind === 'client' && section.socket === 'default' && name !== undefined) {
    throw lineFailure(name.line, `server_name cannot stand in ${text}: write [client:any] or [client:192.0.2.1:5061]`);
  }
  const twin = before.find((other) => sectionText(other) === text && twins(section, other));
  if (twin === undefined) return;
  const by = name === undefined ? '' : ` with server_name ${shown(name.text)}`;
  throw lineFailure(section.line, `${text}${by} stands at line ${twin.line} already`);
}

function twins(section: TlsSection, other: TlsSection): boolean {
  // A connection that we open has one address and port before it has a name.
  const byName = section.socket !== 'default' && (section.kind === 'server' || section.socket === 'any');
  return !byName || nameOf(section) === nameOf(other);
}

/** `server_name`, in lower case. */
export function nameOf(section: TlsSection): string | undefined {
  return section.values.get('server_name')?.text.toLowerCase();
}

// --- values ----------------------------------------------------------------------------------------------------------

function readValue(text: string, line: number, progress: Progress): void {
  const section = progress.sections.at(-1);
  const [, name, quoted, bare = ''] = /^([a-z_0-9]+)\s*=\s*(?:"([^"]*)"|([^"]*))$/i.exec(text) ?? [];
  if (name === undefined) {
    throw lineFailure(line, `${shown(text)} is neither [section] nor "key = value", such as certificate = server.pem`);
  }
  const key = canonicalKey(name.toLowerCase());
  if (section === undefined) {
    throw lineFailure(line, `${key} stands before the first [section]; begin with [server:default]`);
  }
  const warning = keyWarning(key, quoted ?? bare.trim());
  if (warning !== undefined) progress.warnings.push(`tls.cfg line ${line}: ${warning}`);
  if (key !== 'server_id') setValue(section, key, quoted ?? bare.trim(), line);
}

function setValue(section: OpenSection, key: string, text: string, line: number): void {
  if (!isKey(key)) throw lineFailure(line, unknownKey(key));
  const before = section.values.get(key);
  if (before !== undefined)
    throw lineFailure(line, `${key} stands twice in this section, first at line ${before.line}`);
  const { fault, example } = keyFault(key, text);
  if (fault !== undefined) {
    throw lineFailure(line, `${key} must be ${fault}, not ${shown(text)}; for example ${key} = ${example}`);
  }
  section.values.set(key, { text: key === 'method' ? raised(text) : text, line });
}

/** `undefined` when the section says nothing about it. */
export function flag(section: TlsSection, key: 'verify_certificate' | 'require_certificate'): boolean | undefined {
  const value = section.values.get(key);
  return value === undefined ? undefined : /^(yes|true|on|1)$/i.test(value.text);
}
