/**
 * Law 4 (DESIGN §2): is a client reached over the flow it came by, or at its Contact as RFC 3261 says?
 *
 * Left out: that a connection may be gone by then (the engine: 480, or the binding's next flow).
 */
import type { NameAddr } from '../message/headers/address.ts';
import { sentByPort, type Via } from '../message/headers/via.ts';
import { hasParam } from '../message/params.ts';
import { defaultPort, parseUri } from '../message/uri.ts';
import type { SocketAddress, Transport } from '../ports.ts';
import { sameAddress } from './same-address.ts';

export interface FlowQuestion {
  readonly transport: Transport;
  /** Top Via, as received or already stamped. */
  readonly via: Via;
  /** The Contact in question; `undefined` when there is none. */
  readonly contact: NameAddr | undefined;
  readonly source: SocketAddress;
}

export function mustUseFlow({ transport, via, contact, source }: FlowQuestion): boolean {
  // A port that a client connected from is not listened on, and `.invalid` names nothing: only the connection leads back.
  if (transport !== 'udp') return true;
  // RFC 3581 §4: a client that asks for rport receives where it sends from, as RFC 5626 clients say with ob or reg-id.
  return hasParam(via.params, 'rport') || saysOutbound(contact) || !cameFrom(via, source);
}

/** Whether something translates between us and who registered this Contact URI from there. Where it has a name: perhaps. */
export function isBehindNat(contactUri: string, source: SocketAddress): boolean {
  const uri = parseUri(contactUri);
  if (uri === undefined) return false;
  return !sameAddress(uri.host, source.address) || (uri.port ?? defaultPort(uri)) !== source.port;
}

function saysOutbound(contact: NameAddr | undefined): boolean {
  if (contact === undefined) return false;
  const uri = parseUri(contact.uri);
  return hasParam(contact.params, 'reg-id') || (uri !== undefined && hasParam(uri.params, 'ob'));
}

function cameFrom(via: Via, source: SocketAddress): boolean {
  return sameAddress(via.host, source.address) && sentByPort(via) === source.port;
}
