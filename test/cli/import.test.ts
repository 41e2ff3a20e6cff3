import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../src/adapters/postgres/database.ts';
import { hashes } from '../../src/adapters/postgres/subscriber-store.ts';
import { importCommand, importHelp } from '../../src/cli/import.ts';
import type { Here } from '../../src/cli/kamailio/contact-row.ts';
import { timeOf } from '../../src/cli/kamailio/here.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { dbaliases, location, subscriber, timeText } from '../support/kamailio.ts';
import { sql, withDatabase } from '../support/postgres.ts';
import { startPostgresServer } from '../support/postgres-server.ts';

const aliasRows = `INSERT INTO dbaliases (alias_username, alias_domain, username, domain) VALUES
  ('100', 'Example.com', 'alice', 'example.com'), ('200', 'example.com', 'alice', 'example.com'), ('zoë', '', 'bob', ''),
  ('20*', 'example.com', 'bob', 'example.com'), ('300', 'example.com', 'bob', 'example.org'), ('400', 'example.com', 'a b', ''),
  ('100', 'example.com', 'bob', 'example.com')`;
const [md5] = hashes('bob', 'example.com', 'secret');
const rows = `INSERT INTO subscriber (username, domain, password, ha1) VALUES
  ('alice', 'Example.com', 'secret', ''), ('bob', 'example.com', '', '${md5.toUpperCase()}'), ('carol', '', 'x', ''),
  ('dave', '', '', '${md5}'), ('erin', 'example.com', '', ''), ('a b', 'example.com', 'x', ''), ('here', 'example.com', 'x', '')`;

type Tables = Pick<Database, 'subscribers' | 'aliases' | 'location'>;

const nowMs = Date.now();
const here: Here = {
  node: 'n1',
  boot: 'b00700',
  listeners: [
    { index: 0, transport: 'tcp', local: { address: '192.0.2.100', port: 5060 } },
    { index: 1, transport: 'udp', local: { address: '192.0.2.100', port: 5060 } },
    { index: 2, transport: 'udp', local: { address: '2001:db8::100', port: 5060 } },
  ],
  nowMs,
  mostMs: 7_200_000,
  timeOf,
};

async function run(args: string, tables?: Tables): Promise<string> {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const openDatabase = async () => ({ ...(tables ?? assert.fail()), close: async () => undefined });
  const status = await importCommand(args.split(' '), {
    openDatabase,
    defaultDomain: 'example.com',
    here: async () => here,
    limit: { contacts: 2, whenFull: 'refuse' },
    write,
    writeError: write,
  });
  return `${status} ${text}`;
}

async function withKamailio(statements: readonly string[], use: (url: string, database: Database) => Promise<void>) {
  const server = await startPostgresServer();
  try {
    const url = server.url('postgres');
    for (const text of statements) await sql({ url }, text);
    await withDatabase({ kind: 'server' }, (database) => use(url, database));
  } finally {
    await server.remove();
  }
}

test('viaduct import kamailio: accounts with a password or an ha1; what is not taken over is named with its reason', () =>
  withKamailio([subscriber, rows], async (url, database) => {
    const { subscribers } = database;
    await subscribers.add('here', 'example.com', 'own');
    const dry = await run(`kamailio ${url} --dry-run`, database);
    assert.match(dry, /^0 Would take over 3 of 7 accounts\.\n/);
    assert.doesNotMatch(dry, /aliases|registrations/, 'this Kamailio has no such tables');
    assert.equal((await subscribers.list()).length, 1);
    const done = await run(`kamailio ${url}`, database);
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
  }));

test('viaduct import kamailio: aliases; a pattern that is here stays, and names that would be patterns are not taken', () =>
  withKamailio([subscriber, rows, dbaliases, aliasRows], async (url, database) => {
    const own = { domain: 'example.com', prefix: '200', digits: 0, hasRest: false, target: 'own' };
    await database.aliases.put(own);
    const dry = await run(`kamailio ${url} --dry-run`, database);
    assert.match(dry, /\nWould take over 3 of 7 aliases\.\n/);
    assert.deepEqual(await database.aliases.page(10), [own]);
    const done = await run(`kamailio ${url}`, database);
    assert.match(done, /\nTook over 3 of 7 aliases\.\n/);
    for (const remark of [
      /\n200@example.com +not taken: it is here already/,
      /\n20\*@example.com +not taken: its name/,
      /\n400@example.com +not taken: what it stands for is no address/,
      /\n100@example.com +not taken: it is here already/,
    ])
      assert.match(done, remark);
    const known = (await database.aliases.page(10)).map(
      ({ domain, prefix, target }) => `${prefix}@${domain} ${target}`,
    );
    assert.deepEqual(known.toSorted(), [
      '100@example.com alice',
      '200@example.com own',
      '300@example.com sip:bob@example.org',
      'zo\xc3\xab@example.com bob',
    ]);
    assert.match(await run(`kamailio ${url}`, database), /Took over 0 of 7 aliases/);
  }));

