/**
 * The text of `tls.cfg`, Kamailio's format, as sections with checked values. Every complaint names its line.
 *
 *     [server:default]                    # or [server:10.0.0.1:5061], [server:[2001:db8::1]:5061], [server:any]
 *     certificate = /etc/ssl/sip.pem      # text behind # is a comment
 *
 * Reads no file: tls-sections.ts does. Left out, and refused by name: `ca_path`, `verify_client`, `server_name_mode`
 * and engines. A key that is read but not obeyed would be worse than one that is refused.
 */
import { isIP } from 'node:net';
import { Failure } from '../../errors.ts';
import type { SocketAddress } from '../../ports.ts';
import { canonicalAddress, isPort } from './addresses.ts';

export type TlsKey =
  | 'method'
  | 'verify_certificate'
  | 'require_certificate'
  | 'private_key'
  | 'certificate'
  | 'verify_depth'
  | 'ca_list'
  | 'crl'
  | 'cipher_list'
  | 'server_name';

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

/** What a value must look like, in words for the message about one that does not. */
interface Rule {
  readonly test: RegExp;
  readonly words: string;
}

const truth: Rule = { test: /^(yes|no|true|false|on|off|1|0)$/i, words: 'yes or no' };
const anything: Rule = { test: /./, words: 'not empty' };

const rules: Readonly<Record<TlsKey, Rule>> = {
  method: { test: /^(SSLv23|TLSv1(\.[123])?\+?)$/i, words: 'one of TLSv1.2+, TLSv1.3+, TLSv1.2, TLSv1.3' },
  verify_certificate: truth,
  require_certificate: truth,
  private_key: anything,
  certificate: anything,
  verify_depth: { test: /^\d{1,2}$/, words: 'a number from 0 to 99' },
  ca_list: anything,
  crl: anything,
  cipher_list: anything,
  server_name: { test: /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/i, words: 'a domain name' },
};

export function lineFailure(line: number, words: string): Failure {
  return new Failure('tls-config', `tls.cfg line ${line}: ${words}`);
}

export function parseTlsCfg(text: string): TlsCfg {
  const progress: Progress = { sections: [], warnings: [] };
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = withoutComment(raw).trim();
    if (line.startsWith('[')) progress.sections.push(sectionOf(line, at + 1, progress));
    else if (line !== '') readValue(line, at + 1, progress);
  }
  return progress;
}

/** A `#` within quotes is no comment. */
function withoutComment(raw: string): string {
  return /^((?:"[^"]*"|[^"#])*)/.exec(raw)?.[1] ?? '';
}

function sectionOf(text: string, line: number, progress: Progress): OpenSection {
  const [, kind = '', name = ''] = /^\[\s*(server|client)\s*:\s*(.+?)\s*\]$/i.exec(text) ?? [];
  const socket = socketOf(name.toLowerCase());
  if (socket === undefined) {
    throw lineFailure(line, `${text} is no section; write [server:default], [client:default] or [server:address:port]`);
  }
  const section: OpenSection = {
    kind: kind.toLowerCase() === 'client' ? 'client' : 'server',
    socket,
    line,
    values: new Map(),
  };
  const before = progress.sections.find(
    (other) => other.kind === section.kind && socketText(other) === socketText(section),
  );
  // Sections of one socket differ by server_name; the default has none to differ by.
  if (before !== undefined && (socket === 'default' || section.kind === 'client')) {
    throw lineFailure(line, `${text} stands at line ${before.line} already`);
  }
  return section;
}

function socketOf(name: string): TlsSection['socket'] | undefined {
  if (name === 'default' || name === 'any') return name;
  const colon = name.lastIndexOf(':');
  const address = canonicalAddress(name.slice(0, Math.max(colon, 0)));
  const port = Number(name.slice(colon + 1));
  return address !== undefined && isIP(address) !== 0 && isPort(port) ? { address, port } : undefined;
}

export function socketText({ socket }: TlsSection): string {
  if (typeof socket === 'string') return socket;
  return socket.address.includes(':') ? `[${socket.address}]:${socket.port}` : `${socket.address}:${socket.port}`;
}

function readValue(text: string, line: number, progress: Progress): void {
  const section = progress.sections.at(-1);
  const [, name = '', quoted, bare = ''] = /^([a-z_0-9]+)\s*=\s*(?:"([^"]*)"|([^"]*))$/i.exec(text) ?? [];
  if (name === '') throw lineFailure(line, `"${text}" is neither [section] nor "key = value"`);
  if (section === undefined) throw lineFailure(line, `${name} stands before the first [section]`);
  if (name === 'server_id') {
    progress.warnings.push(`tls.cfg line ${line}: server_id is not used here`);
    return;
  }
  if (!isKey(name)) throw lineFailure(line, unknownKey(name));
  if (section.values.has(name)) throw lineFailure(line, `${name} stands twice in this section`);
  section.values.set(name, checked(name, quoted ?? bare.trim(), line, progress));
}

function unknownKey(name: string): string {
  const instead: Readonly<Record<string, string>> = {
    ca_path: '; put the certificates into one file and name it in ca_list',
    verify_client: '; use verify_certificate and require_certificate',
  };
  return `the key ${name} is not known here${instead[name] ?? `; known are ${Object.keys(rules).join(', ')}`}`;
}

function isKey(name: string): name is TlsKey {
  return Object.hasOwn(rules, name);
}

function checked(key: TlsKey, text: string, line: number, progress: Progress): TlsValue {
  const { test, words } = rules[key];
  if (!test.test(text)) throw lineFailure(line, `${key} must be ${words}, not "${text}"`);
  // RFC 8996: TLS 1.0 and 1.1 are no longer to be used, and no browser speaks them.
  if (key === 'method' && /^TLSv1(\.1)?\+?$/i.test(text)) {
    progress.warnings.push(`tls.cfg line ${line}: method ${text} is raised to TLSv1.2+ (RFC 8996)`);
    return { text: 'TLSv1.2+', line };
  }
  return { text, line };
}

/** `undefined` when the section says nothing about it. */
export function flag(section: TlsSection, key: 'verify_certificate' | 'require_certificate'): boolean | undefined {
  const value = section.values.get(key);
  return value === undefined ? undefined : /^(yes|true|on|1)$/i.test(value.text);
}
