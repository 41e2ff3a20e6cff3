/** LIMIT: a caller has no more calls at a time than his account may have. The callee's are counted in forwarding.ts. */
import { type Proxy, type Request, refuse, type Verdict } from '../src/engine/api.ts';

export function limit(request: Request, proxy: Proxy): Verdict | undefined {
  if (request.message.method !== 'INVITE') return undefined;
  return proxy.calls.admitsCaller(request) ? undefined : refuse('caller-call-limit', 503);
}
