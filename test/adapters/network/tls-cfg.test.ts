import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import * as fc from 'fast-check';
import { parseTlsCfg, type TlsKey } from '../../../src/adapters/network/tls-cfg.ts';
import { loadTlsCfg } from '../../../src/adapters/network/tls-sections.ts';
import type { TlsSource } from '../../../src/adapters/network/tls-source.ts';
import { Failure } from '../../../src/errors.ts';
import type { Log, SocketAddress } from '../../../src/ports.ts';
import { certificateOf, testCertificates } from './certificates.ts';
import { eventually, message, open, silentLog, TcpClient } from './support.ts';

const certificates = testCertificates({
  main: ['localhost', '127.0.0.1'],
  second: ['second.example.com'],
  trunk: ['trunk.example.com'],
});

const example = new URL('../../../tls.cfg.example', import.meta.url);

// --- the text --------------------------------------------------------------------------------------------------------

function valuesOf(text: string): Readonly<Record<string, string>> {
  const [section] = parseTlsCfg(text).sections;
  assert.ok(section !== undefined);
  return Object.fromEntries([...section.values].map(([key, { text }]) => [key, text]));
}

test('sections, keys, quotes, comments and spaces as Kamailio reads them', () => {
  const { sections } = parseTlsCfg(
    [
      '# a comment',
      '[server:default]',
      'certificate = /a b.pem # another',
      '\tprivate_key="k#ey.pem"',
      'verify_certificate=yes',
      '',
      '[ server : [2001:DB8::1]:5061 ]\r',
      'server_name = "sip.example.com"',
      '[client:192.0.2.1:5061]',
      'cipher_list = HIGH:!aNULL@STRENGTH',
      '[server:any]',
    ].join('\n'),
  );
  assert.deepEqual(
    sections.map(({ kind, socket, line }) => [kind, socket, line]),
    [
      ['server', 'default', 2],
      ['server', { address: '2001:db8::1', port: 5061 }, 7],
      ['client', { address: '192.0.2.1', port: 5061 }, 9],
      ['server', 'any', 11],
    ],
  );
  const values = sections.map((section) =>
    Object.fromEntries([...section.values].map(([key, { text }]) => [key, text])),
  );
  assert.deepEqual(values, [
    { certificate: '/a b.pem', private_key: 'k#ey.pem', verify_certificate: 'yes' },
    { server_name: 'sip.example.com' },
    { cipher_list: 'HIGH:!aNULL@STRENGTH' },
    {},
  ]);
});

test('a file as Kamailio users have it is read, with tls_method under its other name', () => {
  const { sections, warnings } = parseTlsCfg(
    [
      '[server:default]',
      'tls_method = SSLv23',
      'verify_certificate = no',
      'require_certificate = no',
      'private_key = ./kamailio-selfsigned.key',
      'certificate = ./kamailio-selfsigned.pem',
      '#ca_list = ./cacert.pem',
      '',
      '[client:default]',
      'verify_certificate = yes',
      'require_certificate = yes',
    ].join('\n'),
  );
  assert.deepEqual(
    [...(sections[0]?.values.keys() ?? [])],
    ['method', 'verify_certificate', 'require_certificate', 'private_key', 'certificate'],
  );
  assert.deepEqual(warnings, ['tls.cfg line 2: method SSLv23 is raised to TLSv1.2+ (RFC 8996)']);
  assert.throws(() => parseTlsCfg('[server:default]\nmethod = TLSv1.2\ntls_method = TLSv1.2'), /method stands twice/);
});

