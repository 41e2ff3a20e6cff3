/** What a party speaks of whom neither an SDP nor a binding says it (law 2). */
import type { MediaKind, Transport } from '../../ports.ts';
import type { Branch } from '../api.ts';

/**
 * What a callee is offered of whom nothing is known yet. A telephone that hides its signalling may encrypt its media, too:
 * over TLS it is offered both (RFC 8643), and its answer is remembered. Elsewhere the keys would be read on their way, and
 * the INVITE would not fit into a datagram.
 */
export function assumedKind(transport: string): MediaKind {
  return transport === 'tls' ? 'osrtp' : kindByTransport(transport);
}

/** Law 2: the last resort, when neither its SDP nor its binding says what a party speaks. */
export function kindByTransport(transport: string): MediaKind {
  return transport === 'ws' || transport === 'wss' ? 'webrtc' : 'rtp';
}

/** By what the party itself speaks to us, also where another node of ours is in between. */
export function transportOf({ target, flow }: Pick<Branch, 'flow' | 'target'>): Transport {
  return target.elsewhere?.transport ?? flow.transport;
}
