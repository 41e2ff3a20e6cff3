/** PRESENCE: publications and subscriptions to us (RFC 3903, RFC 6665). No event package is served yet: 489. */
import { type Proxy, type Request, reply, type Verdict } from '../src/engine/api.ts';

export function presence(request: Request, proxy: Proxy): Verdict | undefined {
  const { method, uri } = request.message;
  if (method !== 'PUBLISH' && method !== 'SUBSCRIBE') return undefined;
  return proxy.domains.isOurs(uri) ? reply(489) : undefined;
}
