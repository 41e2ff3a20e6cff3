/**
 * The certificate that Viaduct makes for itself at its first start: an authority (`ca.pem`, to be imported once by
 * whoever shall trust it) and a server certificate of it (`server.pem`, a chain), for TLS and WSS.
 *
 * The server certificate is made anew when it runs out within 30 days or when the names have changed; the authority
 * stays. A certificate that somebody else issued is used as it is and never written over.
 * 397 days: browsers and Apple's clients refuse more. Left out: revocation, and certificates of TLS_CFG.
 */
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import { Failure } from '../../errors.ts';
import { canonicalAddress } from './addresses.ts';
import { type Issued, issueAuthority, issueCertificate } from './certificate-issue.ts';
import { errorCode } from './listeners.ts';
import { readPair, type Stored, writeWhole } from './pem.ts';

export interface Certificate {
  /** PEM of the authority; empty when somebody else's certificate was put there without one. */
  readonly ca: string;
  /** PEM of the server certificate and its authority. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface CertificateOptions {
  /** The folder of the four files: DATA_DIR/tls. */
  readonly dir: string;
  /** Domains and addresses that clients use. */
  readonly names: readonly string[];
  readonly nowMs: number;
}

const dayMs = 86_400_000;
const authorityDays = 3_650;
const serverDays = 397;
const renewDays = 30;
/** Clocks of clients may be behind. */
const backdateMs = dayMs;
const authorityName = 'Viaduct local CA';

interface Wanted {
  readonly dir: string;
  /** Canonical and sorted. */
  readonly names: readonly string[];
  readonly nowMs: number;
}

export async function loadOrCreateCertificate(options: CertificateOptions): Promise<Certificate> {
  const wanted = { dir: options.dir, names: canonicalNames(options.names), nowMs: options.nowMs };
  try {
    await mkdir(wanted.dir, { recursive: true, mode: 0o700 });
    return await loadOrCreate(wanted);
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw new Failure('certificate-unreadable', `${wanted.dir}: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
}

async function loadOrCreate(wanted: Wanted): Promise<Certificate> {
  const { dir, nowMs } = wanted;
  const server = await readPair(join(dir, 'server.pem'), join(dir, 'server-key.pem'));
  const foreign = server !== undefined && !isOurs(server.certificate);
  if (foreign) {
    if (!server.matches)
      throw new Failure('certificate-unreadable', `${dir}: server-key.pem is not the key of server.pem.`);
    return certificateOf(server, await textOrNothing(join(dir, 'ca.pem')));
  }
  const stored = await readPair(join(dir, 'ca.pem'), join(dir, 'ca-key.pem'));
  const authority = stored !== undefined && lasts(stored, nowMs) ? stored : await createAuthority(wanted);
  const usable = server !== undefined && lasts(server, nowMs) && fits(server, authority, wanted.names);
  return certificateOf(usable ? server : await createServer(wanted, authority), authority.pem);
}

function certificateOf(server: Stored, ca: string): Certificate {
  return { ca, cert: server.pem, key: server.key };
}

async function textOrNothing(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return '';
    throw thrown;
  }
}

// --- judging what is there -------------------------------------------------------------------------------------------

function isOurs(certificate: X509Certificate): boolean {
  return certificate.issuer.includes(`CN=${authorityName}`);
}

function lasts(stored: Stored, nowMs: number): boolean {
  return stored.matches && Date.parse(stored.certificate.validTo) - nowMs > renewDays * dayMs;
}

function fits(server: Stored, authority: Stored, names: readonly string[]): boolean {
  const signed =
    server.certificate.checkIssued(authority.certificate) && server.certificate.verify(authority.certificate.publicKey);
  return signed && namesOf(server.certificate).join(' ') === names.join(' ');
}

/** `DNS:example.com, IP Address:127.0.0.1` */
function namesOf(certificate: X509Certificate): readonly string[] {
  const names = (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''));
  return canonicalNames(names);
}

/** Addresses in one spelling, names in ASCII; what is neither (a wildcard address) is left out. */
function canonicalNames(names: readonly string[]): readonly string[] {
  const canonical = names.map((name) => canonicalAddress(name) ?? domainToASCII(name));
  const usable = canonical.filter((name) => name !== '' && name !== '0.0.0.0' && name !== '::');
  return usable.length === 0 ? ['localhost'] : [...new Set(usable)].sort();
}

// --- making ----------------------------------------------------------------------------------------------------------

async function createAuthority({ dir, nowMs }: Wanted): Promise<Stored> {
  // The number keeps two authorities apart in a browser that has imported both.
  const name = `${authorityName} ${randomBytes(3).toString('hex')}`;
  const validity = { fromMs: nowMs - backdateMs, untilMs: nowMs + authorityDays * dayMs };
  return store(dir, 'ca', await issueAuthority(name, validity));
}

async function createServer({ dir, names, nowMs }: Wanted, authority: Stored): Promise<Stored> {
  const fromMs = nowMs - backdateMs;
  const untilMs = fromMs + serverDays * dayMs;
  const { pem, key } = await issueCertificate(authority, { names, purpose: 'server', fromMs, untilMs });
  return store(dir, 'server', { pem: pem + authority.pem, key });
}

/** The key first: a certificate without its key would be read as broken at the next start. */
async function store(dir: string, name: 'ca' | 'server', { pem, key }: Issued): Promise<Stored> {
  await writeWhole(join(dir, `${name}-key.pem`), key, 0o600);
  await writeWhole(join(dir, `${name}.pem`), pem, 0o644);
  return { pem, key, certificate: new X509Certificate(pem), matches: true };
}
