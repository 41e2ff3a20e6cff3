/**
 * PostgreSQL's part in memory (`ports.ts` stores): the same rules, on the virtual clock. It is an object of its own, so a
 * second engine can be started on what the first one left.
 *
 * Switches: `down` (everything is refused with `database-down`) and `latencyMs`. Left out: grouped writes, the expiry of
 * outbox entries.
 */
import { bindingKeyHash } from '../../src/dialog/token.ts';
import { Failure } from '../../src/errors.ts';
import type {
  AliasStore,
  Binding,
  BindingChange,
  BindingOutcome,
  CallFilter,
  CallRecord,
  CallRecordStore,
  CallSettings,
  ChangeStore,
  Clock,
  DialogRecord,
  DialogStore,
  FailedCall,
  FailedCallStore,
  LocationStore,
  MediaKind,
  MediaOutbox,
  MessageStore,
  NodeSeen,
  NodeSelf,
  NodeStore,
  OutboxEntry,
  PresenceStore,
  Publication,
  SessionStore,
  StoredMessage,
  SubscriberAccounts,
  Subscription,
  ToldChange,
} from '../../src/ports.ts';
import { hasWayByPath } from '../../src/registrar/binding.ts';
import { createMemoryAccounts } from './memory-accounts.ts';
import { createMemoryMessages, createMemoryPresence, type Run } from './memory-presence.ts';

export interface MemoryDatabase {
  readonly subscribers: SubscriberAccounts;
  readonly aliases: AliasStore;
  readonly sessions: SessionStore;
  readonly location: LocationStore;
  readonly dialogs: DialogStore;
  readonly outbox: MediaOutbox;
  readonly failedCalls: FailedCallStore;
  readonly callRecords: CallRecordStore;
  readonly presence: PresenceStore;
  readonly messages: MessageStore;
  readonly nodes: NodeStore;
  readonly changes: ChangeStore;
  /** Why it is `down`. */
  trouble(): Failure | undefined;
  /** Statements that are not answered yet. */
  waiting(): number;
  state(): 'up' | 'down';
  set(switches: Partial<DatabaseSwitches>): void;
  /** With these words as password. */
  addUser(username: string, domain: string, password: string): void;
  /** As `viaduct user set` does. */
  setCalls(username: string, domain: string, calls: Partial<CallSettings>): void;
  /** What is in the tables now, without waiting. */
  readonly rows: {
    bindings(): readonly Binding[];
    dialogs(): readonly DialogRecord[];
    outbox(): readonly OutboxEntry[];
    publications(): readonly Publication[];
    subscriptions(): readonly Subscription[];
    messages(): readonly StoredMessage[];
  };
}

export interface DatabaseSwitches {
  readonly down: boolean;
  readonly latencyMs: number;
}

export function createMemoryDatabase(clock: Clock, first: Partial<DatabaseSwitches> = {}): MemoryDatabase {
  let switches: DatabaseSwitches = { down: false, latencyMs: 0, ...first };
  let waiting = 0;
  const run: Run = async (statement) => {
    waiting++;
    if (switches.latencyMs > 0) await new Promise<void>((resolve) => clock.after(switches.latencyMs, resolve));
    waiting--;
    if (switches.down) throw new Failure('database-down');
    return statement();
  };
  const accounts = createMemoryAccounts(clock, run);
  const location = locationStore(clock, run);
  const nodes = nodeStore(clock, run);
  const dialogs = dialogStore(run, nodes.isSilent);
  const outbox = outboxStore(run);
  const presence = createMemoryPresence(clock, run, nodes.isSilent);
  const messages = createMemoryMessages(clock, run);
  return {
    subscribers: accounts.store,
    aliases: accounts.aliases,
    sessions: accounts.sessions,
    location: location.store,
    dialogs: dialogs.store,
    outbox: outbox.store,
    failedCalls: failedCallStore(run),
    callRecords: callRecordStore(run),
    presence: presence.store,
    messages: messages.store,
    nodes: nodes.store,
    changes: changeStore(clock, run),
    trouble: () => (switches.down ? new Failure('database-down', 'It is switched off.') : undefined),
    waiting: () => waiting,
    state: () => (switches.down ? 'down' : 'up'),
    set: (changed) => {
      switches = { ...switches, ...changed };
    },
    setCalls: accounts.setCalls,
    addUser: accounts.put,
    rows: {
      bindings: location.rows,
      dialogs: dialogs.rows,
      outbox: outbox.rows,
      ...presence.rows,
      messages: messages.rows,
    },
  };
}

