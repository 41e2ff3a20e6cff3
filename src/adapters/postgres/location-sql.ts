/**
 * The columns of `location`, how a binding becomes a row and comes back, and the statements.
 */
import { hash } from 'node:crypto';
import { Failure } from '../../errors.ts';
import type { Binding, BindingChange, MediaKind, Transport } from '../../ports.ts';
import type { Statement } from './pool.ts';
import { fromDatabase, toDatabase } from './text.ts';

type Column = readonly [name: string, type: string, value: (binding: Binding) => unknown];

/** Type and value of each column that every REGISTER sets; arrays of the values are parameters. */
export const said: readonly Column[] = [
  ['aor', 'text', (binding) => toDatabase(binding.aor)],
  ['binding_key', 'text', (binding) => toDatabase(binding.key)],
  ['contact', 'text', (binding) => toDatabase(binding.contact)],
  ['contact_params', 'text', (binding) => toDatabase(binding.contactParams)],
  ['q', 'double precision', (binding) => binding.q],
  ['expires_at', 'double precision', (binding) => binding.expiresAtMs],
  ['call_id', 'text', (binding) => toDatabase(binding.callId)],
  ['cseq', 'bigint', (binding) => binding.cseq],
  ['path', 'text', (binding) => joinPath(binding.path)],
  ['flow_id', 'text', (binding) => binding.flowId],
  ['node', 'text', (binding) => toDatabase(binding.node)],
  ['boot', 'text', (binding) => toDatabase(binding.boot)],
  ['transport', 'text', (binding) => binding.transport],
  ['source', 'text', (binding) => toDatabase(binding.source)],
  ['user_agent', 'text', (binding) => toDatabase(binding.userAgent)],
  ['media', 'text', (binding) => binding.media],
  ['gruu_cseq', 'bigint', (binding) => binding.gruuCSeq],
];

/** A refresh leaves it as it is, and need not make it. */
const hash10: Column = ['key_hash', 'text', (binding) => keyHash(binding.aor, binding.key)];
const columns = [...said, hash10];

/** Columns whose parameter has another form than the column. */
const fromParameter: Readonly<Record<string, string>> = {
  expires_at: 'to_timestamp(expires_at / 1000)',
  path: `string_to_array(path, E'\\n')`,
  // RFC 5627 §5.1: those that any flow of the device has been given under this Call-ID are still good.
  gruu_cseq: 'least(gruu_cseq, given_since)',
};

export const names = columns.map(([name]) => name).join(', ');
/** Those of one AOR, the best first. */
export const BINDING_ORDER = 'aor, q DESC, updated_at DESC, binding_key';
const selected = columns.map(([name]) => fromParameter[name] ?? name).join(', ');
// A REGISTER of a telephone says nothing of its media: what was learned of it stays.
const replaced = columns
  .map(([name]) => `${name} = ${name === 'media' ? 'coalesce(excluded.media, l.media)' : `excluded.${name}`}`)
  .join(', ');
const arrays = (first: number): string => columns.map(([, type], index) => `$${first + index}::${type}[]`).join(', ');

/** First 10 hex digits of the hash that `dialog/token.ts` carries to name a binding. */
export function keyHash(aor: string, key: string): string {
  return hash('sha256', Buffer.from(`${aor}\n${key}`, 'latin1'), 'hex').slice(0, 10);
}

// --- rows ------------------------------------------------------------------------------------------------------------

export interface LocationRow {
  readonly aor: string;
  readonly binding_key: string;
  readonly key_hash: string;
  readonly contact: string;
  readonly contact_params: string;
  readonly q: number;
  readonly expires_at: Date;
  readonly call_id: string;
  readonly cseq: string;
  readonly path: readonly string[];
  readonly flow_id: string | null;
  readonly node: string;
  readonly boot: string;
  readonly transport: Transport;
  readonly source: string;
  readonly user_agent: string;
  readonly media: MediaKind | null;
  readonly gruu_cseq: string | null;
}

