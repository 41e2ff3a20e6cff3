/**
 * Publications in PostgreSQL (RFC 3903): grouped as the location service is. A change of an entity-tag replaces the row,
 * so that the condition of the request is the row itself.
 */
import type { EventPackage, PresenceStore, Publication, PublicationChange } from '../../ports.ts';
import type { StoreOptions } from './location-store.ts';
import { createGroupedReader } from './reader.ts';
import { fromDatabase, toDatabase } from './text.ts';
import { companyMsOf, createGroupedWriter } from './writer.ts';

export type PublicationStore = Pick<
  PresenceStore,
  'publications' | 'publish' | 'expirePublications' | 'listPublications'
> & {
  waiting(): number;
  idle(): Promise<void>;
};

interface PublicationRow {
  readonly aor: string;
  readonly event: EventPackage;
  readonly etag: string;
  readonly content_type: string;
  readonly body: string;
  readonly expires_at: Date;
}

interface PreparedChange {
  readonly aor: string;
  readonly event: EventPackage;
  /** If-Match, next entity-tag, end, content type, body. */
  readonly values: readonly [string | null, string | null, number | null, string | null, string | null];
}

const names = 'aor, event, etag, content_type, body, expires_at';

const CHANGE = `
  WITH change AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::double precision[], $7::text[], $8::text[])
      AS c(aor, event, if_match, etag, expires_at, content_type, body)
  ), held AS (
    DELETE FROM publication p USING change c
    WHERE p.aor = c.aor AND p.event = c.event AND p.etag = c.if_match
      AND p.expires_at > to_timestamp($1::double precision / 1000)
    RETURNING p.aor, p.event, p.content_type, p.body
  ), matched AS (
    SELECT c.aor, c.event, c.etag, c.expires_at, coalesce(c.content_type, h.content_type) AS content_type,
      coalesce(c.body, h.body) AS body
    FROM change c LEFT JOIN held h ON h.aor = c.aor AND h.event = c.event
    WHERE c.if_match IS NULL OR h.aor IS NOT NULL
  ), written AS (
    INSERT INTO publication (${names})
    SELECT aor, event, etag, content_type, body, to_timestamp(expires_at / 1000) FROM matched
    WHERE etag IS NOT NULL ORDER BY aor, event, etag
  )
  SELECT aor, event FROM matched`;

const FIND = `SELECT ${names} FROM publication
  WHERE expires_at > to_timestamp($1::double precision / 1000)
    AND (aor, event) IN (SELECT * FROM unnest($2::text[], $3::text[])) ORDER BY updated_at DESC, etag`;

const EXPIRE = `DELETE FROM publication WHERE (aor, event, etag) IN (
    SELECT aor, event, etag FROM publication WHERE expires_at <= to_timestamp($1::double precision / 1000)
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING aor, event`;

const LIST = `SELECT ${names} FROM (
    SELECT * FROM publication WHERE expires_at > to_timestamp($1::double precision / 1000) AND aor > $2
    ORDER BY aor FETCH FIRST $3 ROWS WITH TIES) AS page
  ORDER BY aor, updated_at DESC, etag`;

export function createPublicationStore({ pool, clock, groupMs }: StoreOptions): PublicationStore {
  const changes = createGroupedWriter<PreparedChange, 'stored' | 'no-match'>({
    groupMs,
    companyMs: companyMsOf(groupMs),
    maxGroup: 250,
    maxWaiting: 20_000,
    after: clock.after.bind(clock),
    key: topic,
    write: async (group) => {
      const columns = [0, 1, 2, 3, 4].map((index) => group.map(({ values }) => values[index]));
      const values = [clock.nowMs(), group.map(({ aor }) => aor), group.map(({ event }) => event), ...columns];
      const rows = await pool.query<Topic>({ name: 'publication-change', text: CHANGE, values });
      const matched = new Set(rows.map(topic));
      return group.map((change) => (matched.has(topic(change)) ? 'stored' : 'no-match'));
    },
  });
  const finds = createGroupedReader<Topic, readonly Publication[]>(async (wanted) => {
    const values = [clock.nowMs(), wanted.map(({ aor }) => aor), wanted.map(({ event }) => event)];
    const rows = await pool.query<PublicationRow>({ name: 'publication-find', text: FIND, values });
    const byTopic = Map.groupBy(rows, topic);
    return wanted.map((one) => (byTopic.get(topic(one)) ?? []).map(publicationOf));
  });

  return {
    publications: async (aor, event) => finds.add({ aor: toDatabase(aor), event }),
    publish: async (change) => changes.add(prepare(change)),
    expirePublications: async (limit) => {
      const values = [clock.nowMs(), limit];
      const rows = await pool.query<Topic>({ name: 'publication-expire', text: EXPIRE, values });
      return [...new Map(rows.map((row) => [topic(row), row])).values()].map(({ aor, event }) => ({
        aor: fromDatabase(aor),
        event,
      }));
    },
    listPublications: async ({ limit, after = '' }) => {
      const values = [clock.nowMs(), toDatabase(after), limit];
      return (await pool.query<PublicationRow>({ name: 'publication-list', text: LIST, values })).map(publicationOf);
    },
    waiting: () => changes.waiting() + finds.waiting(),
    idle: async () => {
      await Promise.all([changes.idle(), finds.idle()]);
    },
  };
}

interface Topic {
  readonly aor: string;
  readonly event: EventPackage;
}

const topic = ({ aor, event }: Topic): string => `${aor}\n${event}`;

function prepare({ aor, event, ifMatch, next, document }: PublicationChange): PreparedChange {
  return {
    aor: toDatabase(aor),
    event,
    values: [
      ifMatch === undefined ? null : toDatabase(ifMatch),
      next?.etag ?? null,
      next?.expiresAtMs ?? null,
      document === undefined ? null : toDatabase(document.contentType),
      document === undefined ? null : toDatabase(document.body),
    ],
  };
}

function publicationOf(row: PublicationRow): Publication {
  return {
    aor: fromDatabase(row.aor),
    event: row.event,
    etag: fromDatabase(row.etag),
    contentType: fromDatabase(row.content_type),
    body: fromDatabase(row.body),
    expiresAtMs: row.expires_at.getTime(),
  };
}
