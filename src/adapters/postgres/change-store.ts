/** What nodes tell each other: a small table that is only added to, read by the clock of the database, and swept. */
import type { Change, ChangeStore, EventPackage } from '../../ports.ts';
import type { StoreOptions } from './location-store.ts';
import { AT, createSweep } from './sweep.ts';
import { fromDatabase, toDatabase } from './text.ts';

export interface PostgresChangeStore extends ChangeStore {
  sweep(): Promise<number>;
}

const TELL = `INSERT INTO change (node, content)
  SELECT $1, content FROM unnest($2::jsonb[]) WITH ORDINALITY AS c(content, place) ORDER BY place`;

const RECENT = `SELECT id, node, content FROM change
  WHERE made_at > clock_timestamp() - interval '10 seconds' AND node <> $1 ORDER BY id`;

interface ChangeRow {
  readonly id: string;
  readonly node: string;
  readonly content: unknown;
}

export function createChangeStore({ pool, clock }: Pick<StoreOptions, 'pool' | 'clock'>): PostgresChangeStore {
  // Where nodes are not many, it costs the database nothing.
  let isUsed = false;
  const sweep = createSweep(pool, { table: 'change', key: 'id', isOver: `made_at < ${AT} - interval '1 minute'` });
  return {
    tell: async (node, changes) => {
      await pool.query({ name: 'change-tell', text: TELL, values: [toDatabase(node), changes.map(json)] });
    },
    recent: async (node) => {
      isUsed = true;
      const rows = await pool.query<ChangeRow>({ name: 'change-recent', text: RECENT, values: [toDatabase(node)] });
      return rows.flatMap((row) => {
        const change = changeOf(row.content);
        return change === undefined ? [] : [{ id: Number(row.id), node: fromDatabase(row.node), change }];
      });
    },
    sweep: async () => (isUsed ? sweep(clock.nowMs()) : 0),
  };
}

function json(change: Change): string {
  return JSON.stringify(change, (_name, value: unknown) => (typeof value === 'string' ? toDatabase(value) : value));
}

/** `undefined` for a row that is none of ours to read, such as one of a later release. */
function changeOf(content: unknown): Change | undefined {
  if (!isObject(content)) return undefined;
  const text = (value: unknown): string => (typeof value === 'string' ? fromDatabase(value) : '');
  const { kind, aor, flowId, flowIds, resource, event, call } = content;
  switch (kind) {
    case 'registered':
    case 'stored':
      return { kind, aor: text(aor) };
    case 'media-nodes':
      return { kind };
    case 'closed':
      return { kind, flowId: text(flowId) };
    case 'account-closed':
      return { kind, aor: text(aor), flowIds: Array.isArray(flowIds) ? flowIds.map(text) : [] };
    case 'watched':
      return isEvent(event) ? { kind, resource: text(resource), event } : undefined;
    case 'call':
      return callOf(text(aor), call, text);
    default:
      return undefined;
  }
}

function callOf(aor: string, call: unknown, text: (value: unknown) => string): Change | undefined {
  if (!isObject(call)) return undefined;
  const { id, direction, phase, remote } = call;
  if (direction !== 'initiator' && direction !== 'recipient') return undefined;
  if (phase !== 'trying' && phase !== 'early' && phase !== 'confirmed' && phase !== 'terminated') return undefined;
  return { kind: 'call', aor, call: { id: text(id), direction, phase, remote: text(remote) } };
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null;
}

const events: readonly EventPackage[] = ['presence', 'presence.winfo', 'dialog', 'reg', 'message-summary'];

function isEvent(value: unknown): value is EventPackage {
  return events.some((event) => event === value);
}
