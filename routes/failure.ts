/**
 * FAILURE: all branches of a new request have failed and nothing final went upstream yet. `relay(...)` tries other
 * targets, `reply(...)` answers in place of the best response, `undefined` sends the best response.
 */
import type { Proxy, Relay, Reply, Request, SipResponse } from '../src/engine/api.ts';
import { unanswered } from './forwarding.ts';
import { keep } from './message.ts';

export async function failure(request: Request, best: SipResponse, proxy: Proxy): Promise<Relay | Reply | undefined> {
  if (request.message.method === 'INVITE') return unanswered(request, best, proxy);
  if (request.message.method !== 'MESSAGE' || !nobodyThere.has(best.status)) return undefined;
  const kept = await keep(request, proxy);
  return kept?.status === 202 ? kept : undefined;
}

/**
 * No device could be reached; any other failure is the word of one. Not 408: by then its sender has given up, too (RFC
 * 4320 §4.2), and will send it again.
 */
const nobodyThere: ReadonlySet<number> = new Set([430, 480, 500, 503]);
