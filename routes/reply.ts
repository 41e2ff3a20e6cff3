/** REPLY: a response on its way upstream, before the best one is chosen. */
import type { BranchReply, Proxy, SipResponse } from '../src/engine/api.ts';
import { natmanageReply } from './natmanage.ts';

export function reply(reply: BranchReply, proxy: Proxy): Promise<SipResponse> {
  return natmanageReply(reply, proxy);
}
