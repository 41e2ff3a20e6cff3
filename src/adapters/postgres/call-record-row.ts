/** A row of `call_record`: its columns, and the way from a record to it and back. */
import type { CallRecord, LegRecord, NoQuality } from '../../ports.ts';
import { fromDatabase, toDatabase } from './text.ts';

const ofLeg = [
  ['profile', 'text'],
  ['packets', 'bigint'],
  ['bytes', 'bigint'],
  ['mos', 'double precision'],
  ['jitter_ms', 'double precision'],
  ['loss_percent', 'double precision'],
  ['lost', 'bigint'],
  ['round_trip_ms', 'double precision'],
  ['no_quality', 'text'],
] as const;

/** With their types; the primary key first. */
export const columns: readonly (readonly [name: string, type: string])[] = [
  ['id', 'text'],
  ['started_at', 'timestamptz'],
  ['call_id', 'text'],
  ['node', 'text'],
  ['from_uri', 'text'],
  ['to_uri', 'text'],
  ['request_uri', 'text'],
  ['from_aor', 'text'],
  ['to_aor', 'text'],
  ['answered_at', 'timestamptz'],
  ['ended_at', 'timestamptz'],
  ['state', 'text'],
  ['ended_by', 'text'],
  ['status', 'integer'],
  ['code', 'text'],
  ['detail', 'text'],
  ['media_node', 'text'],
  ['media_fault', 'text'],
  ['media_fault_says', 'text'],
  ['media_fault_next_step', 'text'],
  ['recording', 'text'],
  ...ofLeg.map(([name, type]) => [`caller_${name}`, type] as const),
  ...ofLeg.map(([name, type]) => [`callee_${name}`, type] as const),
];

type LegColumn = (typeof ofLeg)[number][0];
type LegName = `${'caller' | 'callee'}_${LegColumn}`;

/** As JSON: what is undefined becomes NULL. */
export interface CallRecordValues {
  readonly id: string;
  readonly started_at: string;
  readonly [column: string]: string | number | undefined;
}

export function valuesOfRecord(record: CallRecord): CallRecordValues {
  const { mediaFault, mediaNode, answeredAtMs } = record;
  return {
    id: record.id,
    started_at: iso(record.startedAtMs),
    call_id: toDatabase(record.callId),
    node: toDatabase(record.node),
    from_uri: toDatabase(record.from),
    to_uri: toDatabase(record.to),
    request_uri: record.requestUri === undefined ? undefined : toDatabase(record.requestUri),
    from_aor: toDatabase(record.fromAor),
    to_aor: toDatabase(record.toAor),
    answered_at: answeredAtMs === undefined ? undefined : iso(answeredAtMs),
    ended_at: iso(record.endedAtMs),
    state: record.state,
    ended_by: record.endedBy,
    status: record.status,
    code: record.code,
    detail: words(record.detail),
    media_node: mediaNode === undefined ? undefined : toDatabase(mediaNode),
    media_fault: mediaFault?.code,
    media_fault_says: mediaFault?.says,
    media_fault_next_step: mediaFault?.nextStep,
    recording: record.recording,
    ...legValues(record.caller),
    ...legValues(record.callee),
  };
}

function legValues({
  role,
  profile,
  packets,
  bytes,
  quality,
  noQuality,
}: LegRecord): Record<string, string | number | undefined> {
  return {
    [`${role}_profile`]: profile,
    [`${role}_packets`]: packets,
    [`${role}_bytes`]: bytes,
    [`${role}_mos`]: quality?.mos,
    [`${role}_jitter_ms`]: quality?.jitterMs,
    [`${role}_loss_percent`]: quality?.lossPercent,
    [`${role}_lost`]: quality?.lost,
    [`${role}_round_trip_ms`]: quality?.roundTripMs,
    [`${role}_no_quality`]: noQuality,
  };
}

/** SIP text, or ours, which has other characters besides. */
const words = (text: string): string => (/[^\x00-\xff]/.test(text) ? text : toDatabase(text));

const iso = (ms: number): string => new Date(ms).toISOString();

// --- reading back ----------------------------------------------------------------------------------------------------

/** A bigint comes as text; a check of the table vouches for the words. */
export type CallRecordRow = {
  readonly [Name in LegName]: Name extends `${string}_profile`
    ? LegRecord['profile'] | null
    : Name extends `${string}_no_quality`
      ? NoQuality | null
      : string | number | null;
} & {
  readonly id: string;
  readonly started_at: Date;
  readonly call_id: string;
  readonly node: string;
  readonly from_uri: string;
  readonly to_uri: string;
  readonly request_uri: string | null;
  readonly from_aor: string;
  readonly to_aor: string;
  readonly answered_at: Date | null;
  readonly ended_at: Date;
  readonly state: CallRecord['state'];
  readonly ended_by: NonNullable<CallRecord['endedBy']> | null;
  readonly status: number | null;
  readonly code: string | null;
  readonly detail: string;
  readonly media_node: string | null;
  readonly media_fault: string | null;
  readonly media_fault_says: string | null;
  readonly media_fault_next_step: string | null;
  readonly recording: NonNullable<CallRecord['recording']> | null;
};

export function recordOfRow(row: CallRecordRow): CallRecord {
  const { media_fault: fault, media_node: node, request_uri: requestUri } = row;
  return {
    id: row.id,
    startedAtMs: row.started_at.getTime(),
    callId: fromDatabase(row.call_id),
    node: fromDatabase(row.node),
    from: fromDatabase(row.from_uri),
    to: fromDatabase(row.to_uri),
    requestUri: requestUri === null ? undefined : fromDatabase(requestUri),
    fromAor: fromDatabase(row.from_aor),
    toAor: fromDatabase(row.to_aor),
    answeredAtMs: row.answered_at?.getTime(),
    endedAtMs: row.ended_at.getTime(),
    state: row.state,
    endedBy: row.ended_by ?? undefined,
    status: row.status ?? undefined,
    code: row.code ?? undefined,
    detail: fromDatabase(row.detail),
    mediaNode: node === null ? undefined : fromDatabase(node),
    mediaFault:
      fault === null
        ? undefined
        : { code: fault, says: row.media_fault_says ?? '', nextStep: row.media_fault_next_step ?? '' },
    recording: row.recording ?? undefined,
    caller: legOf(row, 'caller'),
    callee: legOf(row, 'callee'),
  };
}

function legOf(row: CallRecordRow, role: LegRecord['role']): LegRecord {
  const mos = numberOf(row[`${role}_mos`]);
  const quality = {
    jitterMs: numberOf(row[`${role}_jitter_ms`]) ?? 0,
    lossPercent: numberOf(row[`${role}_loss_percent`]) ?? 0,
    roundTripMs: numberOf(row[`${role}_round_trip_ms`]) ?? 0,
    lost: numberOf(row[`${role}_lost`]) ?? 0,
  };
  return {
    role,
    profile: row[`${role}_profile`] ?? undefined,
    packets: numberOf(row[`${role}_packets`]),
    bytes: numberOf(row[`${role}_bytes`]),
    quality: mos === undefined ? undefined : { mos, ...quality },
    noQuality: row[`${role}_no_quality`] ?? undefined,
  };
}

function numberOf(value: string | number | null): number | undefined {
  return value === null ? undefined : Number(value);
}
