/**
 * AUTH: who may send what (DESIGN law 10). Nobody is relayed between two foreign domains; a local user logs in and
 * carries his own name; callers of other domains reach us only when that is allowed.
 */
import { from, type Proxy, type Request, refuse, routeOf, type Verdict } from '../src/engine/api.ts';

export async function auth(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  if (request.trusted) return undefined;
  const local = request.message.method === 'REGISTER' || proxy.domains.isOurs(from(request)?.uri ?? '');
  if (local) return login(request, proxy);
  // RFC 3261 §16.6 step 7: a Route decides before the Request-URI where a request goes.
  const way = [request.message.uri, ...routeOf(request)];
  if (!way.every((uri) => proxy.domains.isOurs(uri))) return refuse('no-relay', 403);
  if (!proxy.acceptForeign) return refuse('foreign-caller', 403);
  // Scanners ring telephones by the thousand otherwise.
  return proxy.auth.admitsForeign(request) ? undefined : refuse('foreign-rate', 503);
}

/** DESIGN §5: the lookups of a turn go as one statement. Who fails to log in hears nothing of what was found. */
function askForTargets(request: Request, proxy: Proxy): void {
  const { method, uri } = request.message;
  if (method === 'REGISTER' || !proxy.domains.isOurs(uri)) return;
  request.notes.targets = proxy.location.lookup(uri);
  if (method === 'INVITE') request.notes.calls = proxy.subscribers.calls(uri);
  // Whoever awaits them hears of their failure.
  for (const answer of [request.notes.targets, request.notes.calls]) answer?.catch(() => undefined);
}

async function login(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const outcome = await proxy.auth.login(request, () => askForTargets(request, proxy));
  if ('kind' in outcome) return outcome;
  request.notes.user = outcome;
  return proxy.auth.identity(request, outcome);
}
