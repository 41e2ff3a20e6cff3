/** Tables of Kamailio, as `kamdbctl create` of its version 5.6 makes them for PostgreSQL; what it writes was seen there. */

/** auth_db */
export const subscriber = `CREATE TABLE subscriber (id serial PRIMARY KEY, username varchar(64) DEFAULT '' NOT NULL,
  domain varchar(64) DEFAULT '' NOT NULL, password varchar(64) DEFAULT '' NOT NULL, ha1 varchar(128) DEFAULT '' NOT NULL,
  ha1b varchar(128) DEFAULT '' NOT NULL)`;

/** alias_db */
export const dbaliases = `CREATE TABLE dbaliases (id serial PRIMARY KEY, alias_username varchar(64) DEFAULT '' NOT NULL,
  alias_domain varchar(64) DEFAULT '' NOT NULL, username varchar(64) DEFAULT '' NOT NULL, domain varchar(64) DEFAULT '' NOT NULL)`;

/** usrloc */
export const location = `CREATE TABLE location (id serial PRIMARY KEY, ruid varchar(64) DEFAULT '' NOT NULL UNIQUE,
  username varchar(64) DEFAULT '' NOT NULL, domain varchar(64) DEFAULT NULL, contact varchar(512) DEFAULT '' NOT NULL,
  received varchar(128) DEFAULT NULL, path varchar(512) DEFAULT NULL,
  expires timestamp without time zone DEFAULT '2030-05-28 21:32:15' NOT NULL, q real DEFAULT 1.0 NOT NULL,
  callid varchar(255) DEFAULT 'Default-Call-ID' NOT NULL, cseq integer DEFAULT 1 NOT NULL,
  last_modified timestamp without time zone DEFAULT '2000-01-01 00:00:01' NOT NULL, flags integer DEFAULT 0 NOT NULL,
  cflags integer DEFAULT 0 NOT NULL, user_agent varchar(255) DEFAULT '' NOT NULL, socket varchar(64) DEFAULT NULL,
  methods integer DEFAULT NULL, instance varchar(255) DEFAULT NULL, reg_id integer DEFAULT 0 NOT NULL,
  server_id integer DEFAULT 0 NOT NULL, connection_id integer DEFAULT 0 NOT NULL, keepalive integer DEFAULT 0 NOT NULL,
  partition integer DEFAULT 0 NOT NULL)`;

/** As it writes a time: that of its host, without a zone. */
export function timeText(atMs: number): string {
  const local = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}
