/**
 * WITHINDLG: a request of a dialog follows its route set (RFC 3261 §16.4, §16.12). Our signed token says where to;
 * without a valid one for this call, a To tag gains nothing.
 *
 * Candidates that a client sends after its SDP (trickle ICE, RFC 8840) end here: its ICE is with rtpengine, which is given
 * them; the other side would take them for candidates of ours.
 */
import { drop, type Proxy, type Request, refuse, relay, reply, type Verdict } from '../src/engine/api.ts';

export async function withindlg(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const isAck = request.message.method === 'ACK';
  // Nobody waits for an answer to an ACK.
  if (!request.inDialog) return isAck ? drop('no-dialog') : undefined;
  const next = await proxy.dialogs.follow(request);
  if (next !== undefined && 'uri' in next) {
    return proxy.media.trickle(request) ? reply(200) : relay(next);
  }
  if (isAck) return drop('no-dialog');
  return next ?? refuse('no-dialog', 481);
}
