/** The DNS of a test (port `Resolver`): a few names, and an answer at once. */
import { isIP } from 'node:net';
import type { NaptrRecord, Resolver, SrvRecord } from '../../src/ports.ts';

/** By name: addresses as texts, SRV as `priority weight port host`, NAPTR as `order preference service replacement`. */
export interface Names {
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly srv?: Readonly<Record<string, readonly string[]>>;
  readonly naptr?: Readonly<Record<string, readonly string[]>>;
  /** Names for which no name server answers. */
  readonly unanswered?: readonly string[];
}

export function createNames({ addresses = {}, srv = {}, naptr = {}, unanswered = [] }: Names): Resolver {
  return {
    addresses: async (host) => (isIP(host) !== 0 ? [host] : (addresses[host.toLowerCase()] ?? [])),
    isUnanswered: (host) => unanswered.includes(host),
    services: async (name) => (srv[name] ?? []).map(srvRecord),
    pointers: async (domain) => (naptr[domain] ?? []).map(naptrRecord),
  };
}

export function srvRecord(text: string): SrvRecord {
  const [priority = '', weight = '', port = '', name = ''] = text.split(' ');
  return { priority: Number(priority), weight: Number(weight), port: Number(port), name };
}

export function naptrRecord(text: string): NaptrRecord {
  const [order = '', preference = '', service = '', replacement = ''] = text.split(' ');
  return { order: Number(order), preference: Number(preference), flags: 's', service, replacement };
}
