/**
 * The REGISTER that comes most often, as one UPDATE: a device is registered already and says so again. It costs a third of
 * the statement that can do all (`location-sql.ts`), which takes what is no such refresh after all.
 *
 * As many bindings are there afterwards as before, so no bound is asked. What else of the AOR has expired is left to the
 * sweeper: it does not count.
 */
import type { Binding } from '../../ports.ts';
import { ALIVE, bindingOf, DEVICE, type LocationRow, names, type PreparedChange, said } from './location-sql.ts';
import type { Statement } from './pool.ts';

/** Of a binding that was refreshed only what the REGISTER did not say; of the others of its AOR everything. */
export type RefreshRow =
  | ({ readonly refreshed: true } & Pick<LocationRow, 'aor' | 'media' | 'gruu_cseq'>)
  | ({ readonly refreshed: false } & LocationRow);

/** They say which row it is, and stay. */
const keys = ['aor', 'binding_key'];
const asked = ['aor', 'media', 'gruu_cseq'];

/** Of the parameters `r` and the row `l` as it was. */
const fromParameter: Readonly<Record<string, string>> = {
  expires_at: 'to_timestamp(r.expires_at / 1000)',
  path: `string_to_array(r.path, E'\\n')`,
  media: 'coalesce(r.media, l.media)',
  // RFC 5627 §5.1, as in location-sql.ts. Other flows are asked of a device that can have them alone.
  gruu_cseq: `least(r.gruu_cseq, CASE
      WHEN position(';reg-id=' IN r.binding_key) = 0 THEN CASE WHEN l.call_id = r.call_id THEN l.gruu_cseq END
      ELSE (
        SELECT min(gruu_cseq) FROM location
        WHERE aor = r.aor AND call_id = r.call_id AND ${ALIVE} AND ${DEVICE} = ${DEVICE.replace('binding_key', 'r.binding_key')})
      END)`,
};

const set = said.flatMap(([name]) => (keys.includes(name) ? [] : [`${name} = ${fromParameter[name] ?? `r.${name}`}`]));
const arrays = said.map(([, type], index) => `$${2 + index}::${type}[]`).join(', ');
const parameters = said.map(([name]) => name).join(', ');
const returned = names.split(', ').map((name) => (asked.includes(name) ? name : 'NULL'));

// RFC 3261 §10.3 step 7: what is out of order is no refresh.
const REFRESH = `
  WITH written AS (
    UPDATE location l SET ${set.join(', ')}, updated_at = now()
    FROM unnest(${arrays}) AS r(${parameters})
    WHERE l.aor = r.aor AND l.binding_key = r.binding_key AND l.${ALIVE}
      AND (l.call_id <> r.call_id OR l.cseq < r.cseq)
    RETURNING l.aor, l.binding_key, l.media, l.gruu_cseq
  )
  SELECT ${names}, updated_at, false AS refreshed FROM location l
  WHERE aor = ANY ($2::text[]) AND ${ALIVE}
    AND NOT EXISTS (SELECT FROM written w WHERE w.aor = l.aor AND w.binding_key = l.binding_key)
  UNION ALL
  SELECT ${returned.join(', ')}, NULL, true FROM written
  ORDER BY aor, q DESC, updated_at DESC, binding_key`;

/** One device, which may well be there, and no bound to be asked: a closed connection may count for a place or not. */
export function mayBeRefresh({ save, removeAll, removeKeys, closedFlows }: PreparedChange): boolean {
  return save.length === 1 && !removeAll && removeKeys.length === 0 && closedFlows.length === 0;
}

/** Each of them `mayBeRefresh`, and each AOR once. */
export function refreshStatement(changes: readonly PreparedChange[], nowMs: number): Statement {
  const rows = changes.flatMap((change) => change.rows);
  return {
    name: 'location-refresh',
    text: REFRESH,
    values: [nowMs, ...said.map((_, at) => rows.map((row) => row[at]))],
  };
}

/** All bindings of its AOR; `undefined`: it was no refresh, and nothing was changed. */
export function refreshedBindings(
  { save: [wanted] }: PreparedChange,
  rows: readonly RefreshRow[],
): readonly Binding[] | undefined {
  const own = rows.find((row) => row.refreshed);
  if (own === undefined || wanted === undefined) return undefined;
  const { media, gruu_cseq: gruuCSeq } = own;
  const binding = { ...wanted, media: media ?? undefined, gruuCSeq: gruuCSeq === null ? undefined : Number(gruuCSeq) };
  const others = rows.flatMap((row) => (row.refreshed ? [] : [bindingOf(row)]));
  // It is the newest: first among those of equal q.
  return [binding, ...others].sort((one, other) => other.q - one.q);
}
