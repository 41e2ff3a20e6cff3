/**
 * NATMANAGE: brings rtpengine into the path of the media. Called for every request and response that a branch carries;
 * which command that is, if any, follows from offer and answer, and the profile from who receives (src/media).
 */
import type { Branch, BranchReply, Proxy, SipRequest, SipResponse } from '../src/engine/api.ts';

export function natmanageRequest(branch: Branch, proxy: Proxy): Promise<SipRequest> {
  return proxy.media.forward(branch);
}

export function natmanageReply(reply: BranchReply, proxy: Proxy): Promise<SipResponse> {
  return proxy.media.backward(reply);
}