export function bindingOf(row: LocationRow): Binding {
  return {
    aor: fromDatabase(row.aor),
    key: fromDatabase(row.binding_key),
    contact: fromDatabase(row.contact),
    contactParams: fromDatabase(row.contact_params),
    q: row.q,
    expiresAtMs: row.expires_at.getTime(),
    callId: fromDatabase(row.call_id),
    cseq: Number(row.cseq),
    path: row.path.map(fromDatabase),
    flowId: row.flow_id ?? undefined,
    node: fromDatabase(row.node),
    boot: fromDatabase(row.boot),
    transport: row.transport,
    source: fromDatabase(row.source),
    userAgent: fromDatabase(row.user_agent),
    media: row.media ?? undefined,
    gruuCSeq: row.gruu_cseq === null ? undefined : Number(row.gruu_cseq),
  };
}

/** A list in one parameter: PostgreSQL would flatten an array of arrays. */
function joinPath(path: readonly string[]): string {
  if (path.some((value) => value === '' || value.includes('\n')))
    throw new Failure('malformed', 'Path is not one line.');
  return path.map(toDatabase).join('\n');
}

// --- change ----------------------------------------------------------------------------------------------------------

/** A change with its rows made, so that text PostgreSQL would refuse is refused before it joins a group. */
export interface PreparedChange {
  readonly aor: string;
  readonly callId: string;
  readonly cseq: number;
  readonly removeAll: boolean;
  readonly removeKeys: readonly string[];
  readonly maxContacts: number | undefined;
  readonly replaceOldest: boolean;
  readonly closedFlows: readonly string[];
  readonly save: readonly Binding[];
  /** One list of the values of `said` per saved binding. */
  readonly rows: readonly (readonly unknown[])[];
}

export function prepareChange(change: BindingChange): PreparedChange {
  const save = [...new Map(change.save.map((binding) => [binding.key, binding])).values()];
  if (change.save.some((binding) => binding.aor !== change.aor))
    throw new Failure('internal', 'A binding of another AOR.');
  return {
    aor: toDatabase(change.aor),
    callId: toDatabase(change.callId),
    cseq: change.cseq,
    removeAll: change.remove === '*',
    removeKeys: change.remove === '*' ? [] : change.remove.map(toDatabase),
    maxContacts: change.limit?.contacts,
    replaceOldest: change.limit?.whenFull === 'replace-oldest',
    closedFlows: change.limit?.closedFlows ?? [],
    save,
    rows: save.map((binding) => said.map(([, , value]) => value(binding))),
  };
}

/** `refused`: what held this AOR's change back. */
export interface ChangeRow extends LocationRow {
  readonly refused: 'out-of-order' | 'too-many' | null;
}

/** As `deviceOf` of `registrar/binding.ts`. */
export const DEVICE = `regexp_replace(binding_key, ';reg-id=\\d+$', '')`;

