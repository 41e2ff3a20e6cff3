import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { issueCertificate, issueRevocations } from '../../../src/adapters/network/certificate-issue.ts';
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

const main = 'certificate = main/server.pem\nprivate_key = main/server-key.pem\n';
const second = 'certificate = second/server.pem\nprivate_key = second/server-key.pem\n';
const dayMs = 86_400_000;
let written = 0;

async function load(text: string, log: Log = silentLog): Promise<TlsSource> {
  written += 1;
  const path = join(certificates.folder, `tls-${written}.cfg`);
  await writeFile(path, text);
  return loadTlsCfg(path, Date.now(), log);
}

async function dial(t: TestContext, to: SocketAddress, options: ConnectionOptions = {}) {
  const socket = connect({ host: to.address, port: to.port, rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return { client: new TcpClient(socket), shown: socket.getPeerX509Certificate()?.subject };
}

// --- reload ----------------------------------------------------------------------------------------------------------

for (const transport of ['tls', 'wss']) {
  test(`${transport}: a reload shows the new certificate to new connections, and open ones go on`, async (t) => {
    const { network, listener } = await open(t, [`${transport}:127.0.0.1:0`], {
      tls: await load(`[server:default]\n${main}`),
    });
    const before = await dial(t, listener.local);
    network.replaceTls(await load(`[server:default]\n${second}`));
    const after = await dial(t, listener.local);
    assert.deepEqual([before.shown, after.shown], ['CN=localhost', 'CN=second.example.com']);
    for (const { client } of [before, after]) {
      if (transport === 'tls') {
        client.write('\r\n\r\n');
        await client.expect('\r\n');
      } else {
        client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await eventually(() => client.received.startsWith('HTTP/1.1 426 '), 'an answer over HTTPS');
      }
    }
  });
}

test('a reload changes who must present a certificate, and whom we trust when we connect', async (t) => {
  const here = await open(t, ['tls:127.0.0.1:0'], { tls: await load(`[server:default]\n${main}`) });
  const there = await open(t, ['tls:127.0.0.1:0'], { tls: await load(`[server:default]\n${main}`) });
  const { address, port } = there.listener.local;
  here.network.replaceTls(await load(`[server:default]\n${main}[client:default]\nca_list = main/ca.pem\n`));
  const trusted = here.network.connect(here.listener, { address, port });
  assert.ok(trusted !== undefined && here.network.send(trusted, message('one')));
  assert.equal((await there.messages.next()).text, message('one'));
  there.network.replaceTls(await load(`[server:default]\n${main}ca_list = trunk/ca.pem\nrequire_certificate = yes\n`));
  const { client } = await dial(t, there.listener.local);
  await client.closed();
  assert.equal(there.network.statistics().dropped['certificate-refused'], 1);
  assert.ok(here.network.send(trusted, message('two')), 'the connection of before the reload goes on');
  assert.equal((await there.messages.next()).text, message('two'));
});

test('a file that names a socket nobody opens keeps the old certificates', async (t) => {
  const { network, listener } = await open(t, ['tls:127.0.0.1:0'], { tls: await load(`[server:default]\n${main}`) });
  const wrong = await load(`[server:default]\n${second}[server:127.0.0.1:5999]\n`);
  assert.throws(() => network.replaceTls(wrong), { code: 'tls-config' });
  assert.throws(() => network.replaceTls({ ...wrong, check: () => undefined, server: () => refuse() }), Failure);
  assert.equal((await dial(t, listener.local)).shown, 'CN=localhost');
});

function refuse(): never {
  throw new Failure('tls-config', 'no section');
}

test('what is shown where is told in a line for each section', async () => {
  const tls = await load(`[server:default]\n${main}[server:any]\nserver_name = second.example.com\n${second}`);
  assert.equal(tls.identities.length, 2);
  assert.match(
    tls.identities[0] ?? '',
    /^\[server:default\]: CN=localhost \(127\.0\.0\.1, localhost\), valid until .* GMT, SHA-256 /,
  );
  assert.match(tls.identities[1] ?? '', /^\[server:any\] second\.example\.com: CN=second\.example\.com/);
});

// --- revocation ------------------------------------------------------------------------------------------------------

test('RFC 5280 §5: a client whose certificate is in the crl is refused, another of the same authority is not', async (t) => {
  const folder = join(certificates.folder, 'trunk');
  const authority = {
    pem: await readFile(join(folder, 'ca.pem'), 'latin1'),
    key: await readFile(join(folder, 'ca-key.pem'), 'latin1'),
  };
  const validity = { fromMs: Date.now() - dayMs, untilMs: Date.now() + dayMs };
  const other = await issueCertificate(authority, { names: ['carol'], purpose: 'client', ...validity });
  const gone = certificateOf(certificates, 'trunk');
  await writeFile(join(folder, 'crl.pem'), await issueRevocations(authority, [gone.cert], undefined, validity));
  for (const rules of ['', '[server:any]\nserver_name = sip.example.com\n']) {
    const tls = await load(
      `[server:default]\n${main}${rules}${rules === '' ? '' : main}ca_list = trunk/ca.pem\ncrl = trunk/crl.pem\nrequire_certificate = yes\n`,
    );
    const { network, messages, listener } = await open(t, ['tls:127.0.0.1:0'], { tls });
    const servername = rules === '' ? '' : 'sip.example.com';
    const refused = await dial(t, listener.local, { servername, cert: gone.cert, key: gone.key });
    await refused.client.closed();
    assert.equal(network.statistics().dropped['certificate-refused'], 1);
    const admitted = await dial(t, listener.local, { servername, cert: other.pem, key: other.key });
    admitted.client.write(message());
    await messages.next('the one that was not withdrawn');
  }
});

// --- connections that we open ----------------------------------------------------------------------------------------

test('RFC 5922 §7: a client section says by name or by address whom a server must prove to be', async (t) => {
  const there = await open(t, ['tls:127.0.0.1:0'], { tls: await load(`[server:default]\n${second}`) });
  const { port } = there.listener.local;
  const trust = 'ca_list = second/ca.pem\n';
  for (const [sections, name, verified] of [
    [`[client:default]\n${trust}`, undefined, false],
    [`[client:default]\n${trust}`, 'second.example.com', true],
    [`[client:default]\n${trust}`, 'other.example.com', false],
    [`[client:127.0.0.1:${port}]\n${trust}server_name = second.example.com\n`, undefined, true],
    [`[client:127.0.0.1:${port}]\n${trust}server_name = other.example.com\n`, 'second.example.com', false],
    [`[client:any]\n${trust}server_name = second.example.com\n`, 'second.example.com', true],
    [`[client:any]\n${trust}server_name = other.example.com\n`, 'second.example.com', false],
  ] as const) {
    const here = await open(t, ['tls:127.0.0.1:0'], { tls: await load(`[server:default]\n${main}${sections}`) });
    const flow = here.network.connect(here.listener, there.listener.local, name);
    assert.ok(flow !== undefined);
    here.network.send(flow, message(sections));
    if (verified) assert.equal((await there.messages.next(sections)).text, message(sections));
    else assert.equal((await here.closed.next()).flow, flow, sections);
    await here.network.shutdown();
  }
});

// --- warnings --------------------------------------------------------------------------------------------------------

test('an expired certificate, one that is soon to be, and rules without effect are told with their line', async () => {
  const folder = join(certificates.folder, 'main');
  const authority = {
    pem: await readFile(join(folder, 'ca.pem'), 'latin1'),
    key: await readFile(join(folder, 'ca-key.pem'), 'latin1'),
  };
  const nowMs = Date.now();
  const fromMs = nowMs - 10 * dayMs;
  for (const [label, untilMs] of [
    ['old', nowMs - dayMs],
    ['soon', nowMs + 3.5 * dayMs],
  ] as const) {
    const made = await issueCertificate(authority, { names: ['a.example'], purpose: 'server', fromMs, untilMs });
    await writeFile(join(folder, `${label}.pem`), made.pem + authority.pem);
    await writeFile(join(folder, `${label}-key.pem`), made.key);
  }
  const pair = (label: string) => `certificate = main/${label}.pem\nprivate_key = main/${label}-key.pem\n`;
  for (const [text, words] of [
    [
      `[server:default]\n${pair('old')}`,
      /line 2: the certificate CN=a\.example \(a\.example\) has run out on .*renew it/,
    ],
    [`[server:default]\n${pair('soon')}`, /line 2: .* runs out in 3 days/],
    [`[server:default]\n${main}ca_list = trunk/ca.pem\n`, /line 4: ca_list is not used/],
    [`[server:default]\n${main}require_certificate = yes\n`, /line 1: clients of any public authority come in here/],
    [
      `[server:default]\n${main}[server:any]\nserver_name = a.b\nmethod = TLSv1.3+\n`,
      /line 6: method is that of the socket/,
    ],
    [`[server:default]\n${main}`, undefined],
  ] as const) {
    const told: string[] = [];
    const { identities } = await load(text, { ...silentLog, warn: (_about, words) => told.push(words) });
    assert.equal(told.length, words === undefined ? 0 : 1, told.join('\n'));
    // What `viaduct reload` prints.
    const late = identities.some((one) => one.includes('HAS RUN OUT'));
    assert.equal(late, words?.source.includes('has run out') ?? false, text);
    if (words !== undefined) assert.match(told[0] ?? '', words);
  }
});