test('a mistake names its line', () => {
  for (const [text, words] of [
    ['certificate = x', 'line 1: certificate stands before the first [section]; begin with [server:default]'],
    ['[server:default]\n\n[server:default]', 'line 3: [server:default] stands at line 1'],
    ['[client:1.2.3.4:1]\n[client:1.2.3.4:1]', 'line 2: [client:1.2.3.4:1] stands at line 1'],
    [
      '[server:any]\nserver_name=a.b\n[server:any]\nserver_name=A.B',
      'line 3: [server:any] with server_name "A.B" stands at line 1',
    ],
    ['[server:1.2.3.4:1]\n[server:1.2.3.4:1]', 'line 2: [server:1.2.3.4:1] stands at line 1'],
    ['[client:any]\nverify_depth = 1', 'line 1: [client:any] needs a server_name'],
    ['[client:default]\nserver_name = a.b', 'line 2: server_name cannot stand in [client:default]'],
    ['[server:example.com:5061]', 'line 1: "[server:example.com:5061]" is no section; write [server:default]'],
    ['[server:127.0.0.1]', 'line 1:'],
    ['[server:127.0.0.1:70000]', 'line 1:'],
    ['[server:127.0.0.1:0x10]', 'line 1:'],
    ['[peer:default]', 'line 1: "[peer:default]" is no section'],
    ['[server:default', 'line 1:'],
    ['[server:default]\nnonsense', 'line 2: "nonsense" is neither [section] nor "key = value", such as certificate ='],
    [
      '[server:default]\nverify_certificate = perhaps',
      'line 2: verify_certificate must be yes or no, not "perhaps"; for example verify_certificate = yes',
    ],
    ['[server:default]\nverify_depth = -1', 'line 2: verify_depth must be a number'],
    ['[server:default]\nmethod = SSLv3', 'line 2: method must be one of TLSv1.2+'],
    ['[server:default]\ncertificate =', 'line 2: certificate must be the name of a file, not ""'],
    ['[server:default]\ncertificate = "a.pem', 'line 2: "certificate = \\"a.pem" opens a quote and does not close it'],
    ['[server:default]\nserver_name = a b', 'line 2: server_name must be a domain name'],
    ['[server:any]\nserver_name = 192.0.2.1', 'line 2: server_name must be a domain name'],
    ['[server:default]\ncrl = a\ncrl = b', 'line 3: crl stands twice in this section, first at line 2'],
    ['[server:default]\nca_path = /x', 'line 2: the key ca_path is not known here; put the certificates into one file'],
    ['[server:default]\nfoo = /x', 'line 2: the key foo is not known here; known are method'],
    ['[server:default]\n__proto__ = x', 'line 2: the key __proto__ is not known'],
    ['[server:default]\ncertificate = a\0b', 'line 2: "certificate = a\\u0000b" has a control character'],
    [`[server:default]\ncertificate = ${'a'.repeat(5_000)}`, 'line 2: it has more than 4096 characters'],
    ['[server:any]\n'.repeat(1_001), 'line 1001: there are more than 1000 sections'],
    ['#'.repeat(2_000_000), 'line 1: the file has more than'],
  ] as const) {
    assert.throws(
      () => parseTlsCfg(text),
      (thrown) => {
        assert.ok(thrown instanceof Failure);
        assert.equal(thrown.code, 'tls-config');
        assert.ok(thrown.detail.startsWith(`tls.cfg ${words}`), thrown.detail);
        return true;
      },
    );
  }
});

