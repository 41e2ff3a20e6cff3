/**
 * Dialog records in PostgreSQL (DESIGN §5). Saves and removes go through one grouped writer, keyed by dialog, so that the
 * order of the two is kept. Each side of the call is one JSON document: nothing in it is ever searched for.
 */
import type { DialogRecord, DialogSide, DialogStore, MediaKind } from '../../ports.ts';
import type { StoreOptions } from './location-store.ts';
import { fromDatabase, toDatabase } from './text.ts';
import { createGroupedWriter } from './writer.ts';

export interface PostgresDialogStore extends DialogStore {
  waiting(): number;
  idle(): Promise<void>;
}

type DialogKey = readonly [callId: string, callerTag: string, calleeTag: string, token: string];
type DialogChange = readonly [...DialogKey, row: DialogRowValues | undefined];
/** node, media node, media name, answered at, caller, callee */
type DialogRowValues = readonly [string, string | null, string | null, number, string, string];

interface DialogRow {
  readonly call_id: string;
  readonly token: string;
  readonly node: string;
  readonly media_node: string | null;
  readonly media_name: string | null;
  readonly answered_at: Date;
  readonly caller: unknown;
  readonly callee: unknown;
}

const WRITE = `
  WITH removal AS (
    DELETE FROM dialog WHERE (call_id, caller_tag, callee_tag, token) IN
      (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]))
  )
  INSERT INTO dialog (call_id, caller_tag, callee_tag, token, node, media_node, media_name, answered_at, caller, callee)
  SELECT call_id, caller_tag, callee_tag, token, node, media_node, media_name, to_timestamp(answered_at / 1000), caller, callee
  FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::double precision[],
    $13::jsonb[], $14::jsonb[])
    AS d(call_id, caller_tag, callee_tag, token, node, media_node, media_name, answered_at, caller, callee)
  ORDER BY call_id, caller_tag, callee_tag, token
  ON CONFLICT (call_id, caller_tag, callee_tag, token) DO UPDATE SET node = excluded.node, media_node = excluded.media_node,
    media_name = excluded.media_name,    answered_at = excluded.answered_at, caller = excluded.caller, callee = excluded.callee, updated_at = excluded.updated_at`;

const COLUMNS = 'call_id, token, node, media_node, media_name, answered_at, caller, callee';

const LOAD = `SELECT ${COLUMNS} FROM dialog WHERE node = $1 ORDER BY answered_at`;

const FIND = `SELECT ${COLUMNS} FROM dialog WHERE call_id = $1 AND ($4::text IS NULL OR token = $4)
  AND ((caller_tag = $2 AND callee_tag = $3) OR (caller_tag = $3 AND callee_tag = $2)) LIMIT 1`;

const UP = `SELECT ${COLUMNS} FROM dialog
  WHERE node = ANY($1::text[]) AND answered_at >= to_timestamp($2::double precision / 1000)
    AND answered_at < to_timestamp($3::double precision / 1000)
  ORDER BY answered_at DESC FETCH FIRST ($4::bigint) ROWS WITH TIES`;

const HAS_MEDIA = 'SELECT 1 AS found FROM dialog WHERE call_id = $1 OR media_name = $1 LIMIT 1';

// Not if it is back, which the condition of another node may have missed.
const ADOPT = `UPDATE dialog SET node = $2 WHERE node = $1
  AND NOT EXISTS (SELECT FROM node WHERE id = $1 AND seen_at > clock_timestamp() - interval '5 seconds') RETURNING ${COLUMNS}`;

/**
 * Of the row of a call that has ended: it leaves together with the row of the next one that is answered. What a crash
 * meanwhile leaves behind is found out by its rtpengine session, which is gone.
 */
const removalMs = 100;

