/**
 * GRUU: a request for one device of an account, and for no other (RFC 5627 §6.1): a transfer to the telephone that has the
 * call, a subscription to what only that telephone knows. Nothing leads it elsewhere, neither an alias nor a forwarding nor
 * voicemail, and a MESSAGE is not kept, for it would be given to whichever device comes next. Who may reach the account may
 * reach the device, and as for the account: not while it does not want to be disturbed, and no more calls than it may have.
 */
import { type Proxy, type Relay, type Reply, type Request, refuse, relay, replacesCall } from '../src/engine/api.ts';
import { nobody } from './forwarding.ts';

export async function gruu(request: Request, proxy: Proxy): Promise<Relay | Reply | undefined> {
  const { method, uri } = request.message;
  const kind = proxy.location.deviceKind(uri);
  if (kind === undefined || forAccounts.has(method)) return undefined;
  const targets = await (request.notes.targets ?? proxy.location.lookup(uri));
  if (targets.length > 0) return method === 'INVITE' ? ring(request, proxy, targets) : relay(...targets);
  // It ends with its registration, so it names nobody any more.
  if (kind === 'temporary') return refuse('gruu-unknown', 404);
  return nobody(request, await proxy.subscribers.exists(uri));
}

/** What an account does, and none of its devices. */
const forAccounts: ReadonlySet<string> = new Set(['REGISTER', 'PUBLISH']);

async function ring(request: Request, proxy: Proxy, targets: Relay['targets']): Promise<Relay | Reply> {
  const { uri } = request.message;
  const calls = await (request.notes.calls ?? proxy.subscribers.calls(uri));
  // An attended transfer (RFC 3891) rings nobody: the device takes it for a call that it has, or refuses it (481).
  if (calls === undefined || 'standsFor' in calls || replacesCall(request)) return relay(...targets);
  if (calls.doNotDisturb) return refuse('do-not-disturb', 480);
  if (!proxy.calls.admitsCallee(request, uri, calls.mostCalls)) return refuse('callee-call-limit', 486);
  const ringMs = calls.ringSeconds === undefined ? undefined : calls.ringSeconds * 1000;
  return { ...relay(...targets), ringMs };
}
