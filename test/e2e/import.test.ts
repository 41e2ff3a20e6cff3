/**
 * Viaduct takes the place of Kamailio, with real processes: `viaduct import kamailio` between the stop of one and the start
 * of the other, and a telephone behind NAT, which knows nothing of it, is called and answers.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { location, subscriber, timeText } from '../support/kamailio.ts';
import { sql } from '../support/postgres.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { freePort, startProcess } from '../support/process.ts';
import { openSoftphone, PASSWORD, softphoneOf } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { DOMAIN, startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const suite = createSuite();
const projectDir = join(import.meta.dirname, '..', '..');
let kamailio: PostgresServer;
let listen: string;
let viaduct: Viaduct;

before(async () => {
  kamailio = await startPostgresServer();
  suite.after(() => kamailio.remove());
  for (const table of [subscriber, location]) await sql({ url: kamailio.url('postgres') }, table);
  for (const name of ['anna', 'ben']) {
    await sql(
      { url: kamailio.url('postgres') },
      `INSERT INTO subscriber (username, domain, password) VALUES ('${name}', '${DOMAIN}', '${PASSWORD}')`,
    );
  }
  listen = `udp:127.0.0.1:${await freePort('udp')} wss:127.0.0.1:0`;
  viaduct = await startViaduct(suite, { LISTEN: listen, UDP_PING_SECONDS: '1' });
});

after(() => suite.end());

async function runImport(): Promise<string> {
  const { dataDir } = viaduct;
  const env = { DATA_DIR: dataDir, DATABASE_URL: '', DOMAINS: DOMAIN, LISTEN: listen, HTTP: '127.0.0.1:0' };
  const args = ['src/cli/main.ts', 'import', 'kamailio', kamailio.url('postgres')];
  const command = startProcess(suite, process.execPath, args, { cwd: projectDir, env });
  const { code } = await command.ended(60_000);
  assert.equal(code, 0, command.output());
  return command.output();
}

test('a call reaches a telephone that registered with Kamailio, where its NAT lets it in; keep-alives begin by themselves', async (t) => {
  const ben = await openSoftphone(t, viaduct, { user: 'ben', transport: 'udp', voice: 2 });
  const { address, port } = ben.agent.station.address;
  await viaduct.stop();
  const until = timeText(Date.now() + 600_000);
  await sql(
    { url: kamailio.url('postgres') },
    `INSERT INTO location (ruid, username, domain, contact, received, expires, q, callid, cseq, last_modified, user_agent, socket)
     VALUES ('uloc-1', 'ben', '${DOMAIN}', 'sip:ben@10.9.8.7:5060', 'sip:${address}:${port}', '${until}', -1, 'ben-registers', 3,
       '${timeText(Date.now())}', 'Snom', '${listen.split(' ')[0]}')`,
  );
  const told = await runImport();
  assert.match(told, /Took over 2 of 2 accounts\.\n\nTook over 1 of 1 registrations\./);
  await viaduct.restart();
  ben.agent.respond(await ben.agent.receivesRequest('OPTIONS'), 200);

  const anna = await softphoneOf(t, viaduct, { user: 'anna', transport: 'udp' });
  const { received, caller } = await anna.call(ben);
  assert.equal(received.uri, 'sip:ben@10.9.8.7:5060', 'as it registered there');
  await ben.rtp.hear(1);
  await anna.rtp.hear(2);
  await anna.hangUp(caller, ben);
  assert.match(
    await runImport(),
    /Took over 0 of 2 accounts\.[\s\S]*Took over 0 of 1 registrations\./,
    'again, it changes nothing',
  );
});
