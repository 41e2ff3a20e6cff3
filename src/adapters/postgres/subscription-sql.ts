/**
 * The columns of `subscription`, how a subscription becomes a row and comes back, and the statements.
 */
import { Failure } from '../../errors.ts';
import type { EventPackage, Subscription, SubscriptionState, WatcherPolicy } from '../../ports.ts';
import { fromDatabase, toDatabase } from './text.ts';

type Column = readonly [name: string, type: string, value: (subscription: Subscription) => unknown];

/** What every SUBSCRIBE writes; arrays of the values are the parameters of the insert. */
const columns: readonly Column[] = [
  ['id', 'text', ({ id }) => toDatabase(id)],
  ['event', 'text', ({ event }) => event],
  ['event_id', 'text', ({ eventId }) => (eventId === undefined ? null : toDatabase(eventId))],
  ['resource', 'text', ({ resource }) => toDatabase(resource)],
  ['watcher', 'text', ({ watcher }) => toDatabase(watcher)],
  ['state', 'text', ({ state }) => state],
  ['reason', 'text', ({ reason }) => reason ?? null],
  ['created_at', 'double precision', ({ createdAtMs }) => createdAtMs],
  ['expires_at', 'double precision', ({ expiresAtMs }) => expiresAtMs],
  ['call_id', 'text', ({ callId }) => toDatabase(callId)],
  ['remote_tag', 'text', ({ remoteTag }) => toDatabase(remoteTag)],
  ['local_uri', 'text', ({ localUri }) => toDatabase(localUri)],
  ['remote_uri', 'text', ({ remoteUri }) => toDatabase(remoteUri)],
  ['remote_target', 'text', ({ remoteTarget }) => toDatabase(remoteTarget)],
  ['route_set', 'text', ({ routeSet }) => joined(routeSet)],
  ['remote_cseq', 'bigint', ({ remoteCseq }) => remoteCseq],
  ['cseq', 'bigint', ({ cseq }) => cseq],
  ['version', 'bigint', ({ version }) => version],
  ['flow_id', 'text', ({ flowId }) => flowId ?? null],
  ['listener', 'integer', ({ listener }) => listener],
  ['node', 'text', ({ node }) => toDatabase(node)],
  ['boot', 'text', ({ boot }) => toDatabase(boot)],
];

/** Columns whose parameter has another form than the column. */
const fromParameter: Readonly<Record<string, string>> = {
  created_at: 'to_timestamp(created_at / 1000)',
  expires_at: 'to_timestamp(expires_at / 1000)',
  route_set: `string_to_array(route_set, E'\\n')`,
};

/** What a refresh changes; cseq and version belong to the notifier. */
const refreshed = [
  'state',
  'reason',
  'expires_at',
  'remote_target',
  'remote_cseq',
  'flow_id',
  'listener',
  'node',
  'boot',
];

export const names = columns.map(([name]) => name).join(', ');
const selected = columns.map(([name]) => fromParameter[name] ?? name).join(', ');
const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');

export const SAVE = `
  INSERT INTO subscription AS s (${names})
  SELECT ${selected} FROM unnest(${arrays}) AS v(${names}) ORDER BY id
  ON CONFLICT (id) DO UPDATE SET ${refreshed.map((name) => `${name} = excluded.${name}`).join(', ')}
  WHERE s.remote_cseq < excluded.remote_cseq
  RETURNING s.id`;

/** One list of column values of each; text that PostgreSQL would refuse is refused here, before it joins a group. */
export function valuesOf(subscription: Subscription): readonly unknown[] {
  return columns.map(([, , value]) => value(subscription));
}

export function parametersOf(group: readonly (readonly unknown[])[]): readonly unknown[] {
  return columns.map((_, index) => group.map((values) => values[index]));
}

const NOW = (parameter: number): string => `to_timestamp($${parameter}::double precision / 1000)`;

export const FIND = `SELECT ${names} FROM subscription WHERE id = ANY ($1::text[])`;

export const OF_RESOURCE = `SELECT ${names} FROM subscription
  WHERE state <> 'terminated' AND expires_at > ${NOW(1)}
    AND (resource, event) IN (SELECT * FROM unnest($2::text[], $3::text[])) ORDER BY created_at, id`;

