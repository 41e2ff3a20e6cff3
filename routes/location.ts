/**
 * LOCATION: where the called address is now (RFC 3261 §16.5). A call for an address of ours rings its devices or goes
 * where its account wants it; any other request goes to all of them. Any other address goes to its own domain.
 */
import { type Proxy, type Request, relay, type Verdict } from '../src/engine/api.ts';
import { call, nobody } from './forwarding.ts';

export async function location(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const { method, uri } = request.message;
  if (!proxy.domains.isOurs(uri)) return relay({ uri });
  if (method === 'INVITE') return call(request, proxy, uri);
  const targets = await (request.notes.targets ?? proxy.location.lookup(uri));
  return targets.length > 0 ? relay(...targets) : nobody(request, await proxy.subscribers.exists(uri));
}
