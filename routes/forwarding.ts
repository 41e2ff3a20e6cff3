/**
 * FORWARDING: what a callee wants for his calls. They go elsewhere always, when he is busy, when nobody answers or no
 * device is there, and to his voicemail when that takes nobody; or he does not want to be disturbed. Who has as many
 * calls as his account may have is busy. A 6xx is never forwarded: it speaks for all devices (RFC 3261 §16.7 step 5). The way of a call
 * stands in Diversion (RFC 5806), by which a voicemail server knows whose mailbox is meant.
 *
 * Left out: a 3xx of a device, which goes to the caller, and History-Info (RFC 7044).
 */
import {
  type CallSettings,
  type Diversion,
  type Notes,
  type Proxy,
  type Relay,
  type Reply,
  type Request,
  refuse,
  relay,
  type SipResponse,
  type Target,
} from '../src/engine/api.ts';

/** A call is not passed on for ever. */
const mostDiversions = 5;

/** How long devices ring before the call is forwarded, where the account does not say. */
const usualRingMs = 20_000;

/** A call for an address of ours: its devices, or where it is forwarded to. */
export async function call(
  request: Request,
  proxy: Proxy,
  callee: string,
  diverted: readonly Diversion[] = [],
  names: readonly string[] = [],
): Promise<Relay | Reply> {
  // Asked beside the login, of the first callee.
  const isFirst = diverted.length === 0 && names.length === 0;
  const asked: Pick<Notes, 'targets' | 'calls'> = isFirst ? request.notes : {};
  const [targets, calls] = await Promise.all([
    asked.targets ?? proxy.location.lookup(securedAs(request, callee)),
    asked.calls ?? proxy.subscribers.calls(callee),
  ]);
  if (calls === undefined) return targets.length > 0 ? ring(targets, undefined, diverted) : nobody(request, false);
  if ('standsFor' in calls) {
    const elsewhere = standIn(request, proxy, calls.standsFor, names, diverted);
    return elsewhere ?? call(request, proxy, calls.standsFor, diverted, [...names, callee]);
  }
  request.notes.forwarding = { callee, calls, diverted };
  if (calls.forwardAlways !== undefined) {
    const elsewhere = await divert(request, proxy, 'unconditional');
    if (elsewhere !== undefined) return elsewhere;
  }
  if (calls.doNotDisturb) return (await divert(request, proxy, 'do-not-disturb')) ?? refuse('do-not-disturb', 480);
  if (targets.length > 0) {
    if (proxy.calls.admitsCallee(request, callee, calls.mostCalls)) {
      return ring(targets, ringMs(request, proxy, calls, diverted), diverted);
    }
    return (await divert(request, proxy, 'user-busy')) ?? refuse('callee-call-limit', 486);
  }
  return (await divert(request, proxy, 'unavailable')) ?? nobody(request, true);
}

/** RFC 3261 §16.5: who was called by a SIPS URI is, whatever name leads to him. */
export function securedAs({ message }: Request, uri: string): string {
  return /^sips:/i.test(message.uri) ? uri.replace(/^sip:/i, 'sips:') : uri;
}

/** An alias may stand for an alias, but not for ever. */
const mostNames = 5;

/** What becomes of a request for a name that stands for this address; `undefined`: it is one of ours, to be looked up. */
export function standIn(
  request: Request,
  proxy: Proxy,
  uri: string,
  names: readonly string[],
  diverted: readonly Diversion[] = [],
): Relay | Reply | undefined {
  if (proxy.domains.isOurs(uri)) return names.length < mostNames ? undefined : nobody(request, false);
  // DESIGN law 10: a dial rule that leads to a trunk is for our own users, and for whom one of them has forwarded.
  const mayLeave = request.trusted || request.notes.user !== undefined || diverted.length > 0;
  return mayLeave ? ring([{ uri: securedAs(request, uri) }], undefined, diverted) : refuse('no-relay', 403);
}

