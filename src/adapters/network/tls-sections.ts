/**
 * `TLS_CFG` at work: reads the files that the sections of `tls.cfg` name and says which section a listener, a client or
 * a server name gets. Files are relative to the folder of tls.cfg, and what a section does not say stands in its default.
 *
 * Left out: taking a changed file into use while connections go on (`OpenNetwork.replaceTls`).
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { Failure } from '../../errors.ts';
import type { Log, SocketAddress } from '../../ports.ts';
import { certificateFindings, certificatesIn, certificateText } from './certificate-findings.ts';
import {
  flag,
  lineFailure,
  nameOf,
  parseTlsCfg,
  sectionText,
  socketText,
  type TlsKey,
  type TlsSection,
  type TlsValue,
} from './tls-cfg.ts';
import {
  anyDepth,
  systemAuthorities,
  systemAuthorityNames,
  type TlsClientProfile,
  type TlsIdentity,
  type TlsServerProfile,
  type TlsSource,
} from './tls-source.ts';

/** Reads and checks everything at once: a missing file or a key that does not fit refuses the start, not a handshake. */
export function loadTlsCfg(path: string, nowMs: number, log: Log): TlsSource {
  const { sections, warnings } = parseTlsCfg(readCfg(path));
  const folder = dirname(resolve(path));
  const servers = inherited(sections, 'server').map((section) => ({ section, identity: identityOf(section, folder) }));
  const clients = inherited(sections, 'client').map((section) => ({ section, profile: clientOf(section, folder) }));
  const otherwise = clients.find(({ section }) => isDefault(section))?.profile ?? clientOf(noSection, folder);
  const advice = [...sections.flatMap((section) => adviceOn(section, sections)), ...shownFindings(servers, nowMs)];
  for (const warning of [...warnings, ...advice]) log.warn({ file: path }, warning);
  return {
    server: (local) => serverProfile(servers, local),
    client: (remote, serverName) => clientFor(clients, remote, serverName) ?? otherwise,
    check: (locals) => checkSockets(sections, locals),
    identities: servers.map((server) => identityText(server, nowMs)),
  };
}

const noSection: TlsSection = { kind: 'client', socket: 'default', line: 0, values: new Map() };

