/**
 * NODES: what another node of ours hands to us for a device that is connected here. That node has asked for the password,
 * decided, and arranged the media; a forged token is none of ours, and such a request is treated as anybody's.
 */
import { type Proxy, type Request, refuse, relay, type Verdict } from '../src/engine/api.ts';

export function nodes(request: Request, proxy: Proxy): Verdict | undefined {
  const flow = proxy.nodes.flowFor(request);
  if (flow === undefined) return undefined;
  // RFC 5626 §5.3: that node tries the next flow of the device.
  return flow.isOpen ? relay({ uri: request.message.uri, flowId: flow.flowId }) : refuse('flow-gone', 430);
}
