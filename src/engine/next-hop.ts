/**
 * From a target to the flow that its request leaves by (RFC 3261 §16.6 step 7, law 4).
 *
 * A known flow is used as it is, and its loss is final: a client's connection is never dialled.
 * Left out: NAPTR and SRV (RFC 3263), and more than one address of a host.
 */
import { Failure } from '../errors.ts';
import { lower } from '../message/ascii.ts';
import { param } from '../message/params.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import type { Flow, Listener, Network, Resolver, Transport } from '../ports.ts';
import type { Target } from './api.ts';

export class NextHops {
  readonly #network: Network;
  readonly #resolver: Resolver;

  constructor(network: Network, resolver: Resolver) {
    this.#network = network;
    this.#resolver = resolver;
  }

  /** `firstRoute`: the topmost Route of the request that leaves, if it has one. Throws `flow-gone`, `foreign-target`… */
  async flowTo(target: Target, firstRoute: string | undefined, from: Flow): Promise<Flow> {
    if (target.flowId !== undefined) {
      const flow = this.#network.find(target.flowId);
      if (flow === undefined) throw new Failure('flow-gone');
      return flow;
    }
    return this.toUri(firstRoute ?? target.uri, from.listener);
  }

  async toUri(text: string, preferred: Listener): Promise<Flow> {
    const uri = parseUri(text);
    if (uri === undefined) throw new Failure('uri-scheme', text.slice(0, 80));
    const transport = transportOf(uri);
    const address = await this.#addressOf(uri);
    const listener = this.#listenerFor(transport, address, preferred);
    const port = uri.port ?? (transport === 'tls' ? 5061 : 5060);
    const flow = this.#network.connect(listener, { address, port }, nameOf(uri.host));
    if (flow === undefined) throw new Failure('flow-gone', `A client of ${transport} cannot be dialled.`);
    return flow;
  }

  async #addressOf(uri: SipUri): Promise<string> {
    const host = uri.host.startsWith('[') ? uri.host.slice(1, -1) : uri.host;
    const [address] = await this.#resolver.addresses(host);
    if (address === undefined) throw new Failure('foreign-target', host);
    return address;
  }

  /** The one the request came by if it fits; else the first of that transport and address family. */
  #listenerFor(transport: Transport, address: string, preferred: Listener): Listener {
    const fits = (listener: Listener): boolean =>
      listener.transport === transport && listener.local.address.includes(':') === address.includes(':');
    const listener = fits(preferred) ? preferred : this.#network.listeners.find(fits);
    if (listener === undefined) throw new Failure('no-listener', `${transport} to ${address}`);
    return listener;
  }
}

function transportOf(uri: SipUri): Transport {
  const named = lower(param(uri.params, 'transport') ?? '');
  if (uri.scheme === 'sips') return named === 'ws' ? 'wss' : 'tls';
  switch (named) {
    case 'tcp':
    case 'tls':
    case 'ws':
    case 'wss':
      return named;
    default:
      return 'udp';
  }
}

/** For the certificate check; numeric addresses have none. */
function nameOf(host: string): string | undefined {
  return host.startsWith('[') || /^[0-9.]+$/.test(host) ? undefined : lower(host);
}
