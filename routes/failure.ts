/**
 * FAILURE: all branches of a new request have failed and nothing final went upstream yet. `relay(...)` tries other
 * targets, `undefined` sends the best response.
 */
import type { Proxy, Relay, Request, SipResponse } from '../src/engine/api.ts';

export async function failure(_request: Request, _best: SipResponse, _proxy: Proxy): Promise<Relay | undefined> {
  return undefined;
}
