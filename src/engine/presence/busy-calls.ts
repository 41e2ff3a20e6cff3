/**
 * The calls of each account as its busy lamp shows them (RFC 4235 §3.7.1): fed by what passes the proxy, in memory, and
 * taken up again from the dialog records after a restart.
 *
 * A call that has ended stays in the document a while as `terminated`: a lamp that missed one NOTIFY goes out with the
 * next. Other nodes tell theirs. Left out: calls that do not pass us.
 */
import { callIdHash } from '../../dialog/call-id-hash.ts';
import { get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import { From, tagOf } from '../../message/headers/from-to.ts';
import type { SipRequest } from '../../message/message.ts';
import { canonicalAor, parseUri } from '../../message/uri.ts';
import type { CallPhase, Clock, DialogRecord, PartyCall } from '../../ports.ts';

/** Law 9: calls of one account, and accounts with calls. */
const mostOfOne = 100;
const mostAccounts = 100_000;
const rememberedMs = 10_000;
const toldAgainMs = 8_000;

/** Who hears of what has changed. */
export interface BusyListener {
  /** A lamp shows something else. */
  shown(aor: string): void;
  /** A call of this node, for the others. */
  changed(aor: string, call: PartyCall): void;
}

interface KnownCall extends PartyCall {
  /** Another node that has it; `undefined`: this one. */
  readonly node: string | undefined;
}

interface Parties {
  readonly caller: string;
  readonly callee: string;
  /** The callee as he was called: the account behind a temporary GRUU cannot be seen otherwise (RFC 5627). */
  readonly called: string;
}

export class BusyCalls {
  readonly #clock: Clock;
  /** The canonical AOR when the address is of our domains. */
  readonly #aorOfOurs: (uri: string) => string | undefined;
  readonly #tell: BusyListener;
  readonly #byAor = new Map<string, Map<string, KnownCall>>();

  constructor(clock: Clock, aorOfOurs: (uri: string) => string | undefined, tell: BusyListener) {
    this.#clock = clock;
    this.#aorOfOurs = aorOfOurs;
    this.#tell = tell;
  }

  of(aor: string): readonly PartyCall[] {
    // Hashed for the few that are shown: a watcher need not learn Call-IDs.
    return [...(this.#byAor.get(aor)?.values() ?? [])].map(({ node: _, ...call }) => ({
      ...call,
      id: callIdHash(call.id),
    }));
  }

  /** How many of its calls other nodes have, as far as they have told. */
  elsewhere(aor: string): number {
    const calls = [...(this.#byAor.get(aor)?.values() ?? [])];
    return calls.filter(({ node, phase }) => node !== undefined && phase !== 'terminated').length;
  }

  /** The other node that has this call, by its public id; asked by people only, for it looks at all of them. */
  nodeOf(publicId: string): string | undefined {
    for (const calls of this.#byAor.values())
      for (const { id, node, phase } of calls.values())
        if (node !== undefined && phase !== 'terminated' && callIdHash(callIdOf(id)) === publicId) return node;
    return undefined;
  }

  /** Another node tells of a call. */
  heard(node: string, aor: string, call: PartyCall): void {
    this.#putOne(aor, { ...call, node });
  }

  /** By its row another node has this answered call. Where its end was told already, only the row is still there. */
  known(record: DialogRecord): void {
    const [key, parties] = [keyOfRecord(record), partiesOfRecord(record)];
    if (!this.#hasEnded(key, parties)) this.#put(key, parties, 'confirmed', record.node);
  }

  #hasEnded(key: string, { caller, called }: Parties): boolean {
    const phaseOf = (uri: string, id: string): CallPhase | undefined =>
      this.#byAor.get(this.#aorOfOurs(uri) ?? '')?.get(id)?.phase;
    return phaseOf(caller, `i-${key}`) === 'terminated' || phaseOf(called, `r-${key}`) === 'terminated';
  }

  /** It is gone, or was started anew: what neither it nor another node tells of again in a while is over. */
  nodeGone(node: string): void {
    const lost = `${node} gone`;
    this.#each(node, (aor, call) => {
      // What has ended is forgotten as it is.
      if (call.phase !== 'terminated') this.#byAor.get(aor)?.set(call.id, { ...call, node: lost });
    });
    this.#clock.after(toldAgainMs, () =>
      this.#each(lost, (aor, call) => this.#putOne(aor, { ...call, phase: 'terminated' })),
    );
  }

  #each(node: string, act: (aor: string, call: KnownCall) => void): void {
    for (const [aor, calls] of this.#byAor)
      for (const call of [...calls.values()]) if (call.node === node) act(aor, call);
  }

  /** An INVITE that opens a call is on its way. The callee is not called before a telephone of his rings. */
  began(invite: SipRequest): void {
    const { caller, callee } = partiesOf(invite);
    this.#putInitiator(keyOf(invite), caller, callee, 'trying');
  }

  /** A response to it goes upstream. A 2xx counts with its record: `established`. */
  answered(invite: SipRequest, status: number): void {
    const key = keyOf(invite);
    if (status > 100 && status < 200) this.#put(key, partiesOf(invite), 'early');
    else if (status >= 300) this.#put(key, partiesOf(invite), 'terminated');
  }

  established(record: DialogRecord): void {
    this.#put(keyOfRecord(record), partiesOfRecord(record), 'confirmed');
  }

  ended(record: DialogRecord): void {
    this.#put(keyOfRecord(record), partiesOfRecord(record), 'terminated');
  }

  #putInitiator(key: string, caller: string, remote: string, phase: CallPhase, node?: string): void {
    const aor = this.#aorOfOurs(caller);
    if (aor !== undefined) this.#putOne(aor, { id: `i-${key}`, direction: 'initiator', phase, remote, node });
  }

  #put(key: string, { caller, callee, called }: Parties, phase: CallPhase, node?: string): void {
    this.#putInitiator(key, caller, callee, phase, node);
    const recipient = this.#aorOfOurs(called);
    if (recipient === undefined) return;
    this.#putOne(recipient, { id: `r-${key}`, direction: 'recipient', phase, remote: caller, node });
  }

  #putOne(aor: string, call: KnownCall): void {
    const calls = this.#byAor.get(aor) ?? new Map<string, KnownCall>();
    const before = calls.get(call.id);
    const known = before?.phase;
    const isNew = known === undefined;
    // Another node has it now, which changes nothing for a lamp.
    const isTaken = known === call.phase && before?.node !== call.node;
    if (isTaken) calls.set(call.id, call);
    if (isTaken && call.node === undefined) this.#tell.changed(aor, call);
    // A second ringing telephone changes nothing, and what was never heard of need not be ended.
    if (known === call.phase || (isNew && call.phase === 'terminated')) return;
    // A late 180 of another branch does not undo an answer.
    if (known === 'confirmed' && call.phase === 'early') return;
    if (isNew && (calls.size >= mostOfOne || this.#byAor.size >= mostAccounts)) return;
    calls.set(call.id, call);
    this.#byAor.set(aor, calls);
    if (call.phase === 'terminated') this.#clock.after(rememberedMs, () => this.#forget(aor, call));
    this.#tell.shown(aor);
    if (call.node === undefined) this.#tell.changed(aor, call);
  }

  #forget(aor: string, call: KnownCall): void {
    const calls = this.#byAor.get(aor);
    if (calls?.get(call.id) !== call) return;
    calls.delete(call.id);
    if (calls.size === 0) this.#byAor.delete(aor);
  }
}

function keyOf(invite: SipRequest): string {
  return callKey(get(invite, CallId) ?? '', tagOf(get(invite, From)) ?? '');
}

function keyOfRecord({ callId, caller }: DialogRecord): string {
  return callKey(callId, caller.tag);
}

const callKey = (callId: string, callerTag: string): string => `${callId}\n${callerTag}`;

/** Of an id as they are told: with the side in front. */
const callIdOf = (id: string): string => id.slice('i-'.length).split('\n', 1)[0] ?? '';

function partiesOf(invite: SipRequest): Parties {
  return { caller: plain(get(invite, From)?.uri ?? ''), callee: plain(invite.uri), called: invite.uri };
}

function partiesOfRecord({ caller, callee }: DialogRecord): Parties {
  return { caller: plain(caller.uri), callee: plain(callee.uri), called: callee.uri };
}

/** Without parameters: they would tell where somebody sits. */
function plain(text: string): string {
  const uri = parseUri(text);
  return uri === undefined ? text : canonicalAor(uri);
}
