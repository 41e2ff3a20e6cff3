/**
 * MESSAGE (RFC 3428): to every device of the recipient, or kept for him while he has none. Only who is known here may
 * leave something: a stranger could fill the mailboxes of everybody.
 */
import { type Proxy, type Reply, type Request, relay, type Verdict } from '../src/engine/api.ts';

export async function message(request: Request, proxy: Proxy): Promise<Verdict | undefined> {
  const { method, uri } = request.message;
  if (method !== 'MESSAGE' || !proxy.domains.isOurs(uri)) return undefined;
  const targets = await (request.notes.targets ?? proxy.location.lookup(uri));
  return targets.length > 0 ? relay(...targets) : keep(request, proxy);
}

/** Stores it for its recipient; `undefined` when there is none, or the sender may not. */
export async function keep(request: Request, proxy: Proxy): Promise<Reply | undefined> {
  const mayLeave = request.trusted || request.notes.user !== undefined;
  const { uri } = request.message;
  // RFC 5627: one for a certain device is not kept for another.
  if (!mayLeave || !proxy.domains.isOurs(uri) || proxy.location.deviceKind(uri) !== undefined) return undefined;
  if (!(await proxy.subscribers.exists(uri))) return undefined;
  return proxy.messages.store(request);
}
