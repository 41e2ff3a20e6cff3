/** REQINIT: what no other route should have to think of (RFC 3261 §16.3), and OPTIONS to the server itself (§11.2). */
import { type Proxy, type Request, reply, type Verdict } from '../src/engine/api.ts';

const allow =
  'INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, PRACK, UPDATE, REFER, SUBSCRIBE, NOTIFY, PUBLISH, MESSAGE';

export function reqinit(request: Request, proxy: Proxy): Verdict | undefined {
  const refusal = proxy.check(request);
  if (refusal !== undefined) return refusal;
  // Clients ask this to keep their way through a NAT open; it costs no login.
  const asksUs =
    request.message.method === 'OPTIONS' && !request.inDialog && proxy.domains.isServer(request.message.uri);
  return asksUs
    ? reply(200, [
        ['Allow', allow],
        ['Accept', 'application/sdp'],
        ['Supported', 'path, outbound'],
        ['Allow-Events', 'presence, presence.winfo, dialog, reg, message-summary'],
      ])
    : undefined;
}
