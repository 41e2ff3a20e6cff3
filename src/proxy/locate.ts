/**
 * Locating the servers of a URI (RFC 3263 §4, RFC 2782, RFC 7118 §9): which transport, which service names, which order.
 *
 * These are the decisions; `engine/proxy/next-hop.ts` asks the DNS. Left out: WebSocket, whose clients cannot be dialled, and
 * the regular expressions of NAPTR, which SIP does not use (RFC 3263 §4.1).
 */
import { lower } from '../message/ascii.ts';
import { param } from '../message/params.ts';
import type { SipUri } from '../message/uri.ts';
import type { NaptrRecord, SrvRecord, Transport } from '../ports.ts';

/** Where the addresses of a server are asked for, and by which transport it is spoken to. */
export interface Service {
  readonly transport: Transport;
  /** The name of its SRV records. */
  readonly name: string;
}

/** RFC 3263 §4.1 and the registry it makes. In the order in which we ask where a domain has no NAPTR. */
const services: readonly { readonly transport: Transport; readonly naptr: string; readonly prefix: string }[] = [
  { transport: 'udp', naptr: 'sip+d2u', prefix: '_sip._udp.' },
  { transport: 'tcp', naptr: 'sip+d2t', prefix: '_sip._tcp.' },
  { transport: 'tls', naptr: 'sips+d2t', prefix: '_sips._tcp.' },
];

/** The transport that the URI settles by itself; `undefined` where the DNS of its domain may choose (§4.1). */
export function settledTransport(uri: SipUri, isNumeric: boolean): Transport | undefined {
  const named = lower(param(uri.params, 'transport') ?? '');
  if (uri.scheme === 'sips') return named === 'ws' || named === 'wss' ? 'wss' : 'tls';
  switch (named) {
    case 'udp':
    case 'tcp':
    case 'tls':
    case 'ws':
    case 'wss':
      return named;
    default:
      return isNumeric || uri.port !== undefined || named !== '' ? 'udp' : undefined;
  }
}

/** What the NAPTR records of a domain offer, best first; empty where they offer nothing that we speak. */
export function offeredServices(records: readonly NaptrRecord[], able: ReadonlySet<Transport>): readonly Service[] {
  return [...records]
    .sort((one, other) => one.order - other.order || one.preference - other.preference)
    .flatMap(({ flags, service, replacement }) => {
      const known = services.find(({ naptr }) => naptr === lower(service));
      if (known === undefined || lower(flags) !== 's' || !able.has(known.transport)) return [];
      return [{ transport: known.transport, name: replacement }];
    });
}

/** Where there are no NAPTR records: the SRV names to try, in this order (§4.1). */
export function guessedServices(host: string, able: ReadonlySet<Transport>): readonly Service[] {
  return services.flatMap(({ transport, prefix }) => (able.has(transport) ? [{ transport, name: prefix + host }] : []));
}

/** §4.2: what to ask where the transport is settled; nothing for WebSocket. */
export function settledService(transport: Transport, host: string): readonly Service[] {
  return guessedServices(host, new Set([transport]));
}

/**
 * RFC 2782: priorities in order, within one priority by chance in proportion to the weight. A target of `.` says that
 * the service is decidedly not there.
 */
export function inOrder(records: readonly SrvRecord[], fraction: () => number): readonly SrvRecord[] {
  const present = records.filter(({ name }) => name !== '' && name !== '.');
  const priorities = [...new Set(present.map(({ priority }) => priority))].sort((one, other) => one - other);
  return priorities.flatMap((priority) =>
    byWeight(
      present.filter((record) => record.priority === priority),
      fraction,
    ),
  );
}

function byWeight(records: readonly SrvRecord[], fraction: () => number): readonly SrvRecord[] {
  // Those of weight 0 first, so that they have a small chance of being chosen.
  const left = [...records].sort((one, other) => one.weight - other.weight);
  const chosen: SrvRecord[] = [];
  while (left.length > 0) chosen.push(...left.splice(drawn(left, fraction()), 1));
  return chosen;
}

/** Whose share of the total weight this point falls into. */
function drawn(records: readonly SrvRecord[], fraction: number): number {
  const total = records.reduce((sum, { weight }) => sum + weight, 0);
  const point = Math.floor(fraction * (total + 1));
  let sum = 0;
  const at = records.findIndex(({ weight }) => {
    sum += weight;
    return sum >= point;
  });
  return Math.max(0, at);
}
