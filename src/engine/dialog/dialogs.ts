/**
 * The dialogs that pass us (DESIGN §5): the record rules, the token in our Record-Route hints.
 *
 * A call has a row in the database from the 2xx to the end, so that a restart loses none. It is written behind the 2xx,
 * not before it: a slow database must not hold back an answered call. Early dialogs and subscriptions have no row.
 * Law 10: where a request of a dialog goes is what the record knows, or else what the token names; never what its sender
 * makes up.
 */
import { namesOf } from '../../dialog/names.ts';
import {
  adoptedBy,
  type FlowPlace,
  hasMoved,
  type Move,
  moveFlow,
  noteFlow,
  noteRequest,
  noteResponse,
  otherSide,
  type SideName,
  sideOf,
} from '../../dialog/record.ts';
import { ageHours, decodeToken, directionOf, type TokenFields, tagHash, targetHash } from '../../dialog/token.ts';
import { nextOf, wayTo } from '../../dialog/way.ts';
import { withUri } from '../../message/edit.ts';
import { get } from '../../message/header.ts';
import { Route } from '../../message/headers/route.ts';
import type { SipMessage, SipResponse } from '../../message/message.ts';
import type {
  Binding,
  Clock,
  DialogRecord,
  DialogSide,
  DialogStore,
  Flow,
  LocationStore,
  Network,
} from '../../ports.ts';
import { type Reply, type Request, refuse, type Target } from '../api.ts';
import type { EnginePorts } from '../core.ts';
import type { Membership } from '../nodes/membership.ts';
import { hasFlow, type NodeRouting, type Reach } from '../nodes/node-routing.ts';
import { targetOf } from '../registrar/registrar.ts';
import { ClosedFlows } from './closed-flows.ts';
import { DialogRows } from './dialog-rows.ts';
import { DialogTable } from './dialog-table.ts';
import { HungUp } from './hung-up.ts';
import { replacedSide } from './replaced.ts';
import { type TokenCall, type TokenParty, tokenOfCall } from './tokens.ts';

export interface DialogsOptions {
  readonly node: string;
  readonly secrets: readonly string[];
  /** How long the dialogs of a closed connection wait for its client. */
  readonly graceMs: number;
}

/** What dialogs ask of the rest of the engine. */
export interface DialogsAround {
  readonly nodes: Pick<Membership, 'areMany' | 'isOther' | 'isThere' | 'idOf'>;
  readonly reach: NodeRouting['reach'];
  /** A target that is a GRUU of ours becomes the contact of its device (`Registrar.atDevice`). */
  atDevice(at: Target, routed: boolean): Promise<Target | undefined>;
  /** A call of another node is ours from now on; as it is then. */
  adopted(record: DialogRecord): DialogRecord;
}

type Followed = Pick<Request, 'message'>;
type BindingRef = Pick<Binding, 'aor' | 'key'>;

/** Early dialogs and subscriptions that are remembered; the oldest makes room (law 9). */
const mostPassing = 20_000;

/** How long a token is good without its record, which a call keeps as long as it lasts. */
const tokenHours = 24;

export class Dialogs {
  readonly #store: DialogStore;
  readonly #rows: DialogRows;
  readonly #location: LocationStore;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #options: DialogsOptions;
  readonly #around: DialogsAround;
  readonly #calls = new DialogTable();
  /** Early dialogs, and those of other requests than INVITE. */
  readonly #passing = new DialogTable();
  readonly #hungUp = new HungUp();
  readonly #followed = new WeakSet<Request>();
  /** Records whose row has gone already. */
  readonly #unstored = new WeakSet<DialogRecord>();
  readonly #closedFlows: ClosedFlows;

  constructor(
    ports: Pick<EnginePorts, 'dialogs' | 'location' | 'network' | 'clock' | 'log'>,
    options: DialogsOptions,
    around: DialogsAround,
  ) {
    this.#store = ports.dialogs;
    this.#rows = new DialogRows(ports.dialogs, ports.clock, ports.log);
    this.#location = ports.location;
    this.#network = ports.network;
    this.#clock = ports.clock;
    this.#options = options;
    this.#around = around;
    this.#closedFlows = new ClosedFlows(ports.clock, options.graceMs);
  }

  get size(): number {
    return this.#calls.size;
  }

  all(): readonly DialogRecord[] {
    return this.#calls.all();
  }

  /** The same call as it is now; `undefined`: it has ended. */
  now({ callId, caller, callee, token }: DialogRecord): DialogRecord | undefined {
    return this.#calls.find(callId, caller.tag, callee.tag, token);
  }

