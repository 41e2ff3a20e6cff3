/**
 * Accounts: the lookup for digest, and what `viaduct user` does with them. A password is hashed here (RFC 3261 §22,
 * RFC 8760: HA1 with the domain as realm) and goes no further. Nothing is cached: a new password holds at once.
 */
import { createHash } from 'node:crypto';
import { lower } from '../../message/ascii.ts';
import type { Account, Alias, CallSettings, Subscriber, SubscriberAccounts } from '../../ports.ts';
import { type AliasRow, aliasOf } from './alias-store.ts';
import type { StoreOptions } from './location-store.ts';
import { createGroupedReader } from './reader.ts';
import { fromDatabase, toDatabase } from './text.ts';

export interface SubscriberAdmin extends SubscriberAccounts {
  /** As `add`, with the hashes that another registrar has kept. */
  addHashed(username: string, domain: string, hashes: readonly [md5: string, sha256: string]): Promise<boolean>;
  /** `false`: there is no such account. */
  setCalls(username: string, domain: string, calls: CallSettings): Promise<boolean>;
  /** By domain and name. */
  list(): Promise<readonly Account[]>;
  waiting(): number;
  idle(): Promise<void>;
}

export interface SubscriberRow {
  readonly username: string;
  readonly domain: string;
  readonly ha1_md5: string;
  readonly ha1_sha256: string;
  readonly do_not_disturb: boolean;
  readonly ring_seconds: number | null;
  readonly most_calls: number | null;
  readonly forward_always: string | null;
  readonly forward_busy: string | null;
  readonly forward_no_answer: string | null;
  readonly voicemail: string | null;
}

/** Of an account, or else of an alias. */
type CalleeRow = { readonly called: string; readonly at_domain: string } & (
  | (SubscriberRow & { readonly target: null })
  | (AliasRow & { readonly username: null })
);

interface AccountRow {
  readonly username: string;
  readonly domain: string;
  readonly disabled: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
}

interface Name {
  readonly username: string;
  readonly domain: string;
}

/** All of an account but its hashes. */
export const SUBSCRIBER_COLUMNS = `s.username, s.domain,
  s.do_not_disturb, s.ring_seconds, s.most_calls, s.forward_always, s.forward_busy, s.forward_no_answer, s.voicemail`;

const FIND = `
  SELECT ${SUBSCRIBER_COLUMNS}, s.ha1_md5, s.ha1_sha256
  FROM subscriber s JOIN unnest($1::text[], $2::text[]) AS k(username, domain) USING (username, domain)
  WHERE NOT s.disabled
  GROUP BY s.username, s.domain`;
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
const ADD = `INSERT INTO subscriber (username, domain, ha1_md5, ha1_sha256) VALUES ($1, $2, $3, $4)
  ON CONFLICT DO NOTHING RETURNING username`;
const SET_PASSWORD = `UPDATE subscriber SET ha1_md5 = $3, ha1_sha256 = $4, updated_at = now()
  WHERE username = $1 AND domain = $2 RETURNING username`;
const SET_CALLS = `UPDATE subscriber SET do_not_disturb = $3, ring_seconds = $4, forward_always = $5, forward_busy = $6,
  forward_no_answer = $7, voicemail = $8, most_calls = $9
  WHERE username = $1 AND domain = $2 RETURNING username`;
const REMOVE = 'DELETE FROM subscriber WHERE username = $1 AND domain = $2 RETURNING username';
const SET_DISABLED = `UPDATE subscriber SET disabled = $3::boolean
  WHERE username = $1 AND domain = $2 RETURNING username`;
const ACCOUNT = 'SELECT username, domain, disabled, created_at, updated_at FROM subscriber';
const LIST = `${ACCOUNT} ORDER BY domain, username`;
const ONE = `${ACCOUNT} WHERE username = $1 AND domain = $2`;
const PAGE = `${ACCOUNT} WHERE (domain, username) > ($1, $2) ORDER BY domain, username LIMIT $3`;

