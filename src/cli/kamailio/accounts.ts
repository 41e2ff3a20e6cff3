/** Kamailio's table `subscriber` as accounts here; those that are here already stay as they are. */
import { randomBytes } from 'node:crypto';
import { hashes, type SubscriberAdmin } from '../../adapters/postgres/subscriber-store.ts';
import { fromDatabase } from '../../adapters/postgres/text.ts';
import type { Outcome } from './outcome.ts';
import type { AccountRow } from './tables.ts';

/** What becomes of a row. `note`: what its owner should know. */
interface Taken {
  readonly username: string;
  readonly domain: string;
  readonly hashes: readonly [md5: string, sha256: string];
  readonly note: string | undefined;
}

export interface AccountsOutcome extends Outcome {
  /** `name@domain`, as SIP text: those that are here when this is done. */
  readonly here: ReadonlySet<string>;
}

export async function takeOverAccounts(
  rows: readonly AccountRow[],
  subscribers: SubscriberAdmin,
  isDry: boolean,
  defaultDomain: string,
): Promise<AccountsOutcome> {
  const remarks: (readonly [string, string])[] = [];
  const here = new Set<string>();
  let taken = 0;
  for (const row of rows) {
    const account = taking(row, defaultDomain);
    const why = typeof account === 'string' ? account : await add(account, subscribers, isDry);
    if (why === undefined) taken += 1;
    if (typeof account !== 'string') here.add(`${account.username}@${account.domain}`);
    const note = why === undefined ? (typeof account === 'string' ? undefined : account.note) : `not taken: ${why}`;
    if (note !== undefined) remarks.push([`${row.username}@${row.domain}`, note]);
  }
  return { remarks, taken, rows: rows.length, notes: [], here };
}

async function add(account: Taken, subscribers: SubscriberAdmin, isDry: boolean): Promise<string | undefined> {
  const { username, domain } = account;
  const there = 'it is here already, and stays as it is';
  if (isDry) return (await subscribers.account(username, domain)) === undefined ? undefined : there;
  return (await subscribers.addHashed(username, domain, account.hashes)) ? undefined : there;
}

/** Whether Kamailio's name of an account can be one here. */
export function isAccountName(text: string): boolean {
  return /^[^\s:@"\\<>\p{Cc}]{1,128}$/u.test(text);
}

/** Or the reason why not. */
function taking(row: AccountRow, defaultDomain: string): Taken | string {
  if (!isAccountName(row.username)) return 'its name cannot be one here';
  const username = fromDatabase(row.username);
  const domain = row.domain.toLowerCase() || defaultDomain;
  if (row.password !== '') {
    return { username, domain, hashes: hashes(username, domain, fromDatabase(row.password)), note: undefined };
  }
  if (!/^[0-9a-f]{32}$/i.test(row.ha1)) return 'it has neither a password nor an ha1 of MD5';
  if (row.domain === '') return 'it has no domain, so nobody knows what realm its ha1 is for';
  // SHA-256 needs the password itself. A random hash is that of no password.
  const md5 = row.ha1.toLowerCase();
  const note = 'logs in by MD5 only: a client that prefers SHA-256 needs a new password (viaduct user password)';
  return { username, domain, hashes: [md5, randomBytes(32).toString('hex')], note };
}
