/**
 * Our Record-Route values (RFC 3261 §16.6 step 4, RFC 5658, RFC 7118 §5.2) and how we know them again.
 *
 * The user part is a signed token (src/dialog/token.ts) that this file neither makes nor reads.
 * Left out: Path and Service-Route.
 */
import type { NameAddr } from '../message/headers/address.ts';
import { hasParam } from '../message/params.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import type { Listener } from '../ports.ts';

/**
 * Values to put in front, topmost first. Where the two sides use different listeners each side needs a URI that it can
 * reach: two values then (RFC 5658 §5), the one for downstream on top.
 */
export function recordRoutes(token: string, upstream: Listener, downstream: Listener): readonly NameAddr[] {
  const [first, second] = [valueFor(token, downstream), valueFor(token, upstream)];
  return first.uri === second.uri ? [first] : [first, second];
}

/** The token of a Route value that we wrote: ours by address and marked with `lr`. */
export function tokenOf(uri: SipUri): string | undefined {
  return hasParam(uri.params, 'lr') && uri.user !== undefined && uri.user !== '' ? uri.user : undefined;
}

/** Whether `routeUri` is one of the values that carry this token. */
export function carriesToken(routeUri: string, token: string): boolean {
  const uri = parseUri(routeUri);
  return uri !== undefined && tokenOf(uri) === token;
}

function valueFor(token: string, listener: Listener): NameAddr {
  const { host, port } = listener.advertised;
  return { display: undefined, uri: `sip:${token}@${host}:${port}${transportParam(listener)};lr`, params: [] };
}

/** RFC 7118 §5.2: `ws` over TLS as well; UDP is what a URI without the parameter means. */
export function transportParam(listener: Listener): string {
  switch (listener.transport) {
    case 'udp':
      return '';
    case 'tcp':
    case 'tls':
      return `;transport=${listener.transport}`;
    case 'ws':
    case 'wss':
      return ';transport=ws';
  }
}
