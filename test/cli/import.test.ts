import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashes, type SubscriberAdmin } from '../../src/adapters/postgres/subscriber-store.ts';
import { importCommand, importHelp } from '../../src/cli/import.ts';
import { sql, withDatabase } from '../support/postgres.ts';
import { startPostgresServer } from '../support/postgres-server.ts';

/** As Kamailio 5.6 makes it. */
const kamailio = `CREATE TABLE subscriber (id serial PRIMARY KEY, username varchar(64) DEFAULT '' NOT NULL,
  domain varchar(64) DEFAULT '' NOT NULL, password varchar(64) DEFAULT '' NOT NULL, ha1 varchar(128) DEFAULT '' NOT NULL,
  ha1b varchar(128) DEFAULT '' NOT NULL)`;
const [md5] = hashes('bob', 'example.com', 'secret');
const rows = `INSERT INTO subscriber (username, domain, password, ha1) VALUES
  ('alice', 'Example.com', 'secret', ''), ('bob', 'example.com', '', '${md5.toUpperCase()}'), ('carol', '', 'x', ''),
  ('dave', '', '', '${md5}'), ('erin', 'example.com', '', ''), ('a b', 'example.com', 'x', ''), ('here', 'example.com', 'x', '')`;

async function run(args: string, subscribers?: SubscriberAdmin): Promise<string> {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const openDatabase = async () => ({ subscribers: subscribers ?? assert.fail(), close: async () => undefined });
  const status = await importCommand(args.split(' '), {
    openDatabase,
    defaultDomain: 'example.com',
    write,
    writeError: write,
  });
  return `${status} ${text}`;
}

test('viaduct import kamailio: accounts with a password or an ha1; what is not taken over is named with its reason', async () => {
  const server = await startPostgresServer();
  try {
    const url = server.url('postgres');
    await sql({ url }, kamailio);
    await sql({ url }, rows);
    await withDatabase({ kind: 'server' }, async ({ subscribers }) => {
      await subscribers.add('here', 'example.com', 'own');
      const dry = await run(`kamailio ${url} --dry-run`, subscribers);
      assert.match(dry, /^0 Would take over 3 of 7 accounts\.\n/);
      assert.equal((await subscribers.list()).length, 1);
      const done = await run(`kamailio ${url}`, subscribers);
      assert.equal(done.replace('Took over', 'Would take over'), dry);
      const remarks = [
        /bob@example.com +logs in by MD5 only/,
        /dave@ +not taken: it has no domain/,
        /erin@example.com +not taken: it has neither a password nor an ha1/,
        /a b@example.com +not taken: its name/,
        /here@example.com +not taken: it is here already/,
      ];
      for (const remark of remarks) assert.match(done, remark);
      const stored = async (name: string) => {
        const found = await subscribers.find(name, 'example.com');
        return [found?.ha1Md5, found?.ha1Sha256];
      };
      assert.deepEqual(await stored('alice'), hashes('alice', 'example.com', 'secret'));
      assert.deepEqual(await stored('carol'), hashes('carol', 'example.com', 'x'));
      assert.deepEqual(await stored('here'), hashes('here', 'example.com', 'own'));
      assert.equal((await stored('bob'))[0], md5);
    });
  } finally {
    await server.remove();
  }
});

test('viaduct import: what it does not understand, and a database that is not there', async () => {
  assert.equal(await run('asterisk postgres://x'), `2 ${importHelp}`);
  assert.match(await run('kamailio postgres://u:hidden@127.0.0.1:1/db'), /^1 (?!.*hidden)/s);
});