// All parts of a statement see the database as it was before it, so what the AOR has afterwards is put together: the
// rows written, and those that were there and were neither written nor removed.
const CHANGE = `
  WITH change AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::boolean[], $6::integer[], $7::boolean[])
      AS c(aor, call_id, cseq, remove_all, max_contacts, replace_oldest)
  ), remove AS (
    SELECT * FROM unnest($8::text[], $9::text[]) AS r(aor, binding_key)
  ), save AS (
    SELECT * FROM unnest(${arrays(11)}) AS s(${names})
  ), present AS MATERIALIZED (
    -- By itself, so that it is one walk through the index however large the table and the group are.
    SELECT * FROM location WHERE aor = ANY ($2::text[])
  ), held AS MATERIALIZED (
    SELECT l.*, l.expires_at > to_timestamp($1::double precision / 1000) AS alive,
      coalesce(l.flow_id = ANY ($10::text[]), false) AS closed,
      EXISTS (SELECT FROM save s WHERE s.aor = l.aor AND s.binding_key = l.binding_key) AS saved,
      c.remove_all OR EXISTS (SELECT FROM remove r WHERE r.aor = l.aor AND r.binding_key = l.binding_key) AS removed,
      c.call_id = l.call_id AND c.cseq <= l.cseq AS newer
    FROM present l JOIN change c ON c.aor = l.aor
  ), late AS MATERIALIZED (
    -- RFC 3261 §10.3 steps 6 and 7: one contact out of order refuses the whole request.
    SELECT DISTINCT aor FROM held WHERE alive AND newer AND (saved OR removed)
  ), counted AS (
    SELECT c.aor, c.replace_oldest, c.max_contacts, (SELECT count(*) FROM save s WHERE s.aor = c.aor) AS wanted,
      count(h.aor) AS before, count(h.aor) FILTER (WHERE NOT h.saved AND NOT h.removed) AS kept
    FROM change c LEFT JOIN held h ON h.aor = c.aor AND h.alive AND NOT h.closed
    GROUP BY c.aor, c.replace_oldest, c.max_contacts
  ), full_aor AS MATERIALIZED (
    -- An AOR that has too many already, after the limit was lowered, may still refresh and remove them.
    SELECT aor, replace_oldest, wanted + kept - max_contacts AS excess FROM counted
    WHERE wanted + kept > max_contacts AND wanted + kept > before
  ), refused AS MATERIALIZED (
    SELECT aor, 'out-of-order' AS why FROM late
    UNION ALL
    SELECT aor, 'too-many' FROM full_aor WHERE NOT replace_oldest AND aor NOT IN (SELECT aor FROM late)
  ), evicted AS MATERIALIZED (
    SELECT aor, binding_key FROM (
      SELECT h.aor, h.binding_key, f.excess, row_number() OVER (PARTITION BY h.aor ORDER BY h.updated_at) AS place
      FROM held h JOIN full_aor f ON f.aor = h.aor
      WHERE f.replace_oldest AND h.alive AND NOT h.closed AND NOT h.saved AND NOT h.removed) AS oldest
    WHERE place <= excess
  ), removal AS (
    DELETE FROM location l USING held h
    WHERE l.aor = h.aor AND l.binding_key = h.binding_key
      AND (h.removed OR NOT h.alive OR (h.aor, h.binding_key) IN (SELECT aor, binding_key FROM evicted))
      AND NOT h.saved AND h.aor NOT IN (SELECT aor FROM refused)
  ), given AS (
    SELECT aor, call_id, ${DEVICE} AS device, min(gruu_cseq) AS given_since
    FROM held WHERE alive AND gruu_cseq IS NOT NULL GROUP BY 1, 2, 3
  ), written AS (
    INSERT INTO location AS l (${names})
    SELECT ${selected} FROM (
      SELECT *, ${DEVICE} AS device FROM save) AS s LEFT JOIN given USING (aor, call_id, device)
    WHERE aor NOT IN (SELECT aor FROM refused) ORDER BY aor, binding_key
    ON CONFLICT (aor, binding_key) DO UPDATE SET ${replaced}, updated_at = excluded.updated_at
    RETURNING l.*
  ), result AS (
    SELECT ${names}, updated_at, NULL AS refused FROM written
    UNION ALL
    SELECT ${names}, updated_at, NULL FROM held
    WHERE alive AND NOT saved AND NOT removed AND aor NOT IN (SELECT aor FROM refused)
      AND (aor, binding_key) NOT IN (SELECT aor, binding_key FROM evicted)
    UNION ALL
    SELECT ${names}, updated_at, why FROM held JOIN refused USING (aor) WHERE alive
  )
  SELECT * FROM result ORDER BY ${BINDING_ORDER}`;

export function changeStatement(changes: readonly PreparedChange[], nowMs: number): Statement {
  const removals = changes.flatMap((change) => change.removeKeys.map((key) => [change.aor, key] as const));
  const saved = changes.flatMap((change) => change.save);
  const rows = changes.flatMap((change) => change.rows);
  return {
    name: 'location-change',
    text: CHANGE,
    values: [
      nowMs,
      changes.map((change) => change.aor),
      changes.map((change) => change.callId),
      changes.map((change) => change.cseq),
      changes.map((change) => change.removeAll),
      changes.map((change) => change.maxContacts),
      changes.map((change) => change.replaceOldest),
      removals.map(([aor]) => aor),
      removals.map(([, key]) => key),
      changes.flatMap((change) => change.closedFlows),
      ...said.map((_, index) => rows.map((row) => row[index])),
      saved.map(hash10[2]),
    ],
  };
}

// --- the others ------------------------------------------------------------------------------------------------------

