/**
 * Grouped statements (DESIGN §5): what is asked within a few milliseconds goes to PostgreSQL as one multi-row statement
 * and is committed together. One writer per kind of statement; it knows nothing of SQL.
 *
 * - A group has at most one entry per key (a statement cannot change a row twice), sorted by key (two nodes lock rows in
 *   the same order). The next entry of a key waits until the group of the one before it has ended: order is kept.
 * - A group that fails is retried entry by entry, so that a poison row hurts only itself. When the database is gone it
 *   is not retried: the outcome is unknown, and all entries fail with that.
 * - What waits is bounded; beyond the bound an entry is refused at once.
 */
import { Failure, failureOf } from '../../errors.ts';
import type { Clock } from '../../ports.ts';

export interface GroupedWriter<Item, Result> {
  /**
   * Resolves with the entry's result when its group is committed. `patienceMs`: how long nobody minds that it waits; it
   * leaves with the next group that leaves at all, and costs no statement of its own where others come.
   */
  add(item: Item, patienceMs?: number): Promise<Result>;
  /** Entries that are not on their way yet. */
  waiting(): number;
  /** Resolves when nothing waits and nothing is on its way. */
  idle(): Promise<void>;
}

export interface GroupedWriterOptions<Item, Result> {
  /** How long an entry waits for company at most, when the database keeps up. */
  readonly groupMs: number;
  /**
   * The same while company comes: after a group of more than one. One commit then serves more of them, and who is alone
   * does not wait for nobody. Default `groupMs`.
   */
  readonly companyMs?: number;
  readonly maxGroup: number;
  readonly maxWaiting: number;
  /** Groups on their way at the same time. */
  readonly maxInFlight?: number;
  readonly after: Clock['after'];
  key(item: Item): string;
  /** Writes and commits; one result per item, in the same order. */
  write(items: readonly Item[]): Promise<readonly Result[]>;
}

interface Entry<Item, Result> {
  readonly key: string;
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (failure: Failure) => void;
}

const LONGEST_COMPANY_MS = 100;

/** `companyMs` of what nobody waits for by ear: REGISTER, PUBLISH, SUBSCRIBE, NOTIFY. */
export function companyMsOf(groupMs: number): number {
  return Math.max(groupMs, Math.min(4 * groupMs, LONGEST_COMPANY_MS));
}

/** With so many a group leaves before its time: what all of them share is small by then. */
const ENOUGH = 32;

export function createGroupedWriter<Item, Result>(
  options: GroupedWriterOptions<Item, Result>,
): GroupedWriter<Item, Result> {
  const { maxInFlight = 2, groupMs, companyMs = groupMs, maxGroup } = options;
  const enough = companyMs > groupMs ? Math.min(ENOUGH, maxGroup) : maxGroup;
  const queues = new Map<string, Entry<Item, Result>[]>();
  const busyKeys = new Set<string>();
  let idleWaiters: (() => void)[] = [];
  let waiting = 0;
  let inFlight = 0;
  let timer: { readonly ms: number; readonly stop: () => void } | undefined;
  /** The time for company is over for all that waits: it leaves as soon as a group ends. */
  let overdue = false;
  /** The last group had more than one entry. */
  let hasCompany = false;

  function add(item: Item, patienceMs = hasCompany ? companyMs : groupMs): Promise<Result> {
    if (waiting >= options.maxWaiting) {
      return Promise.reject(new Failure('overloaded', `${waiting} statements wait for the database.`));
    }
    return new Promise((resolve, reject) => {
      enqueue({ key: options.key(item), item, resolve, reject }, patienceMs);
    });
  }

  function enqueue(entry: Entry<Item, Result>, patienceMs: number): void {
    const queue = queues.get(entry.key);
    if (queue === undefined) queues.set(entry.key, [entry]);
    else queue.push(entry);
    waiting += 1;
    if (waiting >= enough) leave();
    else leaveWithin(patienceMs);
  }

  /** A timer of somebody more patient is not waited for. */
  function leaveWithin(ms: number): void {
    if (timer !== undefined && timer.ms <= ms) return;
    timer?.stop();
    timer = { ms, stop: options.after(ms, leave) };
  }

  function leave(): void {
    timer?.stop();
    timer = undefined;
    while (inFlight < maxInFlight) {
      const group = takeGroup();
      if (group.length === 0) break;
      void send(group);
    }
    overdue = waiting > 0;
  }

  function takeGroup(): readonly Entry<Item, Result>[] {
    const group: Entry<Item, Result>[] = [];
    for (const [key, queue] of queues) {
      if (group.length >= maxGroup) break;
      if (busyKeys.has(key)) continue;
      const entry = queue.shift();
      if (entry !== undefined) group.push(entry);
      if (queue.length === 0) queues.delete(key);
    }
    waiting -= group.length;
    return group.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async function send(group: readonly Entry<Item, Result>[]): Promise<void> {
    inFlight += 1;
    hasCompany = group.length > 1;
    for (const { key } of group) busyKeys.add(key);
    await settle(group, options.write);
    for (const { key } of group) busyKeys.delete(key);
    inFlight -= 1;
    if (overdue) leave();
    if (inFlight === 0 && waiting === 0) wakeIdle();
  }

  function wakeIdle(): void {
    const waiters = idleWaiters;
    idleWaiters = [];
    for (const wake of waiters) wake();
  }

  return {
    add,
    waiting: () => waiting,
    idle: () =>
      inFlight === 0 && waiting === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idleWaiters.push(resolve);
          }),
  };
}

async function settle<Item, Result>(
  group: readonly Entry<Item, Result>[],
  write: GroupedWriterOptions<Item, Result>['write'],
): Promise<void> {
  try {
    resolveAll(group, await write(group.map((entry) => entry.item)));
  } catch (thrown) {
    const failure = failureOf(thrown);
    if (group.length > 1 && !concernsAll(failure)) {
      for (const entry of group) await settle([entry], write);
    } else {
      for (const entry of group) entry.reject(failure);
    }
  }
}

function resolveAll<Item, Result>(group: readonly Entry<Item, Result>[], results: readonly Result[]): void {
  if (results.length !== group.length) throw new Failure('internal', 'A statement gave the wrong number of results.');
  results.forEach((result, index) => {
    group[index]?.resolve(result);
  });
}

/** Not the fault of one row, so trying the rows one by one would only make the wait longer. */
function concernsAll(failure: Failure): boolean {
  return failure.code === 'database-down' || failure.code === 'overloaded' || failure.code === 'shutting-down';
}
