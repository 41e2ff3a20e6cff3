/**
 * Where keys and trust of TLS come from, as the transports need it: the certificate made at first start, or `TLS_CFG`
 * (tls-sections.ts).
 */
import { X509Certificate } from 'node:crypto';
import {
  createSecureContext,
  type DetailedPeerCertificate,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls';
import { Failure } from '../../errors.ts';
import type { SocketAddress } from '../../ports.ts';
import type { Certificate } from './certificate.ts';

/** What one server name or socket presents, and what it demands of its clients. */
export interface TlsIdentity extends PeerRules {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

export interface PeerRules {
  /** A certificate that the peer presents must be valid. */
  readonly verifyPeer: boolean;
  /** The peer must present one. */
  readonly requirePeer: boolean;
  /** How many certificates its chain may have above its own. */
  readonly verifyDepth: number;
}

export interface TlsServerProfile {
  /** For clients that name no server, or one that nobody here is. */
  readonly fallback: TlsIdentity;
  /** By server name, lower case (RFC 6066 §3). */
  readonly named: ReadonlyMap<string, TlsIdentity>;
}

export interface TlsClientProfile {
  readonly context: SecureContext;
  readonly verifyPeer: boolean;
  readonly verifyDepth: number;
  /** Whom the peer must prove to be, where that is not the name that led to it. */
  readonly serverName?: string | undefined;
}

export interface TlsSource {
  server(local: SocketAddress): TlsServerProfile;
  /** `serverName`: the name that led to this address, in lower case. */
  client(remote: SocketAddress, serverName: string | undefined): TlsClientProfile;
  /** Throws a `Failure` when it names a socket that is none of these. */
  check(locals: readonly SocketAddress[]): void;
  /** What is shown to clients and where, a line each, for people: what differs after a reload is what changed. */
  readonly identities: readonly string[];
}

export const anyDepth = 100;

/** One certificate for everybody. To other servers we show none, and trust the system's authorities and our own. */
export function certificateSource(certificate: Certificate): TlsSource {
  const options: SecureContextOptions = { cert: certificate.cert, key: certificate.key, minVersion: 'TLSv1.2' };
  const identity = { ...noClientCertificates, options, context: contextOf(options) };
  // Made now: reading the system's authorities takes some 80 ms, which no call shall wait for (law 11).
  const client = { context: clientContext(certificate.ca), verifyPeer: true, verifyDepth: anyDepth };
  return {
    server: () => ({ fallback: identity, named: new Map() }),
    client: () => client,
    check: () => undefined,
    identities: [`our own: valid until ${new X509Certificate(certificate.cert).validTo}`],
  };
}

const noClientCertificates: PeerRules = { verifyPeer: false, requirePeer: false, verifyDepth: anyDepth };

function contextOf(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (thrown) {
    throw new Failure('certificate-unreadable', thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function clientContext(ours: string): SecureContext {
  const ca = [...systemAuthorities(), ...(ours === '' ? [] : [ours])];
  return createSecureContext({ ca, minVersion: 'TLSv1.2' });
}

/** The authorities of the system and of Node. */
export function systemAuthorities(): readonly string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

/** Their subjects, as `X509Certificate.issuer` spells them. */
export function systemAuthorityNames(): ReadonlySet<string> {
  return new Set(systemAuthorities().map((pem) => new X509Certificate(pem).subject));
}

/** Why the certificate of a peer is not accepted; `undefined`: it is. */
export function peerRefusal(socket: TLSSocket, rules: PeerRules): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return rules.requirePeer ? 'it presents no certificate' : undefined;
  if (rules.verifyPeer && !socket.authorized) return String(socket.authorizationError);
  return rules.verifyPeer && chainDepth(socket) > rules.verifyDepth
    ? `its certificate chain is longer than ${rules.verifyDepth}`
    : undefined;
}

/** `getPeerX509Certificate` knows no issuers on the server side. */
function chainDepth(socket: TLSSocket): number {
  let depth = 0;
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // A root is its own issuer; the issuer of an unknown one is not there.
  while (certificate !== undefined && depth < anyDepth) {
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    if (issuer === undefined || issuer.fingerprint256 === certificate.fingerprint256) break;
    certificate = issuer;
    depth += 1;
  }
  return depth;
}
