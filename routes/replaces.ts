/**
 * REPLACES (RFC 3891): the INVITE of an attended transfer or a pick-up takes the place of a call. It rings nobody and is for
 * the device that has that call, whoever was dialled: the callee may have forwarded it, have another device or as many calls
 * as he may, or not want to be disturbed. Nor does it count as one more of its caller, who is being transferred. Of a call that
 * is none of ours, or is at a trunk, it is an ordinary call.
 */
import { type Proxy, type Request, relay, replacesCall, type Verdict } from '../src/engine/api.ts';

export async function replaces(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const { method, uri } = request.message;
  // RFC 5630: who dials a sips: address wants none of it in the clear, and that device may be.
  if (method !== 'INVITE' || !replacesCall(request) || /^sips:/i.test(uri)) return undefined;
  const device = await proxy.dialogs.replaced(request);
  return device !== undefined && 'uri' in device ? relay(device) : device;
}
