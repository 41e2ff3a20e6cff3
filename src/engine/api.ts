/**
 * All that routes see of the proxy (L5 imports this file and nothing else).
 *
 * A route is `(request, proxy) → Verdict | undefined`; `undefined` means "not mine". It may ask services of `proxy`; it
 * never sends. A service that cannot answer throws a `Failure` of `errors.ts`, which becomes the request's response.
 */
import type { Hop } from '../dialog/hop-token.ts';
import type { ErrorCode } from '../errors.ts';
import type { Field } from '../message/build.ts';
import { all, get, has } from '../message/header.ts';
import type { NameAddr } from '../message/headers/address.ts';
import { Contact } from '../message/headers/contact.ts';
import { From, To } from '../message/headers/from-to.ts';
import { Route } from '../message/headers/route.ts';
import { Replaces } from '../message/headers/text.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { param } from '../message/params.ts';
import type { Binding, CallSettings, Flow, MediaKind, PushSubscription } from '../ports.ts';

export type { NameAddr } from '../message/headers/address.ts';
export type { SipRequest, SipResponse } from '../message/message.ts';
export type { CallSettings } from '../ports.ts';

// --- requests --------------------------------------------------------------------------------------------------------

/** A request on its way through the routes: stamped with `received`/`rport`, our own Route taken off (§16.4). */
export interface Request {
  readonly message: SipRequest;
  readonly flow: Flow;
  /** It came from a TRUSTED network: no digest. */
  readonly trusted: boolean;
  /** It has a To tag, so it belongs to a dialog. */
  readonly inDialog: boolean;
  /** The signed part of our Record-Route, when its Route brought one. */
  readonly token: string | undefined;
  /** What a node of ours says of it that has handed it to us; `undefined`: it comes from elsewhere. */
  readonly hop?: Hop | undefined;
  /** What its sender speaks, by its SDP or else by its transport. */
  readonly media: MediaKind;
  /** RFC 5393 §4.2: goes into our branch parameters, so that a loop is seen. */
  readonly loopHash: string;
  /** What routes have found out about it; the only thing here that changes. */
  readonly notes: Notes;
}

export interface Notes {
  /** Law 4: its sender is reached over the flow it came by, whatever its Contact says. */
  reachByFlow: boolean;
  /** What the location service was asked beside the login. */
  targets?: Promise<readonly Target[]>;
  /** The same of the account that is called. */
  calls?: Promise<CallSettings | OtherName | undefined>;
  user: User | undefined;
  /** Of a call: where it has been so far (routes/forwarding.ts). */
  forwarding?: Forwarding;
}

/** Whose call it is now, and how it came to him. */
export interface Forwarding {
  readonly callee: string;
  readonly calls: CallSettings;
  /** Earliest first. */
  readonly diverted: readonly Diversion[];
}

/** RFC 5806: one callee who did not take it. */
export interface Diversion {
  readonly from: string;
  readonly to: string;
  readonly why: 'unconditional' | 'do-not-disturb' | 'user-busy' | 'no-answer' | 'unavailable' | 'deflection';
}

export function from(request: Request): NameAddr | undefined {
  return get(request.message, From);
}

/** RFC 3891: it takes the place of a call that its callee has already. */
export function replacesCall(request: Request): boolean {
  return has(request.message, Replaces);
}

/** Where a 3xx sends its caller, as it says: what it would have him try first (`q`) stands first (RFC 3261 §21.3, §20.10). */
export function contactsOf(response: SipResponse): readonly string[] {
  const named = all(response, Contact).map(({ uri, params }) => ({ uri, q: Number(param(params, 'q') ?? 1) }));
  return named.toSorted((one, other) => other.q - one.q).map(({ uri }) => uri);
}

export function to(request: Request): NameAddr | undefined {
  return get(request.message, To);
}

/** The way its sender wants it to take beyond us, nearest first (RFC 3261 §20.34). */
export function routeOf(request: Request): readonly string[] {
  return all(request.message, Route).map(({ uri }) => uri);
}

/** An alias or a dial rule: what is called stands for this address. */
export interface OtherName {
  readonly standsFor: string;
}

/** Who logged in. */
export interface User {
  readonly username: string;
  readonly domain: string;
  /** How many calls he may have at a time; `undefined`: as many as MAX_CALLS says. */
  readonly mostCalls?: number | undefined;
  /** By this short-lived login. */
  readonly session?: string | undefined;
  /** By a token that is good until then: milliseconds since 1970. */
  readonly untilMs?: number | undefined;
}

