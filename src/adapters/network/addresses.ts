/**
 * Numeric addresses as text: one spelling for each, and which of them this host has.
 *
 * Link-local addresses (fe80::) are left out of wildcards: they need a zone, and a SIP URI has no place for one.
 */
import { isIP, SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';

const mappedPrefix = '::ffff:';

/** An address as the socket API gives it, without zone; an IPv4 address inside IPv6 becomes plain IPv4. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const zone = address.indexOf('%');
  const bare = zone < 0 ? address : address.slice(0, zone);
  return bare.startsWith(mappedPrefix) && bare.includes('.') ? bare.slice(mappedPrefix.length) : bare;
}

/** The one spelling of a numeric address, also of one in brackets; `undefined` for anything else. */
export function canonicalAddress(text: string): string | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const zone = bare.indexOf('%');
  const address = zone < 0 ? bare : bare.slice(0, zone);
  const family = isIP(address);
  if (family === 0) return undefined;
  return family === 4 ? address : plainAddress(new SocketAddress({ address, family: 'ipv6' }).address);
}

/** For a URI: IPv6 in brackets, everything else as it is. */
export function hostText(host: string): string {
  const address = canonicalAddress(host);
  if (address === undefined) return host;
  return address.includes(':') ? `[${address}]` : address;
}

export function sameFamily(a: string, b: string): boolean {
  return a.includes(':') === b.includes(':');
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}

/** The addresses that a wildcard stands for, sorted, so that listeners keep their order over restarts. */
export function localAddresses(wildcard: string): readonly string[] {
  const family = wildcard === '::' ? 'IPv6' : 'IPv4';
  const found = Object.values(networkInterfaces())
    .flatMap((infos) => infos ?? [])
    .filter((info) => info.family === family && !info.address.startsWith('fe80:'))
    .map((info) => plainAddress(info.address));
  return [...new Set(found)].sort();
}

/** What one subscriber of the Internet can take many of: the /64 of an IPv6 address, an IPv4 address itself. */
export function sourceKey(address: string): string {
  if (!address.includes(':')) return address;
  return addressBytes(address).subarray(0, 8).toString('hex');
}

/** The 4 or 16 bytes of a canonical address. */
export function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const front = groupBytes(head);
  const back = tail === undefined ? [] : groupBytes(tail);
  const zeros = new Array<number>(Math.max(0, 16 - front.length - back.length)).fill(0);
  return Buffer.from([...front, ...zeros, ...back]);
}

function groupBytes(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
