/**
 * `viaduct import kamailio`: the accounts, aliases and registrations of a Kamailio 5.x database, which is only read.
 */
import type { PostgresLocationStore } from '../adapters/postgres/location-store.ts';
import type { SubscriberAdmin } from '../adapters/postgres/subscriber-store.ts';
import { failureOf } from '../errors.ts';
import type { AliasStore, ContactLimit } from '../ports.ts';
import { takeOverAccounts } from './kamailio/accounts.ts';
import { takeOverAliases } from './kamailio/aliases.ts';
import type { Here } from './kamailio/contact-row.ts';
import { told } from './kamailio/outcome.ts';
import { takeOverRegistrations } from './kamailio/registrations.ts';
import { type KamailioTables, readTables } from './kamailio/tables.ts';
import { tooMany, UsageError } from './usage-error.ts';

export interface ImportDatabase {
  readonly subscribers: SubscriberAdmin;
  readonly aliases: AliasStore;
  readonly location: Pick<PostgresLocationStore, 'lookup' | 'change'>;
  close(): Promise<void>;
}

export interface ImportContext {
  openDatabase(): Promise<ImportDatabase>;
  /** Of accounts whose row has no domain, but a password. */
  readonly defaultDomain: string;
  /** What registrations are bound to: this node and where it listens, by its settings. */
  here(): Promise<Here>;
  readonly limit: Omit<ContactLimit, 'closedFlows'>;
  write(text: string): void;
  writeError(text: string): void;
}

export const importHelp = `Takes over the accounts, aliases and registrations of a Kamailio.

  viaduct import kamailio URL [--dry-run]

  URL is postgres://USER:PASSWORD@HOST/DATABASE.

Changes nothing there; what is here already stays as it is, so it may be run
again. What cannot be taken over is listed with its reason.

  subscriber   accounts, with their passwords or the MD5 of them
  dbaliases    other names of accounts
  location     registrations over UDP that have not expired, so that telephones
               can be called before they register again; as many of an address
               as MAX_CONTACTS, the newest first. Connections (TCP, TLS,
               WebSocket) cannot be taken over: they end with Kamailio, and
               those devices register again.

Registrations are worth it where Viaduct takes the place of Kamailio on the same
address and port, which is where the NAT of a telephone lets calls in. On the
machine and with the settings (LISTEN, DATA_DIR) of that Viaduct: stop Kamailio
(with db_mode 2 it writes its table then; with db_mode 0 it never does), run
this, start Viaduct.

Its times are read in the time zone of this host; TZ=Europe/Berlin in front if
Kamailio's is another.

  --dry-run   changes nothing here either
`;

/** 0: done. 1: not done, with the reason. What was not understood is thrown. */
export async function importCommand(args: readonly string[], context: ImportContext): Promise<number> {
  const words = args.filter((arg) => arg !== '--dry-run');
  if (words.length === 0 || words[0] === 'help') {
    context.write(importHelp);
    return 0;
  }
  const url = databaseOf(words);
  try {
    const tables = await readTables(url);
    const database = await context.openDatabase();
    try {
      await takeOver(tables, database, args.includes('--dry-run'), context);
      return 0;
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

function databaseOf(words: readonly string[]): string {
  const [from, url] = words;
  if (from !== 'kamailio') throw new UsageError(`There is no import from ${from}, only from kamailio.`);
  if (url === undefined) throw new UsageError('From which database? Its URL is missing.');
  tooMany(words, 2);
  if (/^postgres(ql)?:\/\//.test(url)) return url;
  throw new UsageError(`"${url}" is no URL of a database: write postgres://USER:PASSWORD@HOST/DATABASE.`);
}

async function takeOver(
  { accounts: rows, aliases, locations }: KamailioTables,
  database: ImportDatabase,
  isDry: boolean,
  context: ImportContext,
): Promise<void> {
  const { write, defaultDomain, limit } = context;
  const accounts = await takeOverAccounts(rows, database.subscribers, isDry, defaultDomain);
  write(told('accounts', isDry, accounts));
  if (aliases !== undefined) {
    write(`\n${told('aliases', isDry, await takeOverAliases(aliases, database.aliases, isDry, defaultDomain))}`);
  }
  if (locations !== undefined) {
    const isAccount = async (username: string, domain: string): Promise<boolean> =>
      accounts.here.has(`${username}@${domain}`) ||
      (await database.subscribers.account(username, domain)) !== undefined;
    const registrar = { location: database.location, here: await context.here(), limit, defaultDomain, isAccount };
    write(`\n${told('registrations', isDry, await takeOverRegistrations(locations, isDry, registrar))}`);
  }
}