  /** The records of before the restart. */
  async load(): Promise<readonly DialogRecord[]> {
    const records = await this.#store.load(this.#options.node);
    for (const record of records) this.#calls.put(record);
    return records;
  }

  // --- tokens --------------------------------------------------------------------------------------------------------

  /** The token for the Record-Route of one branch. */
  token(call: TokenCall, caller: TokenParty, callee: TokenParty): string {
    const { node, secrets } = this.#options;
    return tokenOfCall(call, caller, callee, { node, secret: secrets[0] ?? '', nowMs: this.#clock.nowMs() });
  }

  // --- following -----------------------------------------------------------------------------------------------------

  /** Law 10: without a valid token for this Call-ID a To tag gains nothing. */
  async follow(request: Request): Promise<Target | Reply | undefined> {
    const { message, token: text = '' } = request;
    const { callId, fromTag, toTag } = namesOf(message);
    if (this.#hungUp.has(fromTag, toTag, text)) return undefined;
    const record = this.find(message, text);
    // The token that we wrote for this very record needs no look at its signature.
    if (record === undefined || text === '' || record.token !== text) {
      const token = decodeToken(text, callId, this.#options.secrets);
      // A token of one's own call must not reach into somebody else's with the same Call-ID.
      const callerTag = token && [fromTag, toTag].find((tag) => tagHash(tag) === token.callerTagHash);
      if (token === undefined || callerTag === undefined) return undefined;
      if (record !== undefined && record.caller.tag !== callerTag) return undefined;
      if (record === undefined) return this.#followElsewhere(request, token);
    }
    return this.#followHere(request, record);
  }

  /** RFC 3891 §3: the device of ours that has the dialog which this INVITE wants the place of. */
  async replaced({ message }: Request): Promise<Target | Reply | undefined> {
    const store = this.#around.nodes.areMany ? this.#store : undefined;
    const known = this.#named.bind(this);
    const found = await replacedSide(message, { location: this.#location, store, known });
    if (found === undefined) return undefined;
    const { record, side } = found;
    return this.#followRecord({ message: withUri(message, record[side].remoteTarget) }, record, side);
  }

  async #followHere(request: Request, record: DialogRecord): Promise<Target | Reply | undefined> {
    const { message } = request;
    this.#followed.add(request);
    const side = sideOf(record, namesOf(message).fromTag) ?? 'caller';
    const noted = this.replace(record, this.#noteSender(noteRequest(record, message), side, request));
    // Its row goes with the BYE, not with the answer: should we die between the two, nobody would come to end it.
    if (message.method === 'BYE') this.#unstore(noted);
    return this.#followRecord(request, noted, otherSide(side));
  }

  /** Whether it came with a valid token: only such a request may end a dialog (law 10). */
  hasFollowed(request: Request): boolean {
    return this.#followed.has(request);
  }

  /** We have no record of it: another node has, or the database, or nobody. */
  async #followElsewhere(request: Request, token: TokenFields): Promise<Target | Reply | undefined> {
    const { message, hop, token: text = '' } = request;
    const { callId, fromTag, toTag } = namesOf(message);
    if (this.#around.nodes.areMany) {
      const writer = this.#around.nodes.idOf(token.node);
      // Who gets it from another node looks for itself: it must not go round in circles.
      if (hop === undefined && this.#around.nodes.isOther(writer)) return { uri: message.uri, owner: writer };
      const stored = await this.#store.find(callId, fromTag, toTag, text);
      const holder = stored?.node;
      if (this.#around.nodes.isOther(holder) && this.#around.nodes.isThere(holder))
        return { uri: message.uri, owner: holder };
      const isOver = stored === undefined || this.#rows.isGoing(stored);
      if (!isOver) return this.#followHere(request, this.adopt(stored));
    }
    this.#followed.add(request);
    return this.#followToken(request, token, fromTag);
  }

  async #followRecord(request: Followed, record: DialogRecord, towards: SideName): Promise<Target | Reply | undefined> {
    const side = record[towards];
    const target: Target = { uri: request.message.uri, binding: side.binding, media: side.media };
    if (side.flowId === undefined) return this.#atContact(request, target, side);
    const isHere = !this.#around.nodes.isOther(side.node);
    if (isHere && this.#network.find(side.flowId) !== undefined)
      return this.#at(request, { ...target, flowId: side.flowId });
    // Of a connection at another node only its binding tells whether it is still the one.
    const asked = side.binding === undefined ? Promise.resolve(undefined) : this.#bindingOf(side.binding);
    // With the database away it is taken to be still the one: a BYE must not be lost for that.
    const binding = await (isHere ? asked : asked.catch(() => undefined));
    const moved = binding?.flowId === undefined ? undefined : this.#around.reach(binding);
    const reach = moved ?? (isHere ? undefined : this.#around.reach({ ...side, contact: side.remoteTarget }));
    if (reach === undefined) return this.#unreachable(side.flowId);
    if (!hasFlow(reach)) return this.#atContact(request, target, side);
    this.replace(record, this.#notePlace(record, towards, reach));
    return this.#at(request, { ...target, ...reach });
  }

  #atContact(request: Followed, target: Target, side: DialogSide): Promise<Target | Reply> | undefined {
    const uri = wayTo(side, request.message);
    return uri === undefined ? undefined : this.#at(request, { ...target, uri });
  }

  /** RFC 5627 §6.1, in a dialog as well: a GRUU is no address that its device was registered with. */
  async #at({ message }: Followed, target: Target): Promise<Target | Reply> {
    const routed = get(message, Route) !== undefined;
    return (await this.#around.atDevice(target, routed)) ?? refuse('not-registered', 480);
  }

  #notePlace(record: DialogRecord, side: SideName, { flowId, elsewhere }: Reach): DialogRecord {
    if (elsewhere !== undefined) return noteFlow(record, side, elsewhere.flowId, undefined, elsewhere.node);
    const flow = flowId === undefined ? undefined : this.#network.find(flowId);
    return flow === undefined ? record : noteFlow(record, side, flow.id, flow.listener.index);
  }

  /** No record: the row was lost with the process, or nothing has come from the callee yet. */
  async #followToken(request: Request, token: TokenFields, fromTag: string): Promise<Target | Reply | undefined> {
    if (ageHours(token, this.#clock.nowMs()) > tokenHours) return undefined;
    const side = directionOf(token, fromTag) === 'from-caller' ? token.callee : token.caller;
    const target: Target = { uri: request.message.uri, media: side.media };
    if (side.flowId !== undefined && this.#network.find(side.flowId) !== undefined) {
      return this.#at(request, { ...target, flowId: side.flowId });
    }
    const binding = side.bindingKeyHash === undefined ? undefined : await this.#location.byKeyHash(side.bindingKeyHash);
    const reach = binding?.flowId === undefined ? undefined : this.#around.reach(binding);
    if (reach !== undefined && hasFlow(reach)) return this.#at(request, { ...target, ...reach });
    if (reach === undefined && side.flowId !== undefined) return this.#unreachable(side.flowId);
    const at = await this.#at(request, target);
    const next = nextOf(request.message);
    if (binding === undefined) return side.targetHash === targetHash(next) ? at : undefined;
    // A GRUU of the device counts as its contact.
    const isGruu = 'uri' in at && at.uri !== target.uri && get(request.message, Route) === undefined;
    const asked = isGruu ? (at.route?.[0] ?? at.uri) : next;
    const { route: [first] = [], uri } = targetOf(binding);
    return targetHash(first ?? uri) === targetHash(asked) ? at : undefined;
  }

  async #bindingOf(ref: BindingRef): Promise<Binding | undefined> {
    const bindings = await this.#location.lookup(ref.aor);
    return bindings.find((binding) => binding.key === ref.key);
  }

  /** Law 4: 480 while the client may come back, 481 when it has not. */
  #unreachable(flowId: string): Reply {
    return this.#closedFlows.isAwaited(flowId) ? refuse('flow-gone', 480) : refuse('no-dialog', 481);
  }

  /** The sender came by another connection than before: the other side reaches it there from now on. */
  #noteSender(record: DialogRecord, side: SideName, { flow, hop }: Request): DialogRecord {
    const { flowId: known } = record[side];
    if (known === undefined) return record;
    if (hop === undefined) return noteFlow(record, side, flow.id, flow.listener.index);
    const node = this.#around.nodes.idOf(hop.node);
    return node === undefined ? record : noteFlow(record, side, hop.flowId, undefined, node);
  }

  // --- life ----------------------------------------------------------------------------------------------------------

  established(record: DialogRecord): void {
    if (this.#calls.find(record.callId, record.caller.tag, record.callee.tag, record.token) !== undefined) return;
    this.#calls.put(record);
    this.#rows.save(record);
  }

  /** A call of another node, or of nobody any more, is ours from now on; its media and its lamps with it. */
  adopt(record: DialogRecord): DialogRecord {
    const known = this.#calls.find(record.callId, record.caller.tag, record.callee.tag, record.token);
    if (known !== undefined) return known;
    const own = adoptedBy(record, this.#options.node);
    this.#calls.put(own);
    this.#rows.save(own);
    return this.#around.adopted(own);
  }

  /** Calls of a node that is gone: those that no other node has taken. */
  async adoptAll(gone: string): Promise<void> {
    for (const record of await this.#store.adopt(gone, this.#options.node)) this.adopt({ ...record, node: gone });
    this.nodeGone(gone);
  }

  /** Its connections are closed: law 4 holds for those of its clients that have a call here. */
  nodeGone(node: string): void {
    const sides = this.all().flatMap(({ caller, callee }) => [caller, callee]);
    for (const { node: at, flowId } of sides) if (at === node && flowId !== undefined) this.#closedFlows.note(flowId);
  }

  /** A dialog without a row: an early one, or a subscription. */
  passing(record: DialogRecord): void {
    if (this.#passing.size >= mostPassing) for (const old of this.#passing.oldest()) this.#passing.remove(old);
    this.#passing.put(record);
  }

  /** An early dialog has become a call, or has come to nothing. */
  passed(record: DialogRecord): void {
    this.#passing.remove(record);
  }

  /** A 2xx to this request of the dialog passed: its Contact may be new. */
  note(request: Request, response: SipResponse): void {
    const record = this.find(response, request.token);
    if (record !== undefined) this.replace(record, noteResponse(record, response));
  }

  /** The dialog that this message belongs to, in either direction; of a spiral the pass with this token. */
  find(message: SipMessage, token: string | undefined): DialogRecord | undefined {
    const { callId, fromTag, toTag } = namesOf(message);
    return this.#named(callId, fromTag, toTag, token);
  }

  #named(callId: string, oneTag: string, otherTag: string, token?: string): DialogRecord | undefined {
    return this.#calls.find(callId, oneTag, otherTag, token) ?? this.#passing.find(callId, oneTag, otherTag, token);
  }

  ended(record: DialogRecord): void {
    this.#calls.remove(record);
    this.#unstore(record);
  }

  /** Its BYE is on its way. */
  isEnding(record: DialogRecord): boolean {
    return this.#unstored.has(record);
  }

  /** By a BYE of ours. */
  hungUp(record: DialogRecord): void {
    this.#hungUp.add(record);
  }

  /** The dialogs of this device follow it. Returns the calls that were elsewhere before. */
  move(binding: BindingRef, place: FlowPlace): readonly Move[] {
    for (const record of [...this.#passing.byBinding(binding)]) this.replace(record, moveFlow(record, binding, place));
    return [...this.#calls.byBinding(binding)].flatMap((record) => {
      const now = this.replace(record, moveFlow(record, binding, place));
      return hasMoved(record, now) ? [{ before: record, now }] : [];
    });
  }

  /** Whether it matters here where the devices of this address are. */
  concerns(aor: string): boolean {
    return this.#calls.hasAor(aor) || this.#passing.hasAor(aor);
  }

  byFlow(flowId: string): readonly DialogRecord[] {
    return [...this.#calls.byFlow(flowId), ...this.#passing.byFlow(flowId)];
  }

  /** `gone`: a call one of whose sides did not come back within the grace time. */
  closed({ id: flowId }: Pick<Flow, 'id'>, gone: (record: DialogRecord) => void): void {
    if (this.byFlow(flowId).length === 0) return;
    this.#closedFlows.note(flowId, () => {
      for (const record of this.#calls.byFlow(flowId)) gone(record);
    });
  }

  /** Calls with a side whose connection is not there; one that has just closed has its own time to come back. */
  unreachable(): readonly DialogRecord[] {
    const isGone = (at: DialogSide): boolean =>
      !this.#closedFlows.has(at.flowId ?? '') && this.#around.reach({ ...at, contact: at.remoteTarget }) === undefined;
    return this.all().filter(({ caller, callee }) => isGone(caller) || isGone(callee));
  }

  /** The new value in place of the old; CSeqs go to the database with the next change that matters. */
  replace(old: DialogRecord, record: DialogRecord): DialogRecord {
    if (old === record) return record;
    // It may have ended while the database was asked.
    if (this.#passing.has(old)) this.#passing.put(record);
    if (!this.#calls.has(old)) return record;
    this.#calls.put(record);
    if (this.#unstored.has(old)) this.#unstored.add(record);
    else if (hasMoved(old, record)) this.#rows.save(record);
    return record;
  }

  #unstore(record: DialogRecord): void {
    if (this.#unstored.has(record)) return;
    this.#unstored.add(record);
    this.#rows.remove(record);
  }
}
