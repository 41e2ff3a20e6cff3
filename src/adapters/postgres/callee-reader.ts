/**
 * What a call asks of its callee: which account or alias that is, and where its devices are. Both questions come in one turn
 * and go as one statement (DESIGN §5); where only one of them is asked, it goes by itself.
 */
import type { Alias, Binding, Clock, Subscriber } from '../../ports.ts';
import { type AliasRow, aliasOf } from './alias-store.ts';
import {
  aliveAt,
  BINDING_ORDER,
  names as bindingNames,
  bindingOf,
  type LocationRow,
  lookupStatement,
} from './location-sql.ts';
import type { Pool, Statement } from './pool.ts';
import { createGroupedReader } from './reader.ts';
import { type Name, nameKey, SUBSCRIBER_COLUMNS, type SubscriberRow, subscriberOf } from './subscriber-row.ts';

export interface CalleeReader {
  /** As the database has both: `toDatabase`. */
  callee(name: Name): Promise<Subscriber | Alias | undefined>;
  bindings(aor: string): Promise<readonly Binding[]>;
  waiting(): number;
  idle(): Promise<void>;
}

type Question = Name | { readonly aor: string };

/** Of an account, or else of an alias. */
type CalleeRow = { readonly called: string; readonly at_domain: string } & (
  | (SubscriberRow & { readonly target: null })
  | (AliasRow & { readonly username: null })
);

/** What was found for all that was asked in one turn. */
interface Found {
  readonly callees: ReadonlyMap<string, CalleeRow>;
  readonly bindings: ReadonlyMap<string, readonly LocationRow[]>;
}

/** An index entry for each of its beginnings is looked for where the name is no account, and only there. */
const CALLEE = `
  SELECT k.username AS called, k.domain AS at_domain, ${SUBSCRIBER_COLUMNS}, s.ha1_md5, s.ha1_sha256,
    a.prefix, a.digits, a.has_rest, a.target
  FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS k(username, domain)) AS k
  LEFT JOIN subscriber s ON s.username = k.username AND s.domain = k.domain AND NOT s.disabled
  LEFT JOIN LATERAL (
    SELECT prefix, digits, has_rest, target FROM alias
    WHERE s.username IS NULL AND domain = k.domain
      AND prefix = ANY (ARRAY(SELECT left(k.username, n) FROM generate_series(0, least(length(k.username), 64)) AS n))
      AND substr(k.username, length(prefix) + 1) ~ '^[0-9]*$'
      AND CASE WHEN has_rest THEN length(k.username) > length(prefix) + digits
        ELSE length(k.username) = length(prefix) + digits END
    ORDER BY length(prefix) DESC, digits DESC, has_rest LIMIT 1) AS a ON true
  WHERE s.username IS NOT NULL OR a.target IS NOT NULL`;

const calleeColumns = `called, at_domain, username, domain, do_not_disturb, ring_seconds, most_calls, forward_always,
  forward_busy, forward_no_answer, voicemail, ha1_md5, ha1_sha256, prefix, digits, has_rest, target`;
const bindingColumns = `${bindingNames}, updated_at`;
const none = (columns: string): string => columns.replaceAll(/\w+/g, 'NULL');

/** Rows of either kind, without the columns of the other. */
const BOTH = `
  SELECT ${calleeColumns}, ${bindingNames} FROM (
    SELECT ${calleeColumns}, ${none(bindingColumns)} FROM (${CALLEE}) AS callee
    UNION ALL
    SELECT ${none(calleeColumns)}, ${bindingColumns} FROM location WHERE aor = ANY ($3::text[]) AND ${aliveAt('$4')}
  ) AS found (${calleeColumns}, ${bindingColumns})
  ORDER BY ${BINDING_ORDER}`;

export function createCalleeReader(pool: Pool, clock: Clock): CalleeReader {
  const reader = createGroupedReader<Question, Found>(async (questions) => {
    const found = foundIn(await pool.query(statementFor(questions, clock.nowMs())));
    return questions.map(() => found);
  });
  return {
    callee: async (name) => {
      const { callees } = await reader.add(name);
      return calleeOf(callees.get(nameKey(name)));
    },
    bindings: async (aor) => {
      const { bindings } = await reader.add({ aor });
      return (bindings.get(aor) ?? []).map(bindingOf);
    },
    waiting: reader.waiting,
    idle: reader.idle,
  };
}

function statementFor(questions: readonly Question[], nowMs: number): Statement {
  const aors = questions.flatMap((one) => ('aor' in one ? [one.aor] : []));
  const names = questions.flatMap((one) => ('aor' in one ? [] : [one]));
  if (names.length === 0) return lookupStatement(aors, nowMs);
  const values = [names.map(({ username }) => username), names.map(({ domain }) => domain)];
  if (aors.length === 0) return { name: 'subscriber-callee', text: CALLEE, values };
  return { name: 'callee-and-bindings', text: BOTH, values: [...values, aors, nowMs] };
}

function foundIn(rows: readonly (CalleeRow | LocationRow)[]): Found {
  const callees = rows.filter(isCallee);
  return {
    callees: new Map(callees.map((row) => [nameKey({ username: row.called, domain: row.at_domain }), row])),
    bindings: Map.groupBy(rows.filter(isBinding), ({ aor }) => aor),
  };
}

// Where both were asked for each row has the columns of both.
const isCallee = (row: CalleeRow | LocationRow): row is CalleeRow => 'called' in row && row.called !== null;
const isBinding = (row: CalleeRow | LocationRow): row is LocationRow => 'aor' in row && row.aor !== null;

function calleeOf(row: CalleeRow | undefined): Subscriber | Alias | undefined {
  if (row === undefined) return undefined;
  return row.target === null ? subscriberOf(row) : aliasOf({ ...row, domain: row.at_domain });
}
