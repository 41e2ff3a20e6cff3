/** Numeric IP addresses compared as numbers: `[2001:DB8::1]` of a Via is `2001:db8::1` of a socket. */
import { lower } from '../message/ascii.ts';

/** `false` when either is a name. */
export function sameAddress(a: string, b: string): boolean {
  const numeric = numericAddress(a);
  return numeric !== undefined && numeric === numericAddress(b);
}

/** The one spelling of a numeric address, without brackets; `undefined` for a name. */
export function numericAddress(text: string): string | undefined {
  // Most are names, and asked for with every request.
  if (!/^[\d[]/.test(text) && !text.includes(':')) return undefined;
  const bare = lower(text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text);
  const ipv4 = bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare;
  if (!bare.includes(':') || ipv4 !== bare) return isIpv4(ipv4) ? ipv4 : undefined;
  // A zone (`fe80::1%eth0`) only means something on this host; the URL parser knows RFC 5952 but no zones.
  const [address = '', zone] = bare.split('%');
  if (!URL.canParse(`http://[${address}]`)) return undefined;
  return `${new URL(`http://[${address}]`).hostname.slice(1, -1)}${zone === undefined ? '' : `%${zone}`}`;
}

function isIpv4(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);
}
