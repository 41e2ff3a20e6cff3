/**
 * LOCATION: where the called address is now (RFC 3261 §16.5). A call for an address of ours rings its devices or goes
 * where its account wants it; any other request goes to all of them. A name that is no account may stand for another
 * address. Any other address goes to its own domain.
 */
import { type Proxy, type Relay, type Reply, type Request, relay, type Verdict } from '../src/engine/api.ts';
import { call, nobody, securedAs, standIn } from './forwarding.ts';

export async function location(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const { method, uri } = request.message;
  if (!proxy.domains.isOurs(uri)) return relay({ uri });
  return method === 'INVITE' ? call(request, proxy, uri) : devices(request, proxy, uri, []);
}

async function devices(request: Request, proxy: Proxy, uri: string, names: readonly string[]): Promise<Relay | Reply> {
  const asked = names.length === 0 ? request.notes.targets : undefined;
  const targets = await (asked ?? proxy.location.lookup(securedAs(request, uri)));
  if (targets.length > 0) return relay(...targets);
  const calls = await proxy.subscribers.calls(uri);
  if (calls === undefined || !('standsFor' in calls)) return nobody(request, calls !== undefined);
  const elsewhere = standIn(request, proxy, calls.standsFor, names);
  return elsewhere ?? devices(request, proxy, calls.standsFor, [...names, uri]);
}