/** RFC 8599: a client that a push can wake is not gone when its connection is. */
const NOT_PUSHED = `contact !~* ';pn-prid='`;

/** RFC 3327 §5.3: one that registered through a proxy can be asked by its Path (`hasWayByPath` in src/registrar). */
const NOT_BY_PATH = `NOT (path <> '{}' AND transport IN ('tcp', 'tls'))`;

const ENDS_WITH_FLOW = `${NOT_PUSHED} AND ${NOT_BY_PATH}`;

/** `now`: the parameter with the time. */
export const aliveAt = (now: string): string => `expires_at > to_timestamp(${now}::double precision / 1000)`;
export const ALIVE = aliveAt('$1');

export function lookupStatement(aors: readonly string[], nowMs: number): Statement {
  return {
    name: 'location-lookup',
    text: `SELECT ${names} FROM location WHERE ${ALIVE} AND aor = ANY ($2::text[])
           ORDER BY ${BINDING_ORDER}`,
    values: [nowMs, aors],
  };
}

export function keyHashStatement(keyHashes: readonly string[], nowMs: number): Statement {
  return {
    name: 'location-key-hash',
    text: `SELECT ${names} FROM location WHERE ${ALIVE} AND key_hash = ANY ($2::text[]) ORDER BY updated_at DESC`,
    values: [nowMs, keyHashes],
  };
}

export function learnStatement(aor: string, key: string, media: MediaKind): Statement {
  return {
    name: 'location-learn',
    text: 'UPDATE location SET media = $3 WHERE aor = $1 AND binding_key = $2 AND media IS DISTINCT FROM $3',
    values: [toDatabase(aor), toDatabase(key), media],
  };
}

export function dropFlowsStatement(flowIds: readonly string[]): Statement {
  return {
    name: 'location-drop-flows',
    text: `DELETE FROM location WHERE flow_id = ANY ($1::text[]) AND ${ENDS_WITH_FLOW}`,
    values: [flowIds],
  };
}

export function dropStatement({ aor, key, flowId }: Pick<Binding, 'aor' | 'key' | 'flowId'>): Statement {
  return {
    name: 'location-drop',
    text: 'DELETE FROM location WHERE aor = $1 AND binding_key = $2 AND flow_id IS NOT DISTINCT FROM $3',
    values: [toDatabase(aor), toDatabase(key), flowId],
  };
}

export function dropOtherBootsStatement(node: string, boot: string): Statement {
  return {
    name: 'location-drop-boots',
    text: `DELETE FROM location WHERE node = $1 AND boot <> $2 AND flow_id LIKE 'c%' AND ${ENDS_WITH_FLOW}`,
    values: [node, boot],
  };
}

/** Up to `most` rows: beyond that the number is of no use to anybody who waits for it. */
export function countStatement(most: number, nowMs: number): Statement {
  return {
    name: 'location-count',
    text: `SELECT count(*)::int AS count FROM (SELECT FROM location WHERE ${ALIVE} LIMIT $2) AS few`,
    values: [nowMs, most],
  };
}

/** Whole AORs only: the last one may make the page longer than `limit`, so that a page can start after an AOR. */
export function listStatement(limit: number, after: string, nowMs: number): Statement {
  return {
    name: 'location-list',
    text: `SELECT ${names} FROM (
             SELECT * FROM location WHERE ${ALIVE} AND aor > $2 ORDER BY aor FETCH FIRST $3 ROWS WITH TIES) AS page
           ORDER BY ${BINDING_ORDER}`,
    values: [nowMs, after, limit],
  };
}

/** Whole flows only, as whole AORs above; by the index of flows, which leaves out whoever is reached at his Contact. */
export function overUdpStatement(page: {
  readonly node: string;
  readonly limit: number;
  readonly after: string;
  readonly nowMs: number;
}): Statement {
  return {
    name: 'location-over-udp',
    text: `SELECT ${names} FROM (
             SELECT * FROM location WHERE ${ALIVE} AND node = $4 AND flow_id > $2 AND flow_id < 'v'
             ORDER BY flow_id FETCH FIRST $3 ROWS WITH TIES) AS page
           ORDER BY flow_id`,
    values: [page.nowMs, page.after, page.limit, toDatabase(page.node)],
  };
}