const inSeconds = (seconds: number): string => timeText(nowMs + seconds * 1000);

interface Row {
  readonly username?: string;
  readonly domain?: string | null;
  readonly contact: string;
  readonly received?: string;
  readonly path?: string;
  readonly expires?: string;
  readonly modified?: string;
  readonly q?: number;
  readonly cseq?: number;
  readonly socket?: string;
  readonly instance?: string;
  readonly regId?: number;
}

function insert(row: Row, index: number): string {
  const { username = 'alice', domain = 'Example.com', contact, received = null, path = null } = row;
  const {
    expires = inSeconds(600),
    modified = inSeconds(-index),
    q = -1,
    cseq = 7,
    socket = 'udp:192.0.2.100:5060',
  } = row;
  const { instance = null, regId = 0 } = row;
  const values = [
    `ruid-${index}`,
    username,
    domain,
    contact,
    received,
    path,
    expires,
    q,
    `call-${index}`,
    cseq,
    modified,
  ];
  const text = (value: string | number | null): string =>
    value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
  const all = [...values, 'Snom 300', socket, instance, regId].map(text);
  return `INSERT INTO location (ruid, username, domain, contact, received, path, expires, q, callid, cseq, last_modified,
    user_agent, socket, instance, reg_id) VALUES (${all.join(', ')})`;
}

const registered = (...given: readonly Row[]): readonly string[] => [subscriber, rows, location, ...given.map(insert)];
const behindNat = { contact: 'sip:alice@10.0.0.5:5060', received: 'sip:203.0.113.5:40000' };

async function bindings({ location: store }: Database, name = 'alice', domain = 'example.com') {
  return store.lookup(`sip:${name}@${domain}`);
}

test('viaduct import kamailio: a telephone behind NAT is reached where it came from, through the socket that it came to', () =>
  withKamailio(registered(behindNat), async (url, database) => {
    const dry = await run(`kamailio ${url} --dry-run`, database);
    assert.match(dry, /\nWould take over 1 of 1 registrations\.\n/);
    assert.deepEqual(await bindings(database), []);
    const done = await run(`kamailio ${url}`, database);
    assert.equal(done.replaceAll('Took over', 'Would take over'), dry);
    assert.match(done, /came to udp:192\.0\.2\.100:5060, and hear a call from there only/);
    const [binding] = await bindings(database);
    assert.partialDeepStrictEqual(binding, {
      key: 'sip:alice@10.0.0.5:5060',
      contact: 'sip:alice@10.0.0.5:5060',
      flowId: 'u1:203.0.113.5:40000',
      source: '203.0.113.5:40000',
      ...{ node: 'n1', transport: 'udp', q: 1, callId: 'call-0', cseq: 7, userAgent: 'Snom 300', media: undefined },
    });
    assert.ok(Math.abs((binding?.expiresAtMs ?? 0) - nowMs - 600_000) < 1_000);
    assert.match(await run(`kamailio ${url}`, database), /0 of 1 registrations\.\n.*it is here already/s);
  }));

test('viaduct import kamailio: an instance, a Path, an IPv6 address, and a contact that can be reached itself', () => {
  const uuid = '<urn:uuid:0f1e2d3c-1111-4222-8333-444455556666>';
  return withKamailio(
    registered(
      { ...behindNat, username: 'bob', instance: uuid, regId: 2, q: 0.3 },
      { username: 'carol', domain: null, contact: 'sip:carol@192.0.2.7', socket: 'udp:192.0.2.99:5060' },
      {
        contact: 'sip:alice@10.0.0.6',
        path: '<sip:edge@192.0.2.50;lr>, <sip:192.0.2.51;lr>',
        socket: 'tcp:192.0.2.9:5060',
      },
      { contact: 'sip:alice@[fd00::5]', received: 'sip:[2001:DB8::5]:5062', socket: 'udp:[2001:db8:0::100]:5060' },
    ),
    async (url, database) => {
      assert.match(await run(`kamailio ${url}`, database), /Took over 4 of 4 registrations/);
      const [bob] = await bindings(database, 'bob');
      const contactParams = `;+sip.instance="${uuid}";reg-id=2`;
      assert.partialDeepStrictEqual(bob, {
        key: `${uuid};reg-id=2`,
        contactParams,
        q: 0.3,
        flowId: 'u1:203.0.113.5:40000',
      });
      const [carol] = await bindings(database, 'carol');
      assert.partialDeepStrictEqual(carol, { flowId: undefined, path: [], source: '192.0.2.7:5060' });
      const [edge, six] = await bindings(database);
      assert.deepEqual(edge?.path, ['<sip:edge@192.0.2.50;lr>', '<sip:192.0.2.51;lr>']);
      assert.equal(edge?.flowId, undefined);
      assert.equal(six?.flowId, 'u2:2001:db8::5:5062');
    },
  );
});

