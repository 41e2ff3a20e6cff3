/**
 * What a TLS client of ours is shown for each domain: the certificate with its dates, names and chain, and the versions of
 * TLS that are spoken. Asked for over a connection to ourselves, so it is what others see.
 *
 * Left out: TLS 1.1 and older, which no setting can switch on (tls.cfg raises them to 1.2 with a warning).
 */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, rootCertificates, type SecureVersion, type TLSSocket } from 'node:tls';
import { hostText, isWildcard } from '../adapters/network/addresses.ts';
import { certificateFindings, certificateText } from '../adapters/network/certificate-findings.ts';
import type { Finding } from '../engine/operations.ts';
import type { Listener } from '../ports.ts';
import { finding } from './finding.ts';

const handshakeMs = 3_000;
/** Further ones are as the first, or their owner looks himself. */
const mostDomains = 10;

export async function tlsFindings(
  listeners: readonly Listener[],
  domains: readonly string[],
  nowMs: number,
): Promise<readonly Finding[]> {
  const secure = listeners.filter(({ transport }) => transport === 'tls' || transport === 'wss');
  const names = domains.length === 0 ? [''] : domains.slice(0, mostDomains);
  const looks = secure.flatMap((listener) => names.map((name) => listenerFindings(listener, name, nowMs)));
  // Domains that share a certificate share its findings.
  return [...new Map((await Promise.all(looks)).flat().map((one) => [one.says, one])).values()];
}

async function listenerFindings(listener: Listener, domain: string, nowMs: number): Promise<readonly Finding[]> {
  const { transport, local } = listener;
  const place = `${transport} ${hostText(local.address)}:${local.port}`;
  const chain = await shown(listener, domain, {});
  const [own] = chain ?? [];
  if (chain === undefined || own === undefined) {
    const cure = 'The log has the reason; check tls.cfg, or remove DATA_DIR/tls to have a certificate made.';
    return [finding('certificate', 'error', `${place} did not finish a TLS handshake with us.`, cure)];
  }
  const known = new Set(rootCertificates.map((pem) => new X509Certificate(pem).subject));
  const pem = chain.map((one) => one.toString()).join('');
  const wrong = certificateFindings(pem, nowMs, (name) => known.has(name)).map(({ severity, words }) =>
    finding(
      'certificate',
      severity,
      `${place}: ${words}.`,
      'npx viaduct certificate help, or the tool that renews it.',
    ),
  );
  return [
    finding('certificate', 'ok', `${place} shows ${certificateText(own)}, valid until ${own.validTo}.`, ''),
    ...wrong,
    ...nameFindings(own, domain, place),
    ...(await versionFindings(listener, domain, place)),
  ];
}

async function versionFindings(listener: Listener, domain: string, place: string): Promise<readonly Finding[]> {
  const with12 = (await shown(listener, domain, { maxVersion: 'TLSv1.2' })) !== undefined;
  if (with12) return [finding('tls', 'ok', `${place} speaks TLS from 1.2 on, and nothing older.`, '')];
  const cure = 'Right if no telephone is older; else set method = TLSv1.2+ in tls.cfg.';
  return [finding('tls', 'notice', `${place} speaks TLS 1.3 only: many telephones know 1.2 at most.`, cure)];
}

function nameFindings(own: X509Certificate, domain: string, place: string): readonly Finding[] {
  const address = domain.replace(/^\[(.*)\]$/, '$1');
  const isFor = isIP(address) === 0 ? own.checkHost(domain) : own.checkIP(address);
  if (domain === '' || isFor !== undefined) return [];
  const words = `${place}: the certificate is not for ${domain}.`;
  if (own.subjectAltName?.includes(`.${domain}`) === true) {
    const cure = 'Right if clients are told that name as their server; who connects by the domain alone refuses it.';
    return [finding('certificate', 'notice', `${words.slice(0, -1)}, but for a name within it.`, cure)];
  }
  const cure = 'Clients that connect by that name refuse it: get one for this name, or a [server:...] section with it.';
  return [finding('certificate', 'warning', words, cure)];
}

/** The certificates as they come; `undefined` when there is no handshake. */
async function shown(
  { local }: Listener,
  servername: string,
  versions: { readonly maxVersion?: SecureVersion },
): Promise<readonly X509Certificate[] | undefined> {
  const host = isWildcard(local.address) ? (local.address === '::' ? '::1' : '127.0.0.1') : local.address;
  const name = /^[\d.]+$|:/.test(servername) ? {} : { servername };
  // We look at it, whoever signed it.
  const socket = connect({ host, port: local.port, rejectUnauthorized: false, ...name, ...versions });
  socket.setTimeout(handshakeMs, () => socket.destroy(new Error('timeout')));
  try {
    await once(socket, 'secureConnect');
    const chain = chainOf(socket);
    // In order: the server would log a client that hangs up within its handshake.
    socket.end();
    await once(socket, 'close');
    return chain;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < 10 && !chain.some((one) => one.fingerprint256 === next?.fingerprint256)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
