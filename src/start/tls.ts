/** Where the certificates come from: TLS_CFG, or one that is made at the first start; and what the doctor asks of it. */
import { join } from 'node:path';
import { isWildcard, localAddresses } from '../adapters/network/addresses.ts';
import { loadOrCreateCertificate } from '../adapters/network/certificate.ts';
import { loadTlsCfg } from '../adapters/network/tls-sections.ts';
import { certificateSource, type TlsSource } from '../adapters/network/tls-source.ts';
import { systemClock } from '../adapters/system.ts';
import type { Settings } from '../config.ts';
import type { CertificateFiles } from '../doctor/certificate-files.ts';
import type { Log } from '../ports.ts';

export async function tlsSource(settings: Settings, domains: readonly string[], log: Log): Promise<TlsSource> {
  if (settings.tlsCfg !== undefined) return loadTlsCfg(settings.tlsCfg, systemClock.nowMs(), log);
  const bound = settings.listen.flatMap(({ host }) => (isWildcard(host) ? localAddresses(host) : [host]));
  const names = [...new Set([...domains, ...bound, 'localhost'])];
  const dir = join(settings.dataDir, 'tls');
  return certificateSource(await loadOrCreateCertificate({ dir, names, nowMs: systemClock.nowMs() }));
}

interface InUse {
  readonly settings: Settings;
  readonly domains: readonly string[];
  readonly tls: TlsSource;
}

/** Without a word in the log: who asks the doctor hears it. Absent without TLS_CFG: reading could make a certificate. */
export function certificateFiles({ settings, domains, tls }: InUse): CertificateFiles | undefined {
  if (settings.tlsCfg === undefined) return undefined;
  const ignore = (): void => undefined;
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const read = async () => (await tlsSource(settings, domains, log)).identities;
  return { inUse: tls.identities, read };
}
