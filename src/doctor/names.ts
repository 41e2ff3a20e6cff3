/** Whether the domains that we serve lead here: a client that is given the domain alone looks it up. */
import { isIP } from 'node:net';
import { isLoopback } from '../adapters/network/addresses.ts';
import type { Finding } from '../engine/operations.ts';
import type { Listener, Resolver } from '../ports.ts';
import { finding } from './finding.ts';

export interface NamesChecked {
  readonly domains: readonly string[];
  readonly listeners: readonly Listener[];
  /** Addresses of this host. */
  readonly local: readonly string[];
  readonly resolver: Pick<Resolver, 'addresses'>;
}

export async function nameFindings(checked: NamesChecked): Promise<readonly Finding[]> {
  const { domains, listeners } = checked;
  // Nobody else comes, so nobody looks the name up.
  if (listeners.every(({ local }) => isLoopback(local.address))) return [];
  const names = domains.filter((domain) => isIP(domain.replace(/^\[(.*)\]$/, '$1')) === 0);
  return Promise.all(names.map((name) => nameFinding(name, checked)));
}

async function nameFinding(name: string, { listeners, local, resolver }: NamesChecked): Promise<Finding> {
  const addresses = await resolver.addresses(name).catch(() => []);
  if (addresses.length === 0) {
    const cure = 'Give it an A or AAAA record, or tell clients our address as their outbound proxy.';
    return finding('dns', 'warning', `${name} has no address in the DNS.`, cure);
  }
  const ours = new Set([...local, ...listeners.map(({ advertised }) => advertised.host.replace(/^\[(.*)\]$/, '$1'))]);
  if (addresses.some((address) => ours.has(address))) {
    return finding('dns', 'ok', `${name} leads here (${addresses.join(', ')}).`, '');
  }
  const cure = 'Mend the record; or, if that is our public address, say so with ADVERTISE.';
  return finding('dns', 'warning', `${name} leads to ${addresses.join(', ')}, which is no address of ours.`, cure);
}
