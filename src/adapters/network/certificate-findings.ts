/**
 * What is wrong, or soon will be, with a certificate that we show: its dates and its chain (RFC 5280 §6). In words, for
 * the log and for whoever checks an installation. Reads nothing and knows no clock.
 *
 * Left out: revocation, and whether a name is missing, which only its users know.
 */
import { X509Certificate } from 'node:crypto';

export interface CertificateFinding {
  readonly severity: 'error' | 'warning';
  readonly words: string;
}

const dayMs = 86_400_000;
/** Services that renew by themselves do it 30 days before the end: later than this something is broken. */
const soonDays = 14;
const mostInChain = 20;

/** Certificates of a PEM text, the server's own first. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.slice(0, mostInChain).map((block) => new X509Certificate(block));
}

/** `isAuthority`: whether clients know the subject of this name without being told. */
export function certificateFindings(
  pem: string,
  nowMs: number,
  isAuthority: (name: string) => boolean,
): readonly CertificateFinding[] {
  const [own, ...others] = certificatesIn(pem);
  if (own === undefined) return [];
  const chain = others.length === 0 ? aloneFindings(own, isAuthority) : chainFindings(own, others, nowMs);
  return [...dateFindings(own, nowMs), ...chain];
}

/** `CN=example.com (example.com, *.example.com)`, for people. */
export function certificateText(certificate: X509Certificate): string {
  const names = (certificate.subjectAltName ?? '').replace(/(DNS|IP Address):/g, '');
  return `${certificate.subject.split('\n').join(', ')}${names === '' ? '' : ` (${names})`}`;
}

function dateFindings(certificate: X509Certificate, nowMs: number): readonly CertificateFinding[] {
  const fromMs = Date.parse(certificate.validFrom);
  const untilMs = Date.parse(certificate.validTo);
  const who = `the certificate ${certificateText(certificate)}`;
  if (nowMs > untilMs) return [error(`${who} has run out on ${certificate.validTo}: clients will refuse it; renew it`)];
  if (nowMs < fromMs) {
    return [error(`${who} is not valid before ${certificate.validFrom}; is the clock of this host right?`)];
  }
  const days = Math.floor((untilMs - nowMs) / dayMs);
  return days < soonDays ? [warning(`${who} runs out in ${days} days, on ${certificate.validTo}; renew it`)] : [];
}

/** Each certificate must be followed by its issuer; only the root may be missing, for the client has it. */
function chainFindings(
  own: X509Certificate,
  others: readonly X509Certificate[],
  nowMs: number,
): readonly CertificateFinding[] {
  const findings: CertificateFinding[] = [];
  let last = own;
  for (const next of others) {
    if (!last.checkIssued(next)) {
      return [
        warning(`behind ${certificateText(last)} stands ${next.subject}, which did not issue it: mend the order`),
      ];
    }
    findings.push(...dateFindings(next, nowMs));
    last = next;
  }
  return findings;
}

function aloneFindings(own: X509Certificate, isAuthority: (name: string) => boolean): readonly CertificateFinding[] {
  const who = certificateText(own);
  if (own.checkIssued(own)) return [warning(`${who} is self-signed: clients trust it only where it was imported`)];
  if (isAuthority(own.issuer)) return [];
  const issuer = own.issuer.split('\n').join(', ');
  return [warning(`${who} stands alone, and its issuer (${issuer}) is no known root: put that certificate behind it`)];
}

function error(words: string): CertificateFinding {
  return { severity: 'error', words };
}

function warning(words: string): CertificateFinding {
  return { severity: 'warning', words };
}
