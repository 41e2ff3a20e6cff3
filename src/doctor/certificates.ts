/**
 * What a TLS client of ours is shown: the certificate with its dates, names and chain, and the lowest version of TLS
 * that is accepted. Asked for over a connection to ourselves, so it is what others see.
 */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, rootCertificates, type SecureVersion, type TLSSocket } from 'node:tls';
import { isWildcard } from '../adapters/network/addresses.ts';
import { certificateFindings, certificateText } from '../adapters/network/certificate-findings.ts';
import type { Finding } from '../engine/operations.ts';
import type { Listener } from '../ports.ts';
import { finding } from './finding.ts';

const handshakeMs = 3_000;

export async function tlsFindings(
  listeners: readonly Listener[],
  domains: readonly string[],
  nowMs: number,
): Promise<readonly Finding[]> {
  const secure = listeners.filter(({ transport }) => transport === 'tls' || transport === 'wss');
  return (await Promise.all(secure.map((listener) => listenerFindings(listener, domains[0] ?? '', nowMs)))).flat();
}

async function listenerFindings(listener: Listener, domain: string, nowMs: number): Promise<readonly Finding[]> {
  const { transport, local } = listener;
  const place = `${transport} ${local.address}:${local.port}`;
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
  const old = (await shown(listener, domain, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })) !== undefined;
  return [
    finding('certificate', 'ok', `${place} shows ${certificateText(own)}, valid until ${own.validTo}.`, ''),
    ...wrong,
    ...nameFindings(own, domain, place),
    ...(old
      ? [finding('tls', 'warning', `${place} accepts TLS 1.1 or older.`, 'Set method = TLSv1.2+ in tls.cfg.')]
      : []),
  ];
}

function nameFindings(own: X509Certificate, domain: string, place: string): readonly Finding[] {
  const address = domain.replace(/^\[(.*)\]$/, '$1');
  const isFor = isIP(address) === 0 ? own.checkHost(domain) : own.checkIP(address);
  if (domain === '' || isFor !== undefined) return [];
  const cure = 'Clients that connect by that name refuse it: get one for this name, or a [server:...] section with it.';
  return [finding('certificate', 'warning', `${place}: the certificate is not for ${domain}.`, cure)];
}

/** The certificates as they come; `undefined` when there is no handshake. */
async function shown(
  { local }: Listener,
  servername: string,
  versions: { readonly maxVersion?: SecureVersion; readonly minVersion?: SecureVersion },
): Promise<readonly X509Certificate[] | undefined> {
  const host = isWildcard(local.address) ? (local.address === '::' ? '::1' : '127.0.0.1') : local.address;
  const name = /^[\d.]+$|:/.test(servername) ? {} : { servername };
  // We look at it, whoever signed it.
  const socket = connect({ host, port: local.port, rejectUnauthorized: false, ...name, ...versions });
  socket.setTimeout(handshakeMs, () => socket.destroy(new Error('timeout')));
  try {
    await once(socket, 'secureConnect');
    return chainOf(socket);
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