export const CLAIM = `
  UPDATE subscription s SET cseq = s.cseq + 1, version = s.version + 1 WHERE s.id = ANY ($1::text[])
  RETURNING s.*, (SELECT r.policy FROM watcher_rule r WHERE r.presentity = s.resource AND r.watcher = s.watcher) AS policy`;

export const SET_STATE = `UPDATE subscription SET state = $2, reason = $3,
    expires_at = CASE WHEN $2 = 'terminated' THEN least(expires_at, ${NOW(4)}) ELSE expires_at END
  WHERE id = $1`;

export const FORGET = 'DELETE FROM subscription WHERE id = ANY ($1::text[])';

export const ENDED = `SELECT id FROM subscription WHERE expires_at <= ${NOW(1)} AND node = $2 ORDER BY expires_at LIMIT $3`;

export const WATCHED = 'SELECT DISTINCT resource, event FROM subscription WHERE node = $1';

export const DROP_FLOWS = 'DELETE FROM subscription WHERE flow_id = ANY ($1::text[])';

/** UDP needs no connection: those go on. */
export const DROP_BOOTS = `DELETE FROM subscription WHERE node = $1 AND boot <> $2 AND flow_id LIKE 'c%'`;

/** Not if that is back, which the condition of another node may have missed. */
export const ADOPT = `UPDATE subscription SET node = $2, boot = $3 WHERE node = $1
  AND NOT EXISTS (SELECT FROM node WHERE id = $1 AND seen_at > clock_timestamp() - interval '5 seconds')`;

/** Counted up to the bound that matters. */
export const STANDING = `
  SELECT k.presentity, k.watcher, r.policy,
    (SELECT count(*)::int FROM (SELECT 1 FROM subscription s WHERE s.watcher = k.watcher LIMIT 10000) AS own) AS count
  FROM unnest($1::text[], $2::text[]) AS k(presentity, watcher)
  LEFT JOIN watcher_rule r ON r.presentity = k.presentity AND r.watcher = k.watcher`;

export const LIST = `SELECT ${names} FROM (
    SELECT * FROM subscription WHERE expires_at > ${NOW(1)} AND resource > $2
    ORDER BY resource FETCH FIRST $3 ROWS WITH TIES) AS page
  ORDER BY resource, event, created_at, id`;

// --- rows ------------------------------------------------------------------------------------------------------------

export interface SubscriptionRow {
  readonly id: string;
  readonly event: EventPackage;
  readonly event_id: string | null;
  readonly resource: string;
  readonly watcher: string;
  readonly state: SubscriptionState;
  readonly reason: string | null;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly call_id: string;
  readonly remote_tag: string;
  readonly local_uri: string;
  readonly remote_uri: string;
  readonly remote_target: string;
  readonly route_set: readonly string[];
  readonly remote_cseq: string;
  readonly cseq: string;
  readonly version: string;
  readonly flow_id: string | null;
  readonly listener: number;
  readonly node: string;
  readonly boot: string;
}

export interface ClaimedRow extends SubscriptionRow {
  readonly policy: WatcherPolicy | null;
}

export function subscriptionOf(row: SubscriptionRow): Subscription {
  return {
    id: fromDatabase(row.id),
    event: row.event,
    eventId: row.event_id === null ? undefined : fromDatabase(row.event_id),
    resource: fromDatabase(row.resource),
    watcher: fromDatabase(row.watcher),
    state: row.state,
    reason: row.reason ?? undefined,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    callId: fromDatabase(row.call_id),
    remoteTag: fromDatabase(row.remote_tag),
    localUri: fromDatabase(row.local_uri),
    remoteUri: fromDatabase(row.remote_uri),
    remoteTarget: fromDatabase(row.remote_target),
    routeSet: row.route_set.map(fromDatabase),
    remoteCseq: Number(row.remote_cseq),
    cseq: Number(row.cseq),
    version: Number(row.version),
    flowId: row.flow_id ?? undefined,
    listener: row.listener,
    node: fromDatabase(row.node),
    boot: fromDatabase(row.boot),
  };
}

/** A list in one parameter: PostgreSQL would flatten an array of arrays. */
function joined(routes: readonly string[]): string {
  if (routes.some((route) => route === '' || route.includes('\n'))) {
    throw new Failure('malformed', 'Record-Route is not one line.');
  }
  return routes.map(toDatabase).join('\n');
}
