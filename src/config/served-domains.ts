/** The domains that are ours: DOMAINS, else every address that others may know us by, the advertised ones first. */
import { isIP } from 'node:net';
import { isLoopback, type Settings } from '../config.ts';

/** The first one is where a bare user name belongs. `addressesOf` expands `0.0.0.0` or `::`. */
export function servedDomains(
  { domains, advertise, listen }: Pick<Settings, 'domains' | 'advertise' | 'listen'>,
  addressesOf: (wildcard: string) => readonly string[],
): readonly string[] {
  if (domains.length > 0) return domains;
  const bound = listen.flatMap(({ host }) =>
    host === '0.0.0.0' || host === '::' ? reachable(addressesOf(host)) : [host],
  );
  return [
    ...new Set([...advertisedHosts({ advertise, listen }), ...bound.map(inUri)].map((host) => host.toLowerCase())),
  ];
}

/** The addresses and names by which the world knows us, as they stand in a URI; none where there is no ADVERTISE. */
export function advertisedHosts({ advertise, listen }: Pick<Settings, 'advertise' | 'listen'>): readonly string[] {
  return [advertise, ...listen.map((entry) => entry.advertise?.host)].filter((host) => host !== undefined);
}

/** Loopback last: with a wildcard, the address that others use is the one to write down. */
function reachable(addresses: readonly string[]): readonly string[] {
  return [...addresses.filter((address) => !isLoopback(address)), ...addresses.filter(isLoopback)];
}

function inUri(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}