// --- verdicts --------------------------------------------------------------------------------------------------------

export type Verdict = Reply | Relay | Drop;

export interface Reply {
  readonly kind: 'reply';
  readonly status: number;
  /** RFC 3261 §21.4.1: a reason phrase that says more than the usual one. */
  readonly reason?: string;
  /** The row of `errors.ts` that explains it; becomes `Warning: 399`. */
  readonly code?: ErrorCode;
  readonly detail?: string;
  readonly headers?: readonly Field[];
  /** Our tag in the dialog that this response makes. */
  readonly toTag?: string;
}

export interface Relay {
  readonly kind: 'relay';
  /** An INVITE tries those of the highest q first, all at once, then the next (RFC 3261 §16.6); others try all. */
  readonly targets: readonly Target[];
  /** How long these may ring: then the failure route is asked as if nobody had answered. Default: timer C. */
  readonly ringMs?: number | undefined;
  /** RFC 3261 §16.7 step 4: contacts of a 3xx that these are in place of. The caller does not hear of them. */
  readonly follows?: readonly string[];
  /** RFC 3261 §21.1.3: the caller is told (181) that the call goes elsewhere. */
  readonly isForwarded?: boolean;
}

export interface Drop {
  readonly kind: 'drop';
  readonly code: ErrorCode;
}

/** One place a request is forwarded to (§16.5). */
export interface Target {
  /** The new Request-URI. */
  readonly uri: string;
  /** The flow to send it over; without one the next hop is found from `route` or `uri` (RFC 3263). */
  readonly flowId?: string | undefined;
  /** Route URIs put before what the request brought, nearest first: the Path of a binding. */
  readonly route?: readonly string[];
  readonly binding?: Pick<Binding, 'aor' | 'key'> | undefined;
  /** RFC 5626 §5.3: other flows to the same device, best first: tried one by one when this one fails. */
  readonly otherFlows?: readonly Target[] | undefined;
  /** Its flow is at another node of ours: sent there, and over the flow from there. */
  readonly elsewhere?: Elsewhere | undefined;
  /** The node of ours that has the record of its dialog: that one decides where it goes. */
  readonly owner?: string | undefined;
  /** Its device has no connection: a call waits until it is woken, for anything else it is gone (RFC 8599). */
  readonly asleep?: PushSubscription | undefined;
  /** What is known of the media of the party behind it. */
  readonly media?: MediaKind | undefined;
  /** RFC 3261 §16.6: 0 to 1, what its registration says; without one it is among the first. */
  readonly q?: number | undefined;
  /** Put into its copy, before what that has of the name. */
  readonly headers?: readonly Field[];
}

/** A flow at another node of ours. */
export interface Elsewhere extends Pick<Binding, 'node'> {
  readonly flowId: string;
  /** What its device speaks to us by, and from which address; `undefined`: not known here. */
  readonly transport?: Binding['transport'] | undefined;
  readonly source?: Binding['source'] | undefined;
}

export function reply(status: number, headers: readonly Field[] = []): Reply {
  return { kind: 'reply', status, headers };
}

/** A refusal that explains itself. */
export function refuse(code: ErrorCode, status: number, detail = '', headers: readonly Field[] = []): Reply {
  return { kind: 'reply', status, code, detail, headers };
}

export function relay(...targets: readonly Target[]): Relay {
  return { kind: 'relay', targets };
}

export function drop(code: ErrorCode): Drop {
  return { kind: 'drop', code };
}

// --- branches --------------------------------------------------------------------------------------------------------

/** One forwarded copy, before it leaves: `routes/branch.ts` may change it. */
export interface Branch {
  /** Its Via branch parameter. */
  readonly id: string;
  readonly request: Request;
  readonly target: Target;
  /** The way it will leave by. */
  readonly flow: Flow;
  /** As it will leave, but for its body. */
  readonly message: SipRequest;
}

/** A response on its way back, before it is forwarded: `routes/reply.ts` may change it. */
export interface BranchReply {
  readonly branch: Branch;
  readonly response: SipResponse;
}

// --- services --------------------------------------------------------------------------------------------------------

