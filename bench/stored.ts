/**
 * Fills the database as it would be after long: bindings of telephones at the answering sipp, and subscriptions to their
 * presence, in the order of chance, so that neighbours in a table are no neighbours in its index.
 */
import { sql } from '../test/support/postgres-server.ts';
import type { Stored } from './cases.ts';
import { domain } from './load.ts';

export const watchersOfEach = 10;

export interface Parties {
  /** Of the answering sipp, and of who answers NOTIFY. */
  readonly answerPort: number;
  readonly watcherPort: number;
}

/** `url`: of a database with our tables; `node`: the name of the proxy that took all this. */
export async function fill(
  { url, node }: { readonly url: string; readonly node: string },
  stored: Stored,
  parties: Parties,
): Promise<void> {
  const statements = [
    bindings(node, stored.bindings, parties),
    subscriptions(node, stored.subscriptions, parties),
    'VACUUM ANALYZE',
    'CHECKPOINT',
  ];
  for (const statement of statements) await sql({ url }, statement);
}

const account = (number: string): string => `'u' || lpad((${number})::text, 7, '0')`;

function bindings(node: string, count: number, { answerPort }: Parties): string {
  return `
    INSERT INTO location (aor, binding_key, key_hash, contact, contact_params, q, expires_at, call_id, cseq, path, flow_id,
      node, boot, transport, source, user_agent)
    SELECT aor, key, left(encode(sha256((aor || E'\\n' || key)::bytea), 'hex'), 10), key, '', 1,
      now() + interval '1 hour' + random() * interval '1 hour', md5(key) || '@192.0.2.1', 1, '{}', NULL, '${node}', 'b00700', 'udp',
      '127.0.0.1:5060', 'bench'
    FROM (
      SELECT 'sip:' || ${account('i')} || '@${domain}' AS aor, 'sip:' || ${account('i')} || '@127.0.0.1:${answerPort}' AS key
      FROM generate_series(0, ${count - 1}) AS i ORDER BY md5(i::text)) AS accounts`;
}

function subscriptions(node: string, count: number, { watcherPort }: Parties): string {
  return `
    INSERT INTO subscription (id, event, resource, watcher, state, created_at, expires_at, call_id, remote_tag, local_uri,
      remote_uri, remote_target, route_set, remote_cseq, cseq, version, flow_id, listener, node, boot)
    SELECT left(md5(i::text), 24), 'presence', resource, watcher, 'active', now(), now() + interval '2 hours',
      md5('call' || i) || '@192.0.2.1', left(md5('tag' || i), 8), resource, watcher,
      'sip:' || i || '@127.0.0.1:${watcherPort}', '{}', 1, 1, 0, NULL, 0, '${node}', 'b00700'
    FROM (
      SELECT i, 'sip:' || ${account(`i / ${watchersOfEach}`)} || '@${domain}' AS resource,
        'sip:' || ${account(`(i::bigint * 7919) % ${count}`)} || '@${domain}' AS watcher
      FROM generate_series(0, ${count - 1}) AS i ORDER BY md5(i::text)) AS pairs`;
}
