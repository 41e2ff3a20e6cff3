/**
 * The location service in PostgreSQL: `LocationStore` over grouped statements. Nothing is cached, the database is the
 * truth. Statements and columns: `location-sql.ts`.
 */
import type { Binding, BindingChange, BindingOutcome, Clock, LocationStore } from '../../ports.ts';
import type { CalleeReader } from './callee-reader.ts';
import { createCount } from './count.ts';
import {
  bindingOf,
  type ChangeRow,
  changeStatement,
  countStatement,
  dropFlowsStatement,
  dropOtherBootsStatement,
  dropStatement,
  keyHashStatement,
  type LocationRow,
  learnStatement,
  listStatement,
  overUdpStatement,
  type PreparedChange,
  prepareChange,
} from './location-sql.ts';
import type { Pool } from './pool.ts';
import { createGroupedReader } from './reader.ts';
import { mayBeRefresh, type RefreshRow, refreshedBindings, refreshStatement } from './refresh-sql.ts';
import { AT, createWalkingSweep } from './sweep.ts';
import { toDatabase } from './text.ts';
import { createTurns } from './turns.ts';
import { companyMsOf, createGroupedWriter } from './writer.ts';

export interface PostgresLocationStore extends LocationStore {
  /** Removes rows that have expired, in batches, in a stretch of the table; resolves with their number. */
  sweep(): Promise<number>;
  waiting(): number;
  idle(): Promise<void>;
}

export interface StoreOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly groupMs: number;
}

const MAX_GROUP = 250;
const MAX_WAITING = 20_000;

/** `callees`: shared with the subscriber store, so that what a call asks of both is one statement. */
export function createLocationStore(
  { pool, clock, groupMs }: StoreOptions,
  callees: Pick<CalleeReader, 'bindings'>,
): PostgresLocationStore {
  const limits = { maxGroup: MAX_GROUP, maxWaiting: MAX_WAITING, after: clock.after.bind(clock) };
  const sweep = createWalkingSweep(pool, { table: 'location', key: 'aor, binding_key', isOver: `expires_at <= ${AT}` });
  const patience = { ...limits, groupMs, companyMs: companyMsOf(groupMs) };
  const refreshes = createGroupedWriter<PreparedChange, readonly Binding[] | undefined>({
    ...patience,
    key: (change) => change.aor,
    write: async (group) => {
      const rows = await pool.query<RefreshRow>(refreshStatement(group, clock.nowMs()));
      const byAor = Map.groupBy(rows, (row) => row.aor);
      return group.map((change) => refreshedBindings(change, byAor.get(change.aor) ?? []));
    },
  });
  const changes = createGroupedWriter<PreparedChange, BindingOutcome>({
    ...patience,
    key: (change) => change.aor,
    write: async (group) => outcomes(group, await pool.query<ChangeRow>(changeStatement(group, clock.nowMs()))),
  });
  // Whichever of the two it is, those of one AOR are written in the order in which they came.
  const turns = createTurns();
  const written = async (change: PreparedChange): Promise<BindingOutcome> => {
    const bindings = mayBeRefresh(change) ? await refreshes.add(change) : undefined;
    return bindings === undefined ? changes.add(change) : { outcome: 'stored', bindings };
  };
  const drops = createGroupedWriter<string, void>({
    ...limits,
    groupMs,
    key: (flowId) => flowId,
    write: async (flowIds) => {
      await pool.query(dropFlowsStatement(flowIds));
      return flowIds.map(() => undefined);
    },
  });
  const hashes = createGroupedReader<string, Binding | undefined>(async (keyHashes) => {
    const rows = await pool.query<LocationRow>(keyHashStatement(keyHashes, clock.nowMs()));
    const byHash = Map.groupBy(rows, (row) => row.key_hash);
    return keyHashes.map((keyHash) => byHash.get(keyHash)?.map(bindingOf)[0]);
  });
  const groups = [refreshes, changes, drops, hashes];

  return {
    lookup: async (aor) => callees.bindings(toDatabase(aor)),
    byKeyHash: (keyHash) => hashes.add(keyHash),
    change: async (change: BindingChange) => {
      const prepared = prepareChange(change);
      return turns.take(prepared.aor, () => written(prepared));
    },
    learn: async (aor, key, media) => {
      await pool.query(learnStatement(aor, key, media));
    },
    dropFlow: (flowId) => drops.add(flowId),
    dropOtherBoots: async (node, boot) => {
      await pool.query(dropOtherBootsStatement(toDatabase(node), toDatabase(boot)));
    },
    drop: async (binding) => {
      await pool.query(dropStatement(binding));
    },
    count: createCount((most) => countUpTo(pool, clock, most), clock),
    list: async ({ limit, after = '' }) => {
      const rows = await pool.query<LocationRow>(listStatement(limit, toDatabase(after), clock.nowMs()));
      return rows.map(bindingOf);
    },
    overUdp: async ({ node, limit, after = 'u' }) => {
      const rows = await pool.query<LocationRow>(overUdpStatement({ node, limit, after, nowMs: clock.nowMs() }));
      return rows.map(bindingOf);
    },
    sweep: () => sweep(clock.nowMs()),
    waiting: () => groups.reduce((sum, group) => sum + group.waiting(), turns.waiting()),
    idle: async () => {
      await turns.idle();
      await Promise.all(groups.map((group) => group.idle()));
    },
  };
}

async function countUpTo(pool: Pool, clock: Clock, most: number): Promise<number> {
  const [row] = await pool.query<{ count: number }>(countStatement(most, clock.nowMs()));
  return row?.count ?? 0;
}

function outcomes(group: readonly PreparedChange[], rows: readonly ChangeRow[]): readonly BindingOutcome[] {
  const byAor = Map.groupBy(rows, (row) => row.aor);
  return group.map(({ aor }) => {
    const own = byAor.get(aor) ?? [];
    // A refused AOR has at least the binding that refused it.
    return { outcome: own[0]?.refused ?? 'stored', bindings: own.map(bindingOf) };
  });
}