export interface Proxy {
  readonly acceptForeign: boolean;
  /** RECORD_CALLS=all. */
  readonly recordsAll: boolean;
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** RFC 3261 §16.3: reasonable syntax, scheme, Max-Forwards, loops, Proxy-Require. */
  check(request: Request): Verdict | undefined;
  readonly nat: {
    /** Law 4 for the sender of this request. */
    mustUseFlow(request: Request): boolean;
  };
  readonly domains: {
    /** The address is in one of our domains, or is ourselves. */
    isOurs(uri: string): boolean;
    /** The address is this server and no user of it: `sip:example.com`. */
    isServer(uri: string): boolean;
    /** The account that the address is of, as `sip:user@domain`, however it is written; `undefined`: it is not ours. */
    accountOf(uri: string): string | undefined;
  };
  readonly auth: {
    /**
     * By password (RFC 3261 §22) or token (RFC 8898): the user, or the challenge or refusal to send. `meanwhile` is called while the database is
     * asked for the user, to ask it for more in the same turn.
     */
    login(request: Request, meanwhile: () => void): Promise<User | Reply>;
    /** Whether this stranger has not sent too many requests yet (law 10). */
    admitsForeign(request: Request): boolean;
    /** Why this user may not send this request under this From or To; `undefined` when he may. */
    identity(request: Request, user: User): Reply | undefined;
  };
  readonly subscribers: {
    exists(uri: string): Promise<boolean>;
    /** What it wants for its calls, or the address that it stands for; `undefined`: there is neither. */
    calls(uri: string): Promise<CallSettings | OtherName | undefined>;
  };
  /** How many calls an account has at a time. */
  readonly calls: {
    /** `false`: the caller has as many as he may have; else this one counts as his until it is over. */
    admitsCaller(request: Request): boolean;
    /** The same for an address of ours that it is for now; `most`: its own limit. */
    admitsCallee(request: Request, callee: string, most: number | undefined): boolean;
  };
  readonly nodes: {
    /** There may be others over the same database. */
    readonly areMany: boolean;
    /** The flow that another node of ours wants this sent over; `undefined`: it says nothing of the kind. */
    flowFor(request: Request): { readonly flowId: string; readonly isOpen: boolean } | undefined;
  };
  readonly registrar: {
    /** Resolves when what it says is committed (law 5). */
    register(request: Request): Promise<Reply>;
  };
  readonly location: {
    /** The live contacts of an address of ours; of a GRUU, those of its device. */
    lookup(uri: string): Promise<readonly Target[]>;
    /** RFC 5627: it is a GRUU of ours, which names one device of an account; `undefined`: it is none. */
    deviceKind(uri: string): 'public' | 'temporary' | undefined;
  };
  readonly presence: {
    /** RFC 6665 §4.2.1: its answer, when the subscription is committed (law 5); the NOTIFY follows by itself. */
    subscribe(request: Request): Promise<Reply>;
    /** The same within its dialog: refresh or end. */
    resubscribe(request: Request): Promise<Reply>;
    /** RFC 3903 §6, committed. */
    publish(request: Request): Promise<Reply>;
  };
  readonly messages: {
    /** RFC 3428 §7: keeps it for a recipient who is away: 202 when it is committed, or why not. */
    store(request: Request): Promise<Reply>;
  };
  readonly dialogs: {
    /** Where a request of a dialog goes; `undefined`: it is of no dialog of ours, or its token is forged. */
    follow(request: Request): Promise<Target | Reply | undefined>;
    /** RFC 3891: the device that has the call which this INVITE is to replace; `undefined`: none of ours has it. */
    replaced(request: Request): Promise<Target | Reply | undefined>;
  };
  readonly media: {
    /** Puts rtpengine into the SDP of a request, with the profile of its receiver; throws when it cannot (law 1). */
    forward(branch: Branch): Promise<SipRequest>;
    /** The same for a response. */
    backward(reply: BranchReply): Promise<SipResponse>;
    /** Gives rtpengine the candidates that come after the SDP (RFC 8840); `false`: these are none, or not for it. */
    trickle(request: Request): boolean;
    /** The call that this answers is recorded from now on; nobody waits for it. */
    record(reply: BranchReply): void;
  };
}

/** The files of `routes/`, as the engine calls them. */
export interface Routes {
  request(request: Request, proxy: Proxy): Promise<Verdict>;
  branch(branch: Branch, proxy: Proxy): Promise<SipRequest>;
  reply(reply: BranchReply, proxy: Proxy): Promise<SipResponse>;
  /** All branches failed and nothing went upstream yet: another relay, an answer of ours, or the best response. */
  failure(request: Request, best: SipResponse, proxy: Proxy): Promise<Relay | Reply | undefined>;
}