export function createDialogStore({ pool, clock, groupMs }: StoreOptions): PostgresDialogStore {
  const changes = createGroupedWriter<DialogChange, void>({
    groupMs,
    maxGroup: 250,
    maxWaiting: 20_000,
    after: clock.after.bind(clock),
    key: ([callId, callerTag, calleeTag, token]) => `${callId}\n${callerTag}\n${calleeTag}\n${token}`,
    write: async (group) => {
      await pool.query({ name: 'dialog-write', text: WRITE, values: parameters(group) });
      return group.map(() => undefined);
    },
  });

  return {
    save: async (record) => changes.add([...keyOf(record), rowValues(record)]),
    remove: async (record) => changes.add([...keyOf(record), undefined], removalMs),
    load: async (node) => {
      const rows = await pool.query<DialogRow>({ name: 'dialog-load', text: LOAD, values: [toDatabase(node)] });
      return rows.flatMap((row) => recordOf(row) ?? []);
    },
    find: async (callId, oneTag, otherTag, token) => {
      const values = [toDatabase(callId), toDatabase(oneTag), toDatabase(otherTag), token ?? null];
      const [row] = await pool.query<DialogRow>({ name: 'dialog-find', text: FIND, values });
      return row === undefined ? undefined : recordOf(row);
    },
    up: async ({ nodes, sinceMs, untilMs, limit }) => {
      const values = [nodes.map(toDatabase), sinceMs, untilMs, limit];
      const rows = await pool.query<DialogRow>({ name: 'dialog-up', text: UP, values });
      return rows.flatMap((row) => recordOf(row) ?? []);
    },
    hasMedia: async (name) => {
      const rows = await pool.query({ name: 'dialog-has-media', text: HAS_MEDIA, values: [toDatabase(name)] });
      return rows.length > 0;
    },
    adopt: async (gone, by) => {
      const values = [toDatabase(gone), toDatabase(by)];
      const rows = await pool.query<DialogRow>({ name: 'dialog-adopt', text: ADOPT, values });
      return rows.flatMap((row) => recordOf(row) ?? []);
    },
    waiting: changes.waiting,
    idle: changes.idle,
  };
}

function keyOf({ callId, caller, callee, token }: DialogRecord): DialogKey {
  return [toDatabase(callId), toDatabase(caller.tag), toDatabase(callee.tag), token];
}

function rowValues(record: DialogRecord): DialogRowValues {
  const orNull = (text: string | undefined): string | null => (text === undefined ? null : toDatabase(text));
  const { mediaNode, mediaName } = record;
  return [
    toDatabase(record.node),
    orNull(mediaNode),
    orNull(mediaName),
    record.answeredAtMs,
    json(record.caller),
    json(record.callee),
  ];
}

function json(side: DialogSide): string {
  return JSON.stringify(side, (_name, value: unknown) => (typeof value === 'string' ? toDatabase(value) : value));
}

function parameters(group: readonly DialogChange[]): readonly unknown[] {
  const removed = group.filter(([, , , , row]) => row === undefined);
  const saved = group.flatMap(([callId, callerTag, calleeTag, token, row]) =>
    row === undefined ? [] : [[callId, callerTag, calleeTag, token, ...row]],
  );
  return [
    ...[0, 1, 2, 3].map((column) => removed.map((change) => change[column])),
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((column) => saved.map((values) => values[column])),
  ];
}

// --- reading back ----------------------------------------------------------------------------------------------------

/** `undefined` for a row that is none of ours to read, such as one written by hand. */
function recordOf(row: DialogRow): DialogRecord | undefined {
  const caller = sideOf(row.caller);
  const callee = sideOf(row.callee);
  if (caller === undefined || callee === undefined) return undefined;
  return {
    callId: fromDatabase(row.call_id),
    token: row.token,
    caller,
    callee,
    mediaNode: row.media_node === null ? undefined : fromDatabase(row.media_node),
    mediaName: row.media_name === null ? undefined : fromDatabase(row.media_name),
    answeredAtMs: row.answered_at.getTime(),
    node: fromDatabase(row.node),
  };
}

function sideOf(json: unknown): DialogSide | undefined {
  if (!isObject(json)) return undefined;
  const { uri, tag, remoteTarget, routeSet, cseq, flowId, node, binding, media, listener } = json;
  if (typeof uri !== 'string' || typeof tag !== 'string' || typeof remoteTarget !== 'string') return undefined;
  if (!isTextList(routeSet) || typeof cseq !== 'number' || typeof listener !== 'number') return undefined;
  if (!isMediaKind(media)) return undefined;
  return {
    uri: fromDatabase(uri),
    tag: fromDatabase(tag),
    remoteTarget: fromDatabase(remoteTarget),
    routeSet: routeSet.map(fromDatabase),
    cseq,
    flowId: typeof flowId === 'string' ? fromDatabase(flowId) : undefined,
    ...(typeof node === 'string' ? { node: fromDatabase(node) } : {}),
    binding: bindingOf(binding),
    media,
    listener,
  };
}

function bindingOf(json: unknown): DialogSide['binding'] {
  if (!isObject(json) || typeof json.aor !== 'string' || typeof json.key !== 'string') return undefined;
  return { aor: fromDatabase(json.aor), key: fromDatabase(json.key) };
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null;
}

function isTextList(json: unknown): json is readonly string[] {
  return Array.isArray(json) && json.every((value) => typeof value === 'string');
}

function isMediaKind(json: unknown): json is MediaKind {
  return json === 'webrtc' || json === 'rtp' || json === 'sdes' || json === 'osrtp';
}
