/**
 * The messages of a story, parsed: who stood at the other end of each, and which are repetitions.
 *
 * The caller is one party whatever flow he uses; a callee is known by the tag it answers with, else by its address.
 */
import { get } from '../message/header.ts';
import { From, To, tagOf } from '../message/headers/from-to.ts';
import { Via } from '../message/headers/via.ts';
import type { SipMessage } from '../message/message.ts';
import { param } from '../message/params.ts';
import { parseMessage } from '../message/scan.ts';
import { parseUri } from '../message/uri.ts';
import type { Transport } from '../ports.ts';
import type { MessageEvent, StoryEvent } from './events.ts';
import { readable } from './readable.ts';

export interface Party {
  readonly role: 'caller' | 'callee';
  /** The user part of its address; numbered where several devices ring. */
  readonly name: string;
  readonly transport: Transport;
  /** `192.0.2.1:5060`, where it was first. */
  readonly address: string;
}

export interface Passage {
  readonly event: MessageEvent;
  readonly message: SipMessage;
  readonly party: Party;
  /** How often the very same text passed, this one included. */
  times: number;
  lastAtMs: number;
}

export interface Passages {
  /** The caller first. */
  readonly parties: readonly Party[];
  /** In the order of the events; repetitions count for the first. */
  readonly passages: readonly Passage[];
  readonly byEvent: ReadonlyMap<StoryEvent, Passage>;
  readonly callerTag: string | undefined;
  /** Of the callees. */
  readonly byTag: ReadonlyMap<string, Party>;
  /** By the branch parameter of the INVITE that went there. */
  readonly byBranch: ReadonlyMap<string, Party>;
}

export interface PassagesOf {
  readonly events: readonly StoryEvent[];
  readonly from: string;
  readonly to: string;
}

export function readPassages({ events, from, to }: PassagesOf): Passages {
  const cast = new Cast(nameOf(from), nameOf(to));
  const byEvent = new Map<StoryEvent, Passage>();
  const byText = new Map<string, Passage>();
  for (const event of events) {
    if (event.kind !== 'message') continue;
    const key = `${event.direction} ${event.text}`;
    const known = byText.get(key);
    if (known !== undefined) {
      known.times++;
      known.lastAtMs = event.atMs;
      continue;
    }
    const message = parseMessage(event.text);
    if (message.kind === 'unparsable') continue;
    const passage = { event, message, party: cast.partyOf(event, message), times: 1, lastAtMs: event.atMs };
    byEvent.set(event, passage);
    byText.set(key, passage);
  }
  const { callerTag, byTag } = cast;
  const passages = [...byEvent.values()];
  return { parties: cast.all(), passages, byEvent, callerTag, byTag, byBranch: branchesOf(passages) };
}

function branchesOf(passages: readonly Passage[]): ReadonlyMap<string, Party> {
  const out = passages.filter(({ event, message }) => event.direction === 'out' && message.kind === 'request');
  return new Map(out.map(({ message, party }) => [branchOf(message), party]));
}

/** Of the topmost Via. */
export function branchOf(message: SipMessage): string {
  return param(get(message, Via)?.params ?? [], 'branch') ?? '';
}

class Cast {
  readonly #callerName: string;
  readonly #calleeName: string;
  readonly #callees: Party[] = [];
  readonly byTag = new Map<string, Party>();
  readonly #byAddress = new Map<string, Party>();
  callerTag: string | undefined;
  #caller: Party | undefined;

  constructor(callerName: string, calleeName: string) {
    this.#callerName = callerName;
    this.#calleeName = calleeName;
  }

  all(): readonly Party[] {
    return this.#caller === undefined ? this.#callees : [this.#caller, ...this.#callees];
  }

  partyOf(event: MessageEvent, message: SipMessage): Party {
    const fromTag = tagOf(get(message, From)) ?? '';
    const toTag = tagOf(get(message, To));
    this.callerTag ??= fromTag;
    const byCaller = (message.kind === 'request') === (fromTag === this.callerTag);
    const withCaller = event.direction === 'in' ? byCaller : !byCaller;
    const calleeTag = fromTag === this.callerTag ? toTag : fromTag;
    return withCaller ? this.#callerAt(event) : this.#calleeAt(event, calleeTag);
  }

  #callerAt(event: MessageEvent): Party {
    this.#caller ??= { role: 'caller', name: this.#callerName, ...placeOf(event) };
    return this.#caller;
  }

  #calleeAt(event: MessageEvent, tag: string | undefined): Party {
    const place = placeOf(event);
    const where = `${place.transport} ${place.address}`;
    const known = (tag === undefined ? undefined : this.byTag.get(tag)) ?? this.#byAddress.get(where);
    const party = known ?? this.#newCallee(place);
    this.#byAddress.set(where, party);
    // Our own requests carry a tag of the callee, its first response brings it.
    if (tag !== undefined && event.direction === 'in') this.byTag.set(tag, party);
    return party;
  }

  #newCallee(place: Pick<Party, 'transport' | 'address'>): Party {
    const count = this.#callees.length + 1;
    const name = count === 1 ? this.#calleeName : `${this.#calleeName} ${count}`;
    const party: Party = { role: 'callee', name, ...place };
    this.#callees.push(party);
    return party;
  }
}

function placeOf({ transport, remote }: MessageEvent): Pick<Party, 'transport' | 'address'> {
  const host = remote.address.includes(':') ? `[${remote.address}]` : remote.address;
  return { transport, address: `${host}:${remote.port}` };
}

export function nameOf(uri: string): string {
  const parsed = parseUri(uri);
  return readable(parsed?.user ?? parsed?.host ?? uri);
}
