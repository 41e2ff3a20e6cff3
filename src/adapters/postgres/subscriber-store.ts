/**
 * Accounts: the lookup for digest, and what `viaduct user` does with them. A password is hashed here (RFC 3261 §22,
 * RFC 8760: HA1 with the domain as realm) and goes no further. Nothing is cached: a new password holds at once.
 */
import { createHash } from 'node:crypto';
import { lower } from '../../message/ascii.ts';
import type { Account, CallSettings, Subscriber, SubscriberAccounts } from '../../ports.ts';
import type { CalleeReader } from './callee-reader.ts';
import type { StoreOptions } from './location-store.ts';
import { createGroupedReader } from './reader.ts';
import { type Name, nameKey, SUBSCRIBER_COLUMNS, type SubscriberRow, subscriberOf } from './subscriber-row.ts';
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

interface AccountRow {
  readonly username: string;
  readonly domain: string;
  readonly disabled: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const FIND = `
  SELECT ${SUBSCRIBER_COLUMNS}, s.ha1_md5, s.ha1_sha256
  FROM subscriber s JOIN unnest($1::text[], $2::text[]) AS k(username, domain) USING (username, domain)
  WHERE NOT s.disabled
  GROUP BY s.username, s.domain`;
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

/** `callees`: shared with the location store, so that what a call asks of both is one statement. */
export function createSubscriberStore(
  { pool, clock, groupMs }: StoreOptions,
  callees: Pick<CalleeReader, 'callee'>,
): SubscriberAdmin {
  const finds = createGroupedReader<Name, Subscriber | undefined>(
    async (wanted) => {
      const values = [wanted.map((one) => one.username), wanted.map((one) => one.domain)];
      const rows = await pool.query<SubscriberRow>({ name: 'subscriber-find', text: FIND, values });
      const byName = new Map(rows.map((row) => [nameKey(row), row]));
      return wanted.map((one) => subscriberOf(byName.get(nameKey(one))));
    },
    { clock, groupMs },
  );

  const changed = async (name: string, text: string, values: readonly unknown[]): Promise<boolean> =>
    (await pool.query({ name, text, values })).length > 0;

  const accounts = async (name: string, text: string, values: readonly unknown[]): Promise<readonly Account[]> =>
    (await pool.query<AccountRow>({ name, text, values })).map(accountOf);

  return {
    find: async (username, domain, isPatient = false) => {
      const name = nameOf(username, domain);
      return isPatient ? finds.addPatiently(name) : finds.add(name);
    },
    callee: async (username, domain) => callees.callee(nameOf(username, domain)),
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
    waiting: finds.waiting,
    idle: finds.idle,
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

function callColumns(calls: CallSettings): readonly unknown[] {
  const targets = [calls.forwardAlways, calls.forwardBusy, calls.forwardNoAnswer, calls.voicemail];
  return [calls.doNotDisturb, calls.ringSeconds, ...targets.map((uri) => uri && toDatabase(uri)), calls.mostCalls];
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