function readCfg(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new Failure('tls-config', `${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

/** The sections of a kind, each with what the default of its kind says and it does not. A name is nobody's default. */
function inherited(sections: readonly TlsSection[], kind: TlsSection['kind']): readonly TlsSection[] {
  const ours = sections.filter((section) => section.kind === kind);
  const defaults = [...(ours.find(isDefault)?.values ?? [])].filter(([key]) => key !== 'server_name');
  return ours.map((section) => ({ ...section, values: new Map([...defaults, ...section.values]) }));
}

function isDefault(section: TlsSection): boolean {
  return section.socket === 'default';
}

function isAt(section: TlsSection, socket: SocketAddress): boolean {
  if (typeof section.socket === 'string') return false;
  return section.socket.address === socket.address && section.socket.port === socket.port;
}

// --- servers ---------------------------------------------------------------------------------------------------------

interface Server {
  readonly section: TlsSection;
  readonly identity: TlsIdentity;
}

function serverProfile(servers: readonly Server[], local: SocketAddress): TlsServerProfile {
  const here = servers.filter(({ section }) => isAt(section, local));
  const byDefault = servers.filter(({ section }) => isDefault(section));
  const anywhere = servers.filter(({ section }) => section.socket === 'any');
  const unnamed = [...here, ...byDefault].find(({ section }) => !section.values.has('server_name'));
  const fallback = unnamed ?? here[0] ?? byDefault[0] ?? anywhere[0];
  if (fallback === undefined) {
    throw new Failure(
      'tls-config',
      `tls.cfg: no section for the listener ${local.address}:${local.port}; add [server:default].`,
    );
  }
  // What stands nearer to the socket wins a name.
  const named = [...anywhere, ...byDefault, ...here].flatMap(({ section, identity }) => {
    const name = nameOf(section);
    return name === undefined ? [] : [[name, identity] as const];
  });
  return { fallback: fallback.identity, named: new Map(named) };
}

function identityOf(section: TlsSection, folder: string): TlsIdentity {
  if (!section.values.has('certificate')) throw lineFailure(section.line, 'this server section has no certificate');
  if (!section.values.has('private_key')) throw lineFailure(section.line, 'this server section has no private_key');
  const options = contextOptions(section, folder);
  return {
    options,
    context: contextOf(section, options),
    verifyPeer: flag(section, 'verify_certificate') === true || flag(section, 'require_certificate') === true,
    requirePeer: flag(section, 'require_certificate') === true,
    verifyDepth: depthOf(section),
  };
}

/** A section for a socket that nobody opens is a typing error that would show as the wrong certificate. */
function checkSockets(sections: readonly TlsSection[], locals: readonly SocketAddress[]): void {
  for (const section of sections) {
    if (section.kind === 'client' || typeof section.socket === 'string') continue;
    if (locals.some((local) => isAt(section, local))) continue;
    const known = locals.map((local) => `${local.address}:${local.port}`).join(' ');
    throw lineFailure(
      section.line,
      `no tls or wss entry of LISTEN opens ${socketText(section)}; they open ${known || 'none'} (not the advertised address)`,
    );
  }
}

/** What is read but does not do what its writer may think. */
function adviceOn(section: TlsSection, all: readonly TlsSection[]): readonly string[] {
  if (section.kind === 'client') return [];
  const defaults = all.find((other) => other.kind === 'server' && isDefault(other));
  const told = (key: TlsKey): TlsValue | undefined => section.values.get(key) ?? defaults?.values.get(key);
  const asks = [section, ...(defaults === undefined ? [] : [defaults])].some(
    (each) => flag(each, 'verify_certificate') === true || flag(each, 'require_certificate') === true,
  );
  const unused = (['ca_list', 'crl'] as const).flatMap((key) => {
    const value = section.values.get(key);
    return value === undefined || asks ? [] : [`line ${value.line}: ${key} is not used: no client is asked for one`];
  });
  const open = asks && told('ca_list') === undefined;
  const method = section.values.get('method');
  const late =
    method !== undefined && nameOf(section) !== undefined && method.text !== defaults?.values.get('method')?.text;
  return [
    ...unused,
    ...(open ? [`line ${section.line}: clients of any public authority come in here: there is no ca_list`] : []),
    ...(late ? [`line ${method.line}: method is that of the socket: the version is agreed on before the name`] : []),
  ].map((words) => `tls.cfg ${words}`);
}

function shownFindings(servers: readonly Server[], nowMs: number): readonly string[] {
  const roots = servers.length === 0 ? new Set<string>() : systemAuthorityNames();
  const words = servers.flatMap(({ section, identity }) => {
    const line = section.values.get('certificate')?.line ?? section.line;
    const findings = certificateFindings(String(identity.options.cert), nowMs, (name) => roots.has(name));
    return findings.map((finding) => `tls.cfg line ${line}: ${finding.words}`);
  });
  // Sections that inherit a certificate have nothing new to say about it.
  return [...new Set(words)];
}

function identityText({ section, identity }: Server, nowMs: number): string {
  const [own] = certificatesIn(String(identity.options.cert));
  const name = nameOf(section);
  const where = `${sectionText(section)}${name === undefined ? '' : ` ${name}`}`;
  if (own === undefined) return where;
  const mark = own.fingerprint256.slice(0, 11);
  const { requirePeer, verifyPeer } = identity;
  const peers = requirePeer ? ', clients must show one' : verifyPeer ? ', those of clients are verified' : '';
  // Who has renewed it reads this line of the reload, and nothing else.
  const until = Date.parse(own.validTo) < nowMs ? 'HAS RUN OUT on' : 'valid until';
  return `${where}: ${certificateText(own)}, ${until} ${own.validTo}, SHA-256 ${mark}...${peers}`;
}

// --- clients ---------------------------------------------------------------------------------------------------------

interface Client {
  readonly section: TlsSection;
  readonly profile: TlsClientProfile;
}

/** By address and port, else by the name that was asked for. */
function clientFor(
  clients: readonly Client[],
  remote: SocketAddress,
  serverName: string | undefined,
): TlsClientProfile | undefined {
  const here = clients.find(({ section }) => isAt(section, remote));
  const named = clients.find(({ section }) => section.socket === 'any' && nameOf(section) === serverName);
  return (here ?? named)?.profile;
}

/** Unlike in Kamailio the peer's certificate is verified unless the section says no (RFC 5922 §7). */
function clientOf(section: TlsSection, folder: string): TlsClientProfile {
  const options = contextOptions(section, folder);
  const ca = options.ca ?? [...systemAuthorities()];
  return {
    context: contextOf(section, { ...options, ca }),
    verifyPeer: flag(section, 'verify_certificate') ?? true,
    verifyDepth: depthOf(section),
    serverName: nameOf(section),
  };
}

// --- values ----------------------------------------------------------------------------------------------------------

function depthOf(section: TlsSection): number {
  return Number(section.values.get('verify_depth')?.text ?? anyDepth);
}

function contextOptions(section: TlsSection, folder: string): SecureContextOptions {
  const cert = file(section, 'certificate', folder);
  const key = file(section, 'private_key', folder);
  const ca = file(section, 'ca_list', folder);
  const crl = file(section, 'crl', folder);
  const ciphers = section.values.get('cipher_list')?.text;
  return {
    ...versions(section.values.get('method')),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
    ...(crl === undefined ? {} : { crl }),
    ...(ciphers === undefined ? {} : { ciphers }),
  };
}

/** `TLSv1.2+` is that version or a later one; without the sign exactly that version. */
function versions(method: TlsValue | undefined): Pick<SecureContextOptions, 'minVersion' | 'maxVersion'> {
  const text = (method?.text ?? 'TLSv1.2+').toLowerCase();
  if (text.startsWith('tlsv1.3')) return { minVersion: 'TLSv1.3' };
  return text === 'tlsv1.2' ? { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } : { minVersion: 'TLSv1.2' };
}

function file(section: TlsSection, key: TlsKey, folder: string): Buffer | undefined {
  const value = section.values.get(key);
  if (value === undefined) return undefined;
  try {
    return readFileSync(resolve(folder, value.text));
  } catch (thrown) {
    throw lineFailure(value.line, `${key}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

/** OpenSSL does not say which of the values it dislikes, so they are tried one after the other. */
function contextOf(section: TlsSection, options: SecureContextOptions): SecureContext {
  attempt(section, 'cipher_list', options.ciphers === undefined ? {} : { ciphers: options.ciphers });
  attempt(section, 'certificate', options.cert === undefined ? {} : { cert: options.cert });
  attempt(section, 'ca_list', options.ca === undefined ? {} : { ca: options.ca });
  attempt(section, 'crl', options.crl === undefined ? {} : { crl: options.crl });
  return attempt(section, 'private_key', options);
}

function attempt(section: TlsSection, key: TlsKey, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (thrown) {
    const line = section.values.get(key)?.line ?? section.line;
    const words = thrown instanceof Error ? thrown.message : String(thrown);
    const isOther = /key values mismatch|key type mismatch/.test(words);
    throw lineFailure(line, `${key}: ${isOther ? `it is not the key of \`certificate\` (${words})` : words}`);
  }
}
