/**
 * PRESENCE: publications and subscriptions to us (RFC 3903, RFC 6665). Which packages there are and who may watch whom is
 * in `src/presence/packages.ts` and `authorize.ts`, with the rules of each account in the database.
 */
import type { Proxy, Request, Verdict } from '../src/engine/api.ts';

export async function presence(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const { method, uri } = request.message;
  if (method !== 'PUBLISH' && method !== 'SUBSCRIBE') return undefined;
  if (!proxy.domains.isOurs(uri)) return undefined;
  return method === 'PUBLISH' ? proxy.presence.publish(request) : proxy.presence.subscribe(request);
}

/**
 * A SUBSCRIBE within a dialog that we are the other end of: it has no token, for we are not on its path but its end. Our
 * tag in it, which nobody else was told, shows that its sender is of the dialog.
 */
export async function resubscribe(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const { method, uri } = request.message;
  if (method !== 'SUBSCRIBE' || !request.inDialog || request.token !== undefined) return undefined;
  // Its other end may have been another node, by whose name it calls us.
  const isUs = proxy.nodes.areMany || proxy.domains.isServer(uri);
  if (!isUs) return undefined;
  return proxy.presence.resubscribe(request);
}