/** Nobody took the call: where its callee wants it then. */
export async function unanswered(request: Request, best: SipResponse, proxy: Proxy): Promise<Relay | undefined> {
  const why = reasonOf(best.status);
  return why === undefined ? undefined : divert(request, proxy, why);
}

function reasonOf(status: number): Diversion['why'] | undefined {
  if (status === 486) return 'user-busy';
  if (status === 408) return 'no-answer';
  return isAbsent.has(status) || (status >= 500 && status < 600) ? 'unavailable' : undefined;
}

const isAbsent: ReadonlySet<number> = new Set([404, 410, 430, 480]);

/** The next place that the callee has named for this, and that the call has not been to. */
export async function divert(
  request: Request,
  proxy: Proxy,
  why: Diversion['why'],
  ways?: readonly string[],
): Promise<Relay | undefined> {
  const now = request.notes.forwarding;
  let diverted = now?.diverted ?? [];
  for (const to of now === undefined ? [] : (ways ?? waysFor(now.calls, why))) {
    if (now === undefined || hasBeen(request, proxy, diverted, to)) continue;
    diverted = [...diverted, { from: now.callee, to, why }];
    request.notes.forwarding = { ...now, diverted };
    const ms = ringMs(request, proxy, now.calls, diverted);
    if (!proxy.domains.isOurs(to)) return ring([{ uri: securedAs(request, to) }], ms, diverted);
    const next = await call(request, proxy, to, diverted);
    if (next.kind === 'relay') return next;
    // There is nobody: this callee's next wish counts.
    request.notes.forwarding = { ...now, diverted };
  }
  return undefined;
}

function waysFor(calls: CallSettings, why: Diversion['why']): readonly string[] {
  if (why === 'unconditional') return present(calls.forwardAlways);
  const isBusy = why === 'user-busy' || why === 'do-not-disturb';
  return present(isBusy ? calls.forwardBusy : calls.forwardNoAnswer, calls.voicemail);
}

const present = (...uris: readonly (string | undefined)[]): readonly string[] =>
  uris.filter((uri) => uri !== undefined);

function hasBeen({ message, notes }: Request, proxy: Proxy, diverted: readonly Diversion[], to: string): boolean {
  if (diverted.length >= mostDiversions) return true;
  // Whoever diverts it may have been called by another name.
  const been = [message.uri, notes.forwarding?.callee ?? '', ...diverted.flatMap((one) => [one.from, one.to])];
  return been.some((uri) => placeOf(uri, proxy) === placeOf(to, proxy));
}

/** An account is the same however its address is written; one of its devices (a GRUU) is another place. */
function placeOf(uri: string, proxy: Proxy): string {
  return proxy.location.deviceKind(uri) === undefined ? (proxy.domains.accountOf(uri) ?? uri) : uri;
}

/** Without an end where nobody would take it then (timer C, three minutes). */
function ringMs(
  request: Request,
  proxy: Proxy,
  calls: CallSettings,
  diverted: readonly Diversion[],
): number | undefined {
  if (calls.ringSeconds !== undefined) return calls.ringSeconds * 1000;
  const isLeft = waysFor(calls, 'no-answer').some((to) => !hasBeen(request, proxy, diverted, to));
  return isLeft ? usualRingMs : undefined;
}

function ring(targets: readonly Target[], ms: number | undefined, diverted: readonly Diversion[]): Relay {
  if (diverted.length === 0) return { ...relay(...targets), ringMs: ms };
  // RFC 5806 §5.1: the last diversion stands on top.
  const headers = diverted
    .map(({ from, why }) => ['Diversion', `<${from}>;reason=${why};counter=1`] as const)
    .toReversed();
  return { ...relay(...targets.map((target) => ({ ...target, headers }))), ringMs: ms, isForwarded: true };
}

/** A stranger must not learn which accounts exist. */
export function nobody(request: Request, isKnown: boolean): Reply {
  const mayKnow = request.trusted || request.notes.user !== undefined;
  return isKnown || !mayKnow ? refuse('not-registered', 480) : refuse('not-found', 404);
}