test('property: any text is either read or refused with the line of the mistake, never otherwise', () => {
  const piece = fc.oneof(
    fc.constantFrom('[server:default]', '[client:', ']', '\n', '\r\n', ' = ', '"', '#', 'method', 'server_name', '::1'),
    fc.constantFrom('[server:any]', 'certificate = a.pem\n', '[server:1.2.3.4:5061]\n', ' ', 'yes', '\0', '\ufeff'),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, (text) => {
      try {
        for (const { values } of parseTlsCfg(text).sections) for (const { text } of values.values()) assert.ok(text);
      } catch (thrown) {
        assert.ok(thrown instanceof Failure && thrown.code === 'tls-config', String(thrown));
        const line = Number(/^tls\.cfg line (\d+): /.exec(thrown.detail)?.[1]);
        assert.ok(line >= 1 && line <= text.split(/\r?\n/).length, thrown.detail);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('property: what is written is what is read, with any spaces and comments around it', () => {
  const space = fc.constantFrom('', ' ', '\t', '  ');
  const value = fc.string({ unit: fc.constantFrom(...'abz019/.-_ #='), minLength: 1, maxLength: 20 });
  const line = fc.record({ before: space, between: space, value, comment: fc.constantFrom('', '# x', ' # "y') });
  fc.assert(
    fc.property(line, ({ before, between, value, comment }) => {
      const text = `${before}[server:default]\n${before}certificate${between}=${between}"${value}"${comment}`;
      assert.deepEqual(valuesOf(text), { certificate: value });
    }),
  );
});

test('RFC 8996: TLSv1 and TLSv1.1 are raised to 1.2, with a warning', () => {
  for (const method of ['TLSv1', 'TLSv1+', 'TLSv1.1', 'TLSv1.1+', 'SSLv23']) {
    const text = `[server:default]\nmethod = ${method}`;
    assert.deepEqual(parseTlsCfg(text).warnings, [`tls.cfg line 2: method ${method} is raised to TLSv1.2+ (RFC 8996)`]);
    assert.equal(valuesOf(text).method, 'TLSv1.2+');
  }
  assert.deepEqual(parseTlsCfg('[server:default]\nmethod = TLSv1.3+').warnings, []);
});

test('tls.cfg.example can be read, also with every line of it switched on, and explains each key', async () => {
  const text = await readFile(example, 'utf8');
  assert.equal(parseTlsCfg(text).sections.length, 2);
  const all = parseTlsCfg(text.replace(/^#(?=[a-z[])/gm, ''));
  assert.deepEqual(all.warnings, []);
  assert.equal(all.sections.length, 6);
  const keys: readonly TlsKey[] = [
    'method',
    'verify_certificate',
    'require_certificate',
    'private_key',
    'certificate',
    'verify_depth',
    'ca_list',
    'crl',
    'cipher_list',
    'server_name',
  ];
  const seen = new Set(all.sections.flatMap((section) => [...section.values.keys()]));
  assert.deepEqual([...seen].sort(), [...keys].sort());
});

// --- at work ---------------------------------------------------------------------------------------------------------

let written = 0;

/** Written beside the certificates, so that relative names work. */
async function load(text: string, log: Log = silentLog): Promise<TlsSource> {
  written += 1;
  const path = join(certificates.folder, `tls-${written}.cfg`);
  await writeFile(path, text);
  return loadTlsCfg(path, Date.now(), log);
}

const main = 'certificate = main/server.pem\nprivate_key = main/server-key.pem\n';
const second = 'certificate = second/server.pem\nprivate_key = second/server-key.pem\n';

async function dial(t: TestContext, to: SocketAddress, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: to.address, port: to.port, rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

function nameShown(socket: TLSSocket): string | undefined {
  return socket.getPeerX509Certificate()?.subject;
}

test('RFC 6066 §3: server_name chooses the certificate, and the default serves all others', async (t) => {
  const tls = await load(`[server:default]\n${main}[server:any]\nserver_name = second.example.com\n${second}`);
  for (const transport of ['tls', 'wss']) {
    const { listener } = await open(t, [`${transport}:127.0.0.1:0`], { tls });
    for (const [servername, shown] of [
      ['second.example.com', 'CN=second.example.com'],
      ['SECOND.example.com', 'CN=second.example.com'],
      ['unknown.example.com', 'CN=localhost'],
      ['', 'CN=localhost'],
    ] as const) {
      assert.equal(nameShown(await dial(t, listener.local, { servername })), shown, servername);
    }
  }
});

test('a section for one socket serves that socket, with what it does not say from the default', async (t) => {
  const free = await open(t, ['tls:127.0.0.1:0', 'tls:127.0.0.1:0'], { tls: await load(`[server:default]\n${main}`) });
  const [one, two] = free.network.listeners.map(({ local }) => local.port);
  await free.network.shutdown();
  const tls = await load(`[server:default]\n${main}method = TLSv1.2\n[server:127.0.0.1:${two}]\n${second}`);
  const { network } = await open(t, [`tls:127.0.0.1:${one}`, `tls:127.0.0.1:${two}`], { tls });
  const sockets = await Promise.all(network.listeners.map(({ local }) => dial(t, local, {})));
  assert.deepEqual(sockets.map(nameShown), ['CN=localhost', 'CN=second.example.com']);
  assert.deepEqual(
    sockets.map((socket) => socket.getProtocol()),
    ['TLSv1.2', 'TLSv1.2'],
  );
});

test('a section for a socket that nobody opens refuses the start and names its line', async (t) => {
  const tls = await load(`[server:default]\n${main}\n[server:127.0.0.1:5999]\n`);
  await assert.rejects(open(t, ['tls:127.0.0.1:0', 'tcp:127.0.0.1:0'], { tls }), (thrown) => {
    assert.ok(thrown instanceof Failure);
    assert.match(
      thrown.message,
      /tls\.cfg line 5: no tls or wss entry of LISTEN opens 127\.0\.0\.1:5999; they open 127/,
    );
    return true;
  });
});

test('a listener without a section refuses the start', async (t) => {
  await assert.rejects(open(t, ['tls:127.0.0.1:0'], { tls: await load('[client:default]\n') }), { code: 'tls-config' });
});

test('require_certificate and verify_certificate: who comes in with which certificate', async (t) => {
  const trust = 'ca_list = trunk/ca.pem\n';
  const good = certificateOf(certificates, 'trunk');
  const bad = certificateOf(certificates, 'second');
  const none: ConnectionOptions = {};
  for (const [rules, given, enters] of [
    ['require_certificate = yes\n', none, false],
    ['require_certificate = yes\n', bad, false],
    ['require_certificate = yes\n', good, true],
    ['verify_certificate = yes\n', none, true],
    ['verify_certificate = yes\n', bad, false],
    ['verify_certificate = yes\n', good, true],
    ['', bad, true],
    ['require_certificate = yes\nverify_depth = 1\n', good, true],
    ['require_certificate = yes\nverify_depth = 0\n', good, false],
  ] as const) {
    const tls = await load(`[server:default]\n${main}${trust}${rules}`);
    const { network, messages, listener } = await open(t, ['tls:127.0.0.1:0'], { tls });
    const client = new TcpClient(
      await dial(t, listener.local, 'key' in given ? { cert: given.cert, key: given.key } : {}),
    );
    client.write(message());
    if (enters) await messages.next(rules);
    else await eventually(() => network.statistics().dropped['certificate-refused'] === 1, `refused: ${rules}`);
    assert.equal(network.statistics().connections.tls, enters ? 1 : 0);
    await network.shutdown();
  }
});

test('a client section: its authorities, its certificate, and verification that can be switched off', async (t) => {
  const server = await load(`[server:default]\n${main}ca_list = trunk/ca.pem\nrequire_certificate = yes\n`);
  const there = await open(t, ['tls:127.0.0.1:0'], { tls: server });
  const shown = 'certificate = trunk/server.pem\nprivate_key = trunk/server-key.pem\n';
  const { port } = there.listener.local;
  for (const [client, verified] of [
    [`[client:default]\n${shown}ca_list = main/ca.pem\n`, true],
    [`[client:default]\n${shown}ca_list = second/ca.pem\n`, false],
    [`[client:default]\n${shown}`, false],
    [`[client:default]\nca_list = second/ca.pem\n[client:127.0.0.1:${port}]\n${shown}verify_certificate = no\n`, true],
  ] as const) {
    const tls = await load(`[server:default]\n${main}${client}`);
    const here = await open(t, ['tls:127.0.0.1:0'], { tls });
    const flow = here.network.connect(here.listener, there.listener.local);
    assert.ok(flow !== undefined);
    here.network.send(flow, message(client));
    if (verified) assert.equal((await there.messages.next()).text, message(client));
    else assert.equal((await here.closed.next()).flow, flow);
    await here.network.shutdown();
  }
});

test('a file that is missing, unreadable or does not fit refuses the start and names its line', async () => {
  for (const [text, words] of [
    ['[server:default]\ncertificate = main/server.pem', /line 1: this server section has no private_key/],
    ['[server:default]', /line 1: this server section has no certificate/],
    ['[server:default]\ncertificate = nowhere.pem\nprivate_key = x', /line 2: certificate: ENOENT/],
    [`[server:default]\n${main}ca_list = nowhere.pem`, /line 4: ca_list: ENOENT/],
    ['[server:default]\ncertificate = tls-1.cfg\nprivate_key = main/server-key.pem', /line 2: certificate: /],
    [
      '[server:default]\ncertificate = main/server.pem\nprivate_key = second/server-key.pem',
      /line 3: private_key: it is not the key of `certificate`/,
    ],
    [`[server:default]\n${main}cipher_list = NOSUCHCIPHER`, /line 4: cipher_list: /],
    [`[server:default]\n${main}crl = main/server.pem`, /line 4: crl: /],
  ] as const) {
    await assert.rejects(load(text), (thrown) => {
      assert.ok(thrown instanceof Failure);
      assert.equal(thrown.code, 'tls-config');
      assert.match(thrown.detail, words);
      return true;
    });
  }
  assert.throws(() => loadTlsCfg('/nowhere/tls.cfg', Date.now(), silentLog), { code: 'tls-config' });
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const servername of ['b.example.com', '']) {
    test(`${maxVersion}: a session of a.example.com does not open "${servername}", whose authority is another`, async (t) => {
      const trunk = certificateOf(certificates, 'trunk');
      const required = (ca: string): string => `${main}ca_list = ${ca}/ca.pem\nrequire_certificate = yes\n`;
      const tls = await load(
        `[server:default]\n${required('second')}[server:any]\nserver_name = a.example.com\n${required('trunk')}` +
          `[server:any]\nserver_name = b.example.com\n${required('second')}`,
      );
      const { network, messages, listener } = await open(t, ['tls:127.0.0.1:0'], { tls });
      const options: ConnectionOptions = { maxVersion, cert: trunk.cert, key: trunk.key };
      const first = await dial(t, listener.local, { ...options, servername: 'a.example.com' });
      let session = first.getSession();
      first.on('session', (one) => {
        session = one;
      });
      const client = new TcpClient(first);
      client.write(message('one'));
      await messages.next();
      client.write('\r\n\r\n');
      await client.expect('\r\n');
      assert.ok(session !== undefined);
      const { address: host, port } = listener.local;
      const second = connect({ ...options, host, port, rejectUnauthorized: false, servername, session });
      t.after(() => second.destroy());
      second.on('error', () => undefined);
      second.write(message('two'), 'latin1');
      await eventually(() => network.statistics().dropped['certificate-refused'] === 1, 'it is refused');
      assert.equal(messages.all.length, 1);
    });
  }
}
