/**
 * The dialogs of calls in progress (DESIGN §5): the record rules, the token in our Record-Route hints.
 *
 * In memory, with a row each in the database from the 2xx to the end, so that a restart loses no call. A row is written
 * behind the 2xx, not before it: a slow database must not hold back an answered call.
 */
import { moveFlow, noteFlow, noteRequest, noteResponse, otherSide, type SideName, sideOf } from '../dialog/record.ts';
import {
  bindingKeyHash,
  decodeToken,
  directionOf,
  encodeToken,
  nodeNumber,
  type TokenFields,
  type TokenSide,
  tagHash,
} from '../dialog/token.ts';
import { all, get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { From, To, tagOf } from '../message/headers/from-to.ts';
import { Route } from '../message/headers/route.ts';
import type { SipMessage, SipResponse } from '../message/message.ts';
import { parseUri, uriEquals } from '../message/uri.ts';
import type {
  Binding,
  Clock,
  DialogRecord,
  DialogSide,
  DialogStore,
  Flow,
  LocationStore,
  Log,
  Network,
} from '../ports.ts';
import { type Reply, type Request, refuse, type Target } from './api.ts';
import { DialogRows } from './dialog-rows.ts';
import { DialogTable } from './dialog-table.ts';

export interface DialogsOptions {
  readonly node: string;
  readonly secrets: readonly string[];
  /** How long the dialogs of a closed connection wait for its client. */
  readonly graceMs: number;
}

type BindingRef = Pick<Binding, 'aor' | 'key'>;

export class Dialogs {
  readonly #store: DialogStore;
  readonly #rows: DialogRows;
  readonly #location: LocationStore;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #options: DialogsOptions;
  readonly #table = new DialogTable();
  readonly #followed = new WeakSet<Request>();
  /** Records whose row has gone already. */
  readonly #unstored = new WeakSet<DialogRecord>();
  /** When a flow with dialogs was closed; those of before the start closed with it. */
  readonly #closedAtMs = new Map<string, number>();
  readonly #startedAtMs: number;

  constructor(
    ports: {
      readonly dialogs: DialogStore;
      readonly location: LocationStore;
      readonly network: Network;
      readonly clock: Clock;
      readonly log: Log;
    },
    options: DialogsOptions,
  ) {
    this.#store = ports.dialogs;
    this.#rows = new DialogRows(ports.dialogs, ports.clock, ports.log);
    this.#location = ports.location;
    this.#network = ports.network;
    this.#clock = ports.clock;
    this.#options = options;
    this.#startedAtMs = ports.clock.nowMs();
  }

  get size(): number {
    return this.#table.size;
  }

  all(): readonly DialogRecord[] {
    return this.#table.all();
  }

  /** The records of before the restart. */
  async load(): Promise<readonly DialogRecord[]> {
    const records = await this.#store.load(this.#options.node);
    for (const record of records) this.#table.put(record);
    return records;
  }

  // --- tokens --------------------------------------------------------------------------------------------------------

  /** The token for the Record-Route of one branch. */
  token(callId: string, callerTag: string, caller: TokenParty, callee: TokenParty): string {
    const [secret = ''] = this.#options.secrets;
    const fields: TokenFields = {
      callerTagHash: tagHash(callerTag),
      node: nodeNumber(this.#options.node),
      caller: tokenSide(caller),
      callee: tokenSide(callee),
    };
    return encodeToken(fields, callId, secret);
  }

  // --- following -----------------------------------------------------------------------------------------------------

  /** Law 10: without a valid token for this Call-ID a To tag gains nothing. */
  async follow(request: Request): Promise<Target | Reply | undefined> {
    const { message, token: text } = request;
    const callId = get(message, CallId) ?? '';
    const fromTag = tagOf(get(message, From)) ?? '';
    const token = text === undefined ? undefined : decodeToken(text, callId, this.#options.secrets);
    if (token === undefined) return undefined;
    const record = this.find(message);
    // A token of one's own call must not reach into somebody else's with the same Call-ID.
    if (record !== undefined && tagHash(record.caller.tag) !== token.callerTagHash) return undefined;
    this.#followed.add(request);
    if (record === undefined) return this.#followToken(request, token, fromTag);
    const side = sideOf(record, fromTag) ?? 'caller';
    const noted = this.#replace(record, this.#noteSender(noteRequest(record, message), side, request.flow));
    // Its row goes with the BYE, not with the answer: should we die between the two, nobody would come to end it.
    if (message.method === 'BYE') this.#unstore(noted);
    return this.#followRecord(request, noted, otherSide(side));
  }

  /** Whether it came with a valid token: only such a request may end a dialog (law 10). */
  hasFollowed(request: Request): boolean {
    return this.#followed.has(request);
  }

  async #followRecord(request: Request, record: DialogRecord, towards: SideName): Promise<Target | Reply | undefined> {
    const side = record[towards];
    const target: Target = { uri: request.message.uri, binding: side.binding, media: side.media };
    const free = !beginsSomething.has(request.message.method);
    if (side.flowId === undefined) return free || leadsTo(side, request) ? target : undefined;
    if (this.#network.find(side.flowId) !== undefined) return { ...target, flowId: side.flowId };
    const moved = side.binding === undefined ? undefined : await this.#flowOfBinding(side.binding);
    if (moved === undefined) return this.#unreachable(side.flowId);
    this.#replace(record, noteFlow(record, towards, moved.id, moved.listener.index));
    return { ...target, flowId: moved.id };
  }

  /** No record: an early dialog, or the row was lost with the process. */
  async #followToken(request: Request, token: TokenFields, fromTag: string): Promise<Target | Reply | undefined> {
    const side = directionOf(token, fromTag) === 'from-caller' ? token.callee : token.caller;
    const target: Target = { uri: request.message.uri, media: side.media };
    // Where to is then the sender's word alone: enough to end or change a call, not to make another one.
    if (side.flowId === undefined) return beginsSomething.has(request.message.method) ? undefined : target;
    if (this.#network.find(side.flowId) !== undefined) return { ...target, flowId: side.flowId };
    const binding = side.bindingKeyHash === undefined ? undefined : await this.#location.byKeyHash(side.bindingKeyHash);
    const flow = binding?.flowId === undefined ? undefined : this.#network.find(binding.flowId);
    return flow === undefined ? this.#unreachable(side.flowId) : { ...target, flowId: flow.id };
  }

  async #flowOfBinding(ref: BindingRef): Promise<Flow | undefined> {
    const bindings = await this.#location.lookup(ref.aor);
    const flowId = bindings.find((binding) => binding.key === ref.key)?.flowId;
    return flowId === undefined ? undefined : this.#network.find(flowId);
  }

  /** Law 4: 480 while the client may come back, 481 when it has not. */
  #unreachable(flowId: string): Reply {
    // A connection of an earlier process closed with it.
    const since = this.#closedAtMs.get(flowId) ?? this.#startedAtMs;
    const waiting = this.#clock.nowMs() - since < this.#options.graceMs;
    return waiting ? refuse('flow-gone', 480) : refuse('no-dialog', 481);
  }

  /** The sender came by another connection than before: the other side reaches it there from now on. */
  #noteSender(record: DialogRecord, side: SideName, flow: Flow): DialogRecord {
    const known = record[side].flowId;
    return known === undefined || known === flow.id ? record : noteFlow(record, side, flow.id, flow.listener.index);
  }

  // --- life ----------------------------------------------------------------------------------------------------------

  established(record: DialogRecord): void {
    if (this.#table.find(record.callId, record.caller.tag, record.callee.tag) !== undefined) return;
    this.#table.put(record);
    this.#rows.save(record);
  }

  /** A 2xx of the dialog passed: its Contact may be new. */
  note(response: SipResponse): void {
    const record = this.find(response);
    if (record !== undefined) this.#replace(record, noteResponse(record, response));
  }

  /** The dialog that this message belongs to, in either direction. */
  find(message: SipMessage): DialogRecord | undefined {
    const fromTag = tagOf(get(message, From)) ?? '';
    const toTag = tagOf(get(message, To)) ?? '';
    return this.#table.find(get(message, CallId) ?? '', fromTag, toTag);
  }

  ended(record: DialogRecord): void {
    this.#table.remove(record);
    this.#unstore(record);
  }

  /** A client registered: its dialogs follow it to its flow. */
  moved(binding: BindingRef, flow: Flow): void {
    for (const record of this.#table.byBinding(binding)) {
      this.#replace(record, moveFlow(record, binding, flow.id, flow.listener.index));
    }
  }

  /** `gone`: a call one of whose sides did not come back within the grace time. */
  closed(flow: Flow, gone: (record: DialogRecord) => void): void {
    if (this.#table.byFlow(flow.id).length === 0) return;
    this.#closedAtMs.set(flow.id, this.#clock.nowMs());
    this.#clock.after(this.#options.graceMs, () => {
      this.#closedAtMs.delete(flow.id);
      for (const record of this.#table.byFlow(flow.id)) gone(record);
    });
  }

  /** Calls with a side whose connection is not there. */
  unreachable(): readonly DialogRecord[] {
    const isGone = ({ flowId }: DialogSide): boolean =>
      flowId !== undefined && this.#network.find(flowId) === undefined;
    return this.all().filter(({ caller, callee }) => isGone(caller) || isGone(callee));
  }

  /** The new value in place of the old; CSeqs go to the database with the next change that matters. */
  #replace(old: DialogRecord, record: DialogRecord): DialogRecord {
    if (old === record) return record;
    this.#table.put(record);
    if (movedOn(old.caller, record.caller) || movedOn(old.callee, record.callee)) this.#rows.save(record);
    return record;
  }

  #unstore(record: DialogRecord): void {
    if (this.#unstored.has(record)) return;
    this.#unstored.add(record);
    this.#rows.remove(record);
  }
}

/** Requests that would begin a call or say something to somebody, sent where their sender pleases. */
const beginsSomething: ReadonlySet<string> = new Set(['INVITE', 'MESSAGE']);

/** Law 10: the way of a request in a dialog is the dialog's (RFC 3261 §12.2.1.1), not one that its sender makes up. */
function leadsTo(side: DialogSide, { message }: Request): boolean {
  const [next] = all(message, Route);
  const [first] = side.routeSet;
  if (first !== undefined) return next !== undefined && isSame(next.uri, first);
  return next === undefined && isSame(message.uri, side.remoteTarget);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [parseUri(one), parseUri(other)];
  return one === other || (a !== undefined && b !== undefined && uriEquals(a, b));
}

/** What a token says of one side. */
export interface TokenParty extends Omit<TokenSide, 'bindingKeyHash'> {
  readonly binding: BindingRef | undefined;
}

function tokenSide({ binding, ...side }: TokenParty): TokenSide {
  return { ...side, bindingKeyHash: binding === undefined ? undefined : bindingKeyHash(binding.aor, binding.key) };
}

function movedOn(old: DialogSide, now: DialogSide): boolean {
  return old.flowId !== now.flowId || old.remoteTarget !== now.remoteTarget;
}