// --- location --------------------------------------------------------------------------------------------------------

interface LocationRow {
  readonly binding: Binding;
  /** Grows with each write: of equal q the newest comes first. */
  readonly written: number;
}

function locationStore(clock: Clock, run: Run): { store: LocationStore; rows: () => readonly Binding[] } {
  const table = new Map<string, LocationRow>();
  let writes = 0;
  const alive = (): readonly LocationRow[] =>
    [...table.values()].filter(({ binding }) => binding.expiresAtMs > clock.nowMs());
  const lookup = (aor: string): readonly Binding[] =>
    alive()
      .filter(({ binding }) => binding.aor === aor)
      .sort((a, b) => b.binding.q - a.binding.q || b.written - a.written)
      .map(({ binding }) => binding);
  const change = (wanted: BindingChange): BindingOutcome => {
    if (lookup(wanted.aor).some((held) => isOutOfOrder(wanted, held))) {
      return { outcome: 'out-of-order', bindings: lookup(wanted.aor) };
    }
    const surplus = surplusOf(wanted, lookup(wanted.aor));
    if (surplus.length > 0 && wanted.limit?.whenFull === 'refuse') {
      return { outcome: 'too-many', bindings: lookup(wanted.aor) };
    }
    const held = lookup(wanted.aor);
    for (const { aor, key } of surplus) table.delete(rowKey(aor, key));
    for (const { aor, key } of lookup(wanted.aor)) if (removes(wanted, key)) table.delete(rowKey(aor, key));
    for (const binding of wanted.save) {
      const key = rowKey(binding.aor, binding.key);
      const media = binding.media ?? table.get(key)?.binding.media;
      table.set(key, { binding: { ...binding, media, gruuCSeq: gruuCSeqOf(binding, held) }, written: ++writes });
    }
    return { outcome: 'stored', bindings: lookup(wanted.aor) };
  };
  const learn = (aor: string, key: string, media: MediaKind): void => {
    const row = table.get(rowKey(aor, key));
    if (row !== undefined) table.set(rowKey(aor, key), { ...row, binding: { ...row.binding, media } });
  };
  const dropFlow = (flowId: string): void => {
    for (const [key, { binding }] of table) if (binding.flowId === flowId && endsWithFlow(binding)) table.delete(key);
  };
  const dropOtherBoots = (node: string, boot: string): void => {
    for (const [key, { binding }] of table) {
      const gone = binding.node === node && binding.boot !== boot && binding.flowId?.startsWith('c') === true;
      if (gone && endsWithFlow(binding)) table.delete(key);
    }
  };
  const byKeyHash = (keyHash: string): Binding | undefined =>
    alive().find(({ binding }) => bindingKeyHash(binding.aor, binding.key) === keyHash)?.binding;
  const page = (limit: number, after: string): readonly Binding[] => {
    const aors = [...new Set(alive().map(({ binding }) => binding.aor))].sort().filter((aor) => aor > after);
    const rows: Binding[] = [];
    // Whole AORs only, so that the next page can start after one.
    for (const aor of aors) if (rows.length < limit) rows.push(...lookup(aor));
    return rows;
  };
  const overUdp = ({ node, limit, after = 'u' }: Parameters<LocationStore['overUdp']>[0]): readonly Binding[] => {
    const flowOf = ({ flowId = '' }: Binding): string => flowId;
    const own = alive().map(({ binding }) => binding);
    const flows = [...new Set(own.filter((one) => one.node === node).map(flowOf))].filter(
      (id) => id > after && id < 'v',
    );
    const rows: Binding[] = [];
    for (const id of flows.sort()) if (rows.length < limit) rows.push(...own.filter((one) => one.flowId === id));
    return rows;
  };
  const store: LocationStore = {
    lookup: (aor) => run(() => lookup(aor)),
    byKeyHash: (keyHash) => run(() => byKeyHash(keyHash)),
    change: (wanted) => run(() => change(wanted)),
    learn: (aor, key, media) => run(() => learn(aor, key, media)),
    dropFlow: (flowId) => run(() => dropFlow(flowId)),
    dropOtherBoots: (node, boot) => run(() => dropOtherBoots(node, boot)),
    drop: ({ aor, key, flowId }) =>
      run(() => {
        if (table.get(rowKey(aor, key))?.binding.flowId === flowId) table.delete(rowKey(aor, key));
      }),
    count: () => run(() => alive().length),
    list: ({ limit, after = '' }) => run(() => page(limit, after)),
    overUdp: (page) => run(() => overUdp(page)),
  };
  return { store, rows: () => alive().map(({ binding }) => binding) };
}

