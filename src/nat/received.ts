/**
 * Where a request really came from, and where its response goes (RFC 3261 §18.2.1, §18.2.2; RFC 3581).
 *
 * On a connection the response takes the connection, and a client's is never dialled (law 4): the destination is that of
 * UDP, and of servers whose connection has closed.
 * Left out: resolving names (a response never waits for DNS), multicast.
 */
import { replaceFirst } from '../message/edit.ts';
import { get } from '../message/header.ts';
import { sentByPort, Via } from '../message/headers/via.ts';
import type { SipRequest } from '../message/message.ts';
import { hasParam, param, withoutParam, withParam } from '../message/params.ts';
import type { SocketAddress } from '../ports.ts';
import { numericAddress, sameAddress } from './same-address.ts';

/** The request with `received` and `rport` on its top Via as they are due; the same request when none is. */
export function stampReceived(request: SipRequest, source: SocketAddress): SipRequest {
  const via = get(request, Via);
  if (via === undefined) return request;
  const params = stampedParams(via, source);
  return params === via.params ? request : replaceFirst(request, Via, { ...via, params });
}

function stampedParams(via: Via, source: SocketAddress): Via['params'] {
  // RFC 3581 §4: rport is filled with the source port, and received is then added even if it equals sent-by.
  if (hasParam(via.params, 'rport')) {
    return withParam(withParam(via.params, 'received', source.address), 'rport', String(source.port));
  }
  // RFC 3261 §18.2.1: received when sent-by is a name or another address.
  if (!sameAddress(via.host, source.address)) return withParam(via.params, 'received', source.address);
  // What the sender wrote there itself would send our responses to an address of its choice.
  return hasParam(via.params, 'received') ? withoutParam(via.params, 'received') : via.params;
}

/** Where a response over UDP goes, by the Via on its top; `undefined` when that names no numeric address. */
export function responseDestination(via: Via): SocketAddress | undefined {
  // RFC 3261 §18.2.2: maddr comes before received. Deviates: a name or a multicast group in it is passed over, which
  // keeps our responses from being multiplied.
  const maddr = unicast(param(via.params, 'maddr'));
  if (maddr !== undefined) return { address: maddr, port: sentByPort(via) };
  const received = param(via.params, 'received');
  const address = numericAddress(received ?? via.host);
  if (address === undefined) return undefined;
  // RFC 3581 §4: rport counts only beside received, as we write them.
  const rport = received === undefined ? undefined : portOf(param(via.params, 'rport'));
  return { address, port: rport ?? sentByPort(via) };
}

/**
 * Where a server listens whose connection has closed, by its Via: at the port of sent-by, for that of `rport` was the
 * connection's (RFC 3261 §18.2.2).
 */
export function reopenedAt(via: Via): SocketAddress | undefined {
  const address = numericAddress(param(via.params, 'received') ?? via.host);
  return address === undefined ? undefined : { address, port: sentByPort(via) };
}

function portOf(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : undefined;
}

function unicast(host: string | undefined): string | undefined {
  const address = host === undefined ? undefined : numericAddress(host);
  if (address === undefined || address.startsWith('ff')) return undefined;
  const [first = 0] = address.includes(':') ? [] : address.split('.').map(Number);
  return first >= 224 || address === '0.0.0.0' ? undefined : address;
}
