/**
 * The tables of a Kamailio 5.x that are taken over, read only. A table that is not there is one that this Kamailio does
 * without; text of its columns is that of SIP already.
 */
import pg from 'pg';

/** `subscriber` (auth_db). */
export interface AccountRow {
  readonly username: string;
  readonly domain: string;
  readonly password: string;
  readonly ha1: string;
}

/** `dbaliases` (alias_db). */
export interface AliasRow {
  readonly alias_username: string;
  readonly alias_domain: string;
  readonly username: string;
  readonly domain: string;
}

/** `location` (usrloc). */
export interface LocationRow {
  readonly username: string;
  /** NULL with use_domain=0. */
  readonly domain: string | null;
  readonly contact: string;
  /** Where it came from, where that is not what the contact says: `sip:203.0.113.5:40000`. */
  readonly received: string | null;
  readonly path: string | null;
  /** As text: the local time of Kamailio's host; with db_expires_type=1 seconds since 1970. */
  readonly expires: string;
  readonly last_modified: string;
  /** Below 0: its client said nothing. */
  readonly q: number;
  readonly callid: string;
  readonly cseq: number;
  readonly user_agent: string;
  /** Where it came in: `udp:192.0.2.1:5060`. */
  readonly socket: string | null;
  readonly instance: string | null;
  readonly reg_id: number;
}

export interface KamailioTables {
  readonly accounts: readonly AccountRow[];
  /** `undefined`, as with the next: it has no such table. */
  readonly aliases: readonly AliasRow[] | undefined;
  readonly locations: readonly LocationRow[] | undefined;
}

const ACCOUNTS = 'SELECT username, domain, password, ha1 FROM subscriber ORDER BY domain, username';
const ALIASES = `SELECT alias_username, alias_domain, username, domain FROM dbaliases
  ORDER BY alias_domain, alias_username, id`;
// The newest first: where an account may have fewer devices here, those stay.
const LOCATIONS = `SELECT username, domain, contact, received, path, expires::text, last_modified::text, q::float8, callid,
  cseq, user_agent, socket, instance, reg_id FROM location ORDER BY domain, username, last_modified DESC, id`;

export async function readTables(url: string): Promise<KamailioTables> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  await client.connect();
  const rows = async <Row extends pg.QueryResultRow>(text: string) => (await client.query<Row>(text)).rows;
  const perhaps = async <Row extends pg.QueryResultRow>(text: string) => rows<Row>(text).catch(notThere);
  try {
    const accounts = await rows<AccountRow>(ACCOUNTS);
    return {
      accounts,
      aliases: await perhaps<AliasRow>(ALIASES),
      locations: await perhaps<LocationRow>(LOCATIONS),
    };
  } finally {
    await client.end();
  }
}

/** PostgreSQL's code of undefined_table. */
function notThere(thrown: unknown): undefined {
  if (thrown instanceof pg.DatabaseError && thrown.code === '42P01') return undefined;
  throw thrown;
}
