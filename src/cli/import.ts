/**
 * `viaduct import kamailio`: the accounts of a Kamailio 5.x database (its table `subscriber`), read only there.
 *
 * Left out: the table `location`. Devices register again by themselves within minutes, over flows that Viaduct knows then.
 */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { hashes, type SubscriberAdmin } from '../adapters/postgres/subscriber-store.ts';
import { fromDatabase } from '../adapters/postgres/text.ts';
import { failureOf } from '../errors.ts';
import { table } from './table.ts';

export interface ImportContext {
  openDatabase(): Promise<{ readonly subscribers: SubscriberAdmin; close(): Promise<void> }>;
  /** Of accounts whose row has no domain, but a password. */
  readonly defaultDomain: string;
  write(text: string): void;
  writeError(text: string): void;
}

export const importHelp = `Takes over the accounts of a Kamailio.

  viaduct import kamailio postgres://USER:PASSWORD@HOST/DATABASE [--dry-run]

Reads its table subscriber and changes nothing there; accounts that are here already stay as they are. With --dry-run
nothing is changed here either. What cannot be taken over is listed with its reason.
`;

interface KamailioRow {
  readonly username: string;
  readonly domain: string;
  readonly password: string;
  readonly ha1: string;
}

/** What becomes of a row. `note`: what its owner should know. */
interface Taken {
  readonly username: string;
  readonly domain: string;
  readonly hashes: readonly [md5: string, sha256: string];
  readonly note: string | undefined;
}

/** 0: done. 1: not done, with the reason. 2: the command was not understood. */
export async function importCommand(args: readonly string[], context: ImportContext): Promise<number> {
  const [from, url, ...rest] = args.filter((arg) => arg !== '--dry-run');
  if (from !== 'kamailio' || url === undefined || rest.length > 0) {
    context.writeError(importHelp);
    return 2;
  }
  try {
    const rows = await readRows(url);
    const database = await context.openDatabase();
    try {
      return await takeOver(rows, database.subscribers, args.includes('--dry-run'), context);
    } finally {
      await database.close();
    }
  } catch (thrown) {
    context.writeError(
      `${failureOf(thrown).detail || String(thrown)}\nNothing is lost: what was not taken over can be tried again.\n`,
    );
    return 1;
  }
}

async function readRows(url: string): Promise<readonly KamailioRow[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const text = 'SELECT username, domain, password, ha1 FROM subscriber ORDER BY domain, username';
    return (await client.query<KamailioRow>(text)).rows;
  } finally {
    await client.end();
  }
}

async function takeOver(
  rows: readonly KamailioRow[],
  subscribers: SubscriberAdmin,
  isDry: boolean,
  { write, defaultDomain }: ImportContext,
): Promise<number> {
  const remarks: (readonly string[])[] = [];
  let taken = 0;
  for (const row of rows) {
    const account = taking(row, defaultDomain);
    const why = typeof account === 'string' ? account : await add(account, subscribers, isDry);
    if (why === undefined) taken += 1;
    const note = why === undefined ? (typeof account === 'string' ? undefined : account.note) : `not taken: ${why}`;
    if (note !== undefined) remarks.push([`${row.username}@${row.domain}`, note]);
  }
  write(`${isDry ? 'Would take over' : 'Took over'} ${taken} of ${rows.length} accounts.\n`);
  if (remarks.length > 0) write(table(['account', 'remark'], remarks));
  return 0;
}

async function add(account: Taken, subscribers: SubscriberAdmin, isDry: boolean): Promise<string | undefined> {
  const { username, domain } = account;
  const there = 'it is here already, and stays as it is';
  if (isDry) return (await subscribers.account(username, domain)) === undefined ? undefined : there;
  return (await subscribers.addHashed(username, domain, account.hashes)) ? undefined : there;
}

/** Or the reason why not. */
function taking(row: KamailioRow, defaultDomain: string): Taken | string {
  if (!/^[^\s:@"\\<>\p{Cc}]{1,128}$/u.test(row.username)) return 'its name cannot be one here';
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
