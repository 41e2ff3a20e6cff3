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
  const { domains, listeners, local, resolver } = checked;
  // Nobody else comes, so nobody looks the name up.
  if (listeners.every(({ local }) => isLoopback(local.address))) return [];
  const advertised = listeners.map((listener) => listener.advertised.host);
  const names = new Set([...domains, ...advertised].filter((name) => isIP(name.replace(/^\[(.*)\]$/, '$1')) === 0));
  const ours = new Set([...local, ...(await addressesOf(advertised, resolver))]);
  return Promise.all([...names].map((name) => nameFinding(name, ours, resolver)));
}

/** Of all these hosts, names and numeric ones; nothing for a name that has none. */
export async function addressesOf(
  hosts: readonly string[],
  resolver: NamesChecked['resolver'],
): Promise<readonly string[]> {
  const found = [...new Set(hosts)].map((host) => resolver.addresses(host).catch(() => []));
  return (await Promise.all(found)).flat();
}

async function nameFinding(
  name: string,
  ours: ReadonlySet<string>,
  resolver: NamesChecked['resolver'],
): Promise<Finding> {
  const addresses = await resolver.addresses(name).catch(() => []);
  if (addresses.length === 0) {
    const cure = 'Give it an A or AAAA record, or tell clients our address as their outbound proxy.';
    return finding('dns', 'warning', `${name} has no address in the DNS.`, cure);
  }
  if (addresses.some((address) => ours.has(address))) {
    return finding('dns', 'ok', `${name} leads here (${addresses.join(', ')}).`, '');
  }
  const cure = 'Mend the record; or, if that is our public address, say so with ADVERTISE.';
  return finding('dns', 'warning', `${name} leads to ${addresses.join(', ')}, which is no address of ours.`, cure);
}