test('viaduct import kamailio: what cannot be reached, has ended or never ends, each with its reason', () =>
  withKamailio(
    registered(
      { contact: 'sip:alice@192.0.2.1;transport=tcp' },
      {
        contact: 'sip:alice@x.invalid;transport=ws',
        received: 'sip:203.0.113.5:40000;transport=ws',
        socket: 'tls:192.0.2.100:443',
      },
      { contact: 'sip:alice@192.0.2.2', socket: 'tls:192.0.2.100:5061' },
      { contact: 'sip:alice@192.0.2.3', expires: inSeconds(-1) },
      { contact: 'sip:alice@192.0.2.4', expires: '1970-01-01 01:00:00' },
      { ...behindNat, socket: 'udp:192.0.2.101:5060' },
      { ...behindNat, received: 'sip:nat.example.com:5060' },
      { contact: 'tel:123' },
      { contact: 'sip:alice@192.0.2.5', path: 'nonsense' },
      { contact: 'sip:nobody@192.0.2.6', username: 'nobody' },
      { contact: 'sip:nobody@192.0.2.6', username: 'nobody', expires: inSeconds(-1) },
      { contact: 'sip:alice@192.0.2.8', modified: inSeconds(3_600), expires: inSeconds(100_000) },
    ),
    async (url, database) => {
      const done = await run(`kamailio ${url}`, database);
      for (const line of [
        /Took over 1 of 12 registrations\.\n/,
        /\n {2}3 came over connections \(TCP, TLS, WebSocket\)/,
        /\n {2}2 had expired, in the time zone of this host\.\n/,
        /\n {2}Some were changed in the future: .*TZ=/,
        /alice@example\.com sip:alice@192\.0\.2\.4 +not taken: it never expires/,
        /alice@10\.0\.0\.5:5060 +not taken: it is behind NAT and came to udp:192\.0\.2\.101:5060, where LISTEN has no entry here/,
        /not taken: "sip:nat\.example\.com:5060" is no address/,
        /alice@example\.com tel:123 +not taken: its contact is no SIP URI/,
        /192\.0\.2\.5 +not taken: its Path cannot be read/,
        /nobody@example\.com sip:nobody@192\.0\.2\.6 +not taken: there is no such account here/,
      ])
        assert.match(done, line);
      const [binding, ...more] = await bindings(database);
      assert.deepEqual(more, []);
      assert.equal(binding?.expiresAtMs, nowMs + here.mostMs, 'no longer than MAX_EXPIRES_SECONDS');
    },
  ));

test('viaduct import kamailio: MAX_CONTACTS is obeyed, the newest first; a device that registered here already stays', () =>
  withKamailio(
    registered(
      { contact: 'sip:alice@192.0.2.1', modified: inSeconds(-30) },
      { contact: 'sip:alice@192.0.2.2', modified: inSeconds(-10) },
      { contact: 'sip:alice@192.0.2.3', modified: inSeconds(-20) },
    ),
    async (url, database) => {
      const dry = await run(`kamailio ${url} --dry-run`, database);
      assert.match(dry, /192\.0\.2\.1 +not taken: the address has as many devices as MAX_CONTACTS allows/);
      assert.equal((await run(`kamailio ${url}`, database)).replaceAll('Took over', 'Would take over'), dry);
      const contacts = (await bindings(database)).map(({ contact }) => contact);
      assert.deepEqual(contacts, ['sip:alice@192.0.2.2', 'sip:alice@192.0.2.3'], 'the newest is called first');
    },
  ));

test('times of Kamailio are local ones, or seconds since 1970 (db_expires_type)', () => {
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
  assert.equal(timeOf('2026-11-30 18:07:00'), Date.UTC(2026, 10, 30, 17, 7));
  assert.equal(timeOf('2026-07-30 18:07:00.5'), Date.UTC(2026, 6, 30, 16, 7, 0, 500));
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
  assert.equal(timeOf('1790000000'), 1_790_000_000_000);
  assert.ok(Number.isNaN(timeOf('tomorrow')));
});

test('viaduct import: what it does not understand, and a database that is not there', async () => {
  assert.equal(await run('help'), `0 ${importHelp}`);
  await assert.rejects(run('kamailio'), new UsageError('From which database? Its URL is missing.'));
  await assert.rejects(run('kamailio example'), /^Error: "example" is no URL of a database: write postgres:/);
  await assert.rejects(
    run('asterisk postgres://x'),
    new UsageError('There is no import from asterisk, only from kamailio.'),
  );
  assert.match(await run('kamailio postgres://u:hidden@127.0.0.1:1/db'), /^1 (?!.*hidden)/s);
});
