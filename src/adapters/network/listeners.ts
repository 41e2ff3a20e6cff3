/**
 * LISTEN entries and the sockets they need. A wildcard is one listener for each local address: UDP binds a socket for
 * each of them, because Node cannot choose the source address of a datagram and a response must leave from where the
 * request arrived (RFC 3581 §4); connections know their local address, so there one socket is enough.
 */
import { lookup } from 'node:dns/promises';
import { Failure } from '../../errors.ts';
import type { Listener, Transport } from '../../ports.ts';
import { canonicalAddress, hostText, isWildcard, localAddresses, sameFamily } from './addresses.ts';

export interface ListenEntry {
  /** As the operator wrote it, such as `udp:127.0.0.1:5060`: for messages about it. */
  readonly text: string;
  readonly transport: Transport;
  /** An address of this host, a wildcard, or a name such as `localhost`. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly advertise?: { readonly host: string; readonly port?: number | undefined } | undefined;
}

/** One socket to bind, and the local addresses that are reached through it. */
export interface Opening {
  readonly entry: ListenEntry;
  readonly bind: string;
  readonly addresses: readonly string[];
}

export async function openings(entry: ListenEntry): Promise<readonly Opening[]> {
  const address = canonicalAddress(entry.host) ?? (await resolved(entry));
  if (!isWildcard(address)) return [{ entry, bind: address, addresses: [address] }];
  const addresses = localAddresses(address);
  if (addresses.length === 0) throw new Failure('listen-address', `LISTEN entry: ${entry.text}`);
  if (entry.transport !== 'udp') return [{ entry, bind: address, addresses }];
  return addresses.map((local) => ({ entry, bind: local, addresses: [local] }));
}

async function resolved(entry: ListenEntry): Promise<string> {
  try {
    const { address } = await lookup(entry.host);
    return canonicalAddress(address) ?? address;
  } catch {
    throw new Failure('listen-address', `LISTEN entry: ${entry.text} (the name has no address)`);
  }
}

/** The listeners of an opening that is bound to `port`. */
export function listenersOf(
  { entry, addresses }: Opening,
  port: number,
  firstIndex: number,
  advertise: string | undefined,
): readonly Listener[] {
  return addresses.map((address, at) => ({
    index: firstIndex + at,
    entry: entry.text,
    transport: entry.transport,
    local: { address, port },
    advertised: advertised(entry, { address, port }, advertise),
  }));
}

/** A numeric ADVERTISE stands for listeners of its own family only: an IPv6 client cannot use an IPv4 address. */
function advertised(
  entry: ListenEntry,
  local: { readonly address: string; readonly port: number },
  advertise: string | undefined,
): Listener['advertised'] {
  if (entry.advertise !== undefined) {
    return { host: hostText(entry.advertise.host), port: entry.advertise.port ?? local.port };
  }
  const numeric = advertise === undefined ? undefined : canonicalAddress(advertise);
  const fits = advertise !== undefined && (numeric === undefined || sameFamily(numeric, local.address));
  return { host: hostText(fits ? advertise : local.address), port: local.port };
}

/** What the operating system says about a LISTEN entry, in words that name it. */
export function listenFailure(entry: ListenEntry, bind: string, thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const code = errorCode(thrown);
  const where = `LISTEN entry: ${entry.text}${canonicalAddress(entry.host) === bind ? '' : ` (${bind})`}`;
  if (code === 'EADDRINUSE') return new Failure('listen-in-use', where);
  if (code === 'EADDRNOTAVAIL' || code === 'EINVAL' || code === 'EAFNOSUPPORT')
    return new Failure('listen-address', where);
  return new Failure('listen-failed', `${where}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
}

export function errorCode(thrown: unknown): string {
  if (!(thrown instanceof Error) || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}
