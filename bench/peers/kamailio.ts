/**
 * Kamailio 5.6 as its users set it up: four workers, location written through to PostgreSQL, rtpengine on each call
 * (kamailio.cfg). It has to be installed: `apt-get install kamailio kamailio-postgres-modules kamailio-websocket-modules
 * kamailio-presence-modules`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from '../../test/support/postgres-server.ts';
import { freePort, startProcess } from '../../test/support/process.ts';
import { accounts, domain } from '../load.ts';
import type { Peer } from './peer.ts';

const program = '/usr/sbin/kamailio';
const schemas = '/usr/share/kamailio/postgres';
const workers = 4;

export const kamailio: Peer = {
  name: 'kamailio',
  missing: () => (existsSync(program) && existsSync(schemas) ? undefined : 'it is not installed'),
  async start(scope, backends, { media, digest = false }) {
    const folder = mkdtempSync(join(tmpdir(), 'viaduct-bench-'));
    scope.after(() => rmSync(folder, { recursive: true, force: true }));
    await sql({ url: backends.directUrl('postgres') }, 'CREATE DATABASE kamailio');
    const database = { url: backends.directUrl('kamailio') };
    for (const name of ['standard', 'usrloc', 'auth_db', 'presence']) {
      await sql(database, readFileSync(join(schemas, `${name}-create.sql`), 'utf8'));
    }
    await sql(
      database,
      `INSERT INTO subscriber (username, domain, password)
       SELECT name, '${domain}', name
       FROM (SELECT 'u' || lpad(i::text, 7, '0') AS name FROM generate_series(0, ${accounts - 1}) i) AS names`,
    );
    const [port, wsPort] = [await freePort('both'), await freePort('tcp')];
    const values: Readonly<Record<string, string | number>> = {
      L_UDP: `udp:127.0.0.1:${port}`,
      L_TCP: `tcp:127.0.0.1:${port}`,
      L_WS: `tcp:127.0.0.1:${wsPort}`,
      N_CHILDREN: workers,
      P_DB_MODE: 1,
      P_UL_TIMER: 60,
      P_DB_URL: `"postgres://bench:bench@127.0.0.1:${backends.postgresPort}/kamailio"`,
      P_NG: `"udp:127.0.0.1:${backends.rtpenginePort}"`,
      P_DOMAIN: `"${domain}"`,
      P_ALIAS: `"${domain}"`,
      P_CTL: `"unix:${folder}/ctl"`,
      P_PRES_ADDR: `"sip:127.0.0.1:${port}"`,
    };
    // Its reader of URLs takes no escapes in a password, which that of the server's owner has.
    await sql(database, "CREATE ROLE bench LOGIN SUPERUSER PASSWORD 'bench'");
    const defines = Object.entries(values).flatMap(([name, value]) => ['-A', `${name}=${value}`]);
    const child = startProcess(scope, program, [
      ...['-f', join(import.meta.dirname, 'kamailio.cfg'), '-DD', '-E', '-m', '1024', '-M', '16'],
      ...['-x', 'fm', '-X', 'fm', '-w', folder, '-Y', folder],
      ...defines,
      ...(media ? ['-A', 'WITH_RTPE'] : []),
      ...(digest ? ['-A', 'WITH_AUTH'] : []),
    ]);
    await listening(wsPort, () => child.output());
    return { pid: child.pid, port };
  },
};

/** Its last listener is open. */
async function listening(port: number, output: () => string): Promise<void> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  for (const deadlineMs = Date.now() + 20_000; Date.now() < deadlineMs; ) {
    if (readFileSync('/proc/net/tcp', 'latin1').includes(local)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Kamailio did not start:\n${output()}`);
}
