/**
 * Making certificates (RFC 5280): an authority, certificates of servers and of clients by it, and the list of those that
 * it has withdrawn. PEM in and out; where it is kept is the business of the caller. Keys are P-256: small, quick, and
 * known to every client that speaks TLS 1.2.
 */
import { randomBytes, webcrypto } from 'node:crypto';
import { canonicalAddress } from './addresses.ts';
import { certificateLibrary } from './certificate-library.ts';

export interface Issued {
  /** PEM of the certificate alone, with a line end. */
  readonly pem: string;
  /** PEM (PKCS #8). */
  readonly key: string;
}

export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export async function issueAuthority(commonName: string, { fromMs, untilMs }: Validity): Promise<Issued> {
  const x509 = await certificateLibrary();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [commonName] }, { O: ['Viaduct'] }],
      keys,
      signingAlgorithm: algorithm,
      serialNumber: serialNumber(),
      notBefore: new Date(fromMs),
      notAfter: new Date(untilMs),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { pem: pemLine(certificate.toString('pem')), key: await keyPem(keys.privateKey) };
}

export interface CertificateRequest extends Validity {
  /** Domains and addresses; the first domain becomes the common name. */
  readonly names: readonly string[];
  /** Servers connect to servers, so theirs serves for both ends. */
  readonly purpose: 'server' | 'client';
}

/** Ends with its authority at the latest. */
export async function issueCertificate(authority: Issued, wanted: CertificateRequest): Promise<Issued> {
  const { names, purpose, fromMs, untilMs } = wanted;
  const x509 = await certificateLibrary();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.pem);
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [{ CN: [(names.find((name) => canonicalAddress(name) === undefined) ?? names[0] ?? '').slice(0, 64)] }],
      issuer: issuer.subject,
      publicKey: keys.publicKey,
      signingKey: await signingKey(authority.key),
      signingAlgorithm: algorithm,
      serialNumber: serialNumber(),
      notBefore: new Date(fromMs),
      notAfter: new Date(Math.min(untilMs, issuer.notAfter.getTime())),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(purpose === 'server' ? [serverAuth, clientAuth] : [clientAuth]),
        new x509.SubjectAlternativeNameExtension(names.map(alternativeName)),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { pem: pemLine(certificate.toString('pem')), key: await keyPem(keys.privateKey) };
}

/** The list of withdrawn certificates (RFC 5280 §5), PEM; `before` is the list that it takes the place of. */
export async function issueRevocations(
  authority: Issued,
  revoked: readonly string[],
  before: string | undefined,
  { fromMs, untilMs }: Validity,
): Promise<string> {
  const x509 = await certificateLibrary();
  const known = before === undefined ? [] : new x509.X509Crl(before).entries;
  const dates = new Map(known.map(({ serialNumber, revocationDate }) => [serialNumber, revocationDate]));
  for (const pem of revoked) {
    const { serialNumber } = new x509.X509Certificate(pem);
    if (!dates.has(serialNumber)) dates.set(serialNumber, new Date(fromMs));
  }
  const list = await x509.X509CrlGenerator.create(
    {
      issuer: new x509.X509Certificate(authority.pem).subject,
      thisUpdate: new Date(fromMs),
      nextUpdate: new Date(untilMs),
      entries: [...dates].map(([serialNumber, revocationDate]) => ({ serialNumber, revocationDate })),
      signingAlgorithm: algorithm,
      signingKey: await signingKey(authority.key),
    },
    webcrypto,
  );
  // OpenSSL, and with it Node, reads it under the name of RFC 7468 §6 only.
  return pemLine(list.toString('pem').replace(/(BEGIN|END) CRL/g, '$1 X509 CRL'));
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

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}

function pemLine(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
