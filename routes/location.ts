/**
 * LOCATION: where the called address is now (RFC 3261 §16.5). An address of ours rings all its devices; any other goes
 * to its own domain.
 */
import { type Proxy, type Request, refuse, relay, type Verdict } from '../src/engine/api.ts';

export async function location(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const { uri } = request.message;
  if (!proxy.domains.isOurs(uri)) return relay({ uri });
  const targets = await (request.notes.targets ?? proxy.location.lookup(uri));
  if (targets.length > 0) return relay(...targets);
  const known = await proxy.subscribers.exists(uri);
  // A stranger must not learn which accounts exist.
  const mayKnow = request.trusted || request.notes.user !== undefined;
  return known || !mayKnow ? refuse('not-registered', 480) : refuse('not-found', 404);
}
