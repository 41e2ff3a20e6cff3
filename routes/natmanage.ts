/**
 * NATMANAGE: brings rtpengine into the path of the media. Called for every request and response that a branch carries;
 * which command that is, if any, follows from offer and answer, and the profile from who receives (src/media).
 *
 * Which calls are recorded from their answer on is decided here, too: all of them (RECORD_CALLS), or whichever you write.
 */
import type { Branch, BranchReply, Proxy, SipRequest, SipResponse } from '../src/engine/api.ts';

export function natmanageRequest(branch: Branch, proxy: Proxy): Promise<SipRequest> {
  return proxy.media.forward(branch);
}

export async function natmanageReply(reply: BranchReply, proxy: Proxy): Promise<SipResponse> {
  const response = await proxy.media.backward(reply);
  if (proxy.recordsAll && isAnswer(reply)) proxy.media.record(reply);
  return response;
}

function isAnswer({ branch: { request }, response: { status } }: BranchReply): boolean {
  return request.message.method === 'INVITE' && !request.inDialog && status >= 200 && status < 300;
}