/** RFC 5627 §5.1: temporary GRUUs of this device and Call-ID stay good, whichever of its flows was given them. */
function gruuCSeqOf({ key, callId, gruuCSeq }: Binding, held: readonly Binding[]): number | undefined {
  const device = (text: string): string => text.replace(/;reg-id=\d+$/, '');
  const own = held.filter((one) => one.callId === callId && device(one.key) === device(key));
  const given = [gruuCSeq, ...own.map((one) => one.gruuCSeq)].filter((cseq) => cseq !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** RFC 3261 §10.3 steps 6 and 7: one contact out of order refuses the whole request. */
function isOutOfOrder(change: BindingChange, held: Binding): boolean {
  const touched = removes(change, held.key) || change.save.some(({ key }) => key === held.key);
  return touched && held.callId === change.callId && change.cseq <= held.cseq;
}

/** The bindings that are too many, oldest first; none when the AOR has room. */
function surplusOf({ limit, save, ...change }: BindingChange, held: readonly Binding[]): readonly Binding[] {
  if (limit === undefined) return [];
  const counted = held.filter(({ flowId }) => flowId === undefined || !limit.closedFlows.includes(flowId));
  const isSaved = (one: Binding): boolean => save.some(({ key }) => key === one.key);
  const kept = counted.filter((one) => !isSaved(one) && !removes({ ...change, save }, one.key));
  const after = save.length + kept.length;
  const excess = after > counted.length ? Math.max(0, after - limit.contacts) : 0;
  // `held` is newest first where all have the same q.
  return kept.toReversed().slice(0, excess);
}

const endsWithFlow = (binding: Binding): boolean => !/;pn-prid=/i.test(binding.contact) && !hasWayByPath(binding);

function removes(change: BindingChange, key: string): boolean {
  return change.remove === '*' || change.remove.includes(key);
}

const rowKey = (...parts: readonly string[]): string => parts.join('\n');

// --- calls -----------------------------------------------------------------------------------------------------------

function dialogStore(
  run: Run,
  isSilent: (node: string) => boolean,
): { store: DialogStore; rows: () => readonly DialogRecord[] } {
  const table = new Map<string, DialogRecord>();
  const keyOf = ({ callId, caller, callee, token }: DialogRecord): string =>
    rowKey(callId, caller.tag, callee.tag, token);
  const store: DialogStore = {
    save: (record) => run(() => void table.set(keyOf(record), record)),
    remove: (record) => run(() => void table.delete(keyOf(record))),
    load: (node) => run(() => [...table.values()].filter((record) => record.node === node)),
    find: (callId, oneTag, otherTag, token) =>
      run(() =>
        [...table.values()].find(
          ({ callId: id, caller, callee, token: its }) =>
            id === callId &&
            (token === undefined || token === its) &&
            (caller.tag === oneTag ? callee.tag === otherTag : caller.tag === otherTag && callee.tag === oneTag),
        ),
      ),
    up: ({ nodes, sinceMs, untilMs, limit }) =>
      run(() => {
        const wanted = ({ node, answeredAtMs: at }: DialogRecord): boolean =>
          nodes.includes(node) && at >= sinceMs && at < untilMs;
        const found = [...table.values()].filter(wanted).sort((a, b) => b.answeredAtMs - a.answeredAtMs);
        const last = found[limit - 1]?.answeredAtMs ?? 0;
        return found.filter(({ answeredAtMs }) => answeredAtMs >= last);
      }),
    hasMedia: (name) => run(() => [...table.values()].some((one) => one.callId === name || one.mediaName === name)),
    adopt: (gone, by) =>
      run(() => {
        if (!isSilent(gone)) return [];
        const found = [...table.values()].filter((record) => record.node === gone);
        return found.map((record) => {
          const adopted = { ...record, node: by };
          table.set(keyOf(record), adopted);
          return adopted;
        });
      }),
  };
  return { store, rows: () => [...table.values()] };
}

function nodeStore(clock: Clock, run: Run): { store: NodeStore; isSilent: (node: string) => boolean } {
  const table = new Map<string, NodeSelf & { readonly seenMs: number }>();
  const all = (): readonly NodeSeen[] =>
    [...table.values()].map(({ seenMs, ...node }) => ({ ...node, silentMs: clock.nowMs() - seenMs }));
  const store: NodeStore = {
    beat: (self) =>
      run(() => {
        const before = all();
        table.set(self.id, { ...self, seenMs: clock.nowMs() });
        return before;
      }),
    leave: ({ id, boot }) =>
      run(() => {
        if (table.get(id)?.boot === boot) table.delete(id);
      }),
  };
  return { store, isSilent: (id) => clock.nowMs() - (table.get(id)?.seenMs ?? 0) > 5_000 };
}

function changeStore(clock: Clock, run: Run): ChangeStore {
  const rows: (ToldChange & { readonly madeMs: number })[] = [];
  return {
    tell: (node, changes) =>
      run(() => {
        for (const change of changes) rows.push({ id: rows.length, node, change, madeMs: clock.nowMs() });
      }),
    recent: (node) => run(() => rows.filter((row) => row.node !== node && clock.nowMs() - row.madeMs < 10_000)),
  };
}

function failedCallStore(run: Run): FailedCallStore {
  const rows = new Map<string, FailedCall>();
  return {
    save: (call) => run(() => void rows.set(call.id, call)),
    find: (id) => run(() => rows.get(id)),
  };
}

function callRecordStore(run: Run): CallRecordStore {
  const rows = new Map<string, CallRecord>();
  const sorted = (): readonly CallRecord[] =>
    [...rows.values()].sort((a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? -1 : 1));
  const isBehind = (row: CallRecord, { startedAtMs, id }: Pick<CallRecord, 'startedAtMs' | 'id'>): boolean =>
    row.startedAtMs < startedAtMs || (row.startedAtMs === startedAtMs && row.id > id);
  const isOf = (
    row: CallRecord,
    { state, aor, sinceMs = 0, untilMs = Number.POSITIVE_INFINITY }: CallFilter,
  ): boolean =>
    (state === undefined || row.state === state) &&
    (aor === undefined || row.fromAor === aor || row.toAor === aor) &&
    row.startedAtMs >= sinceMs &&
    row.startedAtMs < untilMs;
  return {
    save: (record) => run(() => void rows.set(rowKey(record.id, String(record.startedAtMs)), record)),
    find: (id) => run(() => sorted().find((row) => row.id === id)),
    list: ({ limit, before, ...filter }) =>
      run(() =>
        sorted()
          .filter((row) => (before === undefined || isBehind(row, before)) && isOf(row, filter))
          .slice(0, limit),
      ),
  };
}

function outboxStore(run: Run): { store: MediaOutbox; rows: () => readonly OutboxEntry[] } {
  const table = new Map<string, OutboxEntry>();
  const keyOf = ({ callId, mediaNode }: OutboxEntry): string => rowKey(callId, mediaNode);
  const done = (entry: OutboxEntry): void => {
    const held = table.get(keyOf(entry));
    // An entry of a later call under the same Call-ID is not removed by that one's `done`.
    if (held !== undefined && held.createdAtMs <= entry.createdAtMs) table.delete(keyOf(entry));
  };
  const store: MediaOutbox = {
    add: (entry) => run(() => void table.set(keyOf(entry), entry)),
    done: (entry) => run(() => done(entry)),
    pending: () => run(() => [...table.values()]),
  };
  return { store, rows: () => [...table.values()] };
}