export function createSubscriberStore({ pool, clock, groupMs }: StoreOptions): SubscriberAdmin {
  const finds = createGroupedReader<Name, Subscriber | undefined>(
    async (wanted) => {
      const values = [wanted.map((one) => one.username), wanted.map((one) => one.domain)];
      const rows = await pool.query<SubscriberRow>({ name: 'subscriber-find', text: FIND, values });
      const byName = new Map(rows.map((row) => [nameKey(row), row]));
      return wanted.map((one) => subscriberOf(byName.get(nameKey(one))));
    },
    { clock, groupMs },
  );

  const callees = createGroupedReader<Name, Subscriber | Alias | undefined>(async (wanted) => {
    const values = [wanted.map((one) => one.username), wanted.map((one) => one.domain)];
    const rows = await pool.query<CalleeRow>({ name: 'subscriber-callee', text: CALLEE, values });
    const byName = new Map(rows.map((row) => [nameKey({ username: row.called, domain: row.at_domain }), row]));
    return wanted.map((one) => calleeOf(byName.get(nameKey(one))));
  });

  const changed = async (name: string, text: string, values: readonly unknown[]): Promise<boolean> =>
    (await pool.query({ name, text, values })).length > 0;

  const accounts = async (name: string, text: string, values: readonly unknown[]): Promise<readonly Account[]> =>
    (await pool.query<AccountRow>({ name, text, values })).map(accountOf);

  return {
    find: async (username, domain, isPatient = false) => {
      const name = nameOf(username, domain);
      return isPatient ? finds.addPatiently(name) : finds.add(name);
    },
    callee: async (username, domain) => callees.add(nameOf(username, domain)),
    add: async (username, domain, password) =>
      changed('subscriber-add', ADD, [...keyOf(username, domain), ...hashes(username, domain, password)]),
    addHashed: async (username, domain, [md5, sha256]) =>
      changed('subscriber-add', ADD, [...keyOf(username, domain), md5, sha256]),
    setPassword: async (username, domain, password) =>
      changed('subscriber-password', SET_PASSWORD, [...keyOf(username, domain), ...hashes(username, domain, password)]),
    setCalls: async (username, domain, calls) =>
      changed('subscriber-calls', SET_CALLS, [...keyOf(username, domain), ...callColumns(calls)]),
    setDisabled: async (username, domain, disabled) =>
      changed('subscriber-disabled', SET_DISABLED, [...keyOf(username, domain), String(disabled)]),
    account: async (username, domain) => (await accounts('subscriber-one', ONE, keyOf(username, domain)))[0],
    page: (limit, after) => {
      const [name, domain] = after === undefined ? ['', ''] : keyOf(after.username, after.domain);
      return accounts('subscriber-page', PAGE, [domain, name, limit]);
    },
    remove: async (username, domain) => changed('subscriber-remove', REMOVE, keyOf(username, domain)),
    list: () => accounts('subscriber-list', LIST, []),
    waiting: () => finds.waiting() + callees.waiting(),
    idle: async () => {
      await Promise.all([finds.idle(), callees.idle()]);
    },
  };
}

/** H(username:realm:password) of both algorithms; the realm is the domain in lower case. */
export function hashes(username: string, domain: string, password: string): readonly [md5: string, sha256: string] {
  const secret = `${username}:${lower(domain)}:${password}`;
  const hash = (algorithm: string) => createHash(algorithm).update(secret, 'latin1').digest('hex');
  return [hash('md5'), hash('sha256')];
}

function nameOf(username: string, domain: string): Name {
  return { username: toDatabase(username), domain: toDatabase(lower(domain)) };
}

export function keyOf(username: string, domain: string): readonly [username: string, domain: string] {
  return [toDatabase(username), toDatabase(lower(domain))];
}

function nameKey({ username, domain }: Name): string {
  return `${username}\n${domain}`;
}

export function subscriberOf(row: SubscriberRow | undefined): Subscriber | undefined {
  if (row === undefined) return undefined;
  return {
    username: fromDatabase(row.username),
    domain: fromDatabase(row.domain),
    ha1Md5: row.ha1_md5,
    ha1Sha256: row.ha1_sha256,
    calls: callsOf(row),
  };
}

function calleeOf(row: CalleeRow | undefined): Subscriber | Alias | undefined {
  if (row === undefined) return undefined;
  return row.target === null ? subscriberOf(row) : aliasOf({ ...row, domain: row.at_domain });
}

function callsOf(row: SubscriberRow): CallSettings {
  return {
    doNotDisturb: row.do_not_disturb,
    ringSeconds: row.ring_seconds ?? undefined,
    mostCalls: row.most_calls ?? undefined,
    forwardAlways: textOf(row.forward_always),
    forwardBusy: textOf(row.forward_busy),
    forwardNoAnswer: textOf(row.forward_no_answer),
    voicemail: textOf(row.voicemail),
  };
}

function callColumns(calls: CallSettings): readonly unknown[] {
  const targets = [calls.forwardAlways, calls.forwardBusy, calls.forwardNoAnswer, calls.voicemail];
  return [calls.doNotDisturb, calls.ringSeconds, ...targets.map((uri) => uri && toDatabase(uri)), calls.mostCalls];
}

function textOf(text: string | null): string | undefined {
  return text === null ? undefined : fromDatabase(text);
}

function accountOf(row: AccountRow): Account {
  return {
    username: fromDatabase(row.username),
    domain: fromDatabase(row.domain),
    disabled: row.disabled,
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
  };
}
