/**
 * The location service in PostgreSQL: `LocationStore` over grouped statements. Nothing is cached, the database is the
 * truth. Statements and columns: `location-sql.ts`.
 */
import type { Binding, BindingChange, BindingOutcome, Clock, LocationStore } from '../../ports.ts';
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
  lookupStatement,
  type PreparedChange,
  prepareChange,
} from './location-sql.ts';
import type { Pool } from './pool.ts';
import { createGroupedReader } from './reader.ts';
import { AT, createSweep } from './sweep.ts';
import { toDatabase } from './text.ts';
import { createGroupedWriter } from './writer.ts';

export interface PostgresLocationStore extends LocationStore {
  /** Removes rows that have expired, in batches; resolves with their number. */
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

export function createLocationStore({ pool, clock, groupMs }: StoreOptions): PostgresLocationStore {
  const limits = { maxGroup: MAX_GROUP, maxWaiting: MAX_WAITING, after: clock.after.bind(clock) };
  const sweep = createSweep(pool, { table: 'location', key: 'aor, binding_key', isOver: `expires_at <= ${AT}` });
  const changes = createGroupedWriter<PreparedChange, BindingOutcome>({
    ...limits,
    groupMs,
    key: (change) => change.aor,
    write: async (group) => outcomes(group, await pool.query<ChangeRow>(changeStatement(group, clock.nowMs()))),
  });
  const drops = createGroupedWriter<string, void>({
    ...limits,
    groupMs,
    key: (flowId) => flowId,
    write: async (flowIds) => {
      await pool.query(dropFlowsStatement(flowIds));
      return flowIds.map(() => undefined);
    },
  });
  const lookups = createGroupedReader<string, readonly Binding[]>(async (aors) => {
    const rows = await pool.query<LocationRow>(lookupStatement(aors, clock.nowMs()));
    const byAor = Map.groupBy(rows, (row) => row.aor);
    return aors.map((aor) => (byAor.get(aor) ?? []).map(bindingOf));
  });
  const hashes = createGroupedReader<string, Binding | undefined>(async (keyHashes) => {
    const rows = await pool.query<LocationRow>(keyHashStatement(keyHashes, clock.nowMs()));
    const byHash = Map.groupBy(rows, (row) => row.key_hash);
    return keyHashes.map((keyHash) => byHash.get(keyHash)?.map(bindingOf)[0]);
  });
  const groups = [changes, drops, lookups, hashes];

  return {
    lookup: async (aor) => lookups.add(toDatabase(aor)),
    byKeyHash: (keyHash) => hashes.add(keyHash),
    change: async (change: BindingChange) => changes.add(prepareChange(change)),
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
    sweep: () => sweep(clock.nowMs()),
    waiting: () => groups.reduce((sum, group) => sum + group.waiting(), 0),
    idle: async () => {
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
