/** BRANCH: one forwarded copy, just before it leaves. Throwing here ends this branch only, with the failure's status. */
import type { Branch, Proxy, SipRequest } from '../src/engine/api.ts';
import { natmanageRequest } from './natmanage.ts';

export function branch(branch: Branch, proxy: Proxy): Promise<SipRequest> {
  return natmanageRequest(branch, proxy);
}
