/**
 * The certificate that Viaduct makes for itself at its first start: an authority (`ca.pem`, to be imported once by
 * whoever shall trust it) and a server certificate of it (`server.pem`, a chain), for TLS and WSS.
 *
 * The server certificate is made anew when it runs out within 30 days or when the names have changed; the authority
 * stays. A certificate that somebody else issued is used as it is and never written over.
 * 397 days: browsers and Apple's clients refuse more. Left out: revocation, and certificates of TLS_CFG.
 */
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import { Failure } from '../../errors.ts';
import { canonicalAddress } from './addresses.ts';
import { certificateLibrary } from './certificate-library.ts';
import { errorCode } from './listeners.ts';
import { readPair, type Stored } from './pem.ts';

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
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

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
  const x509 = await certificateLibrary();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // The number keeps two authorities apart in a browser that has imported both.
      name: `CN=${authorityName} ${randomBytes(3).toString('hex')}, O=Viaduct`,
      keys,
      signingAlgorithm: algorithm,
      serialNumber: serialNumber(),
      notBefore: new Date(nowMs - backdateMs),
      notAfter: new Date(nowMs + authorityDays * dayMs),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return store(dir, 'ca', pemLine(certificate.toString('pem')), keys.privateKey);
}

async function createServer({ dir, names, nowMs }: Wanted, authority: Stored): Promise<Stored> {
  const x509 = await certificateLibrary();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.pem);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [{ CN: [(names.find((name) => canonicalAddress(name) === undefined) ?? names[0] ?? '').slice(0, 64)] }],
      issuer: issuer.subject,
      publicKey: keys.publicKey,
      signingKey: await signingKey(authority.key),
      signingAlgorithm: algorithm,
      serialNumber: serialNumber(),
      notBefore: new Date(nowMs - backdateMs),
      notAfter: new Date(Math.min(nowMs - backdateMs + serverDays * dayMs, issuer.notAfter.getTime())),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension(names.map(alternativeName)),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return store(dir, 'server', pemLine(certificate.toString('pem')) + pemLine(authority.pem), keys.privateKey);
}

function alternativeName(name: string): { readonly type: 'ip' | 'dns'; readonly value: string } {
  return { type: canonicalAddress(name) === undefined ? 'dns' : 'ip', value: name };
}

/** Positive, and 15 random bytes: RFC 5280 §4.1.2.2. */
function serialNumber(): string {
  return `01${randomBytes(15).toString('hex')}`;
}

async function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

/** The key first: a certificate without its key would be read as broken at the next start. */
async function store(
  dir: string,
  name: 'ca' | 'server',
  pem: string,
  privateKey: webcrypto.CryptoKey,
): Promise<Stored> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
  await writeWhole(join(dir, `${name}-key.pem`), key, 0o600);
  await writeWhole(join(dir, `${name}.pem`), pem, 0o644);
  return { pem, key, certificate: new X509Certificate(pem), matches: true };
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await chmod(`${path}.new`, mode);
  await rename(`${path}.new`, path);
}

function pemLine(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
