/** REGISTRAR: binds a contact to an address of ours (RFC 3261 §10.3). For other domains we are no registrar. */
import { type Proxy, type Request, refuse, to, type Verdict } from '../src/engine/api.ts';

export async function registrar(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  if (request.message.method !== 'REGISTER') return undefined;
  if (!proxy.domains.isOurs(to(request)?.uri ?? '')) return refuse('not-found', 404);
  return proxy.registrar.register(request);
}
