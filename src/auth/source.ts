/** Who counts as one source: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has whole. */

/** For a canonical address without brackets; readable: `192.0.2.1`, `2001:db8:0:1::/64`. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  const network = [...front, ...zeros, ...back].slice(0, 4).join(':');
  return `${network.replace(/^0(:0)*$|(:0)+$/, '')}::/64`;
}

/** This host itself, where a reverse proxy may stand for everybody. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
